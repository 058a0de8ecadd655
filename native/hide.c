/* Paths of /proc and /sys that a container must not read, or not write. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "beneath.h"
#include "kernel.h"
#include "mounts.h"

/*
 * The engine's own /dev/null: one inside the image could be anything (CVE-2025-31133). Mounted
 * read-only, for it is the machine's inode, whose mode or owner the container could change; what is
 * written to a device does not care.
 */
static int null_device(struct err *err)
{
	struct k_mount_attr attr = {
	    .attr_set = K_MOUNT_ATTR_RDONLY | K_MOUNT_ATTR_NOSUID | K_MOUNT_ATTR_NOEXEC,
	};
	AUTO_CLOSE int tree =
	    sys_open_tree(AT_FDCWD, "/dev/null", K_OPEN_TREE_CLONE | K_OPEN_TREE_CLOEXEC);
	struct stat st;

	if (tree < 0 || fstat(tree, &st) < 0)
		return err_errno(err, "open /dev/null");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_set(err, ENODEV, "/dev/null is not the null device");
	if (sys_mount_setattr(tree, "", AT_EMPTY_PATH, attr) < 0)
		return err_errno(err, "make a copy of /dev/null read-only");
	return take_fd(&tree);
}

/* One read-only tmpfs for all masked directories. */
static int empty_directory(struct launch *launch, struct err *err)
{
	if (launch->empty < 0) {
		AUTO_CLOSE int fs = sys_fsopen("tmpfs", K_FSOPEN_CLOEXEC);

		if (fs < 0 || sys_fsconfig(fs, K_FSCONFIG_SET_STRING, "nr_blocks", "1", 0) < 0 ||
		    sys_fsconfig(fs, K_FSCONFIG_SET_STRING, "nr_inodes", "1", 0) < 0 ||
		    sys_fsconfig(fs, K_FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
			return err_errno(err, "make an empty tmpfs");
		launch->empty = sys_fsmount(fs, K_FSMOUNT_CLOEXEC,
					    K_MOUNT_ATTR_RDONLY | K_MOUNT_ATTR_NOSUID |
						K_MOUNT_ATTR_NODEV | K_MOUNT_ATTR_NOEXEC);
		if (launch->empty < 0)
			return err_errno(err, "mount an empty tmpfs");
	}
	int copy = sys_open_tree(launch->empty, "",
				 AT_EMPTY_PATH | K_OPEN_TREE_CLONE | K_OPEN_TREE_CLOEXEC);
	if (copy >= 0)
		return copy;
	/* Before Linux 6.15 only an attached mount can be cloned: then each has its own. */
	return take_fd(&launch->empty);
}

int mounts_mask(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *path = args_string(&args);
	struct stat st;

	if (args_end(&args, err) < 0 || mounts_root(launch, err) < 0)
		return -1;
	AUTO_CLOSE int target = beneath_open_plain(launch->root, path, O_PATH | O_NOFOLLOW);
	if (target < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(err, "open %s", path);
	if (fstat(target, &st) < 0)
		return err_errno(err, "look at %s", path);
	AUTO_CLOSE int cover =
	    S_ISDIR(st.st_mode) ? empty_directory(launch, err) : null_device(err);
	if (cover < 0)
		return -1;
	return mounts_attach(cover, target, path, err);
}

int mounts_readonly(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *path = args_string(&args);
	struct k_mount_attr attr = {
	    .attr_set = K_MOUNT_ATTR_RDONLY | K_MOUNT_ATTR_NOSUID | K_MOUNT_ATTR_NODEV |
			K_MOUNT_ATTR_NOEXEC,
	};

	if (args_end(&args, err) < 0 || mounts_root(launch, err) < 0)
		return -1;
	AUTO_CLOSE int target = beneath_open_plain(launch->root, path, O_PATH | O_NOFOLLOW);
	if (target < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(err, "open %s", path);
	/* Where something is mounted already it need not be mounted once more. */
	if (sys_mount_setattr(target, "", AT_EMPTY_PATH | AT_RECURSIVE, attr) == 0)
		return 0;
	if (errno != EINVAL)
		return err_errno(err, "make %s read-only", path);
	AUTO_CLOSE int tree = sys_open_tree(
	    target, "", AT_EMPTY_PATH | AT_RECURSIVE | K_OPEN_TREE_CLONE | K_OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return err_errno(err, "open the tree %s", path);
	if (sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, attr) < 0)
		return err_errno(err, "make %s read-only", path);
	return mounts_attach(tree, target, path, err);
}
