#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "relay.h"

#define CHUNK 65536 /* what a pipe holds */

/*
 * What was read from one side and is not yet written to the other stays in a pipe: it never comes
 * into this process.
 */
struct side {
	struct relay *relay;
	struct watch watch;
	int pipe[2];
	size_t held; /* bytes in the pipe */
	bool ended;  /* nothing more comes from this side */
	bool passed; /* the other side was told so */
};

struct relay {
	struct loop *loop;
	struct side client, target;
};

static void close_side(struct side *side)
{
	loop_remove(side->relay->loop, &side->watch);
	close_fd(&side->watch.fd);
	close_fd(&side->pipe[0]);
	close_fd(&side->pipe[1]);
}

static void end(struct relay *relay)
{
	close_side(&relay->client);
	close_side(&relay->target);
	free(relay);
}

/* Moves what can be moved. Returns -1 if a side is broken. */
static int pump(struct side *from, struct side *to)
{
	const unsigned flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

	for (;;) {
		ssize_t in = -1, out = -1;

		if (!from->ended && from->held == 0) {
			in = splice(from->watch.fd, NULL, from->pipe[1], NULL, CHUNK, flags);
			if (in < 0 && errno != EAGAIN && errno != EINTR)
				return -1;
			from->ended = in == 0;
			from->held += in > 0 ? (size_t)in : 0;
		}
		if (from->held > 0) {
			out = splice(from->pipe[0], NULL, to->watch.fd, NULL, from->held, flags);
			if (out < 0 && errno != EAGAIN && errno != EINTR)
				return -1;
			from->held -= out > 0 ? (size_t)out : 0;
		}
		if (in <= 0 && out <= 0)
			break;
	}
	if (from->ended && from->held == 0 && !from->passed) {
		from->passed = true;
		shutdown(to->watch.fd, SHUT_WR);
	}
	return 0;
}

static int wait_for(struct side *side, const struct side *other)
{
	uint32_t events =
	    (!side->ended && side->held == 0 ? EPOLLIN : 0u) | (other->held > 0 ? EPOLLOUT : 0u);
	struct err err;

	return side->watch.added ? loop_change(side->relay->loop, &side->watch, events, &err) : 0;
}

static void go_on(struct relay *relay)
{
	struct side *client = &relay->client, *target = &relay->target;

	if (pump(client, target) < 0 || pump(target, client) < 0 ||
	    (client->passed && target->passed) || wait_for(client, target) < 0 ||
	    wait_for(target, client) < 0)
		end(relay);
}

static void side_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct side *side = CONTAINER_OF(watch, struct side, watch);

	/* Hang-up is told again and again; once is enough for a side that has nothing more to give.
	 */
	if (events & EPOLLHUP && side->ended)
		loop_remove(loop, watch);
	go_on(side->relay);
}

static void connected(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct side *target = CONTAINER_OF(watch, struct side, watch);
	struct relay *relay = target->relay;
	struct err err;

	if (events & (EPOLLERR | EPOLLHUP) ||
	    loop_add(loop, &relay->client.watch, EPOLLIN, &err) < 0) {
		end(relay);
		return;
	}
	watch->ready = side_ready;
	go_on(relay);
}

static bool prepare(struct side *side, struct relay *relay, int fd)
{
	const int on = 1;

	*side = (struct side){
	    .relay = relay, .watch = {.fd = fd, .ready = side_ready}, .pipe = {-1, -1}};
	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd >= 0 && pipe2(side->pipe, O_CLOEXEC | O_NONBLOCK) == 0;
}

void relay_accept(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct listener *listener = CONTAINER_OF(watch, struct listener, watch);
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct err err;

	(void)events;
	if (fd < 0)
		return;
	struct relay *relay = calloc(1, sizeof *relay);
	if (!relay) {
		close(fd);
		return;
	}
	relay->loop = loop;
	int target =
	    socket(listener->target.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool ready = prepare(&relay->client, relay, fd);
	ready = prepare(&relay->target, relay, target) && ready;
	relay->target.watch.ready = connected;
	if (!ready ||
	    (connect(target, (struct sockaddr *)&listener->target, listener->target_length) < 0 &&
	     errno != EINPROGRESS) ||
	    loop_add(loop, &relay->target.watch, EPOLLOUT, &err) < 0)
		end(relay);
}
