#include <fcntl.h>
#include <sched.h>

#include "kernel.h"
#include "launchnet.h"
#include "net.h"
#include "pool.h"

static int open_net(pid_t pid, struct err *err)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_errno(err, "open %s", path) : fd;
}

int launchnet_open_host(struct launch *launch, struct err *err)
{
	launch->host_net = open_net(getpid(), err);
	return launch->host_net < 0 ? -1 : 0;
}

/* The child may not have joined it yet: then it is known by the path. A new one gets its loopback.
 */
int launchnet_open_container(struct launch *launch, struct err *err)
{
	const struct namespaces *ns = &launch->ns;
	const char *path = NULL;

	if (launch->container_net >= 0)
		return 0;
	for (unsigned i = 0; i < ns->joins; i++)
		if (ns->join[i].kind == K_CLONE_NEWNET)
			path = ns->join[i].path;
	launch->container_net =
	    path ? open(path, O_RDONLY | O_CLOEXEC) : open_net(launch->child, err);
	if (launch->container_net < 0)
		return path ? err_errno(err, "open %s", path) : -1;
	if (!(ns->create & K_CLONE_NEWNET))
		return 0;
	return launch_net(launch, true, err) < 0 ? -1 : net_loopback_up(err);
}

/* A namespace of the pool is the engine's, not that of a user namespace that is still to be made.
 */
void launchnet_take(struct launch *launch)
{
	struct namespaces *ns = &launch->ns;

	if (launch->pool && ns->create & K_CLONE_NEWNET && !(ns->create & K_CLONE_NEWUSER))
		launch->container_net = pool_take(launch->pool);
	if (launch->container_net >= 0)
		ns->create &= ~K_CLONE_NEWNET;
}

int launchnet_enter(struct launch *launch, struct err *err)
{
	if (launch->container_net < 0)
		return 0;
	if (setns(launch->container_net, CLONE_NEWNET) < 0)
		return err_errno(err, "enter the network namespace");
	close_fd(&launch->container_net);
	return 0;
}

int launch_net(struct launch *launch, bool container, struct err *err)
{
	if (launch->in_container == container)
		return 0;
	if (setns(container ? launch->container_net : launch->host_net, CLONE_NEWNET) < 0)
		return err_errno(err, "change the network namespace");
	launch->in_container = container;
	return 0;
}
