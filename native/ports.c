#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>

#include "kernel.h"
#include "ports.h"
#include "relay.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct ports {
	struct loop *loop;
	struct watch life; /* a pidfd: the container's first process */
	struct listener *listeners;
};

static socklen_t read_address(const char *text, unsigned port, union address *address)
{
	*address = (union address){0};
	if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons((uint16_t)port);
		return sizeof address->v4;
	}
	if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons((uint16_t)port);
		return sizeof address->v6;
	}
	return 0;
}

static int open_listener(struct listener *listener, const union address *at, socklen_t length, const char *rule, struct err *err)
{
	const int on = 1;
	int type = listener->udp ? SOCK_DGRAM : SOCK_STREAM;

	listener->watch.fd = socket(at->any.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->watch.fd < 0)
		return err_errno(err, "socket for %s", rule);
	if (!listener->udp)
		setsockopt(listener->watch.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (at->any.sa_family == AF_INET6)
		setsockopt(listener->watch.fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(listener->watch.fd, &at->any, length) < 0 || (!listener->udp && listen(listener->watch.fd, 128) < 0))
		return err_errno(err, "listen for %s", rule);
	return loop_add(listener->loop, &listener->watch, EPOLLIN, err);
}

static int add_rule(struct ports *ports, const char *rule, struct err *err)
{
	char protocol[4], host[48], target[48];
	unsigned host_port, target_port;
	union address at, to;

	if (sscanf(rule, "%3s %47s %5u %47s %5u", protocol, host, &host_port, target, &target_port) != 5 ||
	    host_port > 65535 || target_port > 65535)
		return err_set(err, EINVAL, "forwarding rule: %s", rule);
	socklen_t at_length = read_address(host, host_port, &at), to_length = read_address(target, target_port, &to);
	bool udp = strcmp(protocol, "udp") == 0;
	if (at_length == 0 || to_length == 0 || (!udp && strcmp(protocol, "tcp") != 0))
		return err_set(err, EINVAL, "forwarding rule: %s", rule);
	struct listener *listener = calloc(1, sizeof *listener);
	if (!listener)
		return err_errno(err, "memory for a listener");
	*listener = (struct listener){
		.loop = ports->loop,
		.watch.ready = udp ? relay_datagram : relay_accept,
		.udp = udp,
		.target_length = to_length,
		.next = ports->listeners,
	};
	memcpy(&listener->target, &to, to_length);
	ports->listeners = listener;
	return open_listener(listener, &at, at_length, rule, err);
}

static void container_ended(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct ports *ports = CONTAINER_OF(watch, struct ports, life);

	(void)events;
	for (struct listener *listener = ports->listeners; listener; listener = listener->next) {
		loop_remove(loop, &listener->watch);
		close_fd(&listener->watch.fd);
		listener->watch.fd = -1;
	}
	loop_remove(loop, watch);
	close(watch->fd);
}

/* What is open when this fails is closed with the process: the launch fails. */
int ports_start(struct launch *launch, const char *rules, struct err *err)
{
	struct ports *ports = calloc(1, sizeof *ports);
	AUTO_FREE char *copy = strdup(rules);
	char *rest;

	if (!ports || !copy)
		return err_errno(err, "memory for published ports");
	ports->loop = launch->loop;
	ports->life.ready = container_ended;
	for (char *rule = strtok_r(copy, "\n", &rest); rule; rule = strtok_r(NULL, "\n", &rest))
		if (add_rule(ports, rule, err) < 0)
			return -1;
	ports->life.fd = sys_pidfd_open(launch->child, 0);
	if (ports->life.fd < 0)
		return err_errno(err, "pidfd of the container");
	return loop_add(launch->loop, &ports->life, EPOLLIN, err);
}
