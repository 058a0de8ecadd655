#include "scan.h"

#include "kernel.h"
#include "pathset.h"
#include "source.h"
#include "tree.h"
#include "walk.h"

enum { HEAD = 6 + 5 * 8 };

struct scan {
	struct sink sink;
	struct path_set paths; /* not gone into */
	struct path_set names; /* nor what is so named */
	uint64_t entries;
};

static uint64_t nanoseconds(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

static void put_facts(uint8_t to[5 * 8], const struct stat *stat)
{
	put_u64(to, (uint64_t)stat->st_size);
	put_u64(to + 8, stat->st_dev);
	put_u64(to + 16, stat->st_ino);
	put_u64(to + 24, nanoseconds(&stat->st_mtim));
	put_u64(to + 32, nanoseconds(&stat->st_ctim));
}

static enum walk_next scan_entry(struct walk *walk, struct err *err)
{
	struct scan *scan = walk->context;
	const struct stat *stat = &walk->stat;
	uint8_t head[HEAD];
	char link[TREE_PATH];
	size_t path = strlen(walk->path);
	ssize_t target = 0;
	bool skipped =
	    path_set_has(&scan->paths, walk->path) || path_set_has(&scan->names, walk->name);

	if (S_ISLNK(stat->st_mode) && !skipped &&
	    (target = readlinkat(walk->dir, walk->name, link, sizeof link)) < 0) {
		if (errno == ENOENT || errno == EINVAL)
			return WALK_PASS; /* Gone, or no link any more, since it was looked at. */
		err_errno(err, "read the link %.180s", walk->path);
		return WALK_FAILED;
	}
	head[0] = (uint8_t)path;
	head[1] = (uint8_t)(path >> 8);
	head[2] = (uint8_t)target;
	head[3] = (uint8_t)(target >> 8);
	head[4] = (uint8_t)stat->st_mode;
	head[5] = (uint8_t)(stat->st_mode >> 8);
	memset(head + 6, 0, sizeof head - 6);
	/* A directory's size and times change with what is in it, which is told by itself; what is
	 * passed over may change as it likes. */
	if (!S_ISDIR(stat->st_mode) && !skipped)
		put_facts(head + 6, stat);
	if (sink_write(&scan->sink, head, sizeof head, err) < 0 ||
	    sink_write(&scan->sink, walk->path, path, err) < 0 ||
	    sink_write(&scan->sink, link, (size_t)target, err) < 0)
		return WALK_FAILED;
	scan->entries++;
	return skipped ? WALK_PASS : WALK_ON;
}

static int run_scan(const struct job *job, struct scan *scan, struct err *err)
{
	const struct request *request = job->request;
	struct walk walk = {.enter = scan_entry, .context = scan};
	size_t paths = 0, names = 0;

	if (request->count != 2 || request->ops[1].code != OP_SCAN)
		return err_set(err, EBADMSG, "scan has a tree and what it leaves out");
	struct args args = args_of(&request->ops[1]);
	const struct field *skip_paths = args_list(&args, &paths);
	const struct field *skip_names = args_list(&args, &names);
	if (args_end(&args, err) < 0 || path_set_make(&scan->paths, skip_paths, paths, err) < 0 ||
	    path_set_make(&scan->names, skip_names, names, err) < 0)
		return -1;
	walk_raise_limit();
	AUTO_CLOSE int root = tree_open(&request->ops[0], err);
	if (root < 0)
		return -1;
	AUTO_CLOSE int dir = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, "open the context");
	if (sink_open(&scan->sink, job->fd, err) < 0 || walk_tree(&walk, dir, ".", err) < 0)
		return -1;
	return sink_flush(&scan->sink, err);
}

int job_scan(struct job *job)
{
	struct scan scan = {0};
	struct err err = {0};
	uint8_t sum[8];

	int result = run_scan(job, &scan, &err);
	put_u64(sum, scan.entries);
	if (result < 0)
		answer_error(job->fd, 1, &err);
	else
		frame_write(job->fd, FRAME_END, sum, sizeof sum);
	sink_close(&scan.sink);
	path_set_free(&scan.paths);
	path_set_free(&scan.names);
	return result < 0 ? 1 : 0;
}
