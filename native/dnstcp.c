/*
 * The resolver over TCP: messages with their length before them, any number on one connection, one
 * at a time.
 */
#include <netinet/in.h>

#include "dnsserver.h"

#define CONNECTIONS_MAX 16
#define PATIENCE 10000 /* ms without progress */
#define MESSAGE_MAX 65535

/* One message on its way: in, while `target` bytes of it are not there yet, or out. */
struct half {
	struct watch watch;
	size_t done;
	size_t target;
	uint8_t bytes[2 + MESSAGE_MAX];
};

struct connection {
	struct dns *dns;
	struct timer timer;
	struct half asker;  /* the query, then the answer */
	struct half server; /* the query on its way to a server, then its answer */
	struct dns_found found;
	unsigned next; /* server to ask */
};

static void end(struct connection *connection)
{
	struct dns *dns = connection->dns;
	struct loop *loop = dns->loop;

	loop_remove(loop, &connection->asker.watch);
	loop_remove(loop, &connection->server.watch);
	close_fd(&connection->asker.watch.fd);
	close_fd(&connection->server.watch.fd);
	loop_timer_clear(loop, &connection->timer);
	free(connection);
	dns->connections--;
	dns_settle(dns);
}

static void timed_out(struct loop *loop, struct timer *timer)
{
	(void)loop;
	end(CONTAINER_OF(timer, struct connection, timer));
}

