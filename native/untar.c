#include "untar.h"

#include <fnmatch.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "dirtimes.h"
#include "ops.h"
#include "parents.h"
#include "recipe.h"
#include "tarhead.h"
#include "tree.h"

#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"

struct untar {
	const struct untar_options *options;
	struct untar_result *result;
	struct tar_reader reader;
	struct parents parents;
	int root;
	struct dir_times times;
	const char *path; /* of the entry at hand, clean */
};

static uint32_t uid_of(const struct untar *work)
{
	return work->options->own ? work->options->uid : (uint32_t)work->reader.entry.uid;
}

static uint32_t gid_of(const struct untar *work)
{
	return work->options->own ? work->options->gid : (uint32_t)work->reader.entry.gid;
}

/* Attributes that would change what an overlay of this layer shows, or belong to the machine that
 * packed it. */
static bool is_foreign_xattr(const struct untar *work, const char *name)
{
	if (strcmp(name, "security.selinux") == 0)
		return true;
	return work->options->overlay && (strncmp(name, "trusted.overlay.", 16) == 0 ||
					  strncmp(name, "user.overlay.", 13) == 0);
}

/* By descriptor: a name may be swapped for a link meanwhile where a container runs in the tree. */
static int set_attributes(const struct untar *work, int fd, struct err *err)
{
	const struct tar_entry *entry = &work->reader.entry;
	const struct timespec times[2] = {entry->mtime, entry->mtime};

	/* chown(2) takes set-uid bits and capabilities away, so it is first. */
	if (fchown(fd, uid_of(work), gid_of(work)) < 0)
		return err_errno(err, "change the owner of %.180s", entry->path);
	if (fchmod(fd, entry->mode) < 0)
		return err_errno(err, "change the mode of %.180s", entry->path);
	for (size_t i = 0; i < entry->xattr_count; i++) {
		const struct tar_xattr *xattr = entry->xattrs + i;

		if (!is_foreign_xattr(work, xattr->name) &&
		    fsetxattr(fd, xattr->name, xattr->value, xattr->size, 0) < 0 &&
		    errno != ENOTSUP)
			return err_errno(err, "set %.60s of %.120s", xattr->name, entry->path);
	}
	/* A directory's time changes with what is put into it; it is set at the end. */
	if (entry->type != '5' && futimens(fd, times) < 0)
		return err_errno(err, "change the time of %.180s", entry->path);
	return 0;
}

/* Of what has no descriptor to write to: links and special files. */
static int set_attributes_at(const struct untar *work, int dir, const char *name, struct err *err)
{
	const struct tar_entry *entry = &work->reader.entry;
	const struct timespec times[2] = {entry->mtime, entry->mtime};
	char self[32];

	if (fchownat(dir, name, uid_of(work), gid_of(work), AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "change the owner of %.180s", entry->path);
	if (entry->type != '2') {
		AUTO_CLOSE int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

		snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
		if (fd < 0 || chmod(self, entry->mode) < 0)
			return err_errno(err, "change the mode of %.180s", entry->path);
	}
	if (utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "change the time of %.180s", entry->path);
	return 0;
}

static bool is_whiteout(const struct stat *stat)
{
	return S_ISCHR(stat->st_mode) && stat->st_rdev == 0;
}

static int hide_lower(int dir, const char *name, struct err *err)
{
	AUTO_CLOSE int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fsetxattr(fd, opaque_xattr(), "y", 1, 0) < 0)
		return err_errno(err, "mark the directory %.180s opaque", name);
	return 0;
}

static bool leads_to_directory(const struct untar *work, const char *path)
{
	AUTO_CLOSE int fd = beneath_open(work->root, path, O_PATH | O_DIRECTORY);

	return fd >= 0;
}

/*
 * Makes room for the entry: what has its name goes, except a directory for a directory.
 *
 * Returns 0, 1 if a directory is there already, 2 if it took a whiteout away, 3 if a link stays, -1
 * with *err set.
 */
static int make_room(struct untar *work, int dir, const char *name, const char *path,
		     struct err *err)
{
	const struct tar_entry *entry = &work->reader.entry;
	struct stat found;

