/* The form of requests: whole ones and broken ones; fuzz.c makes many more. */
#include <sys/socket.h>

#include "check.h"
#include "requests.h"

static void fields_are_read_in_order(void)
{
	struct buffer buffer = {.size = 0};
	struct request request;
	struct err err = {0};
	size_t count;

	put_head(&buffer, 7);
	put_op(&buffer, 300, 5);
	put_field(&buffer, "path", 4);
	put_number(&buffer, 1ull << 40);
	put_number(&buffer, 2);
	put_field(&buffer, "a", 1);
	put_field(&buffer, "", 0);
	CHECK(parse(&buffer, &request, &err) == 0);
	CHECK(request.kind == 7 && request.count == 1 && request.ops[0].code == 300);
	struct args args = args_of(&request.ops[0]);
	CHECK_TEXT(args_string(&args), "path");
	CHECK(args_number(&args) == 1ull << 40);
	const struct field *list = args_list(&args, &count);
	CHECK(count == 2);
	CHECK_TEXT(list[0].data, "a");
	CHECK_TEXT(list[1].data, "");
	CHECK(args_end(&args, &err) == 0);
	request_free(&request);
}

static void mistakes_stick(void)
{
	struct buffer buffer = {.size = 0};
	struct request request;
	struct err err = {0};
	size_t count;

	put_head(&buffer, 1);
	put_op(&buffer, 1, 2);
	put_field(&buffer, "a\0b", 3);
	put_number(&buffer, 1000);
	CHECK(parse(&buffer, &request, &err) == 0);

	struct args args = args_of(&request.ops[0]);
	CHECK_TEXT(args_string(&args), "");
	CHECK(args_number(&args) == 0);
	CHECK(args_end(&args, &err) < 0);
	CHECK(strstr(err.text, "NUL inside"));

	args = args_of(&request.ops[0]);
	CHECK(args_number(&args) == 0);
	CHECK(args_end(&args, &err) < 0);
	CHECK(strstr(err.text, "not a number"));

	args = args_of(&request.ops[0]);
	CHECK(args_bytes(&args).size == 3);
	(void)args_list(&args, &count);
	CHECK(count == 0);
	CHECK(args_end(&args, &err) < 0);
	CHECK(strstr(err.text, "cut off"));

	args = args_of(&request.ops[0]);
	(void)args_bytes(&args);
	CHECK(args_end(&args, &err) < 0);
	CHECK(strstr(err.text, "2 fields, 1 are known"));
	request_free(&request);
}

static void every_cut_is_refused_or_whole(void)
{
	struct buffer buffer = {.size = 0};
	struct err err = {0};

	put_head(&buffer, 1);
	put_op(&buffer, 22, 2);
	put_field(&buffer, "tmpfs", 5);
	put_number(&buffer, 3);
	put_op(&buffer, 33, 0);
	for (size_t whole = buffer.size, size = 0; size <= whole; size++) {
		struct request request;

		buffer.size = size;
		if (parse(&buffer, &request, &err) < 0)
			continue;
		CHECK(size == 4 || size == whole - 4 || size == whole);
		request_free(&request);
	}
}

static void lengths_do_not_overflow(void)
{
	static const uint32_t lengths[] = {~0u, ~0u - 3, 1u << 31, 5, 65536};
	struct err err = {0};

	for (size_t i = 0; i < LENGTH(lengths); i++) {
		struct buffer buffer = {.size = 0};
		struct request request;

		put_head(&buffer, 1);
		put_op(&buffer, 1, 1);
		put_field(&buffer, "abcd", 4);
		put_u32(buffer.data + 8, lengths[i]);
		CHECK(parse(&buffer, &request, &err) < 0);
	}
}

static void frames_come_through_a_socket(void)
{
	char payload[64];
	uint8_t type;
	uint32_t size;
	int ends[2];
	struct err err = {0};

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	CHECK(frame_write(ends[0], FRAME_STDOUT, "hello", 5) == 0);
	CHECK(frame_read(ends[1], &type, payload, sizeof payload, &size) == 0);
	CHECK(type == FRAME_STDOUT && size == 5 && memcmp(payload, "hello", 5) == 0);
	CHECK(frame_write(ends[0], FRAME_STDOUT, payload, sizeof payload) == 0);
	CHECK(frame_read(ends[1], &type, payload, 8, &size) < 0 && errno == EMSGSIZE);
	err_set(&err, 2, "no such thing");
	char rest[64];
	CHECK(read_full(ends[1], rest, sizeof rest) == 0);
	CHECK(answer_error(ends[0], 3, &err) == 0);
	CHECK(frame_read(ends[1], &type, payload, sizeof payload, &size) == 0);
	CHECK(type == FRAME_ERROR && get_u32(payload) == 3 && get_u32(payload + 4) == 2 &&
	      size == 21);
	close(ends[0]);
	CHECK(frame_read(ends[1], &type, payload, sizeof payload, &size) < 0 && errno == EPIPE);
	close(ends[1]);
}

int main(void)
{
	fields_are_read_in_order();
	mistakes_stick();
	every_cut_is_refused_or_whole();
	lengths_do_not_overflow();
	frames_come_through_a_socket();
	puts("native/ops: passed");
	return 0;
}
