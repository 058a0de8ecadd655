#pragma once
#include "err.h"
#include "util.h"

/*
 * Copies a file's data by whatever the file system does fastest: shared extents, in the kernel, or
 * through memory. Holes stay holes. `shown` is for messages. Returns 0, or -1 with *err set.
 */
int copy_data(int from, int to, uint64_t size, const char *shown, struct err *err);

/* Copies extended attributes other than overlayfs's and the machine's own, of a descriptor's file
 * to another's. */
int copy_xattrs(int from, int to, const char *shown, struct err *err);
