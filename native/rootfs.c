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

/*
 * Kernels before 6.5 take all layers in one string of at most a page; by descriptor, 200 layers fit
 * and no character of a path needs escaping. The descriptors are open as long as `fds` says.
 */
static int set_joined(int fs, const struct field *lowers, size_t count, int *fds, struct err *err)
{
	AUTO_FREE char *joined = malloc(count * 32 + 1);
	size_t used = 0;

	if (!joined)
		return err_errno(err, "memory for %zu layers", count);
	joined[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		fds[i] = open(lowers[i].data, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fds[i] < 0)
			return err_errno(err, "layer %s", lowers[i].data);
		used +=
		    (size_t)sprintf(joined + used, "%s/proc/self/fd/%d", i > 0 ? ":" : "", fds[i]);
	}
	return set(fs, "lowerdir", joined, err);
}

static int set_each(int fs, const struct field *lowers, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (set(fs, "lowerdir+", lowers[i].data, err) < 0)
			return -1;
	return 0;
}

/*
 * An upper directory may become a layer, which must not depend on the layers below by a redirect.
 * Off is the kernel's own default, but distributions change it. Older kernels know no such option.
 * In a user namespace redirects are off in any case, and marks go to attributes that a user may
 * set.
 */
static void set_marks(int fs)
{
	if (!ns_is_initial_user()) {
		(void)sys_fsconfig(fs, K_FSCONFIG_SET_FLAG, "userxattr", NULL, 0);
		return;
	}
	(void)sys_fsconfig(fs, K_FSCONFIG_SET_STRING, "redirect_dir", "off", 0);
	(void)sys_fsconfig(fs, K_FSCONFIG_SET_STRING, "metacopy", "off", 0);
}

struct overlay {
	const char *upper, *work;
	bool readonly;
	const struct field *options, *lowers;
	size_t option_count, lower_count;
};

/* Returns the detached mount; `fds` not NULL: layers in one string. */
static int make_overlay(const struct overlay *overlay, int *fds, struct err *err)
{
	AUTO_CLOSE int fs = sys_fsopen("overlay", K_FSOPEN_CLOEXEC);
	if (fs < 0)
		return err_errno(err, "open an overlay");
	if (set(fs, "source", "overlay", err) < 0)
		return -1;
	if (fds ? set_joined(fs, overlay->lowers, overlay->lower_count, fds, err) < 0
		: set_each(fs, overlay->lowers, overlay->lower_count, err) < 0)
		return -1;
	if (overlay->upper[0] && (set(fs, "upperdir", overlay->upper, err) < 0 ||
				  set(fs, "workdir", overlay->work, err) < 0))
		return -1;
	set_marks(fs);
	for (size_t i = 0; i < overlay->option_count; i++)
		if (set_option(fs, overlay->options[i].data, err) < 0)
			return -1;
	if (sys_fsconfig(fs, K_FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_errno(err, "make an overlay of %zu layers over %s", overlay->lower_count,
				 overlay->lower_count > 0 ? overlay->lowers[0].data : "nothing");
	int mount = sys_fsmount(fs, K_FSMOUNT_CLOEXEC, overlay->readonly ? K_MOUNT_ATTR_RDONLY : 0);
	return mount < 0 ? err_errno(err, "mount the overlay") : mount;
}

static int make_overlay_joined(const struct overlay *overlay, struct err *err)
{
	AUTO_FREE int *fds = malloc((overlay->lower_count + 1) * sizeof *fds);

	if (!fds)
		return err_errno(err, "memory for %zu layers", overlay->lower_count);
	for (size_t i = 0; i < overlay->lower_count; i++)
		fds[i] = -1;
	int mount = make_overlay(overlay, fds, err);
	for (size_t i = 0; i < overlay->lower_count; i++)
		close_fd(&fds[i]);
	return mount;
}

int rootfs_overlay(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	struct overlay overlay = {.upper = args_string(&args)};

	overlay.work = args_string(&args);
	overlay.readonly = args_number(&args) != 0;
	overlay.options = args_list(&args, &overlay.option_count);
	overlay.lowers = args_list(&args, &overlay.lower_count);
	if (args_end(&args, err) < 0)
		return -1;
	AUTO_CLOSE int mount = make_overlay(&overlay, NULL, err);
	/* Kernels before 6.5 take any option's name and refuse it only now. */
	if (mount < 0 && err->code == EINVAL)
		mount = make_overlay_joined(&overlay, err);
	if (mount < 0)
		return -1;
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
