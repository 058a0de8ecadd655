#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "job.h"
#include "join.h"
#include "kernel.h"
#include "memory.h"
#include "monitor.h"
#include "record.h"
#include "sock.h"
#include "tty.h"

#define GREW_PAUSE 20 /* ms between news of a log that grows all the time */

static void on_grew(struct loop *loop, struct timer *timer)
{
	struct monitor *monitor = CONTAINER_OF(timer, struct monitor, grew);

	(void)loop;
	if (!monitor->grew_again)
		return;
	monitor->grew_again = false;
	monitor_log_grew(monitor);
}

void monitor_log_grew(struct monitor *monitor)
{
	char rotated[4];
	bool told = false;

	if (monitor->grew.set) {
		monitor->grew_again = true;
		return;
	}
	put_u32(rotated, monitor->log.rotated);
	for (struct client *client = monitor->clients; client; client = client->next)
		if (!client->dead && (client->role == ROLE_FOLLOW ||
				      (client->role == ROLE_CONTROL && monitor->log.rotated))) {
			client_send(client, FRAME_GREW, rotated, sizeof rotated);
			told = true;
		}
	if (!told)
		return;
	monitor->log.rotated = false;
	monitor->grew.fire = on_grew;
	loop_timer(&monitor->loop, &monitor->grew, GREW_PAUSE);
}

void monitor_go(struct monitor *monitor, struct client *client, const char *body, uint32_t size)
{
	struct err err = {0};
	char length[4];

	if (monitor->asked) {
		err_set(&err, EALREADY, "the container's program was started before");
		client_error(client, &err);
		return;
	}
	monitor->asked = true;
	monitor->task->starter = client;
	put_u32(length, size);
	/* A failure shows at the other end of the link, too, and is answered from there. */
	if (write_full(monitor->task->link.fd, length, sizeof length) == 0)
		(void)write_full(monitor->task->link.fd, body, size);
}

static void tell_oom(struct monitor *monitor)
{
	monitor->oom_told = true;
	for (struct client *client = monitor->clients; client; client = client->next)
		if (client->role == ROLE_CONTROL && !client->dead)
			client_send(client, FRAME_OOM, NULL, 0);
}

static void on_oom(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct monitor *monitor = CONTAINER_OF(watch, struct monitor, oom);
	char count[512];

	(void)loop;
	/* v1's eventfd tells of nothing else, and before the kill is counted; v2's file has other
	 * news, too. */
	if (pread(watch->fd, count, sizeof count, 0) < 0 &&
	    read(watch->fd, count, sizeof count) < 0)
		return;
	if (events & EPOLLPRI && !cgroup_oom_killed(&monitor->cgroups))
		return;
	tell_oom(monitor);
}

static void drop(struct monitor *monitor, struct watch *watch)
{
	if (watch->fd < 0)
		return;
	loop_remove(&monitor->loop, watch);
	close(watch->fd);
	watch->fd = -1;
}

/*
 * The order matters: the record is there before anybody hears of the end, and the socket's name is
 * free by then, for the next monitor of the same container may listen there at once.
 */
static void container_exited(struct monitor *monitor)
{
	bool oom = cgroup_oom_killed(&monitor->cgroups);
	struct err err;

	monitor->exited = true;
	drop(monitor, &monitor->oom);
	/* The news may come late: v2 gathers them for some milliseconds. */
	if (oom && !monitor->oom_told)
		tell_oom(monitor);
	/* A full disk: the daemon then finds a monitor that went away, and calls the container
	 * lost. */
	AUTO_CLOSE int record = record_exit(monitor->state_dir, monitor->task, oom, &err);
	if (!monitor->hands_over)
		cgroup_remove(&monitor->cgroups);
	sock_remove(monitor->run_dir, "monitor.sock");
	drop(monitor, &monitor->listener);
	monitor->grew_again = false;
	loop_timer_clear(&monitor->loop, &monitor->grew);
	monitor_log_grew(monitor);
	for (struct client *client = monitor->clients; client; client = client->next) {
		if (client->role == ROLE_CONTROL || client->role == ROLE_ATTACH)
			client_exit(client, monitor->task, oom);
		else if (client->role == ROLE_FOLLOW || client->role == ROLE_NEW)
			client_finish(client);
	}
	if (record >= 0)
		fsync(record);
}

void monitor_task_done(struct monitor *monitor, struct task *task)
{
	if (task == monitor->task) {
		container_exited(monitor);
	} else {
		for (struct client *client = monitor->clients; client; client = client->next)
			if (client->task == task && client->role == ROLE_EXEC && !client->closing)
				client_exit(client, task, false);
	}
	loop_timer(&monitor->loop, &monitor->sweep, 0);
}

static void on_sweep(struct loop *loop, struct timer *timer)
{
	struct monitor *monitor = CONTAINER_OF(timer, struct monitor, sweep);

	for (struct client **at = &monitor->clients; *at;) {
		struct client *client = *at;

		if (!client->dead) {
			at = &client->next;
			continue;
		}
		*at = client->next;
		client_free(client);
	}
	for (struct task **at = &monitor->tasks; *at;) {
		struct task *task = *at;

		if (!task->done || task == monitor->task) {
			at = &task->next;
			continue;
		}
		for (struct client *client = monitor->clients; client; client = client->next)
			if (client->task == task)
				client->task = NULL;
		*at = task->next;
		task_free(task);
	}
	/* Execs are dead, too: they were in the container's cgroup. */
	if (monitor->exited && !monitor->clients)
		loop_stop(loop);
}

