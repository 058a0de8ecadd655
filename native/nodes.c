#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "beneath.h"
#include "kernel.h"
#include "mounts.h"
#include "nodes.h"

#define PROC_MAGIC 0x9fa0

struct owner {
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

static struct owner read_owner(struct args *args)
{
	struct owner owner;

	owner.mode = (mode_t)args_number(args) & 07777;
	owner.uid = (uid_t)args_number(args);
	owner.gid = (gid_t)args_number(args);
	return owner;
}

/* Owner first: chown(2) clears the set-id bits. */
static int give(int dir, const char *name, struct owner owner)
{
	if (fchownat(dir, name, owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return fchmodat(dir, name, owner.mode, 0);
}

/*
 * In a user namespace no device can be made; the engine's own, of the same name, is mounted
 * instead if it is the same device.
 */
static int bind_device(int parent, const char *name, const char *path, mode_t kind, dev_t device,
		       struct err *err)
{
	struct stat st;

	if (strncmp(path, "/dev/", 5) != 0 || strstr(path, ".."))
		return err_set(err, EPERM, "make the device %s", path);
	AUTO_CLOSE int tree =
	    sys_open_tree(AT_FDCWD, path, K_OPEN_TREE_CLONE | K_OPEN_TREE_CLOEXEC);
	if (tree < 0 || fstat(tree, &st) < 0)
		return err_errno(err, "open the device %s", path);
	if ((st.st_mode & S_IFMT) != kind || st.st_rdev != device)
		return err_set(err, ENODEV, "%s is another device than the container's", path);
	AUTO_CLOSE int made =
	    openat(parent, name, O_CREAT | O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	AUTO_CLOSE int target = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (made < 0 || target < 0)
		return err_errno(err, "make a mount point at %s", path);
	return mounts_attach(tree, target, path, err);
}

int nodes_device(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *path = args_string(&args), *type = args_string(&args), *name;
	uint64_t major = args_number(&args), minor = args_number(&args);
	struct owner owner = read_owner(&args);
	mode_t kind = type[0] == 'b' ? S_IFBLK : S_IFCHR;

	if (args_end(&args, err) < 0 || mounts_root(launch, err) < 0)
		return -1;
	AUTO_CLOSE int parent = beneath_parent(launch->root, path, &name, err);
	if (parent < 0)
		return -1;
	dev_t device = makedev((unsigned)major, (unsigned)minor);
	if (mknodat(parent, name, kind | 0600, device) < 0) {
		if (errno == EPERM && !ns_is_initial_user())
			return bind_device(parent, name, path, kind, device, err);
		return errno == EEXIST ? 0 : err_errno(err, "make the device %s", path);
	}
	return give(parent, name, owner) < 0 ? err_errno(err, "owner and mode of %s", path) : 0;
}

int nodes_symlink(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *target = args_string(&args), *path = args_string(&args), *name;

	if (args_end(&args, err) < 0 || mounts_root(launch, err) < 0)
		return -1;
	AUTO_CLOSE int parent = beneath_parent(launch->root, path, &name, err);
	if (parent < 0)
		return -1;
	if (symlinkat(target, parent, name) < 0 && errno != EEXIST)
		return err_errno(err, "make the link %s", path);
	return 0;
}

int nodes_directory(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *path = args_string(&args);
	struct owner owner = read_owner(&args);
	char self[32];
	bool made;

	if (args_end(&args, err) < 0 || mounts_root(launch, err) < 0)
		return -1;
	AUTO_CLOSE int dir = beneath_directory(launch->root, path, 0700, &made, err);
	if (dir < 0)
		return -1;
	if (!made)
		return 0;
	snprintf(self, sizeof self, "/proc/self/fd/%d", dir);
	if (fchownat(dir, "", owner.uid, owner.gid, AT_EMPTY_PATH) < 0 ||
	    chmod(self, owner.mode) < 0)
		return err_errno(err, "owner and mode of %s", path);
	return 0;
}

int nodes_file(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *path = args_string(&args), *name;
	struct owner owner = read_owner(&args);
	struct field content = args_bytes(&args);

	if (args_end(&args, err) < 0 || mounts_root(launch, err) < 0)
		return -1;
	AUTO_CLOSE int parent = beneath_parent(launch->root, path, &name, err);
	if (parent < 0)
		return -1;
	/* A new file, so that neither a link nor a hard link of the image receives the content. */
	if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
		return err_errno(err, "replace %s", path);
	AUTO_CLOSE int fd =
	    openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || write_full(fd, content.data, content.size) < 0)
		return err_errno(err, "write %s", path);
	if (fchown(fd, owner.uid, owner.gid) < 0 || fchmod(fd, owner.mode) < 0)
		return err_errno(err, "owner and mode of %s", path);
	return 0;
}

/*
 * Through the engine's procfs: /proc/sys shows the values of whoever looks, and one of the image's
 * making could lead the value anywhere (CVE-2025-52881).
 */
int nodes_sysctl(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *path = args_string(&args), *value = args_string(&args);
	struct k_open_how how = {
	    .flags = O_WRONLY | O_CLOEXEC,
	    .resolve = K_RESOLVE_BENEATH | K_RESOLVE_NO_SYMLINKS | K_RESOLVE_NO_XDEV,
	};
	struct statfs fs;

	(void)launch;
	if (args_end(&args, err) < 0)
		return -1;
	AUTO_CLOSE int dir = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fstatfs(dir, &fs) < 0)
		return err_errno(err, "open /proc/sys");
	if (fs.f_type != PROC_MAGIC)
		return err_set(err, EINVAL, "/proc is no procfs");
	AUTO_CLOSE int fd = sys_openat2(dir, path, how);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_errno(err, "set sysctl %s to %s", path, value);
	return 0;
}

/*
 * Appends to the answer u32 length | bytes, length ~0 if there is no such regular file. Nothing in
 * an image may make us wait: a FIFO as /etc/passwd hangs other engines for ever.
 */
int nodes_read(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *path = args_string(&args);
	uint64_t limit = args_number(&args);
	struct stat st;

	if (args_end(&args, err) < 0 || mounts_root(launch, err) < 0)
		return -1;
	if (limit > FRAME_LIMIT)
		return err_set(err, EMSGSIZE, "%s: at most %u bytes are read", path, FRAME_LIMIT);
	/* Opening a device can do things; what it is, a path descriptor tells. */
	AUTO_CLOSE int look = beneath_open(launch->root, path, O_PATH);
	if (look < 0 || fstat(look, &st) < 0 || !S_ISREG(st.st_mode))
		return launch_answer(launch, NULL, 0, err);
	AUTO_CLOSE int fd = beneath_open(launch->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return launch_answer(launch, NULL, 0, err);
	AUTO_FREE char *content = malloc((size_t)limit + 1);
	if (!content)
		return err_errno(err, "memory for %s", path);
	ssize_t size = read_some(fd, content, (size_t)limit);
	if (size < 0)
		return err_errno(err, "read %s", path);
	return launch_answer(launch, content, (size_t)size, err);
}
