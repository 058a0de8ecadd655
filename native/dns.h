#pragma once
#include "err.h"
#include "loop.h"

/*
 * The resolver of one container: answers names of its networks from a table that the engine replaces by rename, and
 * forwards the rest from this process's own network namespace.
 */
struct dns;

/*
 * netns  the container's network namespace; the sockets are opened in it, at 127.0.0.11:port (udp and tcp)
 * path   the container's DNS table, see dns.c; read at each query, so that a rename is enough to change it
 * Returns NULL with *err set. The caller is single-threaded.
 */
struct dns *dns_start(struct loop *loop, int netns, uint16_t port, const char *path, struct err *err);

/* Closes all sockets. Call it when the container's init is gone: they keep its network namespace alive. */
void dns_stop(struct dns *dns);
