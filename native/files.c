#include "files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kernel.h"
#include "parents.h"
#include "tree.h"
#include "walk.h"

void file_facts(const struct stat *stat, uint8_t to[FILE_FACTS])
{
	static const struct {
		mode_t mode;
		uint8_t type;
	} types[] = {{S_IFREG, 0}, {S_IFDIR, 1}, {S_IFLNK, 2}, {S_IFCHR, 3},
		     {S_IFBLK, 4}, {S_IFIFO, 5}, {S_IFSOCK, 6}};

	to[0] = 0;
	for (size_t i = 0; i < LENGTH(types); i++)
		if ((stat->st_mode & S_IFMT) == types[i].mode)
			to[0] = types[i].type;
	to[1] = (uint8_t)(stat->st_mode & 0xff);
	to[2] = (uint8_t)(stat->st_mode >> 8 & 0x0f);
	put_u32(to + 3, stat->st_uid);
	put_u32(to + 7, stat->st_gid);
	put_u64(to + 11, S_ISDIR(stat->st_mode) ? 0 : (uint64_t)stat->st_size);
	put_u64(to + 19,
		(uint64_t)stat->st_mtim.tv_sec * 1000000000u + (uint64_t)stat->st_mtim.tv_nsec);
	put_u32(to + 27, major(stat->st_rdev));
	put_u32(to + 31, minor(stat->st_rdev));
	put_u64(to + 35, stat->st_ino);
	put_u32(to + 43, (uint32_t)stat->st_nlink);
}

/* Opens the job's tree and checks that it has arguments. Returns the root, or -1 with *err set. */
static int begin(const struct job *job, struct err *err)
{
	const struct request *request = job->request;

	if (request->count != 2 || request->ops[1].code != OP_FILE)
		return err_set(err, EBADMSG, "a file job has a tree and its arguments");
	umask(0);
	return tree_open(&request->ops[0], err);
}

static int finish(const struct job *job, int result, const struct err *err)
{
	if (result < 0)
		answer_error(job->fd, 1, err);
	else
		answer_ok(job->fd, NULL, 0);
	return result < 0 ? 1 : 0;
}

/* The path of `fd` without links, seen from the tree's root. Returns its length, or -1. */
static ssize_t inside_path(int root, int fd, char *to, size_t size)
{
	char link[64], above[4096];

	snprintf(link, sizeof link, "/proc/self/fd/%d", root);
	ssize_t skip = readlink(link, above, sizeof above);
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, to, size);
	if (n < 0 || skip < 0)
		return -1;
	if (skip > 1 && n >= skip && memcmp(to, above, (size_t)skip) == 0) {
		memmove(to, to + skip, (size_t)(n - skip));
		n -= skip;
	}
	return n;
}

static int look(const struct job *job, struct err *err)
{
	struct args args = args_of(&job->request->ops[1]);
	const char *path = args_string(&args);
	bool follow = args_number(&args);
	uint8_t answer[1 + FILE_FACTS + 4096 + 1 + 4096] = {0};
	char *target = (char *)answer + 1 + FILE_FACTS;
	struct stat stat;

	if (args_end(&args, err) < 0)
		return -1;
	AUTO_CLOSE int root = begin(job, err);
	if (root < 0)
		return -1;
	AUTO_CLOSE int fd =
	    beneath_open(root, *path ? path : ".", O_PATH | (follow ? 0 : O_NOFOLLOW));
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return answer_ok(job->fd, answer, 1);
	if (fd < 0 || fstat(fd, &stat) < 0)
		return err_errno(err, "look at %.180s", path);
	answer[0] = 1;
	file_facts(&stat, answer + 1);
	size_t used = 1 + FILE_FACTS;
	if (S_ISLNK(stat.st_mode)) {
		ssize_t n = readlinkat(fd, "", target, 4095);

		if (n < 0)
			return err_errno(err, "read the link %.180s", path);
		used += (size_t)n;
	}
	answer[used++] = 0;
	ssize_t n = inside_path(root, fd, (char *)answer + used, 4096);
	return answer_ok(job->fd, answer, used + (n > 0 ? (size_t)n : 0));
}

int job_stat(struct job *job)
{
	struct err err = {0};

	if (look(job, &err) == 0)
		return 0;
	answer_error(job->fd, 1, &err);
	return 1;
}

