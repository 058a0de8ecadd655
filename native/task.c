#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "client.h"
#include "kernel.h"
#include "memory.h"
#include "monitor.h"
#include "task.h"
#include "tty.h"

#define LINGER 2000 /* ms that a dead program's output may be held open by others, as in Docker */

struct task *task_new(struct monitor *monitor)
{
	struct task *task = calloc(1, sizeof *task);

	if (!task)
		return NULL;
	task->monitor = monitor;
	task->exit.fd = task->input.watch.fd = task->link.fd = -1;
	task->held[0] = task->held[1] = task->held[2] = -1;
	for (int i = 0; i < 2; i++)
		task->output[i] = (struct output){.watch.fd = -1, .task = task, .index = i};
	return task;
}

static void close_watch(struct loop *loop, struct watch *watch)
{
	if (watch->fd < 0)
		return;
	loop_remove(loop, watch);
	close(watch->fd);
	watch->fd = -1;
}

void task_free(struct task *task)
{
	struct loop *loop = &task->monitor->loop;

	close_watch(loop, &task->exit);
	close_watch(loop, &task->link);
	close_watch(loop, &task->input.watch);
	close_watch(loop, &task->output[0].watch);
	close_watch(loop, &task->output[1].watch);
	loop_timer_clear(loop, &task->linger);
	for (int i = 0; i < 3; i++)
		close_fd(&task->held[i]);
	free(task->input.pending);
	free(task);
}

static bool has_output(const struct task *task)
{
	return task->output[0].watch.fd >= 0 || task->output[1].watch.fd >= 0;
}

static void finish(struct task *task)
{
	struct loop *loop = &task->monitor->loop;

	if (task->done)
		return;
	task->done = true;
	loop_timer_clear(loop, &task->linger);
	close_watch(loop, &task->output[0].watch);
	close_watch(loop, &task->output[1].watch);
	close_watch(loop, &task->input.watch);
	monitor_task_done(task->monitor, task);
}

static void end_output(struct output *output)
{
	struct task *task = output->task;

	close_watch(&task->monitor->loop, &output->watch);
	if (task == task->monitor->task)
		log_finish(&task->monitor->log, output->index);
}

/* Returns false when there is nothing more to read now. */
static bool read_once(struct output *output)
{
	char *buffer = memory_output();
	struct task *task = output->task;
	struct monitor *monitor = task->monitor;
	ssize_t n = read(output->watch.fd, buffer, MEMORY_OUTPUT);

	memory_used(monitor);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		/* A terminal says EIO when the last process that had it open is gone. */
		end_output(output);
		return false;
	}
	if (task == monitor->task) {
		log_write(&monitor->log, output->index, buffer, (size_t)n);
		monitor_log_grew(monitor);
	}
	if (client_output(task, output->index, buffer, (uint32_t)n) && !task->exited) {
		loop_remove(&monitor->loop, &output->watch);
		output->paused = true;
		return false;
	}
	return true;
}

static void on_output(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct output *output = CONTAINER_OF(watch, struct output, watch);
	struct task *task = output->task;

	(void)loop;
	(void)events;
	read_once(output);
	if (task->exited && !has_output(task))
		finish(task);
}

void task_resume(struct task *task)
{
	struct err err;

	for (int i = 0; i < 2; i++) {
		struct output *output = &task->output[i];

		if (!output->paused || output->watch.fd < 0)
			continue;
		output->paused = false;
		if (loop_add(&task->monitor->loop, &output->watch, EPOLLIN, &err) < 0)
			end_output(output);
	}
}

static int watch_output(struct output *output, int fd, struct err *err)
{
	output->watch = (struct watch){.fd = fd, .ready = on_output};
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return err_errno(err, "make output non-blocking");
	return loop_add(&output->task->monitor->loop, &output->watch, EPOLLIN, err);
}

static void on_input(struct loop *loop, struct watch *watch, uint32_t events);

static int watch_input(struct task *task, int fd, struct err *err)
{
	task->input.watch = (struct watch){.fd = fd, .ready = on_input};
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return err_errno(err, "make input non-blocking");
	return 0;
}

int task_streams(struct task *task, int input, int out, int error, struct err *err)
{
	int result = 0;

	if (input >= 0 && watch_input(task, input, err) < 0)
		result = -1;
	if (out >= 0 && watch_output(&task->output[0], out, err) < 0)
		result = -1;
	if (error >= 0 && watch_output(&task->output[1], error, err) < 0)
		result = -1;
	return result;
}

