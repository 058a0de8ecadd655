/*
 * Requests that a fuzzer made, through everything that reads them: under ASan and UBSan nothing may
 * break. `make test` runs a few; more by hand, each seed its own:
 *
 *	make -C native fuzz ROUNDS=10000000 SEED=7
 */
#include <stdlib.h>

#include "check.h"
#include "ns.h"
#include "opcodes.h"
#include "process.h"
#include "requests.h"

static unsigned long setting(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 10) : otherwise;
}

/* Half of the codes are such as a process has, whose fields are read further. */
static unsigned some_code(void)
{
	return rand() % 2 ? OP_ARGV + (unsigned)rand() % 16 : (unsigned)rand() % 400;
}

static void put_some_field(struct buffer *buffer)
{
	static const uint64_t numbers[] = {0, 1, 2, 5, 255, 1ull << 20, 1ull << 32, ~0ull};

	if (rand() % 2)
		put_number(buffer, numbers[(size_t)rand() % LENGTH(numbers)]);
	else
		put_field(buffer, "some/path\0x", (size_t)rand() % 11);
}

static void make(struct buffer *buffer)
{
	put_head(buffer, 1);
	for (int op = rand() % 8; op >= 0; op--) {
		int fields = rand() % 6;

		put_op(buffer, some_code(), (unsigned)fields);
		for (; fields > 0; fields--)
			put_some_field(buffer);
	}
	for (int flips = rand() % 4; flips > 0; flips--)
		buffer->data[(size_t)rand() % buffer->size] = (char)rand();
	if (rand() % 3 == 0)
		buffer->size = (size_t)rand() % buffer->size;
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

/* As those that take requests apart do. */
static void read_further(const struct request *request)
{
	struct process process;
	struct err err = {0};

	if (process_parse(request, &process, &err) < 0)
		CHECK(err.text[0]);
	else
		CHECK(process.argv && process.argv[0]);
	process_free(&process);
	for (uint32_t i = 0; i < request->count; i++) {
		struct namespaces namespaces;

		if (ns_parse(&request->ops[i], &namespaces, &err) == 0)
			CHECK(namespaces.joins <= NS_JOINS);
	}
}

int main(void)
{
	unsigned long rounds = setting("ROUNDS", 20000), accepted = 0;

	srand((unsigned)setting("SEED", 1));
	for (unsigned long round = 0; round < rounds; round++) {
		struct buffer buffer = {.size = 0};
		struct request request;
		struct err err = {0};

		make(&buffer);
		if (parse(&buffer, &request, &err) < 0) {
			CHECK(err.text[0]);
			continue;
		}
		accepted++;
		read_all(&request);
		read_further(&request);
		request_free(&request);
	}
	CHECK(accepted > rounds / 20);
	puts("native/fuzz: passed");
	return 0;
}
