#pragma once
/*
 * The form in which work arrives: one request, a flat list of operations, and frames after it.
 *
 *   request  u32 length of the rest | u8 version = 1 | u8 kind | u16 zero | operations
 *   op       u16 code | u16 field count | fields
 *   field    u32 length | bytes            (a number is a field of 8 bytes)
 *   frame    u8 type | u32 length | payload
 *
 * All numbers are little-endian. engine/native/protocol.ts is the other side.
 */
#include "err.h"
#include "util.h"

#define REQUEST_VERSION 1
#define REQUEST_LIMIT (64u << 20)
#define REQUEST_FIELDS (1u << 20)

/* Job kinds: 1-15 runtime, 16-31 net, 32-63 workers. */
enum {
	JOB_RUN = 1,
	JOB_EXEC = 2,
	JOB_CONTROL = 3,
	JOB_ATTACH = 4,
	JOB_FOLLOW = 5,
	JOB_JOIN = 6,
	JOB_NETWORK = 17,
};

/* Frame types: 1-31 runtime, 32-63 workers. */
enum {
	FRAME_OK = 1,     /* payload: by job */
	FRAME_ERROR = 2,  /* u32 op index (~0: none) | u32 errno | text */
	FRAME_STDIN = 3,  /* to the program; an empty one closes its stdin */
	FRAME_STDOUT = 4, /* also a terminal's output */
	FRAME_STDERR = 5,
	FRAME_RESIZE = 6, /* u16 rows | u16 columns */
	FRAME_SIGNAL = 7, /* u32 signal number */
	FRAME_EXIT = 8,   /* u32 code | u32 signal | u32 oom | u64 nanoseconds since 1970 */
	FRAME_GO = 9,     /* payload: a request body of process operations */
	FRAME_OOM = 10,   /* the kernel killed something in the container for want of memory */
	FRAME_GREW = 11,  /* the log file has new lines; u32 1: it was also rotated */
	FRAME_HOLD = 12,  /* between a container's first process and its monitor: waits for GO */
};
#define FRAME_HEADER 5
#define FRAME_LIMIT (1u << 20) /* of a frame's payload, GO aside */

/* `data[size]` is NUL, so that a field without a NUL inside is a C string. */
struct field {
	char *data;
	uint32_t size;
};

struct op {
	uint16_t code;
	uint16_t count;
	struct field *fields;
};

struct request {
	uint8_t kind;
	uint32_t count;
	struct op *ops;
	/* Owned memory, freed by request_free(). */
	char *body;
	struct field *fields;
};

/* Reads one request from a connection. Returns 0, or -1 with *err set and nothing to free. */
int request_read(int fd, struct request *request, struct err *err);

/*
 * Takes apart the `size` bytes after the length, in place: `body` has room for one byte more and
 * belongs to the request if 0 is returned, else it still belongs to the caller.
 */
int request_parse(char *body, size_t size, struct request *request, struct err *err);
void request_free(struct request *request);

/*
 * Reads an operation's fields in order. The first mistake sticks, later calls return "" or 0, and
 * args_end() reports it: so a function reads all, calls args_end() once, and only then acts.
 */
struct args {
	const struct op *op;
	unsigned next;
	struct err err;
};

static inline struct args args_of(const struct op *op)
{
	return (struct args){.op = op};
}

const char *args_string(struct args *args); /* refuses a NUL inside */
uint64_t args_number(struct args *args);
struct field args_bytes(struct args *args);
/* A list: a number, then that many fields. Returns them with *count set, each proven to be a
 * string. */
const struct field *args_list(struct args *args, size_t *count);
/* Returns 0, or -1 with *err set: a field was missing, left over or of the wrong form. */
int args_end(struct args *args, struct err *err);

/* Frames by blocking I/O, for workers. Return 0, or -1 with errno. */
int frame_write(int fd, uint8_t type, const void *payload, size_t size);
/* Reads a frame whose payload is at most `limit` bytes into `payload` (EMSGSIZE: it is longer). */
int frame_read(int fd, uint8_t *type, void *payload, uint32_t limit, uint32_t *size);

/* The first answer to a request. `index` is the operation that failed, or -1. */
int answer_ok(int fd, const void *payload, size_t size);
int answer_error(int fd, long index, const struct err *err);
