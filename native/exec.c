#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "exec.h"
#include "kernel.h"
#include "monitor.h"
#include "process.h"
#include "tty.h"

#define NS_ALL                                                                                     \
	(K_CLONE_NEWNS | K_CLONE_NEWNET | K_CLONE_NEWIPC | K_CLONE_NEWUTS | K_CLONE_NEWCGROUP)

/* The program's ends of its stdio. A terminal's are made inside. */
static int open_streams(struct task *task, const struct process *process, int ends[3],
			struct err *err)
{
	for (int i = 0; i < 3 && !process->terminal; i++) {
		int pipe[2];

		if (!process->carries[i]) {
			ends[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
			if (ends[i] < 0)
				return err_errno(err, "open /dev/null");
			continue;
		}
		if (pipe2(pipe, O_CLOEXEC) < 0)
			return err_errno(err, "make a pipe");
		ends[i] = pipe[i == 0 ? 0 : 1];
		task->held[i] = pipe[i == 0 ? 1 : 0];
	}
	return 0;
}

static int open_terminal(const struct process *process, int link, int ends[3], struct err *err)
{
	AUTO_CLOSE int dev = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dev < 0)
		return err_errno(err, "open /dev");
	AUTO_CLOSE int master = tty_open(dev, &ends[0], err);
	if (master < 0)
		return -1;
	ends[1] = ends[2] = ends[0];
	if (process->rows > 0)
		(void)tty_resize(master, process->rows, process->columns);
	return fd_send(link, master) < 0 ? err_errno(err, "pass the terminal") : 0;
}

static int enter(const struct monitor *monitor, struct err *err)
{
	if (cgroup_join(&monitor->cgroups, false, err) < 0)
		return -1;
	if (setns(monitor->task->exit.fd, (int)(NS_ALL | monitor->user_ns)) < 0)
		return err_errno(err, "enter the container");
	if (!monitor->user_ns)
		return 0;
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_errno(err, "become the container's root");
	prctl(PR_SET_DUMPABLE, 0);
	return 0;
}

static _Noreturn void child(const struct monitor *monitor, struct process *process, int link,
			    int ends[3])
{
	struct process_place place = {.terminal = process->terminal};
	struct err err = {0};

	place.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (enter(monitor, &err) == 0 &&
	    (!process->terminal || open_terminal(process, link, ends, &err) == 0)) {
		memcpy(place.streams, ends, sizeof place.streams);
		process_start(process, &place, &err);
	}
	answer_error(link, process->failed, &err);
	_exit(err.code == ENOENT ? 127 : 126);
}

static pid_t fork_inside(const struct monitor *monitor, int *pidfd, struct err *err)
{
	int init = monitor->task->exit.fd;
	pid_t pid = ns_fork_into(init, cgroup_v2(&monitor->cgroups), pidfd, err);

	if (pid >= 0 || err->code != EBUSY)
		return pid;
	AUTO_CLOSE int below = cgroup_v2_of(&monitor->cgroups, monitor->task->pid);
	return below < 0 ? -1 : ns_fork_into(init, below, pidfd, err);
}

static int begin(struct client *client, struct task *task, struct process *process, struct err *err)
{
	struct monitor *monitor = client->monitor;
	int ends[3] = {-1, -1, -1}, link[2], pidfd = -1;

	if (open_streams(task, process, ends, err) < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link) < 0)
		return err_errno(err, "socketpair");
	pid_t pid = fork_inside(monitor, &pidfd, err);
	if (pid == 0)
		child(monitor, process, link[1], ends);
	close(link[1]);
	for (int i = 0; i < 3; i++)
		close_fd(&ends[i]);
	if (pid < 0) {
		close(link[0]);
		return -1;
	}
	task->terminal = process->terminal;
	if (task_watch(task, pid, pidfd, err) < 0 || task_link(task, link[0], err) < 0)
		return -1;
	memcpy(client->carries, process->carries, sizeof client->carries);
	client->task = task;
	task->starter = client;
	task->next = monitor->tasks;
	monitor->tasks = task;
	return 0;
}

int exec_begin(struct client *client, const struct request *request, struct err *err)
{
	struct monitor *monitor = client->monitor;
	struct process process;

	if (!monitor->started || monitor->exited)
		return err_set(err, ESRCH, "the container is not running");
	struct task *task = task_new(monitor);
	if (!task)
		return err_errno(err, "memory for a task");
	int result = process_parse(request, &process, err);
	if (result == 0)
		result = begin(client, task, &process, err);
	process_free(&process);
	if (result < 0)
		task_free(task);
	return result;
}
