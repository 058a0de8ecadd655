#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "hold.h"
#include "kernel.h"
#include "launch.h"
#include "launchnet.h"
#include "monitor.h"
#include "mounts.h"
#include "nodes.h"
#include "opcodes.h"
#include "process.h"
#include "rootfs.h"
#include "search.h"
#include "tty.h"

#define ANSWER_LIMIT (32u << 20)

static int set_hostname(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *name = args_string(&args), *domain = args_string(&args);

	(void)launch;
	if (args_end(&args, err) < 0)
		return -1;
	if (sethostname(name, strlen(name)) < 0)
		return err_errno(err, "set the host name %s", name);
	if (domain[0] && setdomainname(domain, strlen(domain)) < 0)
		return err_errno(err, "set the domain name %s", domain);
	return 0;
}

static int parse_clone(struct launch *launch, const struct op *op, struct err *err)
{
	return ns_parse(op, &launch->ns, err);
}

static const struct op_kind runtime_ops[] = {
    {OP_MONITOR, SIDE_BEFORE, monitor_set},
    {OP_LOG, SIDE_BEFORE, monitor_set_log},
    {OP_CGROUP, SIDE_BEFORE, monitor_cgroup},
    {OP_WRITE, SIDE_BEFORE, monitor_write},
    {OP_HOST_FILE, SIDE_BEFORE, monitor_host_file},
    {OP_DEVICE_FILTER, SIDE_BEFORE, monitor_devices},
    {OP_CLONE, SIDE_BEFORE, parse_clone},
    {OP_INHERIT_STDIO, SIDE_BEFORE, monitor_inherit},
    {OP_OVERLAY, SIDE_CHILD, rootfs_overlay},
    {OP_BIND_ROOT, SIDE_CHILD, rootfs_bind},
    {OP_MOUNT, SIDE_CHILD, mounts_new},
    {OP_BIND, SIDE_CHILD, mounts_bind},
    {OP_VOLUME_INIT, SIDE_CHILD, mounts_fill_volume},
    {OP_NODE, SIDE_CHILD, nodes_device},
    {OP_SYMLINK, SIDE_CHILD, nodes_symlink},
    {OP_DIRECTORY, SIDE_CHILD, nodes_directory},
    {OP_FILE, SIDE_CHILD, nodes_file},
    {OP_MASK, SIDE_CHILD, mounts_mask},
    {OP_READONLY, SIDE_CHILD, mounts_readonly},
    {OP_SYSCTL, SIDE_CHILD, nodes_sysctl},
    {OP_HOSTNAME, SIDE_CHILD, set_hostname},
    {OP_PIVOT, SIDE_CHILD, rootfs_pivot},
    {OP_READONLY_ROOT, SIDE_CHILD, rootfs_readonly},
    {OP_READ_FILE, SIDE_CHILD, nodes_read},
    {OP_HOLD, SIDE_CHILD, hold_wait},
    {OP_HOOK, SIDE_CHILD, hold_hook},
    {OP_PROGRAM, SIDE_CHILD, search_check},
    {0},
};

static const struct op_kind *find(uint16_t code)
{
	const struct op_kind *tables[] = {runtime_ops, net_ops};

	for (size_t i = 0; i < LENGTH(tables); i++)
		for (const struct op_kind *kind = tables[i]; kind && kind->code; kind++)
			if (kind->code == code)
				return kind;
	return NULL;
}

/* Runs the operations of some sides, given as a bit mask, in the request's order. */
static int run_sides(struct launch *launch, unsigned sides, struct err *err)
{
	for (uint32_t i = 0; i < launch->request->count; i++) {
		const struct op *op = &launch->request->ops[i];
		const struct op_kind *kind = find(op->code);

		launch->failed = i;
		if (!kind)
			return err_set(err, ENOSYS, "operation %u is not known", op->code);
		if (!(sides >> kind->side & 1))
			continue;
		if (launch->child > 0 && launch_net(launch, kind->side == SIDE_CONTAINER, err) < 0)
			return -1;
		if (kind->run(launch, op, err) < 0)
			return -1;
	}
	launch->failed = ~0u;
	return 0;
}

