#pragma once
/*
 * What an OCI runtime does in the middle of a launch: hooks that run in the caller's namespaces,
 * when the container's are there, and then those in the container's, before its root is its own.
 */
#include "launch.h"

/* Operations of the child. It waits until its caller, who knows it by now, lets it go on. */
int hold_wait(struct launch *launch, const struct op *op, struct err *err);
int hold_hook(struct launch *launch, const struct op *op, struct err *err);

/* In the monitor: tells the caller of the child that waits, and the child what the caller says: the
 * state that hooks get. */
int hold_relay(struct launch *launch, struct err *err);
