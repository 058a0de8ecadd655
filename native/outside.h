#pragma once
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

/*
 * The one process of a rootless engine that stays in the machine's network: it starts the program
 * that carries packets, and opens the sockets of published ports, which it hands to monitors.
 */
#define OUTSIDE_SOCKET "outside.sock"
#define OUTSIDE_VARIABLE "SLIPWAY_OUTSIDE" /* the environment's, with the socket's path */

/*
 * Serves until the process `holder`, a pidfd, ends, and ends `carrier` with it; 0: there is none.
 * `directory` gets the socket. Does not return.
 */
_Noreturn void outside_serve(const char *directory, int holder, pid_t carrier);

/*
 * Opens a listening socket in the machine's network.
 *
 * request  "tcp|udp ADDRESS PORT"
 * Returns a non-blocking descriptor, or -1 with *err set.
 */
int outside_listen(const char *path, const char *request, struct err *err);
