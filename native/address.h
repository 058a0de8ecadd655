#pragma once
#include <netinet/in.h>

#include "err.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Reads an IPv4 or IPv6 address. Returns its length for bind(2), 0 if it is none. */
socklen_t address_read(const char *text, unsigned port, union address *address);

/*
 * Opens a socket and listens.
 *
 * protocol  "tcp" or "udp"
 * Returns a non-blocking descriptor, or -1 with *err set (EADDRINUSE, EACCES, …).
 */
int address_listen(const char *protocol, const char *host, unsigned port, struct err *err);
