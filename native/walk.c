#include "walk.h"

#include <dirent.h>
#include <sys/resource.h>

#include "files.h"
#include "inodes.h"
#include "kernel.h"
#include "source.h"
#include "tree.h"

struct names {
	char **list;
	size_t count;
};

static void names_close(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Reads all names of the directory `fd`, which it closes, and sorts them. */
static int names_read(struct names *names, int fd, const char *path, struct err *err)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	size_t room = 0;

	if (!dir) {
		close(fd);
		return err_errno(err, "list %.180s", path);
	}
	while (errno = 0, (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (names->count == room) {
			char **more =
			    realloc(names->list, (room = room > 0 ? room * 2 : 64) * sizeof *more);

			if (!more)
				break;
			names->list = more;
		}
		if (!(names->list[names->count] = strdup(entry->d_name)))
			break;
		names->count++;
	}
	int failed = errno;
	closedir(dir);
	errno = failed;
	if (entry || failed)
		return err_errno(err, "list %.180s", path);
	if (names->count > 1)
		qsort(names->list, names->count, sizeof *names->list, by_bytes);
	return 0;
}

/* Fills walk->stat. Returns 1, or 0 if it is gone, -1 with *err set. */
static int look(struct walk *walk, struct err *err)
{
	if (fstatat(walk->dir, walk->name, &walk->stat, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_errno(err, "look at %.180s", walk->path);
	walk->mounted = false;
	if (walk->see_mounts && walk->path[0]) {
		struct k_statx more;

		if (sys_statx(walk->dir, walk->name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
			      K_STATX_TYPE, &more) == 0)
			walk->mounted = more.attributes & K_STATX_ATTR_MOUNT_ROOT;
	}
	return 1;
}

static int visit(struct walk *walk, char *path, size_t length, int dir, const char *name,
		 struct err *err);

static int visit_children(struct walk *walk, char *path, size_t length, int fd, struct err *err)
{
	struct names names = {0};
	int listing = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = listing < 0 ? err_errno(err, "list %.180s", path)
				 : names_read(&names, listing, path, err);

	for (size_t i = 0; result == 0 && i < names.count; i++) {
		size_t part = strlen(names.list[i]), start = length > 0 ? length + 1 : 0;

		if (start + part >= TREE_PATH) {
			result = err_set(err, ENAMETOOLONG, "the path %.180s is too long", path);
			break;
		}
		if (length > 0)
			path[length] = '/';
		memcpy(path + start, names.list[i], part + 1);
		result = visit(walk, path, start + part, fd, names.list[i], err);
		path[length] = '\0';
	}
	names_close(&names);
	return result;
}

static int visit(struct walk *walk, char *path, size_t length, int dir, const char *name,
		 struct err *err)
{
	walk->dir = dir;
	walk->name = name;
	walk->path = path;
	int found = look(walk, err);
	if (found <= 0)
		return found;
	struct stat stat = walk->stat;
	enum walk_next next = walk->enter(walk, err);
	if (next != WALK_ON || !S_ISDIR(stat.st_mode))
		return next == WALK_FAILED ? -1 : 0;
	AUTO_CLOSE int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(err, "open %.180s", path);
	if (visit_children(walk, path, length, fd, err) < 0)
		return -1;
	if (!walk->leave)
		return 0;
	walk->dir = dir;
	walk->name = name;
	walk->path = path;
	walk->stat = stat;
	return walk->leave(walk, err);
}

int walk_tree(struct walk *walk, int dir, const char *name, struct err *err)
{
	char path[TREE_PATH] = "";

	return visit(walk, path, 0, dir, name, err);
}

void walk_raise_limit(void)
{
	struct rlimit files = {1 << 20, 1 << 20};

	if (setrlimit(RLIMIT_NOFILE, &files) < 0 && getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

int walk_start(int root, const char *path, int *dir, char name[TREE_PATH])
{
	struct err err = {0};
	char clean[TREE_PATH];

	if (path_clean(path, clean, sizeof clean, &err) < 0) {
		errno = err.code;
		return -1;
	}
	char *slash = strrchr(clean, '/');
	strcpy(name, *clean ? slash ? slash + 1 : clean : ".");
	if (slash)
		*slash = '\0';
	*dir = beneath_open(root, slash ? clean : ".", O_RDONLY | O_DIRECTORY);
	return *dir < 0 ? -1 : 0;
}

struct listing {
	struct sink sink;
	struct inodes inodes;
	bool only_sizes;
	uint64_t entries;
	uint64_t bytes;
	uint64_t disk; /* that the file system holds for them */
};

static int count(struct listing *listing, const struct walk *walk, struct err *err)
{
	const struct stat *stat = &walk->stat;

	listing->entries++;
	if (!S_ISDIR(stat->st_mode) && stat->st_nlink > 1) {
		const char *before =
		    inodes_add(&listing->inodes, stat->st_dev, stat->st_ino, "-", err);

		if (!before || *before)
			return before ? 0 : -1;
	}
	/* In units of 512 bytes, whatever the file system's own are. */
	listing->disk += (uint64_t)stat->st_blocks * 512;
	if (!S_ISDIR(stat->st_mode))
		listing->bytes += (uint64_t)stat->st_size;
	return 0;
}

static enum walk_next list_entry(struct walk *walk, struct err *err)
{
	struct listing *listing = walk->context;
	uint8_t head[4 + FILE_FACTS];
	char link[TREE_PATH];
	size_t path = strlen(walk->path);
	ssize_t target = 0;

	if (count(listing, walk, err) < 0)
		return WALK_FAILED;
	if (listing->only_sizes)
		return WALK_ON;
	if (S_ISLNK(walk->stat.st_mode) &&
	    (target = readlinkat(walk->dir, walk->name, link, sizeof link)) < 0) {
		err_errno(err, "read the link %.180s", walk->path);
		return WALK_FAILED;
	}
	head[0] = (uint8_t)path;
	head[1] = (uint8_t)(path >> 8);
	head[2] = (uint8_t)target;
	head[3] = (uint8_t)(target >> 8);
	file_facts(&walk->stat, head + 4);
	if (sink_write(&listing->sink, head, sizeof head, err) < 0 ||
	    sink_write(&listing->sink, walk->path, path, err) < 0 ||
	    sink_write(&listing->sink, link, (size_t)target, err) < 0)
		return WALK_FAILED;
	return WALK_ON;
}

static int send_listing(const struct job *job, struct listing *listing, struct err *err)
{
	const struct request *request = job->request;
	struct walk walk = {.enter = list_entry, .context = listing};
	char name[TREE_PATH];

	if (request->count != 2 || request->ops[1].code != OP_WALK)
		return err_set(err, EBADMSG, "walk has a tree and its options");
	struct args args = args_of(&request->ops[1]);
	const char *path = args_string(&args);
	listing->only_sizes = args_number(&args);
	if (args_end(&args, err) < 0)
		return -1;
	walk_raise_limit();
	AUTO_CLOSE int root = tree_open(&request->ops[0], err);
	if (root < 0)
		return -1;
	AUTO_CLOSE int dir = -1;
	if (walk_start(root, path, &dir, name) < 0)
		return err_errno(err, "open %.180s", path);
	if (sink_open(&listing->sink, job->fd, err) < 0 || walk_tree(&walk, dir, name, err) < 0 ||
	    sink_flush(&listing->sink, err) < 0)
		return -1;
	return listing->entries > 0 ? 0 : err_set(err, ENOENT, "%.180s is not there", path);
}

int job_walk(struct job *job)
{
	struct listing listing = {0};
	struct err err = {0};
	uint8_t sum[24];

	int result = send_listing(job, &listing, &err);
	put_u64(sum, listing.entries);
	put_u64(sum + 8, listing.bytes);
	put_u64(sum + 16, listing.disk);
	if (result < 0)
		answer_error(job->fd, 1, &err);
	else
		frame_write(job->fd, FRAME_END, sum, sizeof sum);
	sink_close(&listing.sink);
	inodes_close(&listing.inodes);
	return result < 0 ? 1 : 0;
}
