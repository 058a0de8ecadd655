#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "beneath.h"
#include "kernel.h"
#include "mounts.h"
#include "opcodes.h"

int mounts_root(const struct launch *launch, struct err *err)
{
	return launch->root < 0 ? err_set(err, EINVAL, "there is no root directory yet") : 0;
}

uint64_t mounts_attributes(uint64_t flags)
{
	static const struct {
		uint64_t flag, attribute;
	} table[] = {
	    {MS_RDONLY, K_MOUNT_ATTR_RDONLY},         {MS_NOSUID, K_MOUNT_ATTR_NOSUID},
	    {MS_NODEV, K_MOUNT_ATTR_NODEV},           {MS_NOEXEC, K_MOUNT_ATTR_NOEXEC},
	    {MS_NOATIME, K_MOUNT_ATTR_NOATIME},       {MS_STRICTATIME, K_MOUNT_ATTR_STRICTATIME},
	    {MS_NODIRATIME, K_MOUNT_ATTR_NODIRATIME},
	};
	uint64_t attributes = 0;

	for (size_t i = 0; i < LENGTH(table); i++)
		if (flags & table[i].flag)
			attributes |= table[i].attribute;
	return attributes;
}

int mounts_attach(int mount, int target, const char *path, struct err *err)
{
	if (sys_move_mount(mount, "", target, "",
			   K_MOVE_MOUNT_F_EMPTY_PATH | K_MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_errno(err, "mount on %s", path);
	return 0;
}

/* `data`: options as of mount(8), "mode=755,size=64k". */
static int set_options(int fs, char *data, struct err *err)
{
	for (char *rest = data, *option; (option = strtok_r(rest, ",", &rest));) {
		char *value = strchr(option, '=');
		int done;

		if (value)
			*value++ = '\0';
		done = value ? sys_fsconfig(fs, K_FSCONFIG_SET_STRING, option, value, 0)
			     : sys_fsconfig(fs, K_FSCONFIG_SET_FLAG, option, NULL, 0);
		if (done < 0)
			return err_errno(err, "mount option %s", option);
	}
	return 0;
}

static int make(const char *type, const char *source, uint64_t flags, const char *data,
		struct err *err)
{
	AUTO_FREE char *options = strdup(data);
	AUTO_CLOSE int fs = sys_fsopen(type, K_FSOPEN_CLOEXEC);

	if (fs < 0 || !options)
		return err_errno(err, "a file system of type %s", type);
	if (sys_fsconfig(fs, K_FSCONFIG_SET_STRING, "source", source[0] ? source : type, 0) < 0)
		return err_errno(err, "source %s of a %s", source, type);
	/* MS_RDONLY of mount(2) means the file system, too, which tmpfs and cgroup look at. */
	if (set_options(fs, options, err) < 0)
		return -1;
	if (sys_fsconfig(fs, K_FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_errno(err, "make a %s (%s)", type, data);
	int mount = sys_fsmount(fs, K_FSMOUNT_CLOEXEC, (unsigned)mounts_attributes(flags));
	return mount < 0 ? err_errno(err, "mount a %s", type) : mount;
}

/* The tree to bind, cloned and not yet attached. */
static int clone_source(const char *source, const char *subpath, bool recursive, struct err *err)
{
	unsigned flags = K_OPEN_TREE_CLONE | K_OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
	AUTO_CLOSE int top = open(source, O_PATH | O_CLOEXEC);
	if (top < 0)
		return err_errno(err, "open %s", source);
	AUTO_CLOSE int below = subpath[0] ? beneath_open(top, subpath, O_PATH) : -1;
	if (subpath[0] && below < 0)
		return err_errno(err, "open %s in %s", subpath, source);
	int tree = sys_open_tree(below >= 0 ? below : top, "", flags | AT_EMPTY_PATH);
	return tree < 0 ? err_errno(err, "open the tree %s", source) : tree;
}

struct bind {
	const char *source, *path, *subpath;
	bool recursive;
	uint64_t flags, propagation;
};

static int bind_parse(const struct op *op, struct bind *bind, struct err *err)
{
	struct args args = args_of(op);

	bind->source = args_string(&args);
	bind->path = args_string(&args);
	bind->recursive = args_number(&args) != 0;
	bind->flags = args_number(&args);
	bind->propagation = args_number(&args);
	bind->subpath = args_string(&args);
	return args_end(&args, err);
}

static int open_shared(struct launch *launch, uint32_t index, struct err *err)
{
	uint32_t count = launch->request->count;
	struct bind bind;

	if (bind_parse(&launch->request->ops[index], &bind, err) < 0)
		return -1;
	if (!(bind.propagation & (MS_SHARED | MS_SLAVE)))
		return 0;
	if (!launch->shared) {
		launch->shared = malloc(count * sizeof *launch->shared);
		if (!launch->shared)
			return err_errno(err, "memory for %u mounts", count);
		for (uint32_t i = 0; i < count; i++)
			launch->shared[i] = -1;
	}
	launch->shared[index] = clone_source(bind.source, bind.subpath, bind.recursive, err);
	return launch->shared[index] < 0 ? -1 : 0;
}

int mounts_open_shared(struct launch *launch, struct err *err)
{
	for (uint32_t i = 0; i < launch->request->count; i++) {
		if (launch->request->ops[i].code != OP_BIND)
			continue;
		if (open_shared(launch, i, err) < 0) {
			launch->failed = i;
			return -1;
		}
	}
	return 0;
}

static int open_bound(struct launch *launch, const struct op *op, const struct bind *bind,
		      struct err *err)
{
	int *shared = launch->shared ? &launch->shared[op - launch->request->ops] : NULL;

	if (shared && *shared >= 0)
		return take_fd(shared);
	return clone_source(bind->source, bind->subpath, bind->recursive, err);
}

/* What the image has at a mount's place, in the mount; read-only it is only then. */
static int copy_up(int mount, int target, const char *path, uint64_t flags, struct err *err)
{
	struct k_mount_attr attr = {.attr_set = mounts_attributes(flags)};
	AUTO_CLOSE int from = openat(target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int to = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (from < 0 || to < 0)
		return err_errno(err, "open %s", path);
	if (volume_fill(from, to, path, err) < 0)
		return -1;
	return sys_mount_setattr(mount, "", AT_EMPTY_PATH, attr) < 0
		   ? err_errno(err, "set the attributes of %s", path)
		   : 0;
}

int mounts_new(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *type = args_string(&args), *source = args_string(&args);
	const char *path = args_string(&args);
	uint64_t flags = args_number(&args);
	const char *data = args_string(&args);
	bool copies = args_number(&args) != 0;

	if (args_end(&args, err) < 0 || mounts_root(launch, err) < 0)
		return -1;
	AUTO_CLOSE int target = beneath_target(launch->root, path, true, err);
	if (target < 0)
		return -1;
	/* An image whose /proc is a link would have later masks fall elsewhere (CVE-2019-19921). */
	if (strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0) {
		AUTO_CLOSE int plain = beneath_open_plain(launch->root, path, O_PATH);

		if (plain < 0)
			return err_errno(err, "%s must be a plain directory to mount a %s", path,
					 type);
	}
	AUTO_CLOSE int mount =
	    make(type, source, copies ? flags & ~(uint64_t)MS_RDONLY : flags, data, err);
	/* Only a PID namespace's owner may mount its procfs: without root, and with the engine's
	 * PID namespace, there is the engine's to show. */
	if (mount < 0 && err->code == EPERM && strcmp(type, "proc") == 0)
		mount = clone_source("/proc", "", true, err);
	if (mount < 0)
		return -1;
	if (copies && copy_up(mount, target, path, flags, err) < 0)
		return -1;
	return mounts_attach(mount, target, path, err);
}

int mounts_bind(struct launch *launch, const struct op *op, struct err *err)
{
	struct bind bind;
	struct stat st;

	if (bind_parse(op, &bind, err) < 0 || mounts_root(launch, err) < 0)
		return -1;
	const char *source = bind.source, *path = bind.path;
	bool recursive = bind.recursive;
	uint64_t propagation = bind.propagation;
	struct k_mount_attr attr = {.attr_set = mounts_attributes(bind.flags)};
	AUTO_CLOSE int tree = open_bound(launch, op, &bind, err);
	if (tree < 0)
		return -1;
	if (fstat(tree, &st) < 0)
		return err_errno(err, "look at %s", source);
	AUTO_CLOSE int target = beneath_target(launch->root, path, S_ISDIR(st.st_mode), err);
	if (target < 0)
		return -1;
	if (attr.attr_set &&
	    sys_mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), attr) < 0)
		return err_errno(err, "set the attributes of %s", source);
	attr = (struct k_mount_attr){.propagation = propagation & ~(uint64_t)MS_REC};
	if (sys_mount_setattr(tree, "", AT_EMPTY_PATH | (propagation & MS_REC ? AT_RECURSIVE : 0),
			      attr) < 0)
		return err_errno(err, "set the propagation of %s", source);
	return mounts_attach(tree, target, path, err);
}

int mounts_console(int dev, int terminal, struct err *err)
{
	AUTO_CLOSE int made =
	    openat(dev, "console", O_CREAT | O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	AUTO_CLOSE int target = openat(dev, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (made < 0 || target < 0)
		return err_errno(err, "make /dev/console");
	AUTO_CLOSE int tree =
	    sys_open_tree(terminal, "", AT_EMPTY_PATH | K_OPEN_TREE_CLONE | K_OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return err_errno(err, "open the terminal as a tree");
	return mounts_attach(tree, target, "/dev/console", err);
}
