#pragma once
#include "launch.h"

/* Operations on the container's root directory. They set launch->root, an O_PATH descriptor. */
int rootfs_overlay(struct launch *launch, const struct op *op, struct err *err);
int rootfs_bind(struct launch *launch, const struct op *op, struct err *err);
int rootfs_readonly(struct launch *launch, const struct op *op, struct err *err);
int rootfs_pivot(struct launch *launch, const struct op *op, struct err *err);
