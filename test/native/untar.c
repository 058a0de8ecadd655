/* Archives: every form of header, hostile ones, and thousands of damaged ones; nothing may get
 * outside the root. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "check.h"
#include "parents.h"
#include "untar.h"

#define ROOM (256 << 10)

struct archive {
	char data[ROOM];
	size_t size;
};

static void seal(char *block)
{
	unsigned sum = 0;

	memset(block + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", sum);
}

static char *add(struct archive *archive, char type, const char *path, const char *link,
		 const void *data, size_t size)
{
	char *block = archive->data + archive->size;

	memset(block, 0, 512 + (size + 511) / 512 * 512);
	snprintf(block, 100, "%s", path);
	snprintf(block + 100, 8, "%07o", type == '5' ? 0755u : 0644u);
	snprintf(block + 108, 8, "%07o", 0u);
	snprintf(block + 116, 8, "%07o", 0u);
	snprintf(block + 124, 12, "%011o", (unsigned)size);
	snprintf(block + 136, 12, "%011o", 1000000000u);
	block[156] = type;
	snprintf(block + 157, 100, "%s", link ? link : "");
	memcpy(block + 257,
	       "ustar\0"
	       "00",
	       8);
	memcpy(block + 512, data ? data : "", size);
	seal(block);
	archive->size += 512 + (size + 511) / 512 * 512;
	return block;
}

static void add_pax(struct archive *archive, const char *records, size_t size)
{
	add(archive, 'x', "pax", NULL, records, size);
}

static void end(struct archive *archive)
{
	memset(archive->data + archive->size, 0, 1024);
	archive->size += 1024;
}

static char base[64];

static int fresh_root(void)
{
	char command[256];

	snprintf(command, sizeof command, "rm -rf %s && mkdir -p %s/root && echo safe > %s/canary",
		 base, base, base);
	CHECK(system(command) == 0);
	char path[128];
	snprintf(path, sizeof path, "%s/root", base);
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0);
	return fd;
}

static int run(int root, const struct archive *archive, const struct untar_options *options,
	       struct err *err)
{
	struct source source = {.fd = -1, .data = archive->data, .left = archive->size};
	struct untar_result result;

	*err = (struct err){0};
	return untar(&source, root, options, &result, err);
}

static const struct untar_options layer = {.overlay = true};
static const struct untar_options plain;

static void check_canary(void)
{
	char path[128], text[16] = "";

	snprintf(path, sizeof path, "%s/canary", base);
	int fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && read(fd, text, sizeof text - 1) == 5);
	close(fd);
	CHECK_TEXT(text, "safe\n");
}

static void unpacks_every_kind(void)
{
	struct archive *a = calloc(1, sizeof *a);
	struct err err;
	struct stat stat;
	char buffer[64] = "";
	int root = fresh_root();

	add(a, '5', "./", NULL, NULL, 0);
	add(a, '5', "d/", NULL, NULL, 0);
	add(a, '0', "d/file", NULL, "hello", 5);
	add(a, '1', "d/hard", "d/file", NULL, 0);
	add(a, '2', "d/soft", "/etc/passwd", NULL, 0);
	add(a, '6', "d/fifo", NULL, NULL, 0);
	add(a, '0', "implied/deep/x", NULL, "x", 1);
	add(a, '0', "d/.wh.gone", NULL, NULL, 0);
	add(a, '0', "d/.wh..wh..opq", NULL, NULL, 0);
	add_pax(a,
		"30 mtime=1234567890.123456789\n"
		"19 path=long/name=\n",
		30 + 19);
	add(a, '0', "short", NULL, "p", 1);
	add(a, 'L', "././@LongLink", NULL, "gnu/long/name", 14);
	add(a, '0', "cut", NULL, "g", 1);
	end(a);
	CHECK(run(root, a, &layer, &err) == 0);
	CHECK(fstatat(root, "d/hard", &stat, 0) == 0 && stat.st_nlink == 2 && stat.st_size == 5);
	CHECK(stat.st_mtime == 1000000000);
	CHECK(fstatat(root, "d", &stat, 0) == 0 && stat.st_mtime == 1000000000);
	CHECK(readlinkat(root, "d/soft", buffer, sizeof buffer) == 11);
	CHECK(fstatat(root, "d/fifo", &stat, 0) == 0 && S_ISFIFO(stat.st_mode));
	CHECK(fstatat(root, "implied/deep/x", &stat, 0) == 0);
	CHECK(fstatat(root, "implied/deep", &stat, 0) == 0 && stat.st_mtime == 0);
	CHECK(fstatat(root, "d/gone", &stat, 0) == 0 && S_ISCHR(stat.st_mode) && stat.st_rdev == 0);
	char path[128];
	snprintf(path, sizeof path, "%s/root/d", base);
	CHECK(getxattr(path, "trusted.overlay.opaque", buffer, sizeof buffer) == 1);
	CHECK(fstatat(root, "long/name=", &stat, 0) == 0 && stat.st_mtim.tv_nsec == 123456789);
	CHECK(fstatat(root, "gnu/long/name", &stat, 0) == 0);
	close(root);
	free(a);
}

static void replaces_what_is_there(void)
{
	struct archive *a = calloc(1, sizeof *a);
	struct err err;
	struct stat stat;
	int root = fresh_root();

	add(a, '0', "dir/inside", NULL, "x", 1);
	add(a, '0', "dir", NULL, "now a file", 10);
	add(a, '0', "file", NULL, "x", 1);
	add(a, '5', "file/", NULL, NULL, 0);
	end(a);
	CHECK(run(root, a, &plain, &err) == 0);
	CHECK(fstatat(root, "dir", &stat, 0) == 0 && S_ISREG(stat.st_mode) && stat.st_size == 10);
	CHECK(fstatat(root, "file", &stat, 0) == 0 && S_ISDIR(stat.st_mode));
	close(root);
	/* A layer has nothing twice: what is right would depend on who unpacks it. */
	root = fresh_root();
	CHECK(run(root, a, &layer, &err) < 0 && strstr(err.text, "duplicates"));
	close(root);
	free(a);
}

