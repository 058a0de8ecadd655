#include <limits.h>
#include <sys/stat.h>

#include "beneath.h"
#include "kernel.h"
#include "util.h"

#define MAX_LINKS 40 /* as the kernel's own MAXSYMLINKS */

static int open_resolved(int root, const char *path, int flags, uint64_t resolve)
{
	struct k_open_how how = {
	    .flags = (uint64_t)(flags | O_CLOEXEC),
	    .resolve = K_RESOLVE_IN_ROOT | K_RESOLVE_NO_MAGICLINKS | resolve,
	};
	int fd;

	/* EAGAIN: something was renamed meanwhile, and the kernel cannot prove that we are beneath.
	 */
	for (int tries = 0; tries < 128; tries++) {
		fd = sys_openat2(root, path, how);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

int beneath_open(int root, const char *path, int flags)
{
	return open_resolved(root, path, flags, 0);
}

int beneath_open_plain(int root, const char *path, int flags)
{
	return open_resolved(root, path, flags, K_RESOLVE_NO_SYMLINKS);
}

/*
 * A walk that makes what is missing. `done` is what was walked, free of links and `..`, so that
 * each step can insist on meeting no link; `todo` is what is left, with links put in.
 */
struct walk {
	char done[PATH_MAX];
	char todo[PATH_MAX];
	int links;
};

/* Cuts the first component off `todo`. Returns false at the end. */
static bool next_component(struct walk *walk, char component[NAME_MAX + 1], struct err *err)
{
	char *at = walk->todo + strspn(walk->todo, "/");
	size_t length = strcspn(at, "/");

	if (length == 0)
		return false;
	if (length > NAME_MAX) {
		err_set(err, ENAMETOOLONG, "a name of %zu bytes in a path", length);
		return false;
	}
	memcpy(component, at, length);
	component[length] = '\0';
	memmove(walk->todo, at + length, strlen(at + length) + 1);
	return true;
}

static int follow(struct walk *walk, int parent, const char *name, struct err *err)
{
	char link[PATH_MAX], rest[PATH_MAX];
	ssize_t length = readlinkat(parent, name, link, sizeof link - 1);

	if (length < 0)
		return err_errno(err, "read the link %s", name);
	link[length] = '\0';
	if (++walk->links > MAX_LINKS)
		return err_set(err, ELOOP, "too many links at %s", name);
	memcpy(rest, walk->todo, sizeof rest);
	if ((size_t)snprintf(walk->todo, sizeof walk->todo, "%s/%s", link, rest) >=
	    sizeof walk->todo)
		return err_set(err, ENAMETOOLONG, "link %s", name);
	if (link[0] == '/')
		walk->done[0] = '\0';
	return 0;
}

static int step(struct walk *walk, int root, const char *name, struct err *err)
{
	size_t used = strlen(walk->done);
	struct stat st;

	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0) {
		char *slash = strrchr(walk->done, '/');

		if (slash)
			*slash = '\0';
		return 0;
	}
	AUTO_CLOSE int parent =
	    beneath_open_plain(root, used > 0 ? walk->done : "/", O_PATH | O_DIRECTORY);
	if (parent < 0)
		return err_errno(err, "open %s in the container", walk->done);
	if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		return err_errno(err, "make %s/%s in the container", walk->done, name);
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "look at %s/%s in the container", walk->done, name);
	if (S_ISLNK(st.st_mode))
		return follow(walk, parent, name, err);
	if ((size_t)snprintf(walk->done + used, sizeof walk->done - used, "/%s", name) >=
	    sizeof walk->done - used)
		return err_set(err, ENAMETOOLONG, "%s", walk->done);
	return 0;
}

