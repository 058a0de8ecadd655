#pragma once
#include "ops.h"

/*
 * Mounts of volumes that are file systems of their own, in the engine's mount namespace.
 *
 *   OP_VOLUME_MOUNT    type | source | target | flags of mount(2) | data
 *   OP_VOLUME_UNMOUNT  target; that nothing is mounted there is no error
 */
enum {
	OP_VOLUME_MOUNT = 220,
	OP_VOLUME_UNMOUNT = 221,
};

/* Does one of them. Returns 0, or -1 with *err set. */
int volume_mount_op(const struct op *op, struct err *err);
