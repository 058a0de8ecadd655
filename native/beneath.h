#pragma once
/*
 * Paths inside a directory tree that somebody else filled. Nothing here follows a link out of
 * `root`: an absolute link starts again at `root`, `..` stops there, and /proc's magic links fail.
 */
#include <fcntl.h>

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

/*
 * Opens what is there. `flags` as of open(2); O_CLOEXEC is added.
 * Returns a descriptor, or -1 with errno and nothing in *err: a missing file is often no error.
 */
int beneath_open(int root, const char *path, int flags);

/* Like it, but refuses a symbolic link in any place (ELOOP). */
int beneath_open_plain(int root, const char *path, int flags);

/*
 * Opens the parent directory of `path`, making what is missing (0755, links followed even where
 * they dangle). *name is set to the last component, inside `path`.
 */
int beneath_parent(int root, const char *path, const char **name, struct err *err);

/*
 * A mount point: opened as O_PATH if it is there, else made, as a directory or an empty file.
 * Returns a descriptor, or -1 with *err set.
 */
int beneath_target(int root, const char *path, bool directory, struct err *err);

/* Makes a directory with its missing parents; *made tells whether the last one is new. */
int beneath_directory(int root, const char *path, mode_t mode, bool *made, struct err *err);
