#pragma once
#include "client.h"

/*
 * Starts a further program in the container, with its stdio on `client`. The answer follows when
 * execve has succeeded or failed; after it come output and exit.
 * Returns 0, or -1 with *err set and nothing started.
 */
int exec_begin(struct client *client, const struct request *request, struct err *err);
