/* A new volume starts with what the image has at its mount point, as Docker's do. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "beneath.h"
#include "copyfile.h"
#include "mounts.h"

#define DEPTH 1000 /* directories within each other; more is an attack on our stack */

static int copy_all(int from, int to, int depth, struct err *err);

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A stream of its own: the descriptor it closes is not the caller's. */
static DIR *open_stream(int dir, struct err *err)
{
	AUTO_CLOSE int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	if (!stream)
		err_errno(err, "read a directory");
	else
		(void)take_fd(&fd);
	return stream;
}

/* Owner, mode and times, in this order: a change of owner clears set-id bits. */
static int give_attributes(int to, const char *name, const struct stat *st, struct err *err)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	if (fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "owner of %s", name);
	if (!S_ISLNK(st->st_mode) && fchmodat(to, name, st->st_mode & 07777, 0) < 0)
		return err_errno(err, "mode of %s", name);
	if (utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "times of %s", name);
	return 0;
}

static int copy_file(int from, int to, const char *name, const struct stat *st, struct err *err)
{
	AUTO_CLOSE int source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	AUTO_CLOSE int copy =
	    openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (source < 0 || copy < 0)
		return err_errno(err, "open %s", name);
	if (copy_data(source, copy, (uint64_t)st->st_size, name, err) < 0)
		return -1;
	return copy_xattrs(source, copy, name, err);
}

static int copy_directory(int from, int to, const char *name, int depth, struct err *err)
{
	AUTO_CLOSE int source = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (source < 0 || mkdirat(to, name, 0700) < 0)
		return err_errno(err, "make the directory %s", name);
	AUTO_CLOSE int copy = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (copy < 0)
		return err_errno(err, "open the directory %s", name);
	if (copy_all(source, copy, depth + 1, err) < 0)
		return -1;
	return copy_xattrs(source, copy, name, err);
}

static int copy_link(int from, int to, const char *name, struct err *err)
{
	char target[PATH_MAX];
	ssize_t size = readlinkat(from, name, target, sizeof target - 1);

	if (size < 0)
		return err_errno(err, "read the link %s", name);
	target[size] = '\0';
	return symlinkat(target, to, name) < 0 ? err_errno(err, "make the link %s", name) : 0;
}

static int copy_entry(int from, int to, const char *name, int depth, struct err *err)
{
	struct stat st;
	int result;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "look at %s", name);
	if (S_ISREG(st.st_mode))
		result = copy_file(from, to, name, &st, err);
	else if (S_ISDIR(st.st_mode))
		result = copy_directory(from, to, name, depth, err);
	else if (S_ISLNK(st.st_mode))
		result = copy_link(from, to, name, err);
	else if (mknodat(to, name, st.st_mode, st.st_rdev) < 0)
		result = err_errno(err, "make %s", name);
	else
		result = 0;
	return result < 0 ? -1 : give_attributes(to, name, &st, err);
}

static int copy_all(int from, int to, int depth, struct err *err)
{
	int result = 0;

	if (depth > DEPTH)
		return err_set(err, ELOOP, "directories within each other, more than %d", DEPTH);
	DIR *stream = open_stream(from, err);
	if (!stream)
		return -1;
	for (struct dirent *entry; result == 0 && (entry = readdir(stream));)
		if (!is_dot(entry->d_name))
			result = copy_entry(from, to, entry->d_name, depth, err);
	closedir(stream);
	return result;
}

/* Returns 1 if the directory is empty, 0 if not, -1 with *err set. */
static int is_empty(int dir, struct err *err)
{
	DIR *stream = open_stream(dir, err);
	int empty = 1;

	if (!stream)
		return -1;
	for (struct dirent *entry; empty && (entry = readdir(stream));)
		empty = is_dot(entry->d_name);
	closedir(stream);
	return empty;
}

int volume_fill(int from, int to, const char *path, struct err *err)
{
	struct stat st;
	int empty = is_empty(to, err);

	if (empty <= 0)
		return empty;
	if (fstat(from, &st) < 0)
		return err_errno(err, "look at %s", path);
	if (copy_all(from, to, 0, err) < 0)
		return -1;
	return give_attributes(to, ".", &st, err);
}

int mounts_fill_volume(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *path = args_string(&args), *volume = args_string(&args);

	if (args_end(&args, err) < 0 || mounts_root(launch, err) < 0)
		return -1;
	AUTO_CLOSE int to = open(volume, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return err_errno(err, "open the volume %s", volume);
	AUTO_CLOSE int from = beneath_open(launch->root, path, O_RDONLY | O_DIRECTORY);
	/* The image has nothing there, or a file: the volume stays as it is. */
	if (from < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(err, "open %s", path);
	return volume_fill(from, to, path, err);
}
