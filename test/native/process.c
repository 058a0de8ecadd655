/* Process operations: what they mean, and that none that is malformed is taken for something. */
#include "process.h"
#include "check.h"

struct buffer {
	char data[8192];
	size_t size;
};

static void put_bytes(struct buffer *buffer, const void *data, size_t size)
{
	memcpy(buffer->data + buffer->size, data, size);
	buffer->size += size;
}

static void put_op(struct buffer *buffer, unsigned code, unsigned fields)
{
	char head[4] = {(char)code, (char)(code >> 8), (char)fields, (char)(fields >> 8)};

	put_bytes(buffer, head, sizeof head);
}

static void put_text(struct buffer *buffer, const char *text)
{
	char head[4];

	put_u32(head, (uint32_t)strlen(text));
	put_bytes(buffer, head, sizeof head);
	put_bytes(buffer, text, strlen(text));
}

static void put_number(struct buffer *buffer, uint64_t value)
{
	char bytes[12];

	put_u32(bytes, 8);
	put_u64(bytes + 4, value);
	put_bytes(buffer, bytes, sizeof bytes);
}

static void begin(struct buffer *buffer)
{
	buffer->size = 0;
	put_bytes(buffer, "\x01\x02\0\0", 4);
}

static int parse(const struct buffer *buffer, struct request *request, struct process *process,
		 struct err *err)
{
	char *body = malloc(buffer->size + 1);

	memcpy(body, buffer->data, buffer->size);
	if (request_parse(body, buffer->size, request, err) < 0) {
		free(body);
		return -2;
	}
	return process_parse(request, process, err);
}

static void a_whole_process(void)
{
	struct buffer buffer;
	struct request request;
	struct process process;
	struct err err = {0};

	begin(&buffer);
	put_op(&buffer, 60, 3);
	put_number(&buffer, 2);
	put_text(&buffer, "sh");
	put_text(&buffer, "-c");
	put_op(&buffer, 63, 5);
	put_number(&buffer, 1000);
	put_number(&buffer, 7);
	put_number(&buffer, 2);
	put_number(&buffer, 7);
	put_number(&buffer, 44);
	put_op(&buffer, 68, 1);
	put_number(&buffer, (uint64_t)-500);
	put_op(&buffer, 71, 0);
	CHECK(parse(&buffer, &request, &process, &err) == 0);
	CHECK_TEXT(process.argv[1], "-c");
	CHECK(!process.argv[2]);
	CHECK(process.uid == 1000 && process.gid == 7 && process.group_count == 2);
	CHECK(process.groups[1] == 44 && process.oom_score == -500 && process.init);
	CHECK_TEXT(process.cwd, "/");
	process_free(&process);
	request_free(&request);
}

static void nothing_to_start(void)
{
	struct buffer buffer;
	struct request request;
	struct process process;
	struct err err = {0};

	begin(&buffer);
	CHECK(parse(&buffer, &request, &process, &err) == -1);
	CHECK(process.failed == -1);
	process_free(&process);
	request_free(&request);

	begin(&buffer);
	put_op(&buffer, 66, 0);
	put_op(&buffer, 22, 0);
	CHECK(parse(&buffer, &request, &process, &err) == -1);
	CHECK(process.failed == 1);
	CHECK(strstr(err.text, "operation 22"));
	process_free(&process);
	request_free(&request);
}

/* Any operation, with any fields, twice over: it ends in an error or a process, and frees all. */
static void any_operation(void)
{
	unsigned taken = 0;

	srand(3);
	for (int round = 0; round < 20000; round++) {
		struct buffer buffer;
		struct request request;
		struct process process;
		struct err err = {0};

		begin(&buffer);
		put_op(&buffer, 60, 2);
		put_number(&buffer, 1);
		put_text(&buffer, "true");
		for (int op = rand() % 4; op >= 0; op--) {
			int fields = rand() % 6;

			put_op(&buffer, 60 + (unsigned)rand() % 16, (unsigned)fields);
			for (; fields > 0; fields--) {
				if (rand() % 3)
					put_number(&buffer,
						   rand() % 4 ? (uint64_t)rand() % 4 : ~0ull);
				else
					put_text(&buffer, rand() % 2 ? "" : "text");
			}
		}
		int result = parse(&buffer, &request, &process, &err);
		CHECK(result == 0 || err.text[0]);
		taken += result == 0;
		process_free(&process);
		request_free(&request);
	}
	CHECK(taken > 50);
}

int main(void)
{
	a_whole_process();
	nothing_to_start();
	any_operation();
	puts("native/process: passed");
	return 0;
}
