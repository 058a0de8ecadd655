#pragma once
/* A container's log, in the json-file form of Docker: one object a line, written line by line. */
#include <time.h>

#include "err.h"
#include "util.h"

#define LOG_LINE 16384 /* longer lines are cut into parts, all but the last without a newline */

struct log {
	char *path; /* NULL: nothing is kept */
	int fd;
	uint64_t size, max_size; /* bytes; max_size 0: never rotated */
	unsigned max_files;
	bool rotated; /* since it was last looked at; the reader of it clears it */
	char *buffer; /* of LOG_BUFFER bytes, made when first needed */
	size_t used;
	struct log_part {
		char *text; /* the unfinished line, of LOG_LINE bytes */
		size_t used;
	} part[2];
};

int log_open(struct log *log, const char *path, uint64_t max_size, unsigned max_files,
	     struct err *err);
/*
 * Takes output of one stream (0 stdout, 1 stderr). Complete lines are in the file on return.
 * Errors of the disk lose lines and do not stop the container.
 */
void log_write(struct log *log, int stream, const char *data, size_t size);
/* Writes the last, unfinished line of a stream. */
void log_finish(struct log *log, int stream);
/* Gives back the memory of a burst of output. */
void log_trim(struct log *log);
void log_close(struct log *log);

/*
 * Writes one entry to `to`, which has room for log_entry_room(size) bytes. Returns its length.
 * Bytes that are no UTF-8 become U+FFFD, as JSON cannot carry them.
 */
size_t log_entry(char *to, int stream, const char *text, size_t size, const struct timespec *time);
size_t log_entry_room(size_t size);
