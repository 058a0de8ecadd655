#include "copy.h"

#include "copyfile.h"
#include "inodes.h"
#include "mode.h"
#include "pathset.h"
#include "tree.h"
#include "walk.h"

/* Whose time a copy has: the source's, one for all, or the source's unless it is later than one. */
enum { TIME_KEPT, TIME_GIVEN, TIME_LATEST };

struct copy_options {
	const struct field *items;
	size_t item_count; /* strings: three each */
	struct path_set excluded;
	bool has_only;
	struct path_set only;
	bool own;
	uid_t uid;
	gid_t gid;
	const char *mode;
	uint64_t time; /* TIME_… */
	time_t seconds;
	bool link;
};

struct copier {
	const struct copy_options *options;
	struct inodes
	    inodes; /* source files with several names: where their copy is, beneath `base` */
	struct parents parents; /* beneath `base` */
	const char *source;     /* the item's path in the source tree, clean */
	const char
	    *name; /* of the item beneath `base`; "" when its contents go into `base` itself */
	const char *shown; /* the item's path in the target tree, for messages */
	uint64_t entries;
	uint64_t bytes;
};

static bool is_wanted(const struct copier *copier, const char *path, bool directory)
{
	const struct copy_options *options = copier->options;

	if (path_set_has(&options->excluded, path))
		return false;
	if (!options->has_only || path_set_has(&options->only, path))
		return true;
	return directory && path_set_leads_to(&options->only, path);
}

/* Two paths as one; either may be "". */
static int join(char *to, size_t size, const char *a, const char *b, struct err *err)
{
	int n = snprintf(to, size, "%s%s%s", a, *a && *b ? "/" : "", b);

	return (size_t)n < size ? 0 : err_set(err, ENAMETOOLONG, "the path %.180s is too long", a);
}

static int mode_of(const struct copier *copier, const struct stat *stat, mode_t *mode,
		   struct err *err)
{
	if (!*copier->options->mode) {
		*mode = stat->st_mode & 07777;
		return 0;
	}
	return mode_apply(copier->options->mode, S_ISDIR(stat->st_mode), stat->st_mode, mode, err);
}

static void times_of(const struct copier *copier, const struct stat *stat, struct timespec times[2])
{
	const struct copy_options *options = copier->options;

	times[0] = times[1] = stat->st_mtim;
	if (options->time == TIME_GIVEN ||
	    (options->time == TIME_LATEST && stat->st_mtim.tv_sec >= options->seconds))
		times[0] = times[1] = (struct timespec){.tv_sec = options->seconds};
}

static int set_owner_and_mode(const struct copier *copier, const struct walk *walk, int fd,
			      struct err *err)
{
	const struct copy_options *options = copier->options;
	mode_t mode;

	if (mode_of(copier, &walk->stat, &mode, err) < 0)
		return -1;
	if (fchown(fd, options->own ? options->uid : walk->stat.st_uid,
		   options->own ? options->gid : walk->stat.st_gid) < 0 ||
	    fchmod(fd, mode) < 0)
		return err_errno(err, "change the owner and mode of %.180s", walk->path);
	return 0;
}

/* Whether the copy would be the same file in all that is kept of it. */
static bool can_share(const struct copier *copier, const struct stat *stat)
{
	const struct copy_options *options = copier->options;

	return options->link && !*options->mode && options->time == TIME_KEPT &&
	       (!options->own || (options->uid == stat->st_uid && options->gid == stat->st_gid));
}

/* Says that file and directory are in each other's way, with the whole path in the target tree. */
static int refuse_kind(const struct copier *copier, const struct walk *walk, bool directory,
		       struct err *err)
{
	char path[TREE_PATH];

	if (join(path, sizeof path, copier->shown, walk->path, err) < 0)
		return -1;
	if (directory)
		return err_set(err, ENOTDIR, "cannot copy to non-directory: /%.180s", path);
	return err_set(err, EISDIR, "cannot replace to directory /%.180s with file", path);
}

