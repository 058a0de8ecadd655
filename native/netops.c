/* The network's operations in a launch, and the job that changes the network of what runs already. */
#include <fcntl.h>
#include <sched.h>

#include "dns.h"
#include "job.h"
#include "launch.h"
#include "net.h"
#include "ports.h"

static int send_messages(struct launch *launch, const struct op *op, struct err *err)
{
	return net_send(op, launch->container_net, err);
}

static int start_dns(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *path = args_string(&args);
	uint64_t port = args_number(&args);

	if (args_end(&args, err) < 0)
		return -1;
	return dns_start(launch, path, (uint16_t)port, err);
}

static int start_forward(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *rules = args_string(&args);

	if (args_end(&args, err) < 0)
		return -1;
	return ports_start(launch, rules, err);
}

/* /proc/sys/net is that of whoever opens it: the container's here. */
static int write_setting(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *path = args_string(&args);
	const char *value = args_string(&args);
	AUTO_CLOSE int dir = open("/proc/sys/net", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)launch;
	if (args_end(&args, err) < 0)
		return -1;
	if (strstr(path, "..") || path[0] == '/')
		return err_set(err, EINVAL, "setting %s", path);
	return write_text_at(dir, path, value) < 0 ? err_errno(err, "write %s to setting %s", value, path) : 0;
}

const struct op_kind net_ops[] = {
	{OP_NETLINK_HOST, SIDE_HOST, send_messages},
	{OP_NETLINK_CONTAINER, SIDE_CONTAINER, send_messages},
	{OP_DNS, SIDE_CONTAINER, start_dns},
	{OP_FORWARD, SIDE_HOST, start_forward},
	{OP_NET_SETTING, SIDE_CONTAINER, write_setting},
	{0, 0, NULL},
};

static int open_netns(int *netns, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	uint64_t pid = args_number(&args);
	char path[64];

	if (args_end(&args, err) < 0)
		return -1;
	snprintf(path, sizeof path, "/proc/%llu/ns/net", (unsigned long long)pid);
	*netns = open(path, O_RDONLY | O_CLOEXEC);
	return *netns < 0 ? err_errno(err, "open %s", path) : 0;
}

static int enter(int netns, struct err *err)
{
	return setns(netns, CLONE_NEWNET) < 0 ? err_errno(err, "enter a network namespace") : 0;
}

static int do_one(const struct op *op, int own, int *container, struct err *err)
{
	switch (op->code) {
	case OP_NETNS:
		return open_netns(container, op, err);
	case OP_NETLINK_HOST:
		return enter(own, err) < 0 ? -1 : net_send(op, *container, err);
	case OP_NETLINK_CONTAINER:
		return enter(*container, err) < 0 ? -1 : net_send(op, *container, err);
	default:
		return err_set(err, ENOSYS, "operation %u is not for this job", op->code);
	}
}

/* Job 16: netlink messages to the engine's namespace and to that of a running container, in order. */
static int run(struct job *job)
{
	AUTO_CLOSE int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int container = -1;
	struct err err = {0};

	for (uint32_t i = 0; i < job->request->count; i++) {
		if (do_one(&job->request->ops[i], own, &container, &err) == 0)
			continue;
		answer_error(job->fd, i, &err);
		return 1;
	}
	return answer_ok(job->fd, NULL, 0) < 0;
}

const struct job_kind net_jobs[] = {{16, run}, {0, NULL}};