static void on_connection(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct monitor *monitor = CONTAINER_OF(watch, struct monitor, listener);
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)loop;
	(void)events;
	if (fd >= 0)
		client_add(monitor, fd);
}

static int listen_for_clients(struct monitor *monitor, struct err *err)
{
	AUTO_FREE char *path = malloc(strlen(monitor->run_dir) + sizeof "/monitor.sock");

	if (!path)
		return err_errno(err, "memory for a path");
	sprintf(path, "%s/monitor.sock", monitor->run_dir);
	monitor->listener = (struct watch){.fd = sock_listen(path, err), .ready = on_connection};
	if (monitor->listener.fd < 0)
		return -1;
	return loop_add(&monitor->loop, &monitor->listener, EPOLLIN, err);
}

static int watch_oom(struct monitor *monitor, struct err *err)
{
	bool pri = false;

	monitor->oom =
	    (struct watch){.fd = cgroup_oom_event(&monitor->cgroups, &pri), .ready = on_oom};
	if (monitor->oom.fd < 0)
		return 0;
	return loop_add(&monitor->loop, &monitor->oom, pri ? EPOLLPRI : EPOLLIN, err);
}

static int watch_container(struct launch *launch, struct err *err)
{
	struct monitor *monitor = launch->monitor;

	monitor->user_ns = launch->ns.create & K_CLONE_NEWUSER;
	monitor->tasks = monitor->task;
	monitor->sweep.fire = on_sweep;
	for (int i = 0; i < 3; i++)
		close_fd(&monitor->program_ends[i]);
	if (task_link(monitor->task, launch->link, err) < 0 ||
	    task_watch(monitor->task, launch->child, launch->pidfd, err) < 0)
		return -1;
	if (watch_oom(monitor, err) < 0)
		return -1;
	return listen_for_clients(monitor, err);
}

/* u32 pid | u32 monitor | files as the child wrote them */
static int answer_launched(int fd, const struct launch *launch)
{
	AUTO_FREE char *payload = malloc(8 + launch->answer_size);

	if (!payload)
		return -1;
	put_u32(payload, (uint32_t)launch->child);
	put_u32(payload + 4, (uint32_t)getpid());
	memcpy(payload + 8, launch->answer, launch->answer_size);
	return answer_ok(fd, payload, 8 + launch->answer_size);
}

static void ignore_signals(void)
{
	static const int numbers[] = {SIGPIPE, SIGHUP, SIGINT, SIGTERM, SIGQUIT};

	for (size_t i = 0; i < LENGTH(numbers); i++)
		signal(numbers[i], SIG_IGN);
}

static int launch(struct job *job, struct monitor *monitor, struct err *err)
{
	struct launch launch = {
	    .request = job->request,
	    .monitor = monitor,
	    .pool = job->pool,
	    .loop = &monitor->loop,
	    .host_net = -1,
	    .container_net = -1,
	    .pidfd = -1,
	    .link = -1,
	    .caller = job->fd,
	    .root = -1,
	    .proc = -1,
	    .empty = -1,
	};
	int result = launch_run(&launch, err);

	if (result == 0 && (result = watch_container(&launch, err)) < 0)
		launch.failed = ~0u;
	if (result < 0) {
		launch_undo(&launch);
		answer_error(job->fd, (long)(int32_t)launch.failed, err);
	} else {
		/* The daemon may be gone by now: its successor finds the socket. */
		(void)answer_launched(job->fd, &launch);
	}
	free(launch.answer);
	close_fd(&launch.host_net);
	close_fd(&launch.container_net);
	return result;
}

/* Who asked for the container controls it on the same connection. */
static void keep_control(int fd, struct monitor *monitor)
{
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	struct client *client = client_add(monitor, fd);
	if (client)
		client->role = ROLE_CONTROL;
}

static int monitor_run(struct job *job)
{
	struct monitor *monitor = calloc(1, sizeof *monitor);
	struct err err = {0};

	setsid();
	ignore_signals();
	prctl(PR_SET_NAME, "slipway-monitor");
	if (!monitor || loop_init(&monitor->loop, &err) < 0) {
		answer_error(job->fd, -1, &err);
		return 1;
	}
	monitor->log.fd = monitor->oom.fd = monitor->listener.fd = -1;
	for (int i = 0; i < 3; i++)
		monitor->program_ends[i] = -1;
	monitor->task = task_new(monitor);
	if (launch(job, monitor, &err) < 0)
		return 1;
	request_free(job->request);
	keep_control(job->fd, monitor);
	/* The daemon's log is the daemon's: this process must not keep it open. */
	AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(null, STDERR_FILENO);
	if (monitor->inherits) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
	}
	memory_settle(&monitor->loop);
	if (loop_run(&monitor->loop, &err) < 0)
		return 1;
	if (!monitor->inherits)
		return 0;
	/* Who waits for this process waits for the container. */
	int status = monitor->task->status;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

const struct job_kind runtime_jobs[] = {{JOB_RUN, monitor_run}, {JOB_JOIN, join_run}, {0}};
