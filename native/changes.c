#include "changes.h"

#include <dirent.h>
#include <limits.h>
#include <sys/xattr.h>

#include "source.h"
#include "tree.h"
#include "walk.h"

struct changes {
	struct sink sink;
	int lower;            /* root of the layers below, -1: none */
	char told[TREE_PATH]; /* the path told last, filled up with NUL */
};

static bool is_whiteout(const struct stat *stat)
{
	return S_ISCHR(stat->st_mode) && stat->st_rdev == 0;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static int send_one(struct changes *changes, char kind, const char *path, size_t length,
		    struct err *err)
{
	if (sink_write(&changes->sink, &kind, 1, err) < 0 ||
	    sink_write(&changes->sink, path, length, err) < 0)
		return -1;
	return sink_write(&changes->sink, "", 1, err);
}

/* The directories above a change count as changed, each once. */
static int tell(struct changes *changes, char kind, const char *path, struct err *err)
{
	size_t length = strlen(path);

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t part = (size_t)(slash - path);
		char after = changes->told[part];

		if (strncmp(changes->told, path, part) == 0 && (after == '\0' || after == '/'))
			continue;
		if (send_one(changes, '0', path, part, err) < 0)
			return -1;
	}
	if (length >= TREE_PATH)
		return err_set(err, ENAMETOOLONG, "the path %.180s is too long", path);
	memset(changes->told, 0, sizeof changes->told);
	memcpy(changes->told, path, length);
	return send_one(changes, kind, path, length, err);
}

/* What was in the layers below at `path`. Returns false if nothing was. */
static bool look_below(const struct changes *changes, const char *path, struct stat *stat)
{
	if (changes->lower < 0)
		return false;
	AUTO_CLOSE int fd = beneath_open(changes->lower, path, O_PATH | O_NOFOLLOW);
	return fd >= 0 && fstat(fd, stat) == 0;
}

/* As dockerd compares: a directory's time and size say nothing. */
static bool is_same(const struct stat *a, const struct stat *b)
{
	if (a->st_mode != b->st_mode || a->st_uid != b->st_uid || a->st_gid != b->st_gid ||
	    a->st_rdev != b->st_rdev)
		return false;
	return S_ISDIR(a->st_mode) ||
	       (same_time(&a->st_mtim, &b->st_mtim) && a->st_size == b->st_size);
}

static bool is_opaque(const struct walk *walk)
{
	char path[64 + NAME_MAX], value[4];

	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", walk->dir, walk->name);
	return lgetxattr(path, opaque_xattr(), value, sizeof value) == 1 && value[0] == 'y';
}

/* A directory that hides the one below it: what was there and is not here now is deleted. */
static int tell_hidden(struct changes *changes, const struct walk *walk, struct err *err)
{
	char path[TREE_PATH * 2];
	struct stat here;
	int fd = beneath_open(changes->lower, walk->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	AUTO_CLOSE int upper =
	    openat(walk->dir, walk->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int result = 0;

	if (!dir) {
		close_fd(&fd);
		return 0;
	}
	for (struct dirent *entry; result == 0 && (entry = readdir(dir));) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    fstatat(upper, name, &here, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", walk->path, name);
		result = tell(changes, '2', path, err);
	}
	closedir(dir);
	return result;
}

static enum walk_next compare(struct walk *walk, struct err *err)
{
	struct changes *changes = walk->context;
	struct stat below;

	if (!*walk->path)
		return WALK_ON;
	bool was = look_below(changes, walk->path, &below);
	bool gone = is_whiteout(&walk->stat);
	if (!was && gone)
		return WALK_ON;
	char kind = !was ? '1' : gone ? '2' : '0';
	if ((kind != '0' || !is_same(&walk->stat, &below)) &&
	    tell(changes, kind, walk->path, err) < 0)
		return WALK_FAILED;
	if (was && S_ISDIR(walk->stat.st_mode) && S_ISDIR(below.st_mode) && is_opaque(walk) &&
	    tell_hidden(changes, walk, err) < 0)
		return WALK_FAILED;
	return WALK_ON;
}

static int send_changes(const struct job *job, struct changes *changes, struct err *err)
{
	const struct request *request = job->request;
	struct walk walk = {.enter = compare, .context = changes};

	if (request->count != 3 || request->ops[2].code != OP_CHANGES)
		return err_set(err, EBADMSG, "changes has two trees and its options");
	struct args args = args_of(&request->ops[2]);
	bool has_lower = args_number(&args);
	if (args_end(&args, err) < 0)
		return -1;
	walk_raise_limit();
	AUTO_CLOSE int upper = tree_open(&request->ops[0], err);
	if (upper < 0)
		return -1;
	AUTO_CLOSE int lower = has_lower ? tree_open(&request->ops[1], err) : -1;
	if (has_lower && lower < 0)
		return -1;
	changes->lower = lower;
	if (sink_open(&changes->sink, job->fd, err) < 0 || walk_tree(&walk, upper, ".", err) < 0)
		return -1;
	return sink_flush(&changes->sink, err);
}

int job_changes(struct job *job)
{
	struct changes changes = {.lower = -1};
	struct err err = {0};

	int result = send_changes(job, &changes, &err);
	if (result < 0)
		answer_error(job->fd, 2, &err);
	else
		frame_write(job->fd, FRAME_END, NULL, 0);
	sink_close(&changes.sink);
	return result < 0 ? 1 : 0;
}
