#pragma once
#include "launch.h"

/* Operations that make or read single files in the container; launch.c has their table. */
int nodes_device(struct launch *launch, const struct op *op, struct err *err);
int nodes_symlink(struct launch *launch, const struct op *op, struct err *err);
int nodes_directory(struct launch *launch, const struct op *op, struct err *err);
int nodes_file(struct launch *launch, const struct op *op, struct err *err);
int nodes_sysctl(struct launch *launch, const struct op *op, struct err *err);
int nodes_read(struct launch *launch, const struct op *op, struct err *err);