int launch_answer(struct launch *launch, const void *content, size_t size, struct err *err)
{
	/* The count of files comes first. */
	size_t used = launch->answer ? launch->answer_size : 4;
	char *grown = realloc(launch->answer, used + 4 + size);

	if (!grown)
		return err_errno(err, "memory for an answer");
	launch->answer = grown;
	put_u32(grown, ++launch->answer_files);
	put_u32(grown + used, content ? (uint32_t)size : ~0u);
	if (content)
		memcpy(grown + used + 4, content, size);
	launch->answer_size = used + 4 + (content ? size : 0);
	return 0;
}

/* In a new user namespace this process is nobody until the monitor has written its maps. */
static int become_root(struct launch *launch, struct err *err)
{
	char byte;

	if (!(launch->ns.create & K_CLONE_NEWUSER))
		return 0;
	if (read_full(launch->link, &byte, 1) < 0)
		return err_errno(err, "wait for the user namespace");
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_errno(err, "become root in the user namespace");
	/* Changing the user made this process dumpable by the new user, who may be inside
	 * elsewhere. */
	prctl(PR_SET_DUMPABLE, 0);
	return 0;
}

static int child_prepare(struct launch *launch, struct err *err)
{
	/* As the engine's own user still, whose the cgroups are. */
	if (cgroup_join(&launch->monitor->cgroups, false, err) < 0)
		return -1;
	if (become_root(launch, err) < 0 || ns_join(&launch->ns, err) < 0)
		return -1;
	if (launchnet_enter(launch, err) < 0)
		return -1;
	if (launch->ns.create & K_CLONE_NEWCGROUP && unshare((int)K_CLONE_NEWCGROUP) < 0)
		return err_errno(err, "make a cgroup namespace");
	/* What is mounted here shows up outside only where it was asked for, and the other way. */
	if (mounts_open_shared(launch, err) < 0)
		return -1;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_errno(err, "make all mounts private");
	return run_sides(launch, 1u << SIDE_CHILD, err);
}

/* The terminal is made inside, in the container's devpts. Returns its master, for the monitor. */
static int child_terminal(int streams[3], struct err *err)
{
	AUTO_CLOSE int dev = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dev < 0)
		return err_errno(err, "open /dev");
	AUTO_CLOSE int master = tty_open(dev, &streams[0], err);
	if (master < 0)
		return -1;
	streams[1] = streams[2] = streams[0];
	return mounts_console(dev, streams[0], err) < 0 ? -1 : take_fd(&master);
}

/* Waits for `go` and starts the program. Returns only if that failed or nobody wants it any more.
 */
static void child_start(struct launch *launch, int streams[3], struct err *err)
{
	struct process_place place = {
	    .proc = launch->proc,
	    .streams = {streams[0], streams[1], streams[2]},
	    .terminal = launch->monitor->tty,
	    .orphan = launch->monitor->hands_over,
	    .preserved = launch->monitor->preserved,
	};
	struct process process;
	struct request request;

	/* A working directory of /proc/self/fd/N must find no directory of ours. */
	close_fd(&launch->root);
	close_fd(&launch->empty);
	launch->failed = ~0u;
	if (request_read(launch->link, &request, err) < 0)
		return;
	if (process_parse(&request, &process, err) == 0)
		process_start(&process, &place, err);
	launch->failed = (uint32_t)process.failed;
}

/* Who runs the runtime waits for the end of its output, which this process is not to hold open. */
static void let_go_of_stdio(void)
{
	AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
}

static _Noreturn void child_main(struct launch *launch)
{
	bool tty = launch->monitor->tty;
	struct err err = {0};
	int streams[3], master = -1;

	if (!launch->monitor->hands_over)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (tty && launch->monitor->inherits)
		let_go_of_stdio();
	memcpy(streams, launch->monitor->program_ends, sizeof streams);
	if (child_prepare(launch, &err) < 0 ||
	    (tty && (master = child_terminal(streams, &err)) < 0)) {
		answer_error(launch->link, (long)launch->failed, &err);
		_exit(125);
	}
	if (answer_ok(launch->link, launch->answer ? launch->answer : "\0\0\0",
		      launch->answer ? launch->answer_size : 4) < 0)
		_exit(125);
	if (tty && fd_send(launch->link, master) < 0)
		_exit(125);
	if (tty)
		close(master);
	child_start(launch, streams, &err);
	answer_error(launch->link, (long)launch->failed, &err);
	_exit(err.code == ENOENT ? 127 : 126);
}

