#pragma once
/* A program by the container's PATH, in the container's own root. */
#include "launch.h"

/*
 * Tries the program in each directory of the container's PATH. A file that is there but may not be
 * run is reported only if none can be. Returns only if that failed.
 */
void search_exec(char *const argv[], char *const env[], struct err *err);

/* Operation of the child, after its root is its own: fails as search_exec() would. */
int search_check(struct launch *launch, const struct op *op, struct err *err);
