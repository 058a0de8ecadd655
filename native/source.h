#pragma once
/* Bytes that arrive as frames on a job's connection, or from memory in tests; and bytes that leave
 * as frames. */
#include "err.h"
#include "util.h"

enum {
	FRAME_DATA = 40, /* a piece of a stream, in either direction */
	FRAME_END = 41,  /* the stream is whole; from a worker with the result */
};

#define SOURCE_BUFFER (1u << 20)

struct recipe;
struct sha256;

struct source {
	int fd; /* a connection that carries FRAME_DATA and FRAME_END; -1: only what `data` holds */
	char *buffer;
	const char *data; /* what was received and not taken yet */
	size_t left;
	uint64_t taken;      /* bytes given out so far */
	struct sha256 *hash; /* of all that was received; NULL: nobody asks */
	bool ended;
	struct recipe *recipe; /* is told of every byte that is taken; NULL: nobody */
};

int source_open(struct source *source, int fd, struct err *err);
void source_close(struct source *source);
/*
 * Shows the next bytes, at least one, without taking them.
 *
 * Returns how many, 0 at the end of the stream, -1 with *err set (EPIPE: the sender went away).
 */
ssize_t source_peek(struct source *source, const char **data, struct err *err);
void source_take(struct source *source, size_t size);
/* Copies exactly `size` bytes. Returns 1, 0 at the end of the stream before the first byte, -1 with
 * *err set. */
int source_read(struct source *source, void *to, size_t size, struct err *err);
int source_skip(struct source *source, uint64_t size, struct err *err);
/* Reads and drops what is left. */
int source_drain(struct source *source, struct err *err);

/* Collects bytes, and sends them as FRAME_DATA or hashes them. */
struct sink {
	int fd;
	struct sha256 *hash; /* takes the bytes instead of the connection; NULL: nothing does */
	char *buffer;
	size_t used;
	uint64_t sent;
};

int sink_open(struct sink *sink, int fd, struct err *err);
void sink_close(struct sink *sink);
int sink_write(struct sink *sink, const void *data, size_t size, struct err *err);
int sink_zeros(struct sink *sink, size_t size, struct err *err);
int sink_flush(struct sink *sink, struct err *err);
/*
 * Room to read into: at least one byte, at most *room. The caller says with sink_added() how much
 * of it it filled. Returns NULL with *err set if the connection is gone.
 */
char *sink_room(struct sink *sink, size_t *room, struct err *err);
void sink_added(struct sink *sink, size_t size);
