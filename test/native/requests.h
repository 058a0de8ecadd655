#pragma once
/* Requests put together piece by piece. */
#include <stdlib.h>
#include <string.h>

#include "ops.h"

struct buffer {
	char data[4096];
	size_t size;
};

static inline void put_bytes(struct buffer *buffer, const void *data, size_t size)
{
	memcpy(buffer->data + buffer->size, data, size);
	buffer->size += size;
}

static inline void put_head(struct buffer *buffer, uint8_t kind)
{
	char head[4] = {REQUEST_VERSION, (char)kind, 0, 0};

	put_bytes(buffer, head, sizeof head);
}

static inline void put_op(struct buffer *buffer, unsigned code, unsigned fields)
{
	char head[4] = {(char)code, (char)(code >> 8), (char)fields, (char)(fields >> 8)};

	put_bytes(buffer, head, sizeof head);
}

static inline void put_field(struct buffer *buffer, const void *data, size_t size)
{
	char head[4];

	put_u32(head, (uint32_t)size);
	put_bytes(buffer, head, sizeof head);
	put_bytes(buffer, data, size);
}

static inline void put_number(struct buffer *buffer, uint64_t value)
{
	char bytes[8];

	put_u64(bytes, value);
	put_field(buffer, bytes, sizeof bytes);
}

/* An exact copy on the heap, so that ASan sees a read past its end. */
static inline int parse(const struct buffer *buffer, struct request *request, struct err *err)
{
	char *body = malloc(buffer->size + 1);

	memcpy(body, buffer->data, buffer->size);
	int result = request_parse(body, buffer->size, request, err);
	if (result < 0)
		free(body);
	return result;
}
