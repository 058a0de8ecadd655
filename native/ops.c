#include <sys/uio.h>

#include "ops.h"

int request_read(int fd, struct request *request, struct err *err)
{
	uint8_t head[4];

	if (read_full(fd, head, sizeof head) < 0)
		return err_errno(err, "read a request");
	size_t size = get_u32(head);
	if (size > REQUEST_LIMIT)
		return err_set(err, EMSGSIZE, "a request of %zu bytes is longer than allowed",
			       size);
	AUTO_FREE char *body = malloc(size + 1);
	if (!body)
		return err_errno(err, "memory for a request of %zu bytes", size);
	if (read_full(fd, body, size) < 0)
		return err_errno(err, "read a request of %zu bytes", size);
	if (request_parse(body, size, request, err) < 0)
		return -1;
	body = NULL;
	return 0;
}

/* Walks over all operations, counting them and their fields. Nothing is trusted before this. */
static int measure(const char *at, const char *end, size_t *ops, size_t *fields, struct err *err)
{
	for (*ops = *fields = 0; at < end; ++*ops) {
		if (end - at < 4)
			return err_set(err, EBADMSG, "operation %zu is cut off", *ops);
		unsigned count = get_u16(at + 2);
		at += 4;
		for (unsigned i = 0; i < count; i++) {
			if (end - at < 4 || (size_t)(end - at) - 4 < get_u32(at))
				return err_set(err, EBADMSG, "field %u of operation %zu is cut off",
					       i, *ops);
			at += 4 + (size_t)get_u32(at);
		}
		*fields += count;
		if (*fields > REQUEST_FIELDS || *ops >= REQUEST_FIELDS)
			return err_set(err, E2BIG, "a request of more than %u fields",
				       REQUEST_FIELDS);
	}
	return 0;
}

int request_parse(char *body, size_t size, struct request *request, struct err *err)
{
	size_t ops, fields;

	if (size < 4 || body[0] != REQUEST_VERSION || body[2] != 0 || body[3] != 0)
		return err_set(err, EBADMSG, "not a request of version %d", REQUEST_VERSION);
	if (measure(body + 4, body + size, &ops, &fields, err) < 0)
		return -1;
	AUTO_FREE struct op *op = calloc(ops + 1, sizeof *op);
	AUTO_FREE struct field *field = calloc(fields + 1, sizeof *field);
	if (!op || !field)
		return err_errno(err, "memory for %zu operations", ops);
	*request = (struct request){
	    .kind = (uint8_t)body[1],
	    .count = (uint32_t)ops,
	    .ops = op,
	    .body = body,
	    .fields = field,
	};
	char *at = body + 4;
	for (size_t o = 0; o < ops; o++) {
		op[o] = (struct op){get_u16(at), get_u16(at + 2), field};
		at += 4;
		for (unsigned i = 0; i < op[o].count; i++, field++) {
			*field = (struct field){at + 4, get_u32(at)};
			at += 4 + (size_t)field->size;
		}
	}
	/* The byte after a field is the next header's, which has been read by now. */
	for (size_t i = 0; i < fields; i++)
		request->fields[i].data[request->fields[i].size] = '\0';
	op = NULL;
	field = NULL;
	return 0;
}

void request_free(struct request *request)
{
	free(request->ops);
	free(request->fields);
	free(request->body);
	*request = (struct request){0};
}

static struct field next(struct args *args, const char *form)
{
	static char empty[1];

	if (args->err.text[0])
		return (struct field){empty, 0};
	if (args->next >= args->op->count) {
		err_set(&args->err, EBADMSG, "operation %u has no field %u, a %s", args->op->code,
			args->next, form);
		return (struct field){empty, 0};
	}
	return args->op->fields[args->next++];
}

static bool is_string(struct args *args, struct field field)
{
	if (!memchr(field.data, '\0', field.size))
		return true;
	err_set(&args->err, EBADMSG, "field %u of operation %u has a NUL inside", args->next - 1,
		args->op->code);
	return false;
}

const char *args_string(struct args *args)
{
	struct field field = next(args, "string");

	return is_string(args, field) ? field.data : "";
}

uint64_t args_number(struct args *args)
{
	struct field field = next(args, "number");

	if (args->err.text[0])
		return 0;
	if (field.size == 8)
		return get_u64(field.data);
	err_set(&args->err, EBADMSG, "field %u of operation %u is not a number", args->next - 1,
		args->op->code);
	return 0;
}

struct field args_bytes(struct args *args)
{
	return next(args, "byte string");
}

const struct field *args_list(struct args *args, size_t *count)
{
	uint64_t items = args_number(args);
	const struct field *first = args->op->fields + args->next;

	*count = 0;
	if (args->err.text[0])
		return first;
	if (items > (uint64_t)(args->op->count - args->next)) {
		err_set(&args->err, EBADMSG, "operation %u has a list that is cut off",
			args->op->code);
		return first;
	}
	for (uint64_t i = 0; i < items; i++)
		if (!is_string(args, next(args, "string")))
			return first;
	*count = (size_t)items;
	return first;
}

int args_end(struct args *args, struct err *err)
{
	if (!args->err.text[0] && args->next != args->op->count)
		err_set(&args->err, EBADMSG, "operation %u has %u fields, %u are known",
			args->op->code, args->op->count, args->next);
	if (!args->err.text[0])
		return 0;
	*err = args->err;
	return -1;
}

int frame_write(int fd, uint8_t type, const void *payload, size_t size)
{
	uint8_t head[FRAME_HEADER] = {type};

	put_u32(head + 1, (uint32_t)size);
	struct iovec parts[2] = {{head, sizeof head}, {(void *)(uintptr_t)payload, size}};
	ssize_t n;
	do
		n = writev(fd, parts, size > 0 ? 2 : 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	size_t done = (size_t)n;
	if (done < sizeof head) {
		if (write_full(fd, head + done, sizeof head - done) < 0)
			return -1;
		done = sizeof head;
	}
	done -= sizeof head;
	return done < size ? write_full(fd, (const char *)payload + done, size - done) : 0;
}

int frame_read(int fd, uint8_t *type, void *payload, uint32_t limit, uint32_t *size)
{
	uint8_t head[FRAME_HEADER];

	if (read_full(fd, head, sizeof head) < 0)
		return -1;
	*type = head[0];
	*size = get_u32(head + 1);
	if (*size > limit) {
		errno = EMSGSIZE;
		return -1;
	}
	return read_full(fd, payload, *size);
}

int answer_ok(int fd, const void *payload, size_t size)
{
	return frame_write(fd, FRAME_OK, payload, size);
}

int answer_error(int fd, long index, const struct err *err)
{
	uint8_t payload[8 + sizeof err->text];
	size_t text = strlen(err->text);

	put_u32(payload, (uint32_t)index);
	put_u32(payload + 4, (uint32_t)err->code);
	memcpy(payload + 8, err->text, text);
	return frame_write(fd, FRAME_ERROR, payload, 8 + text);
}
