#include "tar.h"

#include <limits.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "inodes.h"
#include "sha256.h"
#include "tarwrite.h"
#include "tree.h"
#include "walk.h"

#define XATTR_NAMES 65536
#define XATTR_VALUE 65536

struct packer {
	struct sink sink;
	struct inodes inodes;
	const char *name; /* of the start, in the archive; "": its content stands at the top */
	bool layer;
	bool fixed_time;
	int64_t seconds;
	bool own;
	uint64_t uid;
	uint64_t gid;
	uint64_t entries;
	uint64_t bytes; /* of files and of links' targets, each inode once */
	/* The extended attributes of the entry at hand, as pax records. */
	char *records;
	size_t record_size;
};

static bool is_wanted(const char *name)
{
	return strcmp(name, "security.capability") == 0 ||
	       (strncmp(name, "user.", 5) == 0 && strncmp(name, "user.overlay.", 13) != 0);
}

/* `fd` is open on a regular file; -1 for other things, which are found by their path. */
static int collect_xattrs(struct packer *packer, const struct walk *walk, int fd, struct err *err)
{
	static char names[XATTR_NAMES], value[XATTR_VALUE];
	char path[64 + NAME_MAX], key[16 + 256];

	packer->record_size = 0;
	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", walk->dir, walk->name);
	ssize_t size =
	    fd < 0 ? llistxattr(path, names, sizeof names) : flistxattr(fd, names, sizeof names);
	if (size <= 0)
		return 0;
	for (const char *name = names; name < names + size; name += strlen(name) + 1) {
		if (!is_wanted(name))
			continue;
		ssize_t n = fd < 0 ? lgetxattr(path, name, value, sizeof value)
				   : fgetxattr(fd, name, value, sizeof value);

		if (n < 0)
			continue;
		snprintf(key, sizeof key, "SCHILY.xattr.%.255s", name);
		if (tar_record(&packer->records, &packer->record_size, key, value, (size_t)n, err) <
		    0)
			return -1;
	}
	return 0;
}

static bool is_opaque(const struct walk *walk)
{
	char path[64 + NAME_MAX], value[4];

	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", walk->dir, walk->name);
	return lgetxattr(path, opaque_xattr(), value, sizeof value) == 1 && value[0] == 'y';
}

/* An empty file whose name says what is removed. */
static int put_mark(struct packer *packer, const char *directory, size_t length, const char *mark,
		    const char *name, struct err *err)
{
	char path[TREE_PATH * 2];

	snprintf(path, sizeof path, "%.*s%s%s", (int)length, directory, mark, name);
	struct tar_header header = {.type = '0',
				    .path = path,
				    .link = "",
				    .mode = 0600,
				    .mtime = packer->fixed_time ? packer->seconds : 0};
	packer->entries++;
	return tar_write_header(&packer->sink, &header, err);
}

/* Exactly `size` bytes, whatever a writer does to the file meanwhile: cut off, or filled up with
 * zeros. */
static int put_content(struct packer *packer, int fd, uint64_t size, const char *path,
		       struct err *err)
{
	uint64_t left = size;

	while (left > 0) {
		size_t room = left < SIZE_MAX ? (size_t)left : SIZE_MAX;
		char *to = sink_room(&packer->sink, &room, err);
		if (!to)
			return -1;
		ssize_t n = read(fd, to, room);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "read %.180s", path);
		if (n == 0) {
			if (sink_zeros(&packer->sink, (size_t)left, err) < 0)
				return -1;
			break;
		}
		sink_added(&packer->sink, (size_t)n);
		left -= (uint64_t)n;
	}
	return tar_write_padding(&packer->sink, size, err);
}

static int put_header(struct packer *packer, const struct walk *walk, int fd,
		      struct tar_header *header, struct err *err)
{
	if (collect_xattrs(packer, walk, fd, err) < 0)
		return -1;
	header->records = packer->records;
	header->record_size = packer->record_size;
	return tar_write_header(&packer->sink, header, err);
}

