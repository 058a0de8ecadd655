#include "ports.h"
#include "address.h"
#include "kernel.h"
#include "outside.h"
#include "relay.h"

struct ports {
	struct loop *loop;
	struct watch life; /* a pidfd: the container's first process */
	struct listener *listeners;
};

/*
 * A rootless engine's network is not the machine's: there, the one process that is in it opens the
 * socket.
 */
static int listen_at(const char *protocol, const char *host, unsigned port, struct err *err)
{
	const char *outside = getenv(OUTSIDE_VARIABLE);
	char request[80];

	if (!outside)
		return address_listen(protocol, host, port, err);
	snprintf(request, sizeof request, "%s %s %u", protocol, host, port);
	return outside_listen(outside, request, err);
}

static int add_rule(struct ports *ports, const char *rule, struct err *err)
{
	char protocol[4], host[48], target[48];
	unsigned host_port, target_port;
	union address to;

	if (sscanf(rule, "%3s %47s %5u %47s %5u", protocol, host, &host_port, target,
		   &target_port) != 5 ||
	    host_port > 65535 || target_port > 65535)
		return err_set(err, EINVAL, "forwarding rule: %s", rule);
	socklen_t to_length = address_read(target, target_port, &to);
	bool udp = strcmp(protocol, "udp") == 0;
	if (to_length == 0 || (!udp && strcmp(protocol, "tcp") != 0))
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
	listener->watch.fd = listen_at(protocol, host, host_port, err);
	if (listener->watch.fd < 0)
		return -1;
	return loop_add(listener->loop, &listener->watch, EPOLLIN, err);
}

/* Connections that are there end by themselves, when the container's side does. */
static void stop(struct ports *ports)
{
	for (struct listener *listener = ports->listeners, *next; listener; listener = next) {
		next = listener->next;
		loop_remove(ports->loop, &listener->watch);
		relay_end_sessions(listener);
		close_fd(&listener->watch.fd);
		free(listener);
	}
	loop_remove(ports->loop, &ports->life);
	close_fd(&ports->life.fd);
	if (ports->loop->ports == ports)
		ports->loop->ports = NULL;
	free(ports);
}

static void container_ended(struct loop *loop, struct watch *watch, uint32_t events)
{
	(void)loop;
	(void)events;
	stop(CONTAINER_OF(watch, struct ports, life));
}

static int start(struct ports *ports, pid_t container, char *rules, struct err *err)
{
	char *rest;

	for (char *rule = strtok_r(rules, "\n", &rest); rule; rule = strtok_r(NULL, "\n", &rest))
		if (add_rule(ports, rule, err) < 0)
			return -1;
	ports->life.fd = sys_pidfd_open(container, 0);
	if (ports->life.fd < 0)
		return err_errno(err, "pidfd of the container");
	return loop_add(ports->loop, &ports->life, EPOLLIN, err);
}

int ports_start(struct launch *launch, const char *rules, struct err *err)
{
	if (launch->loop->ports)
		stop(launch->loop->ports);
	if (!rules[0])
		return 0;
	struct ports *ports = calloc(1, sizeof *ports);
	AUTO_FREE char *copy = strdup(rules);

	if (!ports || !copy) {
		free(ports);
		return err_errno(err, "memory for published ports");
	}
	ports->loop = launch->loop;
	ports->life = (struct watch){.fd = -1, .ready = container_ended};
	if (start(ports, launch->child, copy, err) == 0) {
		launch->loop->ports = ports;
		return 0;
	}
	stop(ports);
	return -1;
}
