/* The form of requests: whole ones, broken ones, and ten thousand that a fuzzer made. */
#include <sys/socket.h>

#include "check.h"
#include "ops.h"

struct buffer {
	char data[4096];
	size_t size;
};

static void put_bytes(struct buffer *buffer, const void *data, size_t size)
{
	memcpy(buffer->data + buffer->size, data, size);
	buffer->size += size;
}

static void put_head(struct buffer *buffer, uint8_t kind)
{
	char head[4] = {REQUEST_VERSION, (char)kind, 0, 0};

	put_bytes(buffer, head, sizeof head);
}

static void put_op(struct buffer *buffer, unsigned code, unsigned fields)
{
	char head[4] = {(char)code, (char)(code >> 8), (char)fields, (char)(fields >> 8)};

	put_bytes(buffer, head, sizeof head);
}

static void put_field(struct buffer *buffer, const void *data, size_t size)
{
	char head[4];

	put_u32(head, (uint32_t)size);
	put_bytes(buffer, head, sizeof head);
	put_bytes(buffer, data, size);
}

static void put_number(struct buffer *buffer, uint64_t value)
{
	char bytes[8];

	put_u64(bytes, value);
	put_field(buffer, bytes, sizeof bytes);
}

/* An exact copy on the heap, so that ASan sees a read past its end. */
static int parse(const struct buffer *buffer, struct request *request, struct err *err)
{
	char *body = malloc(buffer->size + 1);

	memcpy(body, buffer->data, buffer->size);
	int result = request_parse(body, buffer->size, request, err);
	if (result < 0)
		free(body);
	return result;
}

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

/* Takes everything out of a request in all forms, as the operations do. */
static void read_all(const struct request *request)
{
	for (uint32_t i = 0; i < request->count; i++) {
		struct err err = {0};
		size_t count, sum = 0;

		for (unsigned form = 0; form < 4; form++) {
			struct args args = args_of(&request->ops[i]);

			for (unsigned f = 0; f <= request->ops[i].count; f++) {
				if (form == 0)
					sum += strlen(args_string(&args));
				else if (form == 1)
					sum += args_number(&args);
				else if (form == 2)
					sum += args_bytes(&args).size;
				else
					(void)args_list(&args, &count);
			}
			CHECK(args_end(&args, &err) < 0 || sum != (size_t)-1);
		}
	}
}

static void nothing_breaks_it(void)
{
	unsigned accepted = 0;

	srand(1);
	for (int round = 0; round < 20000; round++) {
		struct buffer buffer = {.size = 0};
		struct request request;
		struct err err = {0};

		put_head(&buffer, 1);
		for (int op = rand() % 5; op >= 0; op--) {
			int fields = rand() % 4;

			put_op(&buffer, (unsigned)rand() % 400, (unsigned)fields);
			for (; fields > 0; fields--) {
				if (rand() % 2)
					put_number(&buffer, (uint64_t)rand() % 5);
				else
					put_field(&buffer, "some/path\0x", (size_t)rand() % 11);
			}
		}
		for (int flips = rand() % 4; flips > 0; flips--)
			buffer.data[(size_t)rand() % buffer.size] = (char)rand();
		if (rand() % 3 == 0)
			buffer.size = (size_t)rand() % buffer.size;
		if (parse(&buffer, &request, &err) < 0) {
			CHECK(err.text[0]);
			continue;
		}
		accepted++;
		read_all(&request);
		request_free(&request);
	}
	CHECK(accepted > 1000);
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
	nothing_breaks_it();
	frames_come_through_a_socket();
	puts("native/ops: passed");
	return 0;
}
