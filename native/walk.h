#pragma once
/* Going through a tree in an order that depends on nothing but the names in it. */
#include <sys/stat.h>

#include "job.h"
#include "parents.h"

enum walk_next {
	WALK_FAILED = -1, /* *err is set */
	WALK_ON = 0,
	WALK_PASS = 1, /* do not go into this directory */
};

struct walk {
	/* The entry at hand: `name` in the directory `dir`; `path` counts from the walk's start,
	 * which is "". */
	int dir;
	const char *name;
	const char *path;
	struct stat stat;
	bool mounted; /* something else is mounted there; only with `see_mounts` */

	bool see_mounts;
	enum walk_next (*enter)(struct walk *walk, struct err *err);
	/* After all below a directory that was gone into; may be NULL. */
	int (*leave)(struct walk *walk, struct err *err);
	void *context;
};

/*
 * Calls `enter` for `name` in `dir` and for everything below it, sorted by name, links not
 * followed. What disappears meanwhile is left out.
 *
 * Returns 0, or -1 with *err set.
 */
int walk_tree(struct walk *walk, int dir, const char *name, struct err *err);

/* A deep tree takes a descriptor for each level. */
void walk_raise_limit(void);

/*
 * Finds the path to start from: `name` in the directory *dir, which the caller closes. "" is the
 * root as ".". Returns 0, or -1 with errno.
 */
int walk_start(int root, const char *path, int *dir, char name[TREE_PATH]);

enum { OP_WALK = 303 };

/*
 * OP_WALK: path | only sizes. Sends entries: u16 path | u16 link | facts | path | link; ends with
 * u64 entries | u64 bytes of regular files, each inode once.
 */
int job_walk(struct job *job);
