#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/random.h>

#include "dns.h"
#include "dnsserver.h"
#include "kernel.h"

#define PENDING_MAX 64
#define PATIENCE 2000 /* ms for each server */
#define PORT 53

/* A query that was sent on. */
struct forward {
	struct dns *dns;
	struct watch watch;
	struct timer timer;
	struct sockaddr_in asker;
	struct dns_found found;
	unsigned server; /* the next one to ask */
	uint8_t id[2];   /* the asker's; ours is random */
	size_t size;
	uint8_t query[DNS_QUERY_MAX];
};

socklen_t dns_server_address(const char *text, struct sockaddr_storage *address)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
		memcpy(address, &v4, sizeof v4);
		return sizeof v4;
	}
	if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
		memcpy(address, &v6, sizeof v6);
		return sizeof v6;
	}
	return 0;
}

size_t dns_local(struct dns *dns, const uint8_t *query, size_t size, struct dns_found *found,
		 uint8_t *answer, size_t room)
{
	struct dns_question question;
	int code = dns_parse(query, size, &question);

	*found = (struct dns_found){0};
	if (code < 0)
		return 0;
	if (room > question.room && room == DNS_UDP_MAX)
		room = question.room;
	if (code != DNS_OK)
		return dns_refuse(query, &question, code, answer, room);
	dns_look_up(dns->path, &question, found);
	if (found->known && question.type == DNS_PTR)
		return dns_answer_name(query, &question, found->name, answer, room);
	if (found->known && (question.type == DNS_A || question.type == DNS_AAAA))
		return dns_answer(query, &question, found->addresses, found->count, dns->turn++,
				  answer, room);
	/*
	 * An internal network's names end here; "no such name" is final where a failure would be
	 * asked again.
	 */
	if (found->servers == 0)
		return dns_refuse(query, &question, found->known ? DNS_OK : DNS_NXDOMAIN, answer,
				  room);
	return 0;
}

static void reply(struct dns *dns, const struct sockaddr_in *asker, const uint8_t *answer,
		  size_t size)
{
	sendto(dns->udp.fd, answer, size, MSG_DONTWAIT, (const struct sockaddr *)asker,
	       sizeof *asker);
}

static void drop_socket(struct forward *forward)
{
	loop_remove(forward->dns->loop, &forward->watch);
	close_fd(&forward->watch.fd);
	forward->watch.fd = -1;
}

void dns_settle(struct dns *dns)
{
	if (dns->life.fd < 0 && dns->pending == 0 && dns->connections == 0)
		free(dns);
}

static void end(struct forward *forward)
{
	struct dns *dns = forward->dns;

	drop_socket(forward);
	loop_timer_clear(dns->loop, &forward->timer);
	free(forward);
	dns->pending--;
	dns_settle(dns);
}

static void received(struct loop *loop, struct watch *watch, uint32_t events);

/* Of its own for each query: a random port is part of what a forger would have to guess. */
static bool ask(struct forward *forward, const char *server)
{
	struct sockaddr_storage address;
	socklen_t length = dns_server_address(server, &address);
	struct err err;

	drop_socket(forward);
	if (length == 0)
		return false;
	forward->watch.fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	forward->watch.ready = received;
	return forward->watch.fd >= 0 &&
	       connect(forward->watch.fd, (struct sockaddr *)&address, length) == 0 &&
	       send(forward->watch.fd, forward->query, forward->size, 0) ==
		   (ssize_t)forward->size &&
	       loop_add(forward->dns->loop, &forward->watch, EPOLLIN, &err) == 0;
}

static void ask_next(struct forward *forward)
{
	while (forward->server < forward->found.servers) {
		if (!ask(forward, forward->found.server[forward->server++]))
			continue;
		loop_timer(forward->dns->loop, &forward->timer, PATIENCE);
		return;
	}
	struct dns_question question;
	uint8_t answer[DNS_QUERY_MAX];
	memcpy(forward->query, forward->id, 2);
	dns_parse(forward->query, forward->size, &question);
	size_t size = dns_refuse(forward->query, &question, DNS_SERVFAIL, answer, sizeof answer);
	reply(forward->dns, &forward->asker, answer, size);
	end(forward);
}

static void timed_out(struct loop *loop, struct timer *timer)
{
	(void)loop;
	ask_next(CONTAINER_OF(timer, struct forward, timer));
}

