/* Log lines: escaping, long lines, rotation. */
#include <fcntl.h>

#include "check.h"
#include "json.h"
#include "log.h"

static void escapes(void)
{
	static const struct {
		const char *text, *json;
	} table[] = {
	    {"plain text", "plain text"},
	    {"a\"b\\c\n\r\t", "a\\\"b\\\\c\\n\\r\\t"},
	    {"<&>\x01\x1f", "\\u003c\\u0026\\u003e\\u0001\\u001f"},
	    {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x8b",
	     "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x8b"},
	    {"\xff\xc3(\xe2\x82", "\\ufffd\\ufffd(\\ufffd\\ufffd"},
	    {"\xc0\xaf\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd"},
	    {"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"},
	    {"", ""},
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		size_t size = strlen(table[i].text);
		char *out = malloc(6 * size + 1);

		/* A copy without its NUL: a read past the end is seen. */
		char *text = malloc(size > 0 ? size : 1);
		memcpy(text, table[i].text, size);
		out[json_escape(out, text, size)] = '\0';
		CHECK_TEXT(out, table[i].json);
		free(text);
		free(out);
	}
}

static void every_byte_sequence_fits(void)
{
	srand(2);
	for (int round = 0; round < 20000; round++) {
		size_t size = (size_t)rand() % 9;
		char *text = malloc(size + 1), *out = malloc(6 * size + 1);

		for (size_t i = 0; i < size; i++)
			text[i] = (char)(rand() % 2 ? rand() : 0x80 + rand() % 0x80);
		char *exact = malloc(size > 0 ? size : 1);
		memcpy(exact, text, size);
		CHECK(json_escape(out, exact, size) <= 6 * size);
		free(exact);
		free(text);
		free(out);
	}
}

static void times_lose_their_zeros(void)
{
	const struct log_form plain = {0};
	static const struct {
		struct timespec time;
		const char *text;
	} table[] = {
	    {{0, 0}, "1970-01-01T00:00:00Z"},
	    {{951782400, 500000000}, "2000-02-29T00:00:00.5Z"},
	    {{1795315641, 387061800}, "2026-11-22T02:47:21.3870618Z"},
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		char line[256], expected[256];

		line[log_entry(&plain, line, 1, "x\n", 2, &table[i].time)] = '\0';
		snprintf(expected, sizeof expected,
			 "{\"log\":\"x\\n\",\"stream\":\"stderr\",\"time\":\"%s\"}\n",
			 table[i].text);
		CHECK_TEXT(line, expected);
	}
}

static void attributes_come_before_the_time(void)
{
	char attrs[] = "{\"a\":\"1\"}", line[256];
	const struct log_form form = {.attrs = attrs};
	const struct timespec time = {0};

	CHECK(log_entry_room(&form, 2) < sizeof line);
	line[log_entry(&form, line, 0, "x\n", 2, &time)] = '\0';
	CHECK_TEXT(line, "{\"log\":\"x\\n\",\"stream\":\"stdout\",\"attrs\":{\"a\":\"1\"},"
			 "\"time\":\"1970-01-01T00:00:00Z\"}\n");
}

static void binary_entries_keep_every_byte(void)
{
	static const char expected[] = "\x0c\0\0\0\2\x15\xcd\x5b\x07\0\0\0\0\xff\0\n\x0c\0\0\0";
	const struct log_form form = {.binary = true};
	const struct timespec time = {.tv_nsec = 123456789};
	char entry[64];

	CHECK(log_entry(&form, entry, 1, "\xff\0\n", 3, &time) == sizeof expected - 1);
	CHECK(log_entry_room(&form, 3) == sizeof expected - 1);
	CHECK(memcmp(entry, expected, sizeof expected - 1) == 0);
}

static char directory[64];

static char *read_file(const char *name, size_t *size)
{
	char path[128], *text = calloc(1, 1 << 20);

	snprintf(path, sizeof path, "%s/%s", directory, name);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read_some(fd, text, (1 << 20) - 1);
	*size = n < 0 ? 0 : (size_t)n;
	return text;
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void opens(struct log *log, const char *name, uint64_t size, unsigned files)
{
	char path[128];
	struct err err;

	*log = (struct log){.fd = -1};
	snprintf(path, sizeof path, "%s/%s", directory, name);
	struct log_options options = {
	    .path = path, .max_size = size, .max_files = files, .attrs = ""};
	CHECK(log_open(log, &options, &err) == 0);
}

static void long_lines_are_cut(void)
{
	struct log log;
	size_t size;
	char *long_line = malloc(40001);

	memset(long_line, 'x', 40000);
	long_line[40000] = '\n';
	opens(&log, "long", 0, 1);
	/* In pieces of any size, the same parts. */
	for (size_t at = 0; at < 40001; at += 1001)
		log_write(&log, 0, long_line + at, at + 1001 > 40001 ? 40001 - at : 1001);
	log_write(&log, 1, "tail", 4);
	log_finish(&log, 1);
	log_finish(&log, 0);
	log_close(&log);
	char *text = read_file("long", &size);
	CHECK(count_lines(text) == 4);
	CHECK(size > 40000 && size < 40400);
	CHECK(strstr(text, "{\"log\":\"tail\",\"stream\":\"stderr\""));
	free(text);
	free(long_line);
}

static void full_files_move_on(void)
{
	struct log log;
	size_t size, old;

	opens(&log, "turn", 1000, 3);
	for (int i = 0; i < 40; i++)
		log_write(&log, 0, "0123456789012345678901234567890123456789\n", 41);
	CHECK(log.rotated);
	log_close(&log);
	free(read_file("turn", &size));
	char *first = read_file("turn.1", &old);
	CHECK(old >= 1000 && old < 1200 && count_lines(first) > 5);
	free(first);
	free(read_file("turn.2", &old));
	CHECK(old >= 1000);
	free(read_file("turn.3", &old));
	CHECK(old == 0);
}

static void numbered_files_keep_their_number(void)
{
	struct log log = {.fd = -1};
	char path[128], gone[160];
	size_t size;
	struct err err;

	snprintf(path, sizeof path, "%s/count", directory);
	snprintf(gone, sizeof gone, "%s.8.gz", path);
	fclose(fopen(gone, "w"));
	struct log_options options = {
	    .path = path, .max_size = 100, .max_files = 3, .next = 9, .attrs = ""};
	CHECK(log_open(&log, &options, &err) == 0);
	/* Two lines a file: 9, 10 and 11 get full, two of them stay. */
	for (int i = 0; i < 6; i++)
		log_write(&log, 0, "line\n", 5);
	CHECK(log.next == 12);
	log_close(&log);
	CHECK(access(gone, F_OK) < 0);
	for (int i = 9; i <= 12; i++) {
		char name[32];

		snprintf(name, sizeof name, "count.%d", i);
		free(read_file(name, &size));
		CHECK((size > 0) == (i == 10 || i == 11));
	}
}

int main(void)
{
	char command[128];

	snprintf(directory, sizeof directory, "/tmp/slw-log-XXXXXX");
	CHECK(mkdtemp(directory));
	escapes();
	every_byte_sequence_fits();
	times_lose_their_zeros();
	attributes_come_before_the_time();
	binary_entries_keep_every_byte();
	long_lines_are_cut();
	full_files_move_on();
	numbered_files_keep_their_number();
	snprintf(command, sizeof command, "rm -r %s", directory);
	CHECK(system(command) == 0);
	puts("native/log: passed");
	return 0;
}
