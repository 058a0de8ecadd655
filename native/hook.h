#pragma once
#include "ops.h"

/*
 * Runs a hook of the OCI runtime specification, here and now, and waits for it.
 *
 * op     path, argv list, env list, seconds that it may take (0: any), state ("": `state`)
 * state  what it reads from its stdin
 * Returns 0, or -1 with *err set: it cannot be run, has failed or took too long.
 */
int hook_run(const struct op *op, const char *state, struct err *err);