/* Returns 1 when a message is complete, 0 for more, -1 at the end. */
static int take(struct half *half)
{
	ssize_t n =
	    recv(half->watch.fd, half->bytes + half->done, half->target - half->done, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	half->done += (size_t)n;
	if (half->done < half->target)
		return 0;
	if (half->target > 2)
		return 1;
	half->target = 2 + (size_t)(half->bytes[0] << 8 | half->bytes[1]);
	return half->target > 2 ? 0 : -1;
}

/* Returns 1 when all is sent, 0 for more, -1 at the end. */
static int give(struct half *half)
{
	ssize_t n = send(half->watch.fd, half->bytes + half->done, half->target - half->done,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return -1;
	half->done += (size_t)n;
	return half->done == half->target;
}

static void begin(struct half *half, size_t target)
{
	half->done = 0;
	half->target = target;
}

static void set_length(struct half *half, size_t size)
{
	half->bytes[0] = (uint8_t)(size >> 8);
	half->bytes[1] = (uint8_t)size;
	begin(half, 2 + size);
}

static bool expect(struct connection *connection, struct half *half,
		   void (*ready)(struct loop *, struct watch *, uint32_t), uint32_t events)
{
	struct err err;

	half->watch.ready = ready;
	loop_timer(connection->dns->loop, &connection->timer, PATIENCE);
	return (half->watch.added
		    ? loop_change(connection->dns->loop, &half->watch, events, &err)
		    : loop_add(connection->dns->loop, &half->watch, events, &err)) == 0;
}

static void query_ready(struct loop *loop, struct watch *watch, uint32_t events);

static void answer_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct connection *connection = CONTAINER_OF(watch, struct connection, asker.watch);
	int done = events & (EPOLLERR | EPOLLHUP) ? -1 : give(&connection->asker);

	(void)loop;
	if (done == 1)
		begin(&connection->asker, 2);
	if (done < 0 ||
	    (done == 1 && !expect(connection, &connection->asker, query_ready, EPOLLIN)))
		end(connection);
}

static void close_server(struct connection *connection)
{
	loop_remove(connection->dns->loop, &connection->server.watch);
	close_fd(&connection->server.watch.fd);
	connection->server.watch.fd = -1;
}

static void send_answer(struct connection *connection, size_t size)
{
	set_length(&connection->asker, size);
	if (!expect(connection, &connection->asker, answer_ready, EPOLLOUT))
		end(connection);
}

static void ask_next(struct connection *connection);

static void server_answered(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct connection *connection = CONTAINER_OF(watch, struct connection, server.watch);
	struct half *server = &connection->server;
	int done = take(server);

	(void)loop;
	(void)events;
	if (done < 0) {
		ask_next(connection);
		return;
	}
	if (done == 0)
		return;
	size_t size = server->target - 2;
	if (!dns_matches(connection->asker.bytes + 2, connection->asker.target - 2,
			 server->bytes + 2, size)) {
		ask_next(connection);
		return;
	}
	memcpy(connection->asker.bytes + 2, server->bytes + 2, size);
	close_server(connection);
	send_answer(connection, size);
}

static void server_connected(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct connection *connection = CONTAINER_OF(watch, struct connection, server.watch);
	int done = events & (EPOLLERR | EPOLLHUP) ? -1 : give(&connection->server);

	(void)loop;
	if (done == 1)
		begin(&connection->server, 2);
	if (done < 0)
		ask_next(connection);
	else if (done == 1 && !expect(connection, &connection->server, server_answered, EPOLLIN))
		end(connection);
}

static bool dial(struct connection *connection, const char *server)
{
	struct sockaddr_storage address;
	socklen_t length = dns_server_address(server, &address);

	close_server(connection);
	if (length == 0)
		return false;
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	connection->server.watch.fd = fd;
	if (fd < 0 ||
	    (connect(fd, (struct sockaddr *)&address, length) < 0 && errno != EINPROGRESS))
		return false;
	memcpy(connection->server.bytes, connection->asker.bytes, connection->asker.target);
	begin(&connection->server, connection->asker.target);
	return expect(connection, &connection->server, server_connected, EPOLLOUT);
}

static void ask_next(struct connection *connection)
{
	while (connection->next < connection->found.servers)
		if (dial(connection, connection->found.server[connection->next++]))
			return;
	struct dns_question question;
	uint8_t answer[DNS_QUERY_MAX];
	const uint8_t *query = connection->asker.bytes + 2;
	dns_parse(query, connection->asker.target - 2, &question);
	size_t size = dns_refuse(query, &question, DNS_SERVFAIL, answer, sizeof answer);
	memcpy(connection->asker.bytes + 2, answer, size);
	close_server(connection);
	send_answer(connection, size);
}

/*
 * The asker has nothing to say while its query is with a server; that it goes away is seen when the
 * answer is sent.
 */
static void ignore(struct loop *loop, struct watch *watch, uint32_t events)
{
	(void)loop;
	if (events & (EPOLLERR | EPOLLHUP))
		end(CONTAINER_OF(watch, struct connection, asker.watch));
}

static void query_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct connection *connection = CONTAINER_OF(watch, struct connection, asker.watch);
	struct half *asker = &connection->asker;
	uint8_t answer[DNS_QUERY_MAX + DNS_FOUND * 28];
	int done = take(asker);

	(void)loop;
	(void)events;
	if (done < 0 || asker->target > 2 + DNS_QUERY_MAX) {
		end(connection);
		return;
	}
	if (done == 0)
		return;
	size_t size = dns_local(connection->dns, asker->bytes + 2, asker->target - 2,
				&connection->found, answer, sizeof answer);
	if (size > 0) {
		memcpy(asker->bytes + 2, answer, size);
		send_answer(connection, size);
		return;
	}
	connection->next = 0;
	if (connection->found.servers == 0 || !expect(connection, asker, ignore, 0))
		end(connection);
	else
		ask_next(connection);
}

void dns_accept(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct dns *dns = CONTAINER_OF(watch, struct dns, tcp);
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)loop;
	(void)events;
	if (fd < 0)
		return;
	struct connection *connection =
	    dns->connections < CONNECTIONS_MAX ? malloc(sizeof *connection) : NULL;
	if (!connection) {
		close(fd);
		return;
	}
	/* Not zeroed as a whole: the buffers' pages stay untouched until they are used. */
	connection->dns = dns;
	connection->timer = (struct timer){.fire = timed_out};
	connection->asker.watch = (struct watch){.fd = fd};
	connection->server.watch = (struct watch){.fd = -1};
	dns->connections++;
	begin(&connection->asker, 2);
	if (!expect(connection, &connection->asker, query_ready, EPOLLIN))
		end(connection);
}
