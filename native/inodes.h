#pragma once
#include <sys/types.h>

#include "err.h"
#include "util.h"

/* Files with several names that were met before, with the name they were met by first. */
struct inodes {
	struct inode_entry *slots;
	size_t room; /* a power of two, or 0 */
	size_t used;
};

void inodes_close(struct inodes *inodes);
/*
 * Looks a file up and remembers it.
 *
 * Returns the path it was added with before, "" if it is new, NULL with *err set.
 */
const char *inodes_add(struct inodes *inodes, dev_t dev, ino_t ino, const char *path,
		       struct err *err);
