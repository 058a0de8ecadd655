#pragma once
/* The file trees that workers enter: a directory, layers mounted for the work's time, or a running
 * process's root. */
#include "ops.h"

enum { OP_TREE = 300 };

/*
 * Opens the root of the tree that an operation OP_TREE describes:
 * kind 0 directory, 1 layers, 2 process | path | pid | list lowers, top first | upper | work |
 * list binds, three strings each: source, target, "ro" or "rw".
 *
 * Layers are mounted in a mount namespace of this process, which it enters by this call.
 * Returns a descriptor, or -1 with *err set.
 */
int tree_open(const struct op *op, struct err *err);

/*
 * Whether this process is root of a user namespace only: overlayfs's marks are then called
 * user.overlay.*, and devices cannot be made.
 */
bool is_rootless(void);
/* The extended attribute by which a directory hides the one below it. */
const char *opaque_xattr(void);
