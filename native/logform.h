#pragma once
/* How one entry of a container's log lies in its file. */
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define LOG_ATTRS 65536 /* bytes of attributes at most */

struct log_form {
	/*
	 * false: Docker's json-file, an object a line.
	 * true: u32 size | u8 stream (1 stdout, 2 stderr) | u64 nanoseconds since 1970 | text |
	 * u32 size again, which counts what is between the two: files are read from their end, too.
	 */
	bool binary;
	char *attrs; /* a JSON object for every line of json-file; NULL: none */
};

/*
 * Writes one entry to `to`, which has room for log_entry_room(form, size) bytes. Returns its
 * length. Bytes that are no UTF-8 become U+FFFD in a line, as JSON cannot carry them.
 *
 * stream  0 stdout, 1 stderr
 */
size_t log_entry(const struct log_form *form, char *to, int stream, const char *text, size_t size,
		 const struct timespec *time);
size_t log_entry_room(const struct log_form *form, size_t size);
