#include <sys/socket.h>

#include "client.h"
#include "memory.h"
#include "monitor.h"

#define OUT_ENOUGH (256u << 10) /* bytes a client may lag behind before the program has to wait */

static void on_client(struct loop *loop, struct watch *watch, uint32_t events);

static void set_events(struct client *client)
{
	struct err err;
	uint32_t events = client->blocked ? 0 : EPOLLIN;

	if (client->out_used > client->out_start)
		events |= EPOLLOUT;
	if (client->watch.added)
		(void)loop_change(&client->monitor->loop, &client->watch, events, &err);
}

/* Frees nothing yet: callers up the stack may still hold it. */
static void bury(struct client *client)
{
	if (client->dead)
		return;
	client->dead = true;
	loop_remove(&client->monitor->loop, &client->watch);
	close(client->watch.fd);
	loop_timer(&client->monitor->loop, &client->monitor->sweep, 0);
	client_gone(client);
}

/*
 * All is said. The other side closes: if we did, what it still sends would be answered by a reset,
 * and it could lose what it has not read yet, such as the exit status.
 */
static void hang_up(struct client *client)
{
	if (client->dead)
		return;
	client->blocked = false;
	if (shutdown(client->watch.fd, SHUT_WR) < 0)
		bury(client);
	else
		set_events(client);
}

/* Throws away what comes after all was said. */
static void read_nothing(struct client *client)
{
	char buffer[512];
	ssize_t n = read(client->watch.fd, buffer, sizeof buffer);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		bury(client);
}

struct client *client_add(struct monitor *monitor, int fd)
{
	struct client *client = calloc(1, sizeof *client);
	struct err err;

	if (!client) {
		close(fd);
		return NULL;
	}
	client->monitor = monitor;
	client->watch = (struct watch){.fd = fd, .ready = on_client};
	if (loop_add(&monitor->loop, &client->watch, EPOLLIN, &err) < 0) {
		close(fd);
		free(client);
		return NULL;
	}
	client->next = monitor->clients;
	monitor->clients = client;
	return client;
}

void client_free(struct client *client)
{
	free(client->in);
	free(client->out);
	free(client);
}

static void flush(struct client *client)
{
	while (client->out_start < client->out_used) {
		ssize_t n = send(client->watch.fd, client->out + client->out_start,
				 client->out_used - client->out_start, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			bury(client);
			return;
		}
		client->out_start += (size_t)n;
	}
	client->out_start = client->out_used = 0;
	if (client->out_room > 4096) {
		free(client->out);
		client->out = NULL;
		client->out_room = 0;
	}
	if (client->closing)
		hang_up(client);
}

static bool reserve(char **buffer, size_t *room, size_t needed)
{
	size_t size = *room > 0 ? *room : 512;

	if (needed <= *room)
		return true;
	while (size < needed)
		size *= 2;
	char *grown = realloc(*buffer, size);
	if (!grown)
		return false;
	*buffer = grown;
	*room = size;
	return true;
}

/* Sends what the socket takes at once, and keeps the rest. */
static void put(struct client *client, const void *data, size_t size)
{
	const char *at = data;

	if (client->dead || client->closing)
		return;
	if (client->out_used == client->out_start) {
		ssize_t n = send(client->watch.fd, at, size, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			bury(client);
			return;
		}
		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
	}
	if (size == 0)
		return;
	if (!reserve(&client->out, &client->out_room, client->out_used + size)) {
		bury(client);
		return;
	}
	memcpy(client->out + client->out_used, at, size);
	client->out_used += size;
	set_events(client);
}

void client_send(struct client *client, uint8_t type, const void *payload, size_t size)
{
	uint8_t small[FRAME_HEADER + 512] = {type};

	put_u32(small + 1, (uint32_t)size);
	if (size <= sizeof small - FRAME_HEADER) {
		if (size > 0)
			memcpy(small + FRAME_HEADER, payload, size);
		put(client, small, FRAME_HEADER + size);
		return;
	}
	put(client, small, FRAME_HEADER);
	put(client, payload, size);
}

void client_error(struct client *client, const struct err *err)
{
	char payload[8 + sizeof err->text];
	size_t text = strlen(err->text);

	put_u32(payload, ~0u);
	put_u32(payload + 4, (uint32_t)err->code);
	memcpy(payload + 8, err->text, text);
	client_send(client, FRAME_ERROR, payload, 8 + text);
}

void client_finish(struct client *client)
{
	if (client->dead)
		return;
	client->closing = true;
	if (client->out_used == client->out_start)
		hang_up(client);
}

