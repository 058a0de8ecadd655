#pragma once
#include "ops.h"

/*
 * Limits of what a directory holds, by project quotas: of xfs mounted with pquota, of ext4 with
 * prjquota.
 *
 *   OP_QUOTA  directory | project, above 0 | bytes; 0 takes the limit away
 *
 * Files that are made in the directory from now on count for the project.
 */
enum { OP_QUOTA = 222 };

/* Returns 0, or -1 with *err set (ENOTSUP: the file system has no project quotas switched on). */
int quota_op(const struct op *op, struct err *err);
