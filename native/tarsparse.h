#pragma once
/* Sparse files in archives: where their data lies. Each function returns 0, or -1 with *err set. */
#include "tarhead.h"

/* GNU's old form: the map stands in the header block and in blocks after it. */
int tar_sparse_gnu(struct tar_reader *reader, const unsigned char *block, struct err *err);
/* GNU.sparse 1.0: the number of pieces, then offset and size of each, a line each, filled up to a
 * block. */
int tar_sparse_map(struct tar_reader *reader, struct err *err);
/* The pieces of a sparse file make up its data and lie within its size. */
int tar_sparse_check(struct tar_reader *reader, struct err *err);
