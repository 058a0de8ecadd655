#include <fcntl.h>
#include <sys/socket.h>

#include "exec.h"
#include "inside.h"
#include "monitor.h"
#include "process.h"

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

static struct target target_of(const struct monitor *monitor)
{
	return (struct target){
	    .cgroups = &monitor->cgroups,
	    .pid = monitor->task->pid,
	    .pidfd = monitor->task->exit.fd,
	    .user_ns = monitor->user_ns,
	};
}

static int begin(struct client *client, struct task *task, struct process *process, struct err *err)
{
	struct monitor *monitor = client->monitor;
	int ends[3] = {-1, -1, -1}, link[2], pidfd = -1;

	if (open_streams(task, process, ends, err) < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link) < 0)
		return err_errno(err, "socketpair");
	struct target target = target_of(monitor);
	struct inside inside = {.link = link[1], .ends = ends};
	pid_t pid = inside_fork(&target, &pidfd, err);
	if (pid == 0)
		inside_run(&target, process, &inside);
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