static int put_file(struct packer *packer, const struct walk *walk, struct tar_header *header,
		    struct err *err)
{
	if (walk->stat.st_nlink > 1) {
		const char *first = inodes_add(&packer->inodes, walk->stat.st_dev,
					       walk->stat.st_ino, header->path, err);

		if (!first)
			return -1;
		if (*first) {
			header->type = '1';
			header->link = first;
			header->size = 0;
			return put_header(packer, walk, -1, header, err);
		}
	}
	AUTO_CLOSE int fd = openat(walk->dir, walk->name,
				   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat now;
	if (fd < 0 && (errno == ENOENT || errno == ELOOP))
		return 0; /* removed or replaced meanwhile */
	if (fd < 0 || fstat(fd, &now) < 0)
		return err_errno(err, "open %.180s", walk->path);
	if (!S_ISREG(now.st_mode))
		return 0;
	header->size = (uint64_t)now.st_size;
	packer->bytes += header->size;
	if (put_header(packer, walk, fd, header, err) < 0)
		return -1;
	return put_content(packer, fd, header->size, walk->path, err);
}

static char type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return '0';
	case S_IFLNK:
		return '2';
	case S_IFCHR:
		return '3';
	case S_IFBLK:
		return '4';
	case S_IFDIR:
		return '5';
	case S_IFIFO:
		return '6';
	default:
		return 0; /* a socket: no archive holds one */
	}
}

/* The name in the archive: the walk's path below the name of its start. Returns its length, 0 for
 * no entry. */
static int archive_path(const struct packer *packer, const struct walk *walk, char *path,
			size_t size)
{
	const char *slash = packer->name[0] && walk->path[0] ? "/" : "";
	int n = snprintf(path, size, "%s%s%s", packer->name, slash, walk->path);

	if (n > 0 && S_ISDIR(walk->stat.st_mode))
		n += snprintf(path + n, size - (size_t)n, "/");
	return n;
}

static enum walk_next pack(struct walk *walk, struct err *err)
{
	struct packer *packer = walk->context;
	char path[TREE_PATH * 2], link[TREE_PATH];
	struct tar_header header = {.type = type_of(walk->stat.st_mode), .path = path, .link = ""};
	const struct stat *stat = &walk->stat;

	int length = archive_path(packer, walk, path, sizeof path);
	if (length == 0 || header.type == 0)
		return WALK_ON;
	if (packer->layer && S_ISCHR(stat->st_mode) && stat->st_rdev == 0)
		return put_mark(packer, path, (size_t)length - strlen(walk->name), ".wh.",
				walk->name, err) < 0
			   ? WALK_FAILED
			   : WALK_ON;
	packer->entries++;
	header.mode = stat->st_mode & 07777;
	header.uid = packer->own ? packer->uid : stat->st_uid;
	header.gid = packer->own ? packer->gid : stat->st_gid;
	header.mtime = packer->fixed_time ? packer->seconds : stat->st_mtim.tv_sec;
	if (header.type == '3' || header.type == '4') {
		header.major = major(stat->st_rdev);
		header.minor = minor(stat->st_rdev);
	}
	if (header.type == '2') {
		ssize_t n = readlinkat(walk->dir, walk->name, link, sizeof link - 1);

		if (n < 0)
			return err_errno(err, "read the link %.180s", walk->path), WALK_FAILED;
		link[n] = '\0';
		header.link = link;
		packer->bytes += (uint64_t)n;
	}
	if (header.type == '0')
		return put_file(packer, walk, &header, err) < 0 ? WALK_FAILED : WALK_ON;
	if (put_header(packer, walk, -1, &header, err) < 0)
		return WALK_FAILED;
	if (packer->layer && header.type == '5' && is_opaque(walk) &&
	    put_mark(packer, path, (size_t)length, ".wh..wh..opq", "", err) < 0)
		return WALK_FAILED;
	return walk->mounted ? WALK_PASS : WALK_ON;
}

