#pragma once
/* The network namespaces of a launch: the engine's own, and the container's. */
#include "launch.h"

/* The engine's own, to come back to. Returns 0, or -1 with *err set. */
int launchnet_open_host(struct launch *launch, struct err *err);
/* Before clone: takes a namespace of the pool where one will do, instead of CLONE_NEWNET. */
void launchnet_take(struct launch *launch);
/* In the child: enters what was taken. Returns 0, or -1 with *err set. */
int launchnet_enter(struct launch *launch, struct err *err);
/* After clone: launch->container_net, whose loopback is up if it is new. Returns 0, or -1 with *err
 * set. */
int launchnet_open_container(struct launch *launch, struct err *err);
