#pragma once
/* Times of directories, set when nothing more is put into them. */
#include <time.h>

#include "err.h"
#include "util.h"

struct dir_times {
	struct dir_time *list;
	size_t count;
	size_t room;
};

int dir_times_add(struct dir_times *times, const char *path, struct timespec mtime,
		  struct err *err);
/*
 * Sets them beneath `root`, in the order they were added, so that the last one given to a directory
 * counts, and frees the list. What is no directory any more is left alone.
 */
void dir_times_apply(struct dir_times *times, int root);