/* Removes what has the target's name; a directory is never removed for a file. */
static int clear_name(const struct copier *copier, const struct walk *walk, int dir,
		      const char *name, struct err *err)
{
	struct stat found;

	if (fstatat(dir, name, &found, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_errno(err, "look at %.180s", name);
	if (S_ISDIR(found.st_mode))
		return refuse_kind(copier, walk, false, err);
	return unlinkat(dir, name, 0) < 0 ? err_errno(err, "remove %.180s", name) : 0;
}

/* A second name of a file that was copied before. Returns 1 if it was, 0 if the file is new, -1
 * with *err set. */
static int copy_hardlink(struct copier *copier, const struct walk *walk, int dir, const char *name,
			 const char *target, struct err *err)
{
	if (walk->stat.st_nlink < 2)
		return 0;
	const char *first =
	    inodes_add(&copier->inodes, walk->stat.st_dev, walk->stat.st_ino, target, err);
	if (!first || !*first)
		return first ? 0 : -1;
	AUTO_CLOSE int fd = beneath_open(copier->parents.root, first, O_PATH | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	return linkat(fd, "", dir, name, AT_EMPTY_PATH) == 0
		   ? 1
		   : err_errno(err, "hard link %.180s", target);
}

static int copy_file(struct copier *copier, const struct walk *walk, int dir, const char *name,
		     const char *target, struct err *err)
{
	struct timespec times[2];
	struct stat now;
	int linked = copy_hardlink(copier, walk, dir, name, target, err);

	if (linked != 0)
		return linked < 0 ? -1 : 0;
	if (can_share(copier, &walk->stat) && linkat(walk->dir, walk->name, dir, name, 0) == 0) {
		copier->bytes += (uint64_t)walk->stat.st_size;
		return 0;
	}
	AUTO_CLOSE int from = openat(walk->dir, walk->name,
				     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (from < 0 || fstat(from, &now) < 0)
		return err_errno(err, "open %.180s", walk->path);
	if (!S_ISREG(now.st_mode))
		return err_set(err, EBADMSG, "%.180s changed while it was copied", walk->path);
	AUTO_CLOSE int to =
	    openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return err_errno(err, "create %.180s", target);
	if (copy_data(from, to, (uint64_t)now.st_size, target, err) < 0 ||
	    set_owner_and_mode(copier, walk, to, err) < 0 || copy_xattrs(from, to, target, err) < 0)
		return -1;
	copier->bytes += (uint64_t)now.st_size;
	times_of(copier, &walk->stat, times);
	return futimens(to, times) < 0 ? err_errno(err, "change the time of %.180s", target) : 0;
}

/* Links, devices and FIFOs; a socket is nothing without its process. */
static int copy_node(struct copier *copier, const struct walk *walk, int dir, const char *name,
		     const char *target, struct err *err)
{
	const struct stat *stat = &walk->stat;
	const struct copy_options *options = copier->options;
	char link[TREE_PATH];
	struct timespec times[2];
	mode_t mode;

	if (S_ISLNK(stat->st_mode)) {
		ssize_t n = readlinkat(walk->dir, walk->name, link, sizeof link - 1);

		if (n < 0)
			return err_errno(err, "read the link %.180s", walk->path);
		link[n] = '\0';
		if (symlinkat(link, dir, name) < 0)
			return err_errno(err, "make the link %.180s", target);
	} else {
		if (mode_of(copier, stat, &mode, err) < 0)
			return -1;
		if (mknodat(dir, name, (stat->st_mode & S_IFMT) | mode, stat->st_rdev) < 0)
			return err_errno(err, "make the node %.180s", target);
	}
	times_of(copier, stat, times);
	if (fchownat(dir, name, options->own ? options->uid : stat->st_uid,
		     options->own ? options->gid : stat->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "change the owner of %.180s", target);
	return 0;
}

/* A directory that is there keeps what is in it, and takes over the source's owner and mode. */
static int copy_directory(struct copier *copier, const struct walk *walk, int dir, const char *name,
			  const char *target, struct err *err)
{
	struct stat found;

	if (mkdirat(dir, name, 0700) < 0) {
		if (errno != EEXIST)
			return err_errno(err, "make the directory %.180s", target);
		if (fstatat(dir, name, &found, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(found.st_mode))
			return refuse_kind(copier, walk, true, err);
	}
	AUTO_CLOSE int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "open the directory %.180s", target);
	AUTO_CLOSE int from =
	    openat(walk->dir, walk->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0)
		return err_errno(err, "open the directory %.180s", walk->path);
	return set_owner_and_mode(copier, walk, fd, err) < 0 ? -1
							     : copy_xattrs(from, fd, target, err);
}

static enum walk_next copy_entry(struct walk *walk, struct err *err)
{
	struct copier *copier = walk->context;
	bool directory = S_ISDIR(walk->stat.st_mode);
	char source[TREE_PATH], target[TREE_PATH];
	const char *name;

	if (join(source, sizeof source, copier->source, walk->path, err) < 0 ||
	    join(target, sizeof target, copier->name, walk->path, err) < 0)
		return WALK_FAILED;
	if (!is_wanted(copier, source, directory))
		return WALK_PASS;
	/* The directory whose contents are copied is the target's own: as it was, or as a parent is
	 * made; only its time becomes the source's, as BuildKit has it. */
	if (!*target)
		return WALK_ON;
	int dir = parents_of(&copier->parents, target, &name, err);
	if (dir < 0)
		return WALK_FAILED;
	if (S_ISSOCK(walk->stat.st_mode))
		return WALK_ON;
	copier->entries++;
	if (directory)
		return copy_directory(copier, walk, dir, name, target, err) < 0 ? WALK_FAILED
										: WALK_ON;
	if (clear_name(copier, walk, dir, name, err) < 0)
		return WALK_FAILED;
	int failed = S_ISREG(walk->stat.st_mode) ? copy_file(copier, walk, dir, name, target, err)
						 : copy_node(copier, walk, dir, name, target, err);
	return failed < 0 ? WALK_FAILED : WALK_ON;
}

/* A directory's time changes with what is put into it, so it is set after that. */
static int finish_directory(struct walk *walk, struct err *err)
{
	struct copier *copier = walk->context;
	char target[TREE_PATH];
	struct timespec times[2];

	if (join(target, sizeof target, copier->name, walk->path, err) < 0)
		return -1;
	AUTO_CLOSE int fd = beneath_open(copier->parents.root, *target ? target : ".",
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	times_of(copier, &walk->stat, times);
	return fd < 0 || futimens(fd, times) < 0
		   ? err_errno(err, "change the time of %.180s", target)
		   : 0;
}

static int make_parent(struct parents *parents, int parent, const char *name, const char *path)
{
	const struct copy_options *options = parents->context;

	(void)path;
	if (mkdirat(parent, name, 0755) < 0)
		return -1;
	return options->own
		   ? fchownat(parent, name, options->uid, options->gid, AT_SYMLINK_NOFOLLOW)
		   : 0;
}

/*
 * Opens the directory that an item goes into, made with its missing parents, links followed.
 *
 * target  its path; with `inside` the directory itself is meant, else its parent
 */
static int open_base(int root, const char *target, bool inside, const struct copy_options *options,
		     char name[TREE_PATH], struct err *err)
{
	char clean[TREE_PATH];
	const char *last;
	struct parents parents;

	if (path_clean(target, clean, sizeof clean - 2, err) < 0)
		return -1;
	if (!inside && !*clean)
		return err_set(err, EISDIR, "cannot replace to directory / with file");
	if (inside)
		strcat(clean, *clean ? "/." : ".");
	parents_open(&parents, root);
	parents.make = make_parent;
	parents.context = (void *)(uintptr_t)options;
	int fd = parents_of(&parents, clean, &last, err);
	if (fd >= 0)
		parents.fd = -1;
	parents_close(&parents);
	strcpy(name, inside ? "" : fd >= 0 ? last : "");
	return fd;
}

static int copy_item(struct copier *copier, int from, int to, const struct field *item,
		     struct err *err)
{
	struct walk walk = {.enter = copy_entry, .leave = finish_directory, .context = copier};
	char source[TREE_PATH], start[TREE_PATH], name[TREE_PATH], shown[TREE_PATH];
	bool inside = strcmp(item[2].data, "contents") == 0;
	struct stat found;

	if (path_clean(item[0].data, source, sizeof source, err) < 0)
		return -1;
	AUTO_CLOSE int dir = -1;
	if (walk_start(from, source, &dir, start) < 0 ||
	    fstatat(dir, start, &found, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "open %.180s", item[0].data);
	AUTO_CLOSE int base = open_base(to, item[1].data, inside && S_ISDIR(found.st_mode),
					copier->options, name, err);
	if (base < 0)
		return -1;
	if (path_clean(item[1].data, shown, sizeof shown, err) < 0)
		return -1;
	copier->source = source;
	copier->name = name;
	copier->shown = shown;
	parents_open(&copier->parents, base);
	int result = walk_tree(&walk, dir, start, err);
	parents_close(&copier->parents);
	/* Names that were met beneath another base are no use beneath the next one. */
	inodes_close(&copier->inodes);
	return result;
}

static int read_options(const struct op *op, struct copy_options *options, struct err *err)
{
	struct args args = args_of(op);
	const struct field *excluded, *only;
	size_t excluded_count, only_count;

	options->items = args_list(&args, &options->item_count);
	excluded = args_list(&args, &excluded_count);
	options->has_only = args_number(&args);
	only = args_list(&args, &only_count);
	options->own = args_number(&args);
	options->uid = (uid_t)args_number(&args);
	options->gid = (gid_t)args_number(&args);
	options->mode = args_string(&args);
	options->time = args_number(&args);
	options->seconds = (time_t)args_number(&args);
	options->link = args_number(&args);
	if (args_end(&args, err) < 0)
		return -1;
	if (path_set_make(&options->excluded, excluded, excluded_count, err) < 0)
		return -1;
	return path_set_make(&options->only, only, only_count, err);
}

static int run_copy(const struct job *job, struct copier *copier, struct copy_options *options,
		    struct err *err)
{
	const struct request *request = job->request;

	if (request->count != 3 || request->ops[2].code != OP_COPY)
		return err_set(err, EBADMSG, "copy has two trees and its options");
	if (read_options(&request->ops[2], options, err) < 0)
		return -1;
	umask(0);
	walk_raise_limit();
	AUTO_CLOSE int from = tree_open(&request->ops[0], err);
	if (from < 0)
		return -1;
	AUTO_CLOSE int to = tree_open(&request->ops[1], err);
	if (to < 0)
		return -1;
	for (size_t i = 0; i + 3 <= options->item_count; i += 3)
		if (copy_item(copier, from, to, options->items + i, err) < 0)
			return -1;
	return 0;
}

int job_copy(struct job *job)
{
	struct copy_options options = {0};
	struct copier copier = {.options = &options};
	struct err err = {0};
	uint8_t answer[16];

	int result = run_copy(job, &copier, &options, &err);
	put_u64(answer, copier.entries);
	put_u64(answer + 8, copier.bytes);
	if (result < 0)
		answer_error(job->fd, 2, &err);
	else
		answer_ok(job->fd, answer, sizeof answer);
	path_set_free(&options.excluded);
	path_set_free(&options.only);
	return result < 0 ? 1 : 0;
}
