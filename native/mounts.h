#pragma once
#include "launch.h"

/* Fails unless the root directory has been made. */
int mounts_root(const struct launch *launch, struct err *err);

/* Operations of the container's child; launch.c has their table. */
int mounts_new(struct launch *launch, const struct op *op, struct err *err);
int mounts_bind(struct launch *launch, const struct op *op, struct err *err);
/*
 * Opens what is bound with the propagation `shared` or `slave`: after the mounts of this namespace
 * have been made private, a copy of one would be nobody's peer.
 */
int mounts_open_shared(struct launch *launch, struct err *err);
int mounts_mask(struct launch *launch, const struct op *op, struct err *err);
int mounts_readonly(struct launch *launch, const struct op *op, struct err *err);
int mounts_fill_volume(struct launch *launch, const struct op *op, struct err *err);

/* Copies all of the directory `from`, which is called `path`, into `to` if that is empty. */
int volume_fill(int from, int to, const char *path, struct err *err);

/* Binds a terminal on `dev`/console. */
int mounts_console(int dev, int terminal, struct err *err);
/* Attaches a detached mount at an opened mount point. */
int mounts_attach(int mount, int target, const char *path, struct err *err);
/* The MOUNT_ATTR_* that the MS_* of mount(2) mean. */
uint64_t mounts_attributes(uint64_t flags);
