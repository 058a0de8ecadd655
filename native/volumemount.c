#include <sys/mount.h>

#include "volumemount.h"

static int mount_volume(const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *type = args_string(&args);
	const char *source = args_string(&args);
	const char *target = args_string(&args);
	uint64_t flags = args_number(&args);
	const char *data = args_string(&args);

	if (args_end(&args, err) < 0)
		return -1;
	if (mount(source, target, type, flags, data) < 0)
		return err_errno(err, "mount %s:%s", source, target);
	return 0;
}

static int unmount_volume(const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *target = args_string(&args);

	if (args_end(&args, err) < 0)
		return -1;
	/* A container that is about to go may still have it: it keeps its own mount. */
	if (umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
		return err_errno(err, "unmount %s", target);
	return 0;
}

int volume_mount_op(const struct op *op, struct err *err)
{
	switch (op->code) {
	case OP_VOLUME_MOUNT:
		return mount_volume(op, err);
	case OP_VOLUME_UNMOUNT:
		return unmount_volume(op, err);
	default:
		return err_set(err, ENOSYS, "operation %u is not for this job", op->code);
	}
}