bool client_output(struct task *task, int index, const char *data, uint32_t size)
{
	bool slow = false;

	for (struct client *client = task->monitor->clients; client; client = client->next) {
		if (client->dead || client->task != task || !client->carries[1 + index])
			continue;
		client_send(client, index == 0 ? FRAME_STDOUT : FRAME_STDERR, data, size);
		slow |= client->out_used - client->out_start > OUT_ENOUGH;
	}
	return slow;
}

static bool anyone_slow(const struct task *task)
{
	for (struct client *client = task->monitor->clients; client; client = client->next)
		if (!client->dead && client->task == task &&
		    client->out_used - client->out_start > OUT_ENOUGH)
			return true;
	return false;
}

/* Takes a request off the front of `in`. Returns the bytes used, 0 if it is not all there. */
static size_t take_request(struct client *client)
{
	struct request request;
	struct err err = {0};

	if (client->in_used < 4)
		return 0;
	size_t size = get_u32(client->in);
	if (size > REQUEST_LIMIT) {
		bury(client);
		return 0;
	}
	if (client->in_used < 4 + size)
		return 0;
	char *body = malloc(size + 1);
	if (!body) {
		bury(client);
		return 0;
	}
	memcpy(body, client->in + 4, size);
	if (request_parse(body, size, &request, &err) < 0) {
		free(body);
		client_error(client, &err);
		client_finish(client);
		return 0;
	}
	client_request(client, &request);
	request_free(&request);
	return 4 + size;
}

static size_t take_frame(struct client *client)
{
	if (client->in_used < FRAME_HEADER)
		return 0;
	uint8_t type = (uint8_t)client->in[0];
	uint32_t size = get_u32(client->in + 1);
	if (size > (type == FRAME_GO ? REQUEST_LIMIT : FRAME_LIMIT)) {
		bury(client);
		return 0;
	}
	if (client->in_used < FRAME_HEADER + (size_t)size)
		return 0;
	const char *payload = client->in + FRAME_HEADER;
	if (type == FRAME_STDIN && size > 0 && client->task && client->carries[0]) {
		client->blocked = !task_write(client->task, payload, size);
		if (client->blocked)
			return 0;
	} else {
		client_frame(client, type, payload, size);
	}
	return FRAME_HEADER + (size_t)size;
}

static void take_all(struct client *client)
{
	size_t done = 0;

	while (!client->dead && !client->closing) {
		size_t n = client->role == ROLE_NEW ? take_request(client) : take_frame(client);

		if (n == 0)
			break;
		done += n;
		client->in_used -= n;
		memmove(client->in, client->in + n, client->in_used);
	}
	if (client->in_used == 0 && client->in_room > 4096) {
		free(client->in);
		client->in = NULL;
		client->in_room = 0;
	}
	if (!client->dead)
		set_events(client);
}

void client_input_ready(struct task *task)
{
	for (struct client *client = task->monitor->clients; client; client = client->next)
		if (!client->dead && client->task == task && client->blocked) {
			client->blocked = false;
			take_all(client);
		}
}

static void read_in(struct client *client)
{
	/* Room for the whole of a frame that has begun, so that a large one is not copied often. */
	size_t want = client->in_used + 4096;

	if (client->role == ROLE_NEW && client->in_used >= 4)
		want = 4 + (size_t)get_u32(client->in) + 4096;
	else if (client->role != ROLE_NEW && client->in_used >= FRAME_HEADER)
		want = FRAME_HEADER + (size_t)get_u32(client->in + 1) + 4096;
	if (want > REQUEST_LIMIT + 8192 || !reserve(&client->in, &client->in_room, want)) {
		bury(client);
		return;
	}
	ssize_t n =
	    read(client->watch.fd, client->in + client->in_used, client->in_room - client->in_used);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		bury(client);
		return;
	}
	client->in_used += (size_t)n;
	take_all(client);
}

static void on_client(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct client *client = CONTAINER_OF(watch, struct client, watch);
	struct task *task = client->task;

	(void)loop;
	memory_used(client->monitor);
	if (events & EPOLLOUT) {
		flush(client);
		if (!client->dead)
			set_events(client);
	}
	if (!client->dead && events & EPOLLIN)
		client->closing ? read_nothing(client) : read_in(client);
	/* Of a blocked client nothing is read: only that it is gone is seen. */
	else if (!client->dead && events & (EPOLLHUP | EPOLLERR) && !(events & EPOLLOUT))
		bury(client);
	if (task && !anyone_slow(task))
		task_resume(task);
}
