#pragma once
#include "err.h"

/*
 * Listens on a pathname stream socket that only its owner may connect to (0600). A stale file of
 * that name is replaced. The path may be longer than sockaddr_un holds.
 * Returns a non-blocking descriptor, or -1 with *err set.
 */
int sock_listen(const char *path, struct err *err);
/* Removes the socket `name` of a directory, if it is there. */
void sock_remove(const char *directory, const char *name);
/* Connects to a pathname socket, as long as its path may be. Returns a descriptor, or -1 with *err
 * set. */
int sock_connect(const char *path, struct err *err);
