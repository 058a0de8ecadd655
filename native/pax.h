#pragma once
/* Extended headers of a tar archive (POSIX.1-2001 pax, star's and GNU's keywords). */
#include "tarhead.h"

enum {
	PAX_PATH = 1 << 0,
	PAX_LINK = 1 << 1,
	PAX_SIZE = 1 << 2,
	PAX_UID = 1 << 3,
	PAX_GID = 1 << 4,
	PAX_MTIME = 1 << 5,
	PAX_REAL = 1 << 6,
	PAX_SPARSE_1 = 1 << 7, /* the map stands before the data */
};

struct pax {
	unsigned has;
	char path[TAR_PATH];
	char link[TAR_PATH];
	uint64_t size;
	uint64_t real;
	uint64_t uid;
	uint64_t gid;
	struct timespec mtime;
	struct tar_xattr xattrs[TAR_XATTRS];
	size_t xattr_count;
	struct tar_piece *pieces;
	size_t piece_count;
};

void pax_clear(struct pax *pax);
/* Takes the records of one extended header over. `data[size]` is writable. Returns 0, or -1 with
 * *err set. */
int pax_parse(struct pax *pax, char *data, size_t size, struct err *err);
/* A decimal number that ends at `end`. Returns 0, or -1 with *err set. */
int pax_number(const char *text, const char *end, uint64_t *value, struct err *err);
/* Adds a piece to a sparse file's map, which must ascend and stay below 2^63. */
int pax_piece(struct tar_piece **pieces, size_t *count, uint64_t offset, uint64_t size,
	      struct err *err);
