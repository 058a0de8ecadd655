#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "logform.h"
#include "util.h"

#define LINE_FRAME 112 /* what a line has around its text and attributes */
#define BINARY_HEAD 13 /* size, stream, time */

size_t log_entry_room(const struct log_form *form, size_t size)
{
	if (form->binary)
		return BINARY_HEAD + size + 4;
	return 6 * size + LINE_FRAME + (form->attrs ? strlen(form->attrs) : 0);
}

/* RFC 3339 with as many digits of the second as there are, as Go's RFC3339Nano. */
static size_t timestamp(char *to, const struct timespec *time)
{
	struct tm tm;

	gmtime_r(&time->tv_sec, &tm);
	int used =
	    sprintf(to, "%04d-%02d-%02dT%02d:%02d:%02d.%09ld", tm.tm_year + 1900, tm.tm_mon + 1,
		    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, time->tv_nsec);
	while (to[used - 1] == '0')
		used--;
	if (to[used - 1] == '.')
		used--;
	to[used++] = 'Z';
	return (size_t)used;
}

static size_t put(char *to, const char *text)
{
	size_t size = strlen(text);

	memcpy(to, text, size);
	return size;
}

static size_t line(const struct log_form *form, char *to, int stream, const char *text, size_t size,
		   const struct timespec *time)
{
	char *at = to;

	at += put(at, "{\"log\":\"");
	at += json_escape(at, text, size);
	at += put(at, stream == 0 ? "\",\"stream\":\"stdout\"," : "\",\"stream\":\"stderr\",");
	if (form->attrs) {
		at += put(at, "\"attrs\":");
		at += put(at, form->attrs);
		at += put(at, ",");
	}
	at += put(at, "\"time\":\"");
	at += timestamp(at, time);
	at += put(at, "\"}\n");
	return (size_t)(at - to);
}

static size_t binary(char *to, int stream, const char *text, size_t size,
		     const struct timespec *time)
{
	uint32_t inner = (uint32_t)(BINARY_HEAD - 4 + size);
	uint64_t ns = (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;

	put_u32(to, inner);
	to[4] = (char)(stream + 1);
	put_u32(to + 5, (uint32_t)ns);
	put_u32(to + 9, (uint32_t)(ns >> 32));
	memcpy(to + BINARY_HEAD, text, size);
	put_u32(to + BINARY_HEAD + size, inner);
	return BINARY_HEAD + size + 4;
}

size_t log_entry(const struct log_form *form, char *to, int stream, const char *text, size_t size,
		 const struct timespec *time)
{
	return form->binary ? binary(to, stream, text, size, time)
			    : line(form, to, stream, text, size, time);
}