static int clone_child(struct launch *launch, struct err *err)
{
	struct monitor *monitor = launch->monitor;
	int link[2];

	launchnet_take(launch);

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link) < 0)
		return err_errno(err, "socketpair");
	if (monitor->hands_over)
		launch->ns.create |= K_CLONE_PARENT;
	pid_t pid = ns_clone(&launch->ns, cgroup_v2(&monitor->cgroups), &launch->pidfd, err);
	if (pid == 0) {
		close(link[0]);
		launch->link = link[1];
		child_main(launch);
	}
	close(link[1]);
	launch->link = link[0];
	if (pid < 0)
		return -1;
	launch->child = pid;
	if (ns_map(&launch->ns, pid, err) < 0)
		return -1;
	if (launch->ns.create & K_CLONE_NEWUSER && write_full(launch->link, "u", 1) < 0)
		return err_errno(err, "tell the child of its user namespace");
	return 0;
}

static int receive_terminal(struct launch *launch, struct err *err)
{
	int fd = fd_receive(launch->link);

	if (fd < 0)
		return err_errno(err, "receive the terminal");
	return monitor_terminal(launch->monitor, fd, err);
}

static int read_head(struct launch *launch, uint8_t head[FRAME_HEADER], struct err *err)
{
	for (;;) {
		if (read_full(launch->link, head, FRAME_HEADER) < 0)
			return err_errno(err,
					 "the container's first process ended while it was set up");
		if (head[0] != FRAME_HOLD)
			return 0;
		if (hold_relay(launch, err) < 0)
			return -1;
	}
}

/* Reads the child's answer, which is a frame as the daemon gets it. */
static int child_answer(struct launch *launch, struct err *err)
{
	uint8_t head[FRAME_HEADER];

	launch->failed = ~0u;
	if (read_head(launch, head, err) < 0)
		return -1;
	uint32_t size = get_u32(head + 1);
	if (size > ANSWER_LIMIT)
		return err_set(err, EMSGSIZE, "an answer of %u bytes", size);
	launch->answer = malloc(size + 1);
	if (!launch->answer)
		return err_errno(err, "memory for an answer of %u bytes", size);
	if (read_full(launch->link, launch->answer, size) < 0)
		return err_errno(err, "read the child's answer");
	launch->answer_size = size;
	if (head[0] == FRAME_OK)
		return launch->monitor->tty ? receive_terminal(launch, err) : 0;
	if (size < 8)
		return err_set(err, EBADMSG, "a short answer from the child");
	launch->failed = get_u32(launch->answer);
	return err_set(err, (int)get_u32(launch->answer + 4), "%.*s", (int)size - 8,
		       launch->answer + 8);
}

static int set_up_network(struct launch *launch, struct err *err)
{
	if (launchnet_open_container(launch, err) < 0)
		return -1;
	if (run_sides(launch, 1u << SIDE_HOST | 1u << SIDE_CONTAINER, err) < 0)
		return -1;
	return launch_net(launch, false, err);
}

/* The child may have failed first, and the network only because there is no container any more. */
static void prefer_child(struct launch *launch, struct err *err)
{
	struct pollfd polled = {launch->link, POLLIN, 0};
	uint32_t failed = launch->failed;
	struct err other = {0};

	if (poll(&polled, 1, 0) <= 0)
		return;
	/* Without an answer it was killed, perhaps by us; then the first error says more. */
	if (child_answer(launch, &other) < 0 && launch->answer)
		*err = other;
	else
		launch->failed = failed;
}

int launch_run(struct launch *launch, struct err *err)
{
	launch->failed = ~0u;
	if (launchnet_open_host(launch, err) < 0 || run_sides(launch, 1u << SIDE_BEFORE, err) < 0)
		return -1;
	if (monitor_streams(launch->monitor, err) < 0 || clone_child(launch, err) < 0)
		return -1;
	if (set_up_network(launch, err) == 0)
		return child_answer(launch, err);
	prefer_child(launch, err);
	return -1;
}

void launch_undo(struct launch *launch)
{
	struct err ignored;

	(void)launch_net(launch, false, &ignored);
	if (launch->child > 0) {
		kill(launch->child, SIGKILL);
		waitpid(launch->child, NULL, 0);
	}
	cgroup_remove(&launch->monitor->cgroups);
}
