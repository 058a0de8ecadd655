#pragma once
/* What an archive says about one entry: ustar, GNU and pax forms read into one structure. */
#include <sys/types.h>
#include <time.h>

#include "source.h"

#define TAR_BLOCK 512
#define TAR_META_LIMIT (1u << 20) /* of a pax header or a long name */
#define TAR_PATH 4096
#define TAR_XATTRS 64
#define TAR_SPARSE (1u << 20) /* pieces of a sparse file */

struct tar_xattr {
	char *name;
	char *value;
	size_t size;
};

/* A piece of a sparse file that has data. */
struct tar_piece {
	uint64_t offset;
	uint64_t size;
};

struct tar_entry {
	char
	    type; /* '0' file '1' hard link '2' symlink '3' char '4' block '5' directory '6' fifo */
	char path[TAR_PATH]; /* as the archive has it */
	char link[TAR_PATH];
	mode_t mode;
	uint64_t uid;
	uint64_t gid;
	uint64_t size; /* of the data in the archive */
	uint64_t real; /* of the file, holes included */
	struct timespec mtime;
	unsigned major;
	unsigned minor;
	struct tar_xattr xattrs[TAR_XATTRS];
	size_t xattr_count;
	bool sparse;
	struct tar_piece *pieces;
	size_t piece_count;
};

struct tar_reader {
	struct source *source;
	struct tar_entry entry;
	struct pax *pax;    /* what extended headers said about the next entry */
	uint64_t data_left; /* of the current entry's data */
	unsigned padding;   /* after it */
	uint64_t headers;   /* seen so far, for messages */
	bool concatenated;  /* archives follow each other: an end mark is not the end */
};

int tar_reader_open(struct tar_reader *reader, struct source *source, struct err *err);
void tar_reader_close(struct tar_reader *reader);
/*
 * Reads up to the next entry, skipping what is left of the one before.
 *
 * Returns 1 with reader->entry filled, 0 at the end of the archive, -1 with *err set (EBADMSG:
 * broken).
 */
int tar_next(struct tar_reader *reader, struct err *err);
/* Shows data of the current entry without taking it. Returns how much, 0 at its end, -1 with *err
 * set. */
ssize_t tar_peek(struct tar_reader *reader, const char **data, struct err *err);
void tar_take(struct tar_reader *reader, size_t size);

/* For the parts of the reader: an error that says where in the archive it is; returns -1. */
int tar_broken(const struct tar_reader *reader, struct err *err, const char *what);
/* Octal digits between optional blanks, or GNU's base 256 with sign. Returns false if it is
 * neither. */
bool tar_number(const unsigned char *at, size_t size, int64_t *value);
