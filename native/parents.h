#pragma once
/* Putting many files into a tree that somebody else filled: clean paths and a cached parent
 * directory. */
#include "beneath.h"
#include "util.h"

#define TREE_PATH 4096

/*
 * Cleans a path: no empty parts, no ".", no leading or trailing slash; "" is the root itself.
 *
 * Returns 0, or -1 with *err set (EINVAL: it has a ".." part; ENAMETOOLONG: `size` bytes do not
 * hold it).
 */
int path_clean(const char *path, char *clean, size_t size, struct err *err);

/* The directory of the last path asked for; archives list a directory's entries one after the
 * other. */
struct parents {
	int root;
	int fd; /* of `path`; -1: none */
	char path[TREE_PATH];
	/* Makes one missing directory; mode 0755 and owned by root where this is NULL. Returns 0,
	 * or -1 with errno. */
	int (*make)(struct parents *parents, int parent, const char *name, const char *path);
	void *context;
};

void parents_open(struct parents *parents, int root);
void parents_close(struct parents *parents);
/* Forgets what is cached, after a directory was replaced. */
void parents_forget(struct parents *parents);
/*
 * Opens the directory that holds `path`, which is clean and not "", making what is missing.
 *
 * name   is set to the last part, inside `path`
 * Returns a descriptor that belongs to `parents` and is good until the next call, or -1 with *err
 * set.
 */
int parents_of(struct parents *parents, const char *path, const char **name, struct err *err);
/* The same without making anything: -1 with errno ENOENT where it is missing. */
int parents_find(struct parents *parents, const char *path, const char **name);

/*
 * Removes `name` in the directory `dir`, with all in it if it is a directory; links are removed,
 * not followed.
 *
 * Returns 0 (also when it was absent), or -1 with *err set.
 */
int remove_tree(int dir, const char *name, struct err *err);