int task_terminal(struct task *task, int master, struct err *err)
{
	/* One description cannot be watched twice by the same descriptor. */
	int input = fcntl(master, F_DUPFD_CLOEXEC, 3);

	task->terminal = true;
	if (input < 0)
		return err_errno(err, "duplicate the terminal");
	return task_streams(task, input, master, -1, err);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void on_link(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct task *task = CONTAINER_OF(watch, struct task, link);
	uint8_t frame[FRAME_HEADER + 8 + sizeof((struct err *)0)->text];
	struct err err = {0};
	ssize_t n = recv(watch->fd, frame, 1, MSG_PEEK);

	(void)events;
	if (n > 0 && frame[0] != FRAME_ERROR) {
		task->held[0] = fd_receive(watch->fd);
		return;
	}
	if (n > 0)
		n = read_some(watch->fd, frame, sizeof frame);
	close_watch(loop, watch);
	if (n < 0) {
		/* It died before it had read all of the request. */
		put_u32(frame + FRAME_HEADER, ~0u);
		put_u32(frame + FRAME_HEADER + 4, ESRCH);
		client_started(task, frame + FRAME_HEADER, 8);
		return;
	}
	if (n >= FRAME_HEADER + 8) {
		client_started(task, frame + FRAME_HEADER, (size_t)n - FRAME_HEADER);
		return;
	}
	/* A container that was never asked to start was killed. */
	if (task != task->monitor->task || task->monitor->asked)
		task->started_at = now();
	if (task->terminal && task->held[0] >= 0)
		(void)task_terminal(task, take_fd(&task->held[0]), &err);
	else
		(void)task_streams(task, take_fd(&task->held[0]), take_fd(&task->held[1]),
				   take_fd(&task->held[2]), &err);
	client_started(task, NULL, 0);
}

int task_link(struct task *task, int link, struct err *err)
{
	task->link = (struct watch){.fd = link, .ready = on_link};
	return loop_add(&task->monitor->loop, &task->link, EPOLLIN, err);
}

static void on_linger(struct loop *loop, struct timer *timer)
{
	(void)loop;
	finish(CONTAINER_OF(timer, struct task, linger));
}

static void on_exit_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct task *task = CONTAINER_OF(watch, struct task, exit);

	(void)events;
	/* The outcome of execve comes before the end, also where both are here at once. */
	while (task->link.fd >= 0)
		on_link(loop, &task->link, EPOLLIN);
	/* Another's child, as an OCI runtime leaves them: the status is for its parent alone. */
	pid_t waited = waitpid(task->pid, &task->status, WNOHANG);
	if (waited != task->pid && !(waited < 0 && errno == ECHILD))
		return;
	task->finished_at = now();
	close_watch(loop, &task->exit);
	task->exited = true;
	/* What the dead wrote is all in the pipes by now. */
	for (int i = 0; i < 2; i++)
		while (task->output[i].watch.fd >= 0 && read_once(&task->output[i]))
			;
	if (!has_output(task)) {
		finish(task);
		return;
	}
	task_resume(task);
	task->linger.fire = on_linger;
	loop_timer(loop, &task->linger, LINGER);
}

int task_watch(struct task *task, pid_t pid, int pidfd, struct err *err)
{
	task->pid = pid;
	task->exit = (struct watch){.fd = pidfd, .ready = on_exit_ready};
	return loop_add(&task->monitor->loop, &task->exit, EPOLLIN, err);
}

int task_signal(struct task *task, int number)
{
	if (task->exit.fd < 0) {
		errno = ESRCH;
		return -1;
	}
	return sys_pidfd_send_signal(task->exit.fd, number);
}

static void drop_input(struct task *task)
{
	close_watch(&task->monitor->loop, &task->input.watch);
	free(task->input.pending);
	task->input.pending = NULL;
	task->input.size = task->input.start = 0;
}

static void on_input(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct task *task = CONTAINER_OF(watch, struct task, input.watch);
	struct input *input = &task->input;
	ssize_t n = events & EPOLLOUT ? write(watch->fd, input->pending + input->start,
					      input->size - input->start)
				      : -1;

	if (n < 0 && (errno == EAGAIN || errno == EINTR) && events & EPOLLOUT)
		return;
	if (n > 0)
		input->start += (size_t)n;
	if (n < 0 || (input->start == input->size && input->closing)) {
		drop_input(task);
	} else if (input->start == input->size) {
		free(input->pending);
		input->pending = NULL;
		input->size = input->start = 0;
		loop_remove(loop, watch);
	} else {
		return;
	}
	client_input_ready(task);
}

bool task_write(struct task *task, const char *data, uint32_t size)
{
	struct input *input = &task->input;
	struct err err;

	if (input->pending)
		return false;
	/* Nobody reads any more, as with a closed pipe: what comes is thrown away. */
	if (input->watch.fd < 0 || input->closing)
		return true;
	ssize_t n = write(input->watch.fd, data, size);
	if (n < 0 && errno != EAGAIN) {
		drop_input(task);
		return true;
	}
	uint32_t done = n < 0 ? 0 : (uint32_t)n;
	if (done == size)
		return true;
	input->pending = malloc(size - done);
	if (!input->pending || loop_add(&task->monitor->loop, &input->watch, EPOLLOUT, &err) < 0) {
		drop_input(task);
		return true;
	}
	memcpy(input->pending, data + done, size - done);
	input->start = 0;
	input->size = size - done;
	return true;
}

void task_close_input(struct task *task)
{
	if (task->terminal || task->input.watch.fd < 0)
		return;
	if (task->input.pending)
		task->input.closing = true;
	else
		drop_input(task);
}