static void received(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct forward *forward = CONTAINER_OF(watch, struct forward, watch);
	uint8_t answer[DNS_UDP_MAX];
	ssize_t size = recv(watch->fd, answer, sizeof answer, 0);

	(void)loop;
	(void)events;
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* Nobody listens there: the next one need not wait for the timer. */
	if (size < 0) {
		ask_next(forward);
		return;
	}
	if (!dns_matches(forward->query, forward->size, answer, (size_t)size))
		return;
	/* A server that cannot answer does not speak for the others. */
	if ((answer[3] & 15) == DNS_SERVFAIL && forward->server < forward->found.servers) {
		ask_next(forward);
		return;
	}
	memcpy(answer, forward->id, 2);
	reply(forward->dns, &forward->asker, answer, (size_t)size);
	end(forward);
}

static void send_on(struct dns *dns, const struct sockaddr_in *asker, const uint8_t *query,
		    size_t size, const struct dns_found *found)
{
	struct forward *forward = dns->pending < PENDING_MAX ? calloc(1, sizeof *forward) : NULL;

	if (!forward)
		return;
	*forward = (struct forward){
	    .dns = dns,
	    .watch.fd = -1,
	    .timer.fire = timed_out,
	    .asker = *asker,
	    .found = *found,
	    .size = size,
	};
	memcpy(forward->query, query, size);
	memcpy(forward->id, query, 2);
	dns->pending++;
	if (getrandom(forward->query, 2, 0) != 2)
		memcpy(forward->query, forward->id, 2);
	ask_next(forward);
}

static void asked(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct dns *dns = CONTAINER_OF(watch, struct dns, udp);
	uint8_t query[DNS_QUERY_MAX], answer[DNS_UDP_MAX];
	struct sockaddr_in asker;
	struct dns_found found;

	(void)loop;
	(void)events;
	for (int i = 0; i < 16; i++) {
		socklen_t length = sizeof asker;
		ssize_t size = recvfrom(watch->fd, query, sizeof query, MSG_DONTWAIT | MSG_TRUNC,
					(struct sockaddr *)&asker, &length);

		if (size < 0)
			return;
		if ((size_t)size > sizeof query)
			continue;
		size_t used = dns_local(dns, query, (size_t)size, &found, answer, sizeof answer);
		if (used > 0)
			reply(dns, &asker, answer, used);
		else if (found.servers > 0)
			send_on(dns, &asker, query, (size_t)size, &found);
	}
}

static void stop_listening(struct loop *loop, struct watch *watch)
{
	loop_remove(loop, watch);
	close_fd(&watch->fd);
	watch->fd = -1;
}

/*
 * Sockets keep their network namespace, and with it the container's links, alive. What waits for an
 * answer may end by itself.
 */
static void stop(struct dns *dns)
{
	stop_listening(dns->loop, &dns->udp);
	stop_listening(dns->loop, &dns->tcp);
	stop_listening(dns->loop, &dns->life);
	dns_settle(dns);
}

static void container_ended(struct loop *loop, struct watch *watch, uint32_t events)
{
	(void)loop;
	(void)events;
	stop(CONTAINER_OF(watch, struct dns, life));
}

static int listen_at(struct dns *dns, struct watch *watch, int type, uint16_t port, struct err *err)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(0x7f00000b),
	};

	watch->fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (watch->fd < 0)
		return err_errno(err, "socket of the resolver");
	if (bind(watch->fd, (struct sockaddr *)&address, sizeof address) < 0)
		return err_errno(err, "bind 127.0.0.11:%u", port);
	if (type == SOCK_STREAM && listen(watch->fd, 128) < 0)
		return err_errno(err, "listen on 127.0.0.11:%u", port);
	return loop_add(dns->loop, watch, EPOLLIN, err);
}

static int start(struct dns *dns, pid_t container, uint16_t port, struct err *err)
{
	if (listen_at(dns, &dns->udp, SOCK_DGRAM, port, err) < 0 ||
	    listen_at(dns, &dns->tcp, SOCK_STREAM, port, err) < 0)
		return -1;
	dns->life.fd = sys_pidfd_open(container, 0);
	if (dns->life.fd < 0)
		return err_errno(err, "pidfd of the container");
	return loop_add(dns->loop, &dns->life, EPOLLIN, err);
}

int dns_start(struct launch *launch, const char *path, uint16_t port, struct err *err)
{
	size_t length = strlen(path) + 1;
	struct dns *dns = calloc(1, sizeof *dns + length);

	if (!dns)
		return err_errno(err, "memory for the resolver");
	dns->loop = launch->loop;
	dns->udp = (struct watch){.fd = -1, .ready = asked};
	dns->tcp = (struct watch){.fd = -1, .ready = dns_accept};
	dns->life = (struct watch){.fd = -1, .ready = container_ended};
	memcpy(dns->path, path, length);
	if (start(dns, launch->child, port, err) == 0)
		return 0;
	stop(dns);
	return -1;
}