static void hides_lower_layers(void)
{
	struct archive *a = calloc(1, sizeof *a);
	struct err err;
	struct stat stat;
	int root = fresh_root();

	add(a, '0', ".wh.back", NULL, NULL, 0);
	add(a, '5', "back/", NULL, NULL, 0);
	add(a, '0', "kept", NULL, "k", 1);
	add(a, '0', ".wh.kept", NULL, NULL, 0);
	end(a);
	CHECK(run(root, a, &layer, &err) == 0);
	CHECK(fstatat(root, "kept", &stat, 0) == 0 && S_ISREG(stat.st_mode));
	/* A directory that comes after its own whiteout shows nothing of the lower one. */
	char path[128], value[4];
	snprintf(path, sizeof path, "%s/root/back", base);
	CHECK(getxattr(path, "trusted.overlay.opaque", value, sizeof value) == 1);
	close(root);
	free(a);
}

static void reads_sparse_files(void)
{
	struct archive *a = calloc(1, sizeof *a);
	struct err err;
	struct stat stat;
	char text[4] = "";
	int root = fresh_root();
	char *block = add(a, 'S', "old", NULL, "endx", 4);

	/* one piece of four bytes at 1 MiB, the file's size behind it */
	snprintf(block + 386, 12, "%011o", 1u << 20);
	snprintf(block + 398, 12, "%011o", 4u);
	snprintf(block + 483, 12, "%011o", (1u << 20) + 4);
	seal(block);
	add_pax(a,
		"22 GNU.sparse.major=1\n"
		"22 GNU.sparse.minor=0\n"
		"27 GNU.sparse.name=newform\n"
		"31 GNU.sparse.realsize=1048580\n",
		22 + 22 + 27 + 31);
	char data[516] = "1\n1048576\n4\n";
	memcpy(data + 512, "endy", 4);
	add(a, '0', "GNUSparseFile.1/newform", NULL, data, sizeof data);
	end(a);
	CHECK(run(root, a, &layer, &err) == 0);
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "newform" : "old";
		int fd = openat(root, name, O_RDONLY);

		CHECK(fstat(fd, &stat) == 0 && stat.st_size == (1 << 20) + 4 &&
		      stat.st_blocks < 100);
		CHECK(pread(fd, text, 4, 1 << 20) == 4 &&
		      memcmp(text, i ? "endy" : "endx", 4) == 0);
		close(fd);
	}
	close(root);
	free(a);
}

static void stays_inside(void)
{
	struct archive *a = calloc(1, sizeof *a);
	struct err err;
	struct stat stat;
	int root = fresh_root();

	/* A link out, then written through: it leads to the same path inside. */
	add(a, '2', "out", "../..", NULL, 0);
	add(a, '0', "out/canary", NULL, "evil", 4);
	add(a, '2', "abs", "/etc", NULL, 0);
	add(a, '5', "etc/", NULL, NULL, 0);
	add(a, '0', "abs/passwd", NULL, "evil", 4);
	add(a, '0', "/absolute", NULL, "x", 1);
	end(a);
	CHECK(run(root, a, &layer, &err) == 0);
	CHECK(fstatat(root, "canary", &stat, 0) == 0);
	CHECK(fstatat(root, "etc/passwd", &stat, 0) == 0 && stat.st_size == 4);
	CHECK(fstatat(root, "absolute", &stat, 0) == 0);
	check_canary();
	close(root);
	free(a);
}