	if (fstatat(dir, name, &found, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_errno(err, "look at %.180s", entry->path);
	bool is_dir = S_ISDIR(found.st_mode), wants_dir = entry->type == '5';
	if (is_dir && wants_dir)
		return 1;
	if (work->options->keep_links && wants_dir && S_ISLNK(found.st_mode) &&
	    leads_to_directory(work, path))
		return 3;
	if (work->options->keep_kinds && is_dir != wants_dir)
		return err_set(err, is_dir ? EISDIR : ENOTDIR,
			       "cannot overwrite %s %.120s with %s %.60s",
			       is_dir ? "directory" : "non-directory", entry->path,
			       wants_dir ? "directory" : "non-directory", name);
	/* What one archive has twice is ambiguous, and the first could not be packed again. */
	if (work->options->overlay && !is_whiteout(&found))
		return err_set(err, EBADMSG, "duplicates of file paths not supported: %.180s",
			       entry->path);
	if (remove_tree(dir, name, err) < 0)
		return -1;
	if (is_dir)
		parents_forget(&work->parents);
	return work->options->overlay && is_whiteout(&found) ? 2 : 0;
}

static int write_data(struct untar *work, int fd, uint64_t offset, uint64_t size, struct err *err)
{
	if (work->reader.source->recipe)
		recipe_file(work->reader.source->recipe, work->path, offset, size);
	while (size > 0) {
		const char *data;
		ssize_t n = tar_peek(&work->reader, &data, err);

		if (n <= 0)
			return n < 0 ? -1 : err_set(err, EBADMSG, "the archive is cut off");
		size_t part = (uint64_t)n < size ? (size_t)n : (size_t)size;
		if (write_full(fd, data, part) < 0)
			return err_errno(err, "write %.180s", work->reader.entry.path);
		tar_take(&work->reader, part);
		size -= part;
	}
	return 0;
}

static int put_sparse(struct untar *work, int fd, struct err *err)
{
	const struct tar_entry *entry = &work->reader.entry;

	for (size_t i = 0; i < entry->piece_count; i++) {
		if (lseek(fd, (off_t)entry->pieces[i].offset, SEEK_SET) < 0)
			return err_errno(err, "write %.180s", entry->path);
		if (write_data(work, fd, entry->pieces[i].offset, entry->pieces[i].size, err) < 0)
			return -1;
	}
	return ftruncate(fd, (off_t)entry->real) < 0 ? err_errno(err, "write %.180s", entry->path)
						     : 0;
}

static int put_file(struct untar *work, int dir, const char *name, struct err *err)
{
	const struct tar_entry *entry = &work->reader.entry;
	AUTO_CLOSE int fd =
	    openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_errno(err, "create %.180s", entry->path);
	work->result->bytes += entry->real;
	if (work->options->byte_limit && work->result->bytes > work->options->byte_limit)
		return err_set(err, E2BIG, "the archive holds more than %llu bytes",
			       (unsigned long long)work->options->byte_limit);
	if ((entry->sparse ? put_sparse(work, fd, err)
			   : write_data(work, fd, 0, entry->size, err)) < 0)
		return -1;
	return set_attributes(work, fd, err);
}

static int put_hardlink(struct untar *work, int dir, const char *name, struct err *err)
{
	const struct tar_entry *entry = &work->reader.entry;
	char target[TREE_PATH];

	/* The target counts from the archive's root, and may be a symbolic link, which is linked
	 * itself. */
	if (path_clean(entry->link, target, sizeof target, err) < 0)
		return -1;
	AUTO_CLOSE int fd = beneath_open(work->root, target, O_PATH | O_NOFOLLOW);
	if (fd < 0)
		return err_errno(err, "hard link %.100s to %.100s", entry->path, entry->link);
	struct stat found;
	if (fstat(fd, &found) < 0)
		return err_errno(err, "look at %.180s", entry->link);
	if (S_ISDIR(found.st_mode) || (work->options->overlay && is_whiteout(&found)))
		return err_set(err, EBADMSG, "hard link %.100s to %.100s, which is no file",
			       entry->path, entry->link);
	if (linkat(fd, "", dir, name, AT_EMPTY_PATH) < 0)
		return err_errno(err, "hard link %.100s to %.100s", entry->path, entry->link);
	return 0;
}

static int put_node(struct untar *work, int dir, const char *name, struct err *err)
{
	const struct tar_entry *entry = &work->reader.entry;
	mode_t kind = entry->type == '3' ? S_IFCHR : entry->type == '4' ? S_IFBLK : S_IFIFO;

	/* Overlayfs would take it for "this file is removed". */
	if (work->options->overlay && kind == S_IFCHR && entry->major == 0 && entry->minor == 0)
		return err_set(err, EBADMSG,
			       "%.180s is a character device 0:0, overlayfs's own mark",
			       entry->path);
	/* A user namespace makes no devices, and containers in it get theirs from the engine. */
	if (is_rootless() && kind != S_IFIFO)
		return 0;
	if (mknodat(dir, name, kind | 0600, makedev(entry->major, entry->minor)) < 0)
		return err_errno(err, "make the node %.180s", entry->path);
	return set_attributes_at(work, dir, name, err);
}

static int put_directory(struct untar *work, int dir, const char *name, const char *path, int found,
			 struct err *err)
{
	/* Several archives may be unpacked into one tree at a time. */
	if (found != 1 && mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return err_errno(err, "make the directory %.180s", path);
	/* A removed and newly made directory does not show what the lower one had. */
	if (found == 2 && hide_lower(dir, name, err) < 0)
		return -1;
	AUTO_CLOSE int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "open the directory %.180s", path);
	if (set_attributes(work, fd, err) < 0)
		return -1;
	return dir_times_add(&work->times, path, work->reader.entry.mtime, err);
}

/* `.wh.NAME`: NAME of the layers below is gone. Nothing of this layer is ever hidden by it. */
static int put_whiteout(struct untar *work, int dir, const char *name, struct err *err)
{
	const char *hidden = name + strlen(WHITEOUT);
	struct stat found;

	if (strcmp(name, OPAQUE) == 0) {
		if (fsetxattr(dir, opaque_xattr(), "y", 1, 0) < 0)
			return err_errno(err, "mark the directory of %.180s opaque",
					 work->reader.entry.path);
		return 0;
	}
	/* aufs's own files, such as .wh..wh.plnk */
	if (strncmp(hidden, WHITEOUT, strlen(WHITEOUT)) == 0)
		return 0;
	if (hidden[0] == '\0' || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
		return err_set(err, EBADMSG, "%.180s would remove a directory above it",
			       work->reader.entry.path);
	if (fstatat(dir, hidden, &found, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISDIR(found.st_mode))
			return hide_lower(dir, hidden, err);
		return 0;
	}
	if (mknodat(dir, hidden, S_IFCHR, 0) < 0)
		return err_errno(err, "make the whiteout %.180s", hidden);
	return 0;
}

static bool is_excluded(const struct untar_options *options, const char *path)
{
	bool excluded = false;

	for (size_t i = 0; i < options->exclude_count; i++) {
		const char *pattern = options->exclude[i].data;
		bool back = pattern[0] == '!';

		if (excluded == back && fnmatch(pattern + back, path, 0) == 0)
			excluded = !back;
	}
	return excluded;
}

static int put_root(struct untar *work, struct err *err)
{
	if (work->reader.entry.type != '5')
		return err_set(err, EBADMSG, "an entry without a name");
	if (set_attributes(work, work->root, err) < 0)
		return -1;
	return dir_times_add(&work->times, "", work->reader.entry.mtime, err);
}

static int put(struct untar *work, struct err *err)
{
	const struct tar_entry *entry = &work->reader.entry;
	char path[TREE_PATH];
	const char *name;

	if (path_clean(entry->path, path, sizeof path, err) < 0)
		return -1;
	if (!strchr("0123456", entry->type))
		return 0; /* a volume label or another writer's own type: nothing of the tree */
	if (path[0] == '\0')
		return put_root(work, err);
	if (work->options->exclude_count > 0 && is_excluded(work->options, path))
		return 0;
	work->path = path;
	int dir = parents_of(&work->parents, path, &name, err);
	if (dir < 0)
		return -1;
	if (work->options->overlay && strncmp(name, WHITEOUT, strlen(WHITEOUT)) == 0)
		return put_whiteout(work, dir, name, err);
	int found = make_room(work, dir, name, path, err);
	if (found < 0 || found == 3)
		return found < 0 ? -1 : 0;
	/* make_room() may have removed the directory whose descriptor this was. */
	dir = parents_of(&work->parents, path, &name, err);
	if (dir < 0)
		return -1;
	switch (entry->type) {
	case '1':
		return put_hardlink(work, dir, name, err);
	case '2':
		if (symlinkat(entry->link, dir, name) < 0)
			return err_errno(err, "make the link %.180s", entry->path);
		work->result->bytes += strlen(entry->link);
		return set_attributes_at(work, dir, name, err);
	case '5':
		return put_directory(work, dir, name, path, found, err);
	case '0':
		return put_file(work, dir, name, err);
	default:
		return put_node(work, dir, name, err);
	}
}

static int make_implied(struct parents *parents, int parent, const char *name, const char *path)
{
	static const struct timespec none;
	struct untar *work = parents->context;
	struct err err = {0};

	if (mkdirat(parent, name, 0755) < 0)
		return errno == EEXIST ? 0 : -1;
	/* A layer is the same tree whenever it is unpacked. */
	if (work->options->overlay && dir_times_add(&work->times, path, none, &err) < 0)
		return -1;
	return work->options->own
		   ? fchownat(parent, name, work->options->uid, work->options->gid, 0)
		   : 0;
}

int untar(struct source *source, int root, const struct untar_options *options,
	  struct untar_result *result, struct err *err)
{
	struct untar work = {.options = options, .result = result, .root = root};
	int got;

	*result = (struct untar_result){0};
	umask(0);
	parents_open(&work.parents, root);
	work.parents.make = make_implied;
	work.parents.context = &work;
	if (tar_reader_open(&work.reader, source, err) < 0)
		return -1;
	work.reader.concatenated = options->concatenated;
	while ((got = tar_next(&work.reader, err)) > 0) {
		result->entries++;
		if (options->entry_limit && result->entries > options->entry_limit) {
			got = err_set(err, E2BIG, "the archive has more than %llu entries",
				      (unsigned long long)options->entry_limit);
			break;
		}
		if (put(&work, err) < 0) {
			got = -1;
			break;
		}
	}
	dir_times_apply(&work.times, root);
	parents_close(&work.parents);
	tar_reader_close(&work.reader);
	if (got < 0 || source_drain(source, err) < 0)
		return -1;
	result->archive = source->taken;
	return 0;
}
