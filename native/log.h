#pragma once
/* A container's log: written line by line, in files that are followed by others when they are full.
 */
#include "err.h"
#include "logform.h"
#include "util.h"

#define LOG_LINE 16384 /* longer lines are cut into parts, all but the last without a newline */

struct log {
	char *path; /* NULL: nothing is kept */
	int fd;
	uint64_t size, max_size; /* bytes; max_size 0: never rotated */
	unsigned max_files;
	uint64_t
	    next; /* number of the file that is full next; 0: Docker's names, path.1 the newest */
	struct log_form form;
	bool rotated; /* since it was last looked at; the reader of it clears it */
	char *buffer; /* of LOG_BUFFER bytes, made when first needed */
	size_t used;
	struct log_part {
		char *text; /* the unfinished line, of LOG_LINE bytes */
		size_t used;
	} part[2];
};

struct log_options {
	const char *path;
	uint64_t max_size;
	unsigned max_files;
	bool binary;
	uint64_t next;
	const char *attrs; /* "": none */
};

/* Goes on with the file that is there. Returns 0, or -1 with *err set. */
int log_open(struct log *log, const struct log_options *options, struct err *err);
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