static int send_content(const struct job *job, struct err *err)
{
	struct args args = args_of(&job->request->ops[1]);
	const char *path = args_string(&args);
	uint64_t limit = args_number(&args);
	struct stat stat;

	if (args_end(&args, err) < 0)
		return -1;
	AUTO_CLOSE int root = begin(job, err);
	if (root < 0)
		return -1;
	/* O_NONBLOCK: a FIFO in the place of a file must not hold us for ever. */
	AUTO_CLOSE int fd =
	    beneath_open(root, *path ? path : ".", O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_errno(err, "open %.180s", path);
	if (fstat(fd, &stat) < 0)
		return err_errno(err, "look at %.180s", path);
	if (!S_ISREG(stat.st_mode))
		return err_set(err, S_ISDIR(stat.st_mode) ? EISDIR : EINVAL,
			       "%.180s is not a regular file", path);
	if ((uint64_t)stat.st_size > limit)
		return err_set(err, EFBIG, "%.120s has %lld bytes, at most %llu are read", path,
			       (long long)stat.st_size, (unsigned long long)limit);
	AUTO_FREE char *content = malloc((size_t)limit + 1);
	if (!content)
		return err_errno(err, "memory for %.180s", path);
	/* Files of /proc have no size and more content than that says. */
	ssize_t n = read_some(fd, content, (size_t)limit + 1);
	if (n < 0)
		return err_errno(err, "read %.180s", path);
	if ((uint64_t)n > limit)
		return err_set(err, EFBIG, "%.120s has more than %llu bytes", path,
			       (unsigned long long)limit);
	return answer_ok(job->fd, content, (size_t)n);
}

int job_read(struct job *job)
{
	struct err err = {0};

	if (send_content(job, &err) == 0)
		return 0;
	answer_error(job->fd, 1, &err);
	return 1;
}

static int put_content(const struct job *job, struct err *err)
{
	struct args args = args_of(&job->request->ops[1]);
	const char *path = args_string(&args);
	mode_t mode = (mode_t)args_number(&args);
	uid_t uid = (uid_t)args_number(&args);
	gid_t gid = (gid_t)args_number(&args);
	struct field content = args_bytes(&args);
	char clean[TREE_PATH];
	const char *name;
	struct parents parents;

	if (args_end(&args, err) < 0 || path_clean(path, clean, sizeof clean, err) < 0)
		return -1;
	AUTO_CLOSE int root = begin(job, err);
	if (root < 0)
		return -1;
	parents_open(&parents, root);
	int dir = *clean ? parents_of(&parents, clean, &name, err)
			 : err_set(err, EISDIR, "%s is the root", path);
	int result = -1;
	if (dir >= 0) {
		AUTO_CLOSE int fd = openat(
		    dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
		    mode);

		if (fd < 0 || write_full(fd, content.data, content.size) < 0 ||
		    fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0)
			err_errno(err, "write %.180s", path);
		else
			result = 0;
	}
	parents_close(&parents);
	return result;
}

int job_write(struct job *job)
{
	struct err err = {0};

	return finish(job, put_content(job, &err), &err);
}

struct new_directory {
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

static int make_owned(struct parents *parents, int parent, const char *name, const char *path)
{
	const struct new_directory *wanted = parents->context;

	(void)path;
	if (mkdirat(parent, name, 0700) < 0)
		return -1;
	AUTO_CLOSE int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 || fchown(fd, wanted->uid, wanted->gid) < 0 || fchmod(fd, wanted->mode) < 0
		   ? -1
		   : 0;
}

/* Makes `path` and its missing parents, and opens it. */
static int make_path(int root, const char *path, struct new_directory wanted, struct err *err)
{
	char clean[TREE_PATH];
	const char *name;
	struct parents parents;

	if (path_clean(path, clean, sizeof clean - 2, err) < 0)
		return -1;
	parents_open(&parents, root);
	parents.make = make_owned;
	parents.context = &wanted;
	/* As the parent of something, the directory itself is made too. */
	strcat(clean, *clean ? "/." : ".");
	int fd = parents_of(&parents, clean, &name, err);
	if (fd >= 0)
		parents.fd = -1;
	parents_close(&parents);
	return fd;
}

int files_make(int root, const char *path, struct err *err)
{
	return make_path(root, path, (struct new_directory){.mode = 0755}, err);
}

static int make_directories(const struct job *job, struct err *err)
{
	struct args args = args_of(&job->request->ops[1]);
	const char *path = args_string(&args);
	struct new_directory wanted = {.mode = (mode_t)args_number(&args)};

	wanted.uid = (uid_t)args_number(&args);
	wanted.gid = (gid_t)args_number(&args);
	if (args_end(&args, err) < 0)
		return -1;
	AUTO_CLOSE int root = begin(job, err);
	if (root < 0)
		return -1;
	AUTO_CLOSE int made = make_path(root, path, wanted, err);
	return made < 0 ? -1 : 0;
}

int job_mkdir(struct job *job)
{
	struct err err = {0};

	return finish(job, make_directories(job, &err), &err);
}

static int take_away(const struct job *job, struct err *err)
{
	struct args args = args_of(&job->request->ops[1]);
	const char *path = args_string(&args);
	char clean[TREE_PATH];
	const char *name;
	struct parents parents;

	if (args_end(&args, err) < 0 || path_clean(path, clean, sizeof clean, err) < 0)
		return -1;
	if (!*clean)
		return err_set(err, EINVAL, "the root of a tree is not removed");
	walk_raise_limit();
	AUTO_CLOSE int root = begin(job, err);
	if (root < 0)
		return -1;
	parents_open(&parents, root);
	int dir = parents_find(&parents, clean, &name);
	int result = dir >= 0          ? remove_tree(dir, name, err)
		     : errno == ENOENT ? 0
				       : err_errno(err, "remove %.180s", path);
	parents_close(&parents);
	return result;
}

int job_remove(struct job *job)
{
	struct err err = {0};

	return finish(job, take_away(job, &err), &err);
}

/* linux/fs.h */
#define GET_FLAGS 0x80086601u
#define SET_FLAGS 0x40086602u
#define TOP_OF_DIRECTORIES 0x00020000

static int spread(const struct job *job, struct err *err)
{
	struct args args = args_of(&job->request->ops[1]);
	const char *path = args_string(&args);
	int flags = 0;

	if (args_end(&args, err) < 0)
		return -1;
	AUTO_CLOSE int root = begin(job, err);
	if (root < 0)
		return -1;
	AUTO_CLOSE int fd = beneath_open(root, *path ? path : ".", O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return err_errno(err, "open %.180s", path);
	if (sys_ioctl(fd, GET_FLAGS, &flags) == 0 && !(flags & TOP_OF_DIRECTORIES)) {
		flags |= TOP_OF_DIRECTORIES;
		(void)sys_ioctl(fd, SET_FLAGS, &flags);
	}
	return 0;
}

int job_spread(struct job *job)
{
	struct err err = {0};

	return finish(job, spread(job, &err), &err);
}
