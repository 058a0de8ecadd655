/*
 * The network's operations in a launch and for what runs already, and the engine's own changes to
 * the machine.
 */
#include <fcntl.h>

#include "dns.h"
#include "job.h"
#include "launch.h"
#include "net.h"
#include "ports.h"
#include "quota.h"
#include "volumemount.h"

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
	return write_text_at(dir, path, value) < 0
		   ? err_errno(err, "write %s to setting %s", value, path)
		   : 0;
}

const struct op_kind net_ops[] = {
    {OP_NETLINK_HOST, SIDE_HOST, send_messages},
    {OP_NETLINK_CONTAINER, SIDE_CONTAINER, send_messages},
    {OP_DNS, SIDE_CONTAINER, start_dns},
    {OP_FORWARD, SIDE_HOST, start_forward},
    {OP_NET_SETTING, SIDE_CONTAINER, write_setting},
    {0, 0, NULL},
};

static int run_one(struct launch *launch, const struct op *op, struct err *err)
{
	const struct op_kind *kind = net_ops;

	while (kind->code && kind->code != op->code)
		kind++;
	if (!kind->code)
		return err_set(err, ENOSYS, "operation %u is not one of the network", op->code);
	return launch_net(launch, kind->side == SIDE_CONTAINER, err) < 0
		   ? -1
		   : kind->run(launch, op, err);
}

int net_change(struct loop *loop, pid_t child, const struct request *request, struct err *err)
{
	AUTO_CLOSE int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/ns/net", child);
	AUTO_CLOSE int container = open(path, O_RDONLY | O_CLOEXEC);
	if (own < 0 || container < 0)
		return err_errno(err, "open %s", path);
	struct launch launch = {
	    .request = request,
	    .loop = loop,
	    .child = child,
	    .host_net = own,
	    .container_net = container,
	};
	struct err ignored;
	int result = 0;
	for (uint32_t i = 0; i < request->count && result == 0; i++)
		result = run_one(&launch, &request->ops[i], err);
	/* A monitor in the wrong namespace would do harm for as long as it lives. */
	if (launch_net(&launch, false, &ignored) < 0)
		abort();
	return result;
}

static int send_one(const struct op *op, struct err *err)
{
	if (op->code == OP_NETLINK_HOST)
		return net_send(op, -1, err);
	if (op->code == OP_QUOTA)
		return quota_op(op, err);
	return volume_mount_op(op, err);
}

/* Job 16: netlink messages to the engine's own namespace, mounts of volumes, quotas. */
static int run(struct job *job)
{
	struct err err = {0};

	for (uint32_t i = 0; i < job->request->count; i++) {
		if (send_one(&job->request->ops[i], &err) == 0)
			continue;
		answer_error(job->fd, i, &err);
		return 1;
	}
	return answer_ok(job->fd, NULL, 0) < 0;
}

const struct job_kind net_jobs[] = {{16, run}, {0, NULL}};
