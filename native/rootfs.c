#include <fcntl.h>
#include <sys/mount.h>

#include "kernel.h"
#include "mounts.h"
#include "rootfs.h"

/* Puts a mount over the run directory, which in this mount namespace nobody else sees. */
static int attach(struct launch *launch, int mount, struct err *err)
{
	if (sys_move_mount(mount, "", AT_FDCWD, launch->run_dir, K_MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_errno(err, "mount the root directory on %s", launch->run_dir);
	launch->root = open(launch->run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (launch->root < 0)
		return err_errno(err, "open the root directory");
	return 0;
}

static int set(int fs, const char *key, const char *value, struct err *err)
{
	if (sys_fsconfig(fs, K_FSCONFIG_SET_STRING, key, value, 0) < 0)
		return err_errno(err, "overlay option %s=%s", key, value);
	return 0;
}

/* An option such as "userxattr" or "redirect_dir=off". */
static int set_option(int fs, const char *option, struct err *err)
{
	const char *equals = strchr(option, '=');
	AUTO_FREE char *key = strndup(option, equals ? (size_t)(equals - option) : strlen(option));

	if (!key)
		return err_errno(err, "memory for an option");
	if (equals)
		return set(fs, key, equals + 1, err);
	if (sys_fsconfig(fs, K_FSCONFIG_SET_FLAG, key, NULL, 0) < 0)
		return err_errno(err, "overlay option %s", option);
	return 0;
}

/* Kernels before 6.5 take all layers in one string, in which `:` and `\` of a path are escaped. */
static int set_joined(int fs, const struct field *lowers, size_t count, struct err *err)
{
	size_t room = 1;

	for (size_t i = 0; i < count; i++)
		room += 2 * (size_t)lowers[i].size + 1;
	AUTO_FREE char *joined = malloc(room);
	if (!joined)
		return err_errno(err, "memory for %zu layers", count);
	char *at = joined;
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			*at++ = ':';
		for (const char *from = lowers[i].data; *from; from++) {
			if (*from == ':' || *from == '\\')
				*at++ = '\\';
			*at++ = *from;
		}
	}
	*at = '\0';
	return set(fs, "lowerdir", joined, err);
}

static int set_lowers(int fs, const struct field *lowers, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (sys_fsconfig(fs, K_FSCONFIG_SET_STRING, "lowerdir+", lowers[i].data, 0) == 0)
			continue;
		if (i == 0 && errno == EINVAL)
			return set_joined(fs, lowers, count, err);
		return err_errno(err, "layer %s", lowers[i].data);
	}
	return 0;
}

/*
 * An upper directory may become a layer, which must not depend on the layers below by a redirect.
 * Off is the kernel's own default, but distributions change it. Older kernels know no such option.
 */
static void forbid_redirects(int fs)
{
	(void)sys_fsconfig(fs, K_FSCONFIG_SET_STRING, "redirect_dir", "off", 0);
	(void)sys_fsconfig(fs, K_FSCONFIG_SET_STRING, "metacopy", "off", 0);
}

int rootfs_overlay(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *upper = args_string(&args), *work = args_string(&args);
	bool readonly = args_number(&args) != 0;
	size_t options, lowers;
	const struct field *option = args_list(&args, &options);
	const struct field *lower = args_list(&args, &lowers);

	if (args_end(&args, err) < 0)
		return -1;
	AUTO_CLOSE int fs = sys_fsopen("overlay", K_FSOPEN_CLOEXEC);
	if (fs < 0)
		return err_errno(err, "open an overlay");
	if (set(fs, "source", "overlay", err) < 0 || set_lowers(fs, lower, lowers, err) < 0 ||
	    (upper[0] && (set(fs, "upperdir", upper, err) < 0 || set(fs, "workdir", work, err) < 0)))
		return -1;
	forbid_redirects(fs);
	for (size_t i = 0; i < options; i++)
		if (set_option(fs, option[i].data, err) < 0)
			return -1;
	if (sys_fsconfig(fs, K_FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_errno(err, "make an overlay of %zu layers over %s", lowers,
				 lowers > 0 ? lower[0].data : "nothing");
	AUTO_CLOSE int mount =
		sys_fsmount(fs, K_FSMOUNT_CLOEXEC, readonly ? K_MOUNT_ATTR_RDONLY : 0);
	if (mount < 0)
		return err_errno(err, "mount the overlay");
	return attach(launch, mount, err);
}

int rootfs_bind(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *path = args_string(&args);
	struct k_mount_attr attr = {.propagation = MS_PRIVATE};

	if (args_number(&args) != 0)
		attr.attr_set = K_MOUNT_ATTR_RDONLY;
	if (args_end(&args, err) < 0)
		return -1;
	AUTO_CLOSE int mount =
		sys_open_tree(AT_FDCWD, path, K_OPEN_TREE_CLONE | K_OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (mount < 0)
		return err_errno(err, "open the tree %s", path);
	if (sys_mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, attr) < 0)
		return err_errno(err, "set the attributes of %s", path);
	return attach(launch, mount, err);
}

int rootfs_readonly(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	struct k_mount_attr attr = {.attr_set = K_MOUNT_ATTR_RDONLY};

	if (args_end(&args, err) < 0 || mounts_root(launch, err) < 0)
		return -1;
	if (sys_mount_setattr(launch->root, "", AT_EMPTY_PATH, attr) < 0)
		return err_errno(err, "make the root directory read-only");
	return 0;
}

/*
 * Makes launch->root the root directory of this mount namespace and lets go of the old one.
 * Source: pivot_root(2), NOTES: new_root and put_old may be the same directory.
 */
int rootfs_pivot(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);

	if (args_end(&args, err) < 0 || mounts_root(launch, err) < 0)
		return -1;
	AUTO_CLOSE int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (old < 0)
		return err_errno(err, "open /");
	/* What is left of the engine's procfs after this: for settings of this very process. */
	launch->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (launch->proc < 0)
		return err_errno(err, "open /proc");
	if (fchdir(launch->root) < 0)
		return err_errno(err, "enter the root directory");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_errno(err, "pivot_root");
	/* The old root now lies over the new one; step into it, so that "." names it. */
	if (fchdir(old) < 0)
		return err_errno(err, "fchdir to the old root");
	if (umount2(".", MNT_DETACH) < 0)
		return err_errno(err, "umount the old root");
	if (chdir("/") < 0)
		return err_errno(err, "chdir /");
	return 0;
}
