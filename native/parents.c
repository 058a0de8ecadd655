#include "parents.h"

#include <dirent.h>
#include <sys/stat.h>

int path_clean(const char *path, char *clean, size_t size, struct err *err)
{
	size_t used = 0;

	for (const char *at = path; *at;) {
		size_t part = strcspn(at, "/");

		if (part == 2 && at[0] == '.' && at[1] == '.')
			return err_set(err, EINVAL, "the path %.180s leads out of its directory",
				       path);
		if (part > 0 && !(part == 1 && at[0] == '.')) {
			if (used + part + 2 > size)
				return err_set(err, ENAMETOOLONG, "the path %.180s is too long",
					       path);
			if (used > 0)
				clean[used++] = '/';
			memcpy(clean + used, at, part);
			used += part;
		}
		at += part;
		at += strspn(at, "/");
	}
	clean[used] = '\0';
	return 0;
}

void parents_open(struct parents *parents, int root)
{
	*parents = (struct parents){.root = root, .fd = -1};
}

void parents_forget(struct parents *parents)
{
	close_fd(&parents->fd);
	parents->fd = -1;
}

void parents_close(struct parents *parents)
{
	parents_forget(parents);
}

static int open_dir(int root, const char *path)
{
	return beneath_open(root, *path ? path : ".", O_RDONLY | O_DIRECTORY);
}

static int make_plainly(int parent, const char *name)
{
	return mkdirat(parent, name, 0755) < 0 && errno != EEXIST ? -1 : 0;
}

/* Opens each part of `path` in turn from the root, making the missing ones. */
static int descend(struct parents *parents, const char *path, struct err *err)
{
	char part[TREE_PATH];
	AUTO_CLOSE int above = open_dir(parents->root, "");

	if (above < 0)
		return err_errno(err, "open the root");
	for (const char *end = path; *end;) {
		const char *start = *end == '/' ? end + 1 : end;

		end = start + strcspn(start, "/");
		memcpy(part, path, (size_t)(end - path));
		part[end - path] = '\0';
		int fd = open_dir(parents->root, part);
		if (fd < 0 && errno == ENOENT) {
			const char *name = part + (start - path);
			int made = parents->make ? parents->make(parents, above, name, part)
						 : make_plainly(above, name);
			if (made < 0)
				return err_errno(err, "make the directory %.180s", part);
			fd = open_dir(parents->root, part);
		}
		if (fd < 0)
			return err_errno(err, "open the directory %.180s", part);
		close_fd(&above);
		above = fd;
	}
	return take_fd(&above);
}

static const char *split(const char *path, size_t *length)
{
	const char *slash = strrchr(path, '/');

	*length = slash ? (size_t)(slash - path) : 0;
	return slash ? slash + 1 : path;
}

static bool is_cached(const struct parents *parents, const char *path, size_t length)
{
	return parents->fd >= 0 && strncmp(parents->path, path, length) == 0 &&
	       parents->path[length] == '\0';
}

static int keep(struct parents *parents, const char *path, int fd)
{
	close_fd(&parents->fd);
	strcpy(parents->path, path);
	return parents->fd = fd;
}

int parents_find(struct parents *parents, const char *path, const char **name)
{
	size_t length;
	char parent[TREE_PATH];

	*name = split(path, &length);
	if (is_cached(parents, path, length))
		return parents->fd;
	memcpy(parent, path, length);
	parent[length] = '\0';
	int fd = open_dir(parents->root, parent);
	return fd < 0 ? -1 : keep(parents, parent, fd);
}

int parents_of(struct parents *parents, const char *path, const char **name, struct err *err)
{
	char parent[TREE_PATH];
	size_t length;
	int fd = parents_find(parents, path, name);

	if (fd >= 0)
		return fd;
	split(path, &length);
	memcpy(parent, path, length);
	parent[length] = '\0';
	if (errno != ENOENT)
		return err_errno(err, "open the directory %.180s", parent);
	fd = descend(parents, parent, err);
	return fd < 0 ? -1 : keep(parents, parent, fd);
}

/* Removes all in the directory `fd`, which it closes. */
static int remove_contents(int fd, const char *shown, struct err *err)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int result = 0;

	if (!dir) {
		result = err_errno(err, "list %.180s", shown);
		close(fd);
		return result;
	}
	while (result == 0 && (entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (entry->d_type != DT_DIR && unlinkat(dirfd(dir), name, 0) == 0)
			continue;
		result = remove_tree(dirfd(dir), name, err);
	}
	closedir(dir);
	return result;
}

int remove_tree(int dir, const char *name, struct err *err)
{
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_errno(err, "remove %.180s", name);
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(err, "remove %.180s", name);
	if (remove_contents(fd, name, err) < 0)
		return -1;
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_errno(err, "remove the directory %.180s", name);
	return 0;
}