static void refuses_hostile_archives(void)
{
	static const struct {
		char type;
		const char *path, *link;
	} cases[] = {
	    {'0', "../canary", NULL}, {'0', "a/../../canary", NULL},
	    {'1', "x", "../canary"},  {'1', "x", "/nowhere"},
	    {'0', "d/.wh...", NULL},  {'0', "d/.wh..", NULL},
	    {'0', ".wh.", NULL},      {'1', "x", "."},
	    {'3', "zero", NULL},      {'0', "", NULL},
	};
	struct err err;

	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct archive *a = calloc(1, sizeof *a);
		int root = fresh_root();

		add(a, cases[i].type, cases[i].path, cases[i].link, NULL, 0);
		end(a);
		CHECK(run(root, a, &layer, &err) < 0 && err.text[0]);
		check_canary();
		close(root);
		free(a);
	}
}

static void refuses_broken_archives(void)
{
	struct archive *a = calloc(1, sizeof *a);
	struct err err;
	int root = fresh_root();

	add(a, '0', "file", NULL, "0123456789", 10);
	for (size_t cut = 1; cut < a->size; cut += 100) {
		struct archive *part = malloc(sizeof *part);

		memcpy(part, a, sizeof *part);
		part->size = cut;
		CHECK(run(root, part, &layer, &err) < 0);
		free(part);
	}
	/* A negative size, a size beyond all, a wrong checksum. */
	char *block = a->data;
	memset(block + 124, 0xff, 12);
	seal(block);
	CHECK(run(root, a, &layer, &err) < 0);
	memset(block + 124, 0, 12);
	block[124] = (char)0x80;
	memset(block + 128, 0x7f, 8);
	seal(block);
	CHECK(run(root, a, &layer, &err) < 0);
	block[0] ^= 1;
	CHECK(run(root, a, &layer, &err) < 0);
	close(root);
	free(a);
}

static void keeps_to_limits(void)
{
	struct archive *a = calloc(1, sizeof *a);
	struct untar_options options = {.entry_limit = 3};
	struct err err;
	int root = fresh_root();

	for (int i = 0; i < 4; i++)
		add(a, '0', "same", NULL, "12345", 5);
	end(a);
	CHECK(run(root, a, &options, &err) < 0 && err.code == E2BIG);
	options = (struct untar_options){.byte_limit = 12};
	CHECK(run(root, a, &options, &err) < 0 && err.code == E2BIG);
	options = (struct untar_options){.entry_limit = 4, .byte_limit = 20};
	CHECK(run(root, a, &options, &err) == 0);
	close(root);
	free(a);
}

/* Damage of any kind ends in an error or in a tree inside the root, never outside and never in a
 * crash. */
static void survives_damage(void)
{
	struct archive *whole = calloc(1, sizeof *whole), *a = malloc(sizeof *a);
	struct err err;
	unsigned seed = 12345;

	add(whole, '5', "d/", NULL, NULL, 0);
	add(whole, '2', "d/up", "../..", NULL, 0);
	add_pax(whole,
		"27 SCHILY.xattr.user.a=b\ncd\n"
		"20 path=d/up/longer\n"
		"17 size=00000003\n",
		27 + 20 + 17);
	add(whole, '0', "d/x", NULL, "abc", 3);
	add(whole, '1', "d/h", "d/x", NULL, 0);
	add(whole, 'L', "././@LongLink", NULL, "d/up/canary", 12);
	add(whole, '0', "cut", NULL, "g", 1);
	add(whole, '0', "d/.wh.y", NULL, NULL, 0);
	end(whole);
	int root = fresh_root();
	for (int round = 0; round < 3000; round++) {
		memcpy(a, whole, sizeof *a);
		for (int flips = 1 + round % 5; flips > 0; flips--) {
			seed = seed * 1103515245 + 12345;
			size_t at = (seed >> 8) % a->size;
			seed = seed * 1103515245 + 12345;
			a->data[at] = (char)(seed >> 16);
			/* Headers are looked at only when their checksum holds. */
			for (size_t block = 0; block + 512 <= a->size; block += 512)
				if (memcmp(a->data + block + 257, "ustar", 5) == 0)
					seal(a->data + block);
		}
		run(root, a, &layer, &err);
	}
	check_canary();
	close(root);
	free(whole);
	free(a);
}

int main(void)
{
	char command[96];

	snprintf(base, sizeof base, "/var/tmp/slw-untar-%d", getpid());
	unpacks_every_kind();
	replaces_what_is_there();
	hides_lower_layers();
	reads_sparse_files();
	stays_inside();
	refuses_hostile_archives();
	refuses_broken_archives();
	keeps_to_limits();
	survives_damage();
	snprintf(command, sizeof command, "rm -rf %s", base);
	CHECK(system(command) == 0);
	puts("native/untar: passed");
	return 0;
}