/* Where only the last name is missing. Returns -1 wherever there is more to look at. */
static int make_last(int root, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	AUTO_FREE char *above = strndup(path, (size_t)(name - path));

	if (!above || !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -1;
	AUTO_CLOSE int parent = beneath_open(root, above[0] ? above : "/", O_PATH | O_DIRECTORY);
	if (parent < 0 || mkdirat(parent, name, 0755) < 0)
		return -1;
	return openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int make_all(int root, const char *path, struct err *err)
{
	AUTO_FREE struct walk *walk = NULL;
	char name[NAME_MAX + 1];
	int last = make_last(root, path);

	if (last >= 0)
		return last;
	walk = calloc(1, sizeof *walk);
	if (!walk)
		return err_errno(err, "memory for a path");
	if ((size_t)snprintf(walk->todo, sizeof walk->todo, "%s", path) >= sizeof walk->todo)
		return err_set(err, ENAMETOOLONG, "a path of %zu bytes", strlen(path));
	err->text[0] = '\0';
	while (next_component(walk, name, err))
		if (step(walk, root, name, err) < 0)
			return -1;
	if (err->text[0])
		return -1;
	int fd = beneath_open_plain(root, walk->done[0] ? walk->done : "/", O_PATH | O_DIRECTORY);
	return fd < 0 ? err_errno(err, "open %s in the container", path) : fd;
}

static int open_or_make(int root, const char *path, struct err *err)
{
	int fd = beneath_open(root, path[0] ? path : "/", O_PATH | O_DIRECTORY);

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return err_errno(err, "open %s in the container", path);
	return make_all(root, path, err);
}

int beneath_parent(int root, const char *path, const char **name, struct err *err)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *parent = strndup(path, slash ? (size_t)(slash - path) : 0);

	*name = slash ? slash + 1 : path;
	if (!parent)
		return err_errno(err, "memory for a path");
	if (!**name || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)
		return err_set(err, EINVAL, "%s names no file", path);
	return open_or_make(root, parent, err);
}

/* An empty file, following links that dangle: an image's resolv.conf may well be one. */
static int make_file(int root, const char *path, struct err *err)
{
	char target[PATH_MAX];
	const char *name;

	snprintf(target, sizeof target, "%s", path);
	for (int links = 0; links <= MAX_LINKS; links++) {
		char link[PATH_MAX];
		AUTO_CLOSE int parent = beneath_parent(root, target, &name, err);

		if (parent < 0)
			return -1;
		int fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW,
				0644);
		if (fd >= 0) {
			close(fd);
			fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
			return fd < 0 ? err_errno(err, "open %s in the container", path) : fd;
		}
		ssize_t length =
		    errno == EEXIST ? readlinkat(parent, name, link, sizeof link - 1) : -1;
		if (length < 0)
			return err_errno(err, "make %s in the container", path);
		link[length] = '\0';
		if (link[0] != '/') {
			char up[PATH_MAX];
			size_t kept = (size_t)(name - target);

			if ((size_t)snprintf(up, sizeof up, "%.*s%s", (int)kept, target, link) >=
			    sizeof up)
				return err_set(err, ENAMETOOLONG, "link %s", path);
			memcpy(link, up, sizeof link);
		}
		memcpy(target, link, sizeof target);
	}
	return err_set(err, ELOOP, "too many links at %s in the container", path);
}

int beneath_target(int root, const char *path, bool directory, struct err *err)
{
	struct stat st;
	AUTO_CLOSE int fd = beneath_open(root, path, O_PATH);

	if (fd < 0 && errno != ENOENT)
		return err_errno(err, "open %s in the container", path);
	if (fd < 0)
		return directory ? make_all(root, path, err) : make_file(root, path, err);
	if (fstat(fd, &st) < 0)
		return err_errno(err, "look at %s in the container", path);
	if (directory && !S_ISDIR(st.st_mode))
		return err_set(err, ENOTDIR, "%s in the container is no directory", path);
	if (!directory && S_ISDIR(st.st_mode))
		return err_set(err, EISDIR, "%s in the container is a directory", path);
	return take_fd(&fd);
}

int beneath_directory(int root, const char *path, mode_t mode, bool *made, struct err *err)
{
	const char *name;
	AUTO_CLOSE int there = beneath_open(root, path, O_PATH | O_DIRECTORY);

	*made = false;
	if (there >= 0)
		return take_fd(&there);
	if (errno != ENOENT)
		return err_errno(err, "open %s in the container", path);
	AUTO_CLOSE int parent = beneath_parent(root, path, &name, err);
	if (parent < 0)
		return -1;
	if (mkdirat(parent, name, mode) < 0)
		return errno == EEXIST ? make_all(root, path, err)
				       : err_errno(err, "make %s in the container", path);
	*made = true;
	int fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_errno(err, "open %s in the container", path) : fd;
}
