#pragma once
/* What the resolver's two halves, udp and tcp, share. */
#include <sys/socket.h>

#include "dnsnames.h"
#include "loop.h"

struct dns {
	struct loop *loop;
	struct watch udp;
	struct watch tcp;
	struct watch life;    /* a pidfd: the container's first process */
	unsigned turn;        /* which of several addresses stands first, one further each time */
	unsigned pending;     /* forwarded queries that wait */
	unsigned connections; /* over tcp */
	char path[];          /* of the names */
};

/*
 * Answers from the container's names.
 * Returns the answer's length; 0: the query is to be forwarded to `found->server`, or, with none of
 * them, ignored.
 */
size_t dns_local(struct dns *dns, const uint8_t *query, size_t size, struct dns_found *found,
		 uint8_t *answer, size_t room);

/* The address of a server, port 53. Returns its length, 0 if `text` is no address. */
socklen_t dns_server_address(const char *text, struct sockaddr_storage *address);

/* Lets go of a resolver whose container has ended and for which nothing is on its way. */
void dns_settle(struct dns *dns);

/* A connection is ready to be accepted. */
void dns_accept(struct loop *loop, struct watch *watch, uint32_t events);
