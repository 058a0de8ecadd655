#pragma once
/* Bytes and datagrams carried between a published port and the container. */
#include <sys/socket.h>

#include "loop.h"

struct listener {
	struct loop *loop;
	struct watch watch;
	bool udp;
	struct sockaddr_storage target;
	socklen_t target_length;
	struct listener *next;
	struct session *sessions; /* of udp */
	unsigned session_count;
};

/* `ready` of a TCP listener's watch: takes a connection and carries it to the target. */
void relay_accept(struct loop *loop, struct watch *watch, uint32_t events);

/*
 * `ready` of a UDP listener's watch: carries datagrams; answers go back to whoever sent last from
 * the same address.
 */
void relay_datagram(struct loop *loop, struct watch *watch, uint32_t events);

/* Forgets who sent datagrams to a UDP listener; nothing for one of TCP. */
void relay_end_sessions(struct listener *listener);
