#include "source.h"

#include "ops.h"
#include "recipe.h"
#include "sha256.h"

int source_open(struct source *source, int fd, struct err *err)
{
	*source = (struct source){.fd = fd, .buffer = malloc(SOURCE_BUFFER)};
	return source->buffer ? 0 : err_errno(err, "memory for a stream");
}

void source_close(struct source *source)
{
	free(source->buffer);
	source->buffer = NULL;
}

ssize_t source_peek(struct source *source, const char **data, struct err *err)
{
	while (source->left == 0 && !source->ended) {
		uint8_t type;
		uint32_t size;

		if (source->fd < 0) {
			source->ended = true;
			break;
		}
		if (frame_read(source->fd, &type, source->buffer, SOURCE_BUFFER, &size) < 0)
			return err_errno(err, "receive the stream");
		if (type == FRAME_END)
			source->ended = true;
		else if (type != FRAME_DATA)
			return err_set(err, EBADMSG, "a frame of type %u inside the stream", type);
		source->data = source->buffer;
		source->left = type == FRAME_DATA ? size : 0;
		if (source->hash)
			sha256_add(source->hash, source->data, source->left);
	}
	*data = source->data;
	return (ssize_t)source->left;
}

void source_take(struct source *source, size_t size)
{
	if (source->recipe)
		recipe_take(source->recipe, source->data, size);
	source->data += size;
	source->left -= size;
	source->taken += size;
}

int source_read(struct source *source, void *to, size_t size, struct err *err)
{
	char *at = to;

	while (size > 0) {
		const char *data;
		ssize_t n = source_peek(source, &data, err);

		if (n < 0)
			return -1;
		if (n == 0) {
			if (at == to)
				return 0;
			return err_set(err, EBADMSG, "the archive is cut off after %llu bytes",
				       (unsigned long long)source->taken);
		}
		size_t part = (size_t)n < size ? (size_t)n : size;
		memcpy(at, data, part);
		source_take(source, part);
		at += part;
		size -= part;
	}
	return 1;
}

int source_skip(struct source *source, uint64_t size, struct err *err)
{
	while (size > 0) {
		const char *data;
		ssize_t n = source_peek(source, &data, err);

		if (n < 0)
			return -1;
		if (n == 0)
			return err_set(err, EBADMSG, "the archive is cut off after %llu bytes",
				       (unsigned long long)source->taken);
		size_t part = (uint64_t)n < size ? (size_t)n : (size_t)size;
		source_take(source, part);
		size -= part;
	}
	return 0;
}

int source_drain(struct source *source, struct err *err)
{
	for (;;) {
		const char *data;
		ssize_t n = source_peek(source, &data, err);

		if (n <= 0)
			return (int)n;
		source_take(source, (size_t)n);
	}
}

#define SINK_BUFFER (256u << 10)

int sink_open(struct sink *sink, int fd, struct err *err)
{
	*sink = (struct sink){.fd = fd, .buffer = malloc(SINK_BUFFER)};
	return sink->buffer ? 0 : err_errno(err, "memory for a stream");
}

void sink_close(struct sink *sink)
{
	free(sink->buffer);
	sink->buffer = NULL;
}

int sink_flush(struct sink *sink, struct err *err)
{
	if (sink->used == 0)
		return 0;
	if (sink->hash)
		sha256_add(sink->hash, sink->buffer, sink->used);
	else if (frame_write(sink->fd, FRAME_DATA, sink->buffer, sink->used) < 0)
		return err_errno(err, "send the stream");
	sink->sent += sink->used;
	sink->used = 0;
	return 0;
}

char *sink_room(struct sink *sink, size_t *room, struct err *err)
{
	if (sink->used == SINK_BUFFER && sink_flush(sink, err) < 0)
		return NULL;
	size_t free_room = SINK_BUFFER - sink->used;
	if (*room > free_room)
		*room = free_room;
	return sink->buffer + sink->used;
}

void sink_added(struct sink *sink, size_t size)
{
	sink->used += size;
}

int sink_write(struct sink *sink, const void *data, size_t size, struct err *err)
{
	const char *at = data;

	while (size > 0) {
		size_t room = size;
		char *to = sink_room(sink, &room, err);

		if (!to)
			return -1;
		memcpy(to, at, room);
		sink_added(sink, room);
		at += room;
		size -= room;
	}
	return 0;
}

int sink_zeros(struct sink *sink, size_t size, struct err *err)
{
	while (size > 0) {
		size_t room = size;
		char *to = sink_room(sink, &room, err);

		if (!to)
			return -1;
		memset(to, 0, room);
		sink_added(sink, room);
		size -= room;
	}
	return 0;
}
