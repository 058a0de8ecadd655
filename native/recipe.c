#include "recipe.h"

#include <sys/stat.h>

#include "ops.h"
#include "parents.h"
#include "tree.h"

#define PENDING (64u << 10)
enum { RECORD_BYTES = 0, RECORD_FILE = 1 };
enum { OP_REBUILD = 306 };

int recipe_open(struct recipe *recipe, int fd, struct err *err)
{
	*recipe = (struct recipe){.pending = malloc(PENDING)};
	if (!recipe->pending)
		return err_errno(err, "memory for a recipe");
	return sink_open(&recipe->sink, fd, err);
}

void recipe_close(struct recipe *recipe)
{
	free(recipe->pending);
	recipe->pending = NULL;
	sink_close(&recipe->sink);
}

static void send_record(struct recipe *recipe, const void *data, size_t size)
{
	if (!recipe->failed && sink_write(&recipe->sink, data, size, &recipe->err) < 0)
		recipe->failed = true;
}

static void flush(struct recipe *recipe)
{
	uint8_t head[5] = {RECORD_BYTES};

	if (recipe->used == 0)
		return;
	put_u32(head + 1, (uint32_t)recipe->used);
	send_record(recipe, head, sizeof head);
	send_record(recipe, recipe->pending, recipe->used);
	recipe->used = 0;
}

void recipe_take(struct recipe *recipe, const char *data, size_t size)
{
	if (recipe->in_file > 0) {
		size_t part = size < recipe->in_file ? size : (size_t)recipe->in_file;

		recipe->in_file -= part;
		data += part;
		size -= part;
	}
	while (size > 0) {
		size_t room = PENDING - recipe->used, part = size < room ? size : room;

		memcpy(recipe->pending + recipe->used, data, part);
		recipe->used += part;
		data += part;
		size -= part;
		if (recipe->used == PENDING)
			flush(recipe);
	}
}

void recipe_file(struct recipe *recipe, const char *path, uint64_t offset, uint64_t size)
{
	uint8_t head[19] = {RECORD_FILE};
	size_t length = strlen(path);

	if (size == 0)
		return;
	flush(recipe);
	put_u64(head + 1, offset);
	put_u64(head + 9, size);
	head[17] = (uint8_t)length;
	head[18] = (uint8_t)(length >> 8);
	send_record(recipe, head, sizeof head);
	send_record(recipe, path, length);
	recipe->in_file = size;
}

int recipe_end(struct recipe *recipe, struct err *err)
{
	flush(recipe);
	if (recipe->failed) {
		*err = recipe->err;
		return -1;
	}
	return sink_flush(&recipe->sink, err);
}

struct rebuild {
	struct source source;
	struct sink sink;
	struct parents parents;
};

static int broken(struct err *err)
{
	return err_set(err, EBADMSG, "the recipe of a layer is broken");
}

static int copy_bytes(struct rebuild *work, struct err *err)
{
	uint8_t length[4];

	if (source_read(&work->source, length, sizeof length, err) != 1)
		return broken(err);
	for (size_t left = get_u32(length); left > 0;) {
		const char *data;
		ssize_t n = source_peek(&work->source, &data, err);

		if (n <= 0)
			return n < 0 ? -1 : broken(err);
		size_t part = (size_t)n < left ? (size_t)n : left;
		if (sink_write(&work->sink, data, part, err) < 0)
			return -1;
		source_take(&work->source, part);
		left -= part;
	}
	return 0;
}

static int send_part(struct rebuild *work, int fd, const char *path, uint64_t offset, uint64_t size,
		     struct err *err)
{
	while (size > 0) {
		size_t room = size < SIZE_MAX ? (size_t)size : SIZE_MAX;
		char *to = sink_room(&work->sink, &room, err);
		if (!to)
			return -1;
		ssize_t n = pread(fd, to, room, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "read %.180s", path);
		if (n == 0)
			return err_set(err, EBADMSG, "%.180s is shorter than it was", path);
		sink_added(&work->sink, (size_t)n);
		offset += (uint64_t)n;
		size -= (uint64_t)n;
	}
	return 0;
}

static int copy_file(struct rebuild *work, struct err *err)
{
	uint8_t head[18];
	char path[TREE_PATH];
	const char *name;

	if (source_read(&work->source, head, sizeof head, err) != 1)
		return broken(err);
	size_t length = head[16] | (size_t)head[17] << 8;
	if (length == 0 || length >= sizeof path ||
	    source_read(&work->source, path, length, err) != 1)
		return broken(err);
	path[length] = '\0';
	int dir = parents_find(&work->parents, path, &name);
	AUTO_CLOSE int fd =
	    dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "open %.180s", path);
	return send_part(work, fd, path, get_u64(head), get_u64(head + 8), err);
}

static int rebuild(const struct job *job, struct rebuild *work, struct err *err)
{
	const struct request *request = job->request;
	uint8_t type;
	int got;

	if (request->count != 2 || request->ops[1].code != OP_REBUILD)
		return err_set(err, EBADMSG, "a rebuild has a tree");
	AUTO_CLOSE int root = tree_open(&request->ops[0], err);
	if (root < 0)
		return -1;
	if (source_open(&work->source, job->fd, err) < 0 ||
	    sink_open(&work->sink, job->fd, err) < 0)
		return -1;
	parents_open(&work->parents, root);
	while ((got = source_read(&work->source, &type, 1, err)) == 1) {
		int done = type == RECORD_BYTES  ? copy_bytes(work, err)
			   : type == RECORD_FILE ? copy_file(work, err)
						 : broken(err);
		if (done < 0) {
			got = -1;
			break;
		}
	}
	parents_close(&work->parents);
	return got < 0 ? -1 : sink_flush(&work->sink, err);
}

int job_rebuild(struct job *job)
{
	struct rebuild work = {.parents = {.fd = -1}};
	struct err err = {0};

	int result = rebuild(job, &work, &err);
	if (result < 0) {
		struct err ignored = {0};

		/* Whoever sends the recipe would learn that nobody reads it sooner than why. */
		answer_error(job->fd, 1, &err);
		source_drain(&work.source, &ignored);
	} else {
		frame_write(job->fd, FRAME_END, NULL, 0);
	}
	source_close(&work.source);
	sink_close(&work.sink);
	return result < 0 ? 1 : 0;
}
