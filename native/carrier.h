#pragma once
#include <sys/types.h>

#include "err.h"

/*
 * The program that carries packets between a rootless engine's network namespace and the machine's:
 * pasta where it is installed and can be used, else slirp4netns. Both give the namespace the same
 * addresses: 10.0.2.100, its gateway 10.0.2.2, and a resolver at 10.0.2.3.
 */
struct carrier {
	pid_t pid;
	const char *name; /* of the program, a constant */
};

/*
 * Starts one for the network namespace of the process `holder`.
 * Returns 0 when packets flow, or -1 with *err set, which says of each why not.
 */
int carrier_start(struct carrier *carrier, pid_t holder, struct err *err);