static int send_archive(const struct job *job, struct packer *packer, struct err *err)
{
	const struct request *request = job->request;
	struct walk walk = {.enter = pack, .context = packer};
	char name[TREE_PATH];

	if (request->count != 2 || request->ops[1].code != OP_TAR)
		return err_set(err, EBADMSG, "tar has a tree and its options");
	struct args args = args_of(&request->ops[1]);
	const char *path = args_string(&args);
	bool named = args_number(&args);
	packer->name = args_string(&args);
	packer->layer = args_number(&args);
	packer->fixed_time = args_number(&args);
	packer->seconds = (int64_t)args_number(&args);
	walk.see_mounts = args_number(&args);
	packer->own = args_number(&args);
	packer->uid = args_number(&args);
	packer->gid = args_number(&args);
	if (args_end(&args, err) < 0)
		return -1;
	walk_raise_limit();
	AUTO_CLOSE int root = tree_open(&request->ops[0], err);
	if (root < 0)
		return -1;
	AUTO_CLOSE int dir = -1;
	if (walk_start(root, path, &dir, name) < 0 ||
	    faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "open %.180s", path);
	if (!named)
		packer->name = strcmp(name, ".") == 0 ? "" : name;
	if (strlen(packer->name) >= TREE_PATH / 2)
		return err_set(err, ENAMETOOLONG, "the name %.180s is too long", packer->name);
	if (sink_open(&packer->sink, job->fd, err) < 0 || walk_tree(&walk, dir, name, err) < 0 ||
	    tar_write_end(&packer->sink, err) < 0)
		return -1;
	return sink_flush(&packer->sink, err);
}

int job_tar(struct job *job)
{
	struct packer packer = {0};
	struct err err = {0};
	uint8_t sum[16];

	int result = send_archive(job, &packer, &err);
	put_u64(sum, packer.entries);
	put_u64(sum + 8, packer.sink.sent);
	if (result < 0)
		answer_error(job->fd, 1, &err);
	else
		frame_write(job->fd, FRAME_END, sum, sizeof sum);
	sink_close(&packer.sink);
	inodes_close(&packer.inodes);
	free(packer.records);
	return result < 0 ? 1 : 0;
}

/* What would be packed of a layer goes into a hash, and nowhere else. */
static int hash_archive(const struct job *job, struct packer *packer, struct sha256 *hash,
			struct err *err)
{
	struct walk walk = {.enter = pack, .context = packer};

	if (job->request->count != 1)
		return err_set(err, EBADMSG, "identify has a tree");
	walk_raise_limit();
	AUTO_CLOSE int root = tree_open(&job->request->ops[0], err);
	if (root < 0)
		return -1;
	AUTO_CLOSE int dir = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, "open the layer");
	packer->name = "";
	packer->layer = true;
	if (sink_open(&packer->sink, -1, err) < 0)
		return -1;
	packer->sink.hash = hash;
	if (walk_tree(&walk, dir, ".", err) < 0 || tar_write_end(&packer->sink, err) < 0)
		return -1;
	return sink_flush(&packer->sink, err);
}

int job_identify(struct job *job)
{
	struct packer packer = {0};
	struct err err = {0};
	struct sha256 hash;
	uint8_t answer[16 + SHA256_SIZE];

	sha256_start(&hash);
	int result = hash_archive(job, &packer, &hash, &err);
	put_u64(answer, packer.bytes);
	put_u64(answer + 8, packer.sink.sent);
	sha256_end(&hash, answer + 16);
	if (result < 0)
		answer_error(job->fd, 0, &err);
	else
		answer_ok(job->fd, answer, sizeof answer);
	sink_close(&packer.sink);
	inodes_close(&packer.inodes);
	free(packer.records);
	return result < 0 ? 1 : 0;
}
