/* SHA-256 against the examples of FIPS 180-4 and of its test vectors, and its two forms against
 * each other. */
#include "sha256.h"

#include "check.h"

static void text_of(struct sha256 *hash, char text[2 * SHA256_SIZE + 1])
{
	uint8_t digest[SHA256_SIZE];

	sha256_end(hash, digest);
	for (int i = 0; i < SHA256_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

static void check_digest(const char *data, const char *want)
{
	struct sha256 hash;
	char got[2 * SHA256_SIZE + 1];

	sha256_start(&hash);
	sha256_add(&hash, data, strlen(data));
	text_of(&hash, got);
	CHECK_TEXT(got, want);
}

static void examples_hold(void)
{
	check_digest("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check_digest("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	check_digest("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
		     "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

static void a_million_letters(void)
{
	struct sha256 hash;
	char got[2 * SHA256_SIZE + 1], piece[997];

	memset(piece, 'a', sizeof piece);
	sha256_start(&hash);
	for (size_t left = 1000000; left > 0;) {
		size_t part = left < sizeof piece ? left : sizeof piece;

		sha256_add(&hash, piece, part);
		left -= part;
	}
	text_of(&hash, got);
	CHECK_TEXT(got, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Any cut of any length gives what one piece gives, by either form. */
static void both_forms_agree(void)
{
	uint8_t data[300];

	srand(1);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)rand();
	for (size_t length = 0; length <= sizeof data; length++) {
		struct sha256 whole, cut;
		char one[2 * SHA256_SIZE + 1], other[2 * SHA256_SIZE + 1];
		size_t at = length > 0 ? (size_t)rand() % length : 0;

		sha256_start(&whole);
		sha256_add(&whole, data, length);
		sha256_start(&cut);
		cut.blocks = sha256_blocks_plain;
		sha256_add(&cut, data, at);
		sha256_add(&cut, data + at, length - at);
		text_of(&whole, one);
		text_of(&cut, other);
		CHECK_TEXT(one, other);
	}
}

int main(void)
{
	examples_hold();
	a_million_letters();
	both_forms_agree();
	puts("native/sha256: passed");
	return 0;
}
