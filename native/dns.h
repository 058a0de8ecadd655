#pragma once
#include "launch.h"

/*
 * Starts the resolver of one container: it answers the names of its networks from a table that the
 * engine replaces by rename, and forwards the rest from the engine's network namespace.
 *
 * launch  with the container's network namespace entered: the sockets are opened in it, at
 * 127.0.0.11:port, udp and tcp path    the table (form: dns.c), read anew at each query Returns 0,
 * or -1 with *err set. It ends with the container's first process: sockets keep a namespace alive.
 */
int dns_start(struct launch *launch, const char *path, uint16_t port, struct err *err);
