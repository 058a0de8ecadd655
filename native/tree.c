#include "tree.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "kernel.h"
#include "parents.h"

/* Where layers are mounted: workers need nothing of /sys, and no layer lies there. */
#define MOUNT_POINT "/sys"

struct layers {
	const struct field *lowers;
	size_t lower_count;
	const char *upper;
	const char *work;
	const struct field *binds;
	size_t bind_count; /* strings: three each */
};

bool is_rootless(void)
{
	static int known = -1;
	char map[64] = "";

	if (known < 0) {
		AUTO_CLOSE int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
		unsigned inside = 0, outside = 0, count = 0;

		if (fd >= 0 && read_some(fd, map, sizeof map - 1) > 0)
			sscanf(map, "%u %u %u", &inside, &outside, &count);
		known = fd >= 0 && (outside != 0 || count != UINT32_MAX);
	}
	return known;
}

const char *opaque_xattr(void)
{
	return is_rootless() ? "user.overlay.opaque" : "trusted.overlay.opaque";
}

static int own_mounts(struct err *err)
{
	if (unshare(CLONE_NEWNS) < 0)
		return err_errno(err, "make a mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_errno(err, "make the mounts private");
	return 0;
}

/* One string a layer (since 6.5): no limit on their number or names but the kernel's 500. */
static int configure_each(int fs, const struct layers *layers)
{
	for (size_t i = 0; i < layers->lower_count; i++)
		if (sys_fsconfig(fs, K_FSCONFIG_SET_STRING, "lowerdir+", layers->lowers[i].data,
				 0) < 0)
			return -1;
	if (*layers->upper &&
	    (sys_fsconfig(fs, K_FSCONFIG_SET_STRING, "upperdir", layers->upper, 0) < 0 ||
	     sys_fsconfig(fs, K_FSCONFIG_SET_STRING, "workdir", layers->work, 0) < 0))
		return -1;
	if (is_rootless() && sys_fsconfig(fs, K_FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0)
		return -1;
	return sys_fsconfig(fs, K_FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

static int mount_each(const struct layers *layers)
{
	AUTO_CLOSE int fs = sys_fsopen("overlay", K_FSOPEN_CLOEXEC);

	if (fs < 0 || configure_each(fs, layers) < 0)
		return -1;
	AUTO_CLOSE int mounted = sys_fsmount(fs, K_FSMOUNT_CLOEXEC, 0);
	if (mounted < 0)
		return -1;
	return sys_move_mount(mounted, "", AT_FDCWD, MOUNT_POINT, K_MOVE_MOUNT_F_EMPTY_PATH);
}

/* The form of older kernels: all in one page of options. */
static int mount_joined(const struct layers *layers)
{
	char options[4096] = "lowerdir=";
	size_t used = strlen(options);

	for (size_t i = 0; i < layers->lower_count; i++) {
		int n = snprintf(options + used, sizeof options - used, "%s%s", i > 0 ? ":" : "",
				 layers->lowers[i].data);
		if (n < 0 || (size_t)n >= sizeof options - used) {
			errno = E2BIG;
			return -1;
		}
		used += (size_t)n;
	}
	if (*layers->upper) {
		int n = snprintf(options + used, sizeof options - used, ",upperdir=%s,workdir=%s",
				 layers->upper, layers->work);
		if (n < 0 || (size_t)n >= sizeof options - used) {
			errno = E2BIG;
			return -1;
		}
	}
	return mount("overlay", MOUNT_POINT, "overlay", 0, options);
}

static int mount_root(const struct layers *layers, struct err *err)
{
	if (layers->lower_count == 0 && !*layers->upper)
		return err_set(err, EINVAL, "a tree without layers");
	/* An overlay has at least two directories. */
	if (layers->lower_count + (*layers->upper != '\0') == 1) {
		const char *only = *layers->upper ? layers->upper : layers->lowers[0].data;

		if (mount(only, MOUNT_POINT, NULL, MS_BIND, NULL) < 0)
			return err_errno(err, "bind %.180s", only);
		return 0;
	}
	if (mount_each(layers) == 0 || mount_joined(layers) == 0)
		return 0;
	return err_errno(err, "mount %zu layers", layers->lower_count);
}

static int bind_over(int root, const struct field *bind, struct err *err)
{
	const char *source = bind[0].data, *target = bind[1].data;
	struct stat st;
	AUTO_CLOSE int from =
	    sys_open_tree(AT_FDCWD, source, K_OPEN_TREE_CLONE | K_OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (from < 0)
		return err_errno(err, "open %.180s", source);
	if (strcmp(bind[2].data, "ro") == 0) {
		struct k_mount_attr attr = {.attr_set = K_MOUNT_ATTR_RDONLY};

		if (sys_mount_setattr(from, "", AT_EMPTY_PATH | AT_RECURSIVE, attr) < 0)
			return err_errno(err, "make %.180s read-only", source);
	}
	if (fstat(from, &st) < 0)
		return err_errno(err, "look at %.180s", source);
	/* Made where it is missing, as by the start that has not been yet. */
	AUTO_CLOSE int to = beneath_target(root, target, S_ISDIR(st.st_mode), err);
	if (to < 0)
		return -1;
	if (sys_move_mount(from, "", to, "",
			   K_MOVE_MOUNT_F_EMPTY_PATH | K_MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_errno(err, "bind %.100s to %.100s", source, target);
	return 0;
}

static int open_layers(const struct layers *layers, struct err *err)
{
	if (layers->lower_count == 1 && !*layers->upper && layers->bind_count == 0) {
		int fd = open(layers->lowers[0].data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		return fd < 0 ? err_errno(err, "open %.180s", layers->lowers[0].data) : fd;
	}
	if (own_mounts(err) < 0 || mount_root(layers, err) < 0)
		return -1;
	AUTO_CLOSE int root = open(MOUNT_POINT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_errno(err, "open the mounted layers");
	for (size_t i = 0; i + 3 <= layers->bind_count; i += 3)
		if (bind_over(root, layers->binds + i, err) < 0)
			return -1;
	return take_fd(&root);
}

int tree_open(const struct op *op, struct err *err)
{
	/* Nobody takes a worker's result when the daemon, and so the spawner, is gone. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct args args = args_of(op);
	uint64_t kind = args_number(&args);
	const char *path = args_string(&args);
	uint64_t pid = args_number(&args);
	struct layers layers = {0};
	char process[64];

	layers.lowers = args_list(&args, &layers.lower_count);
	layers.upper = args_string(&args);
	layers.work = args_string(&args);
	layers.binds = args_list(&args, &layers.bind_count);
	if (args_end(&args, err) < 0)
		return -1;
	if (op->code != OP_TREE || kind > 2)
		return err_set(err, EBADMSG, "operation %u is not a tree", op->code);
	if (kind == 1)
		return open_layers(&layers, err);
	/* Its mounts are seen through this descriptor without entering its namespaces. */
	snprintf(process, sizeof process, "/proc/%llu/root", (unsigned long long)pid);
	if (kind == 2)
		path = process;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_errno(err, "open %.180s", path) : fd;
}
