/* What the clients of a monitor may ask for, by role. */
#include <signal.h>
#include <sys/wait.h>

#include "exec.h"
#include "monitor.h"
#include "net.h"
#include "opcodes.h"
#include "tty.h"

static uint32_t state(const struct monitor *monitor)
{
	return monitor->exited ? 2 : monitor->started ? 1 : 0;
}

static void start_control(struct client *client)
{
	char payload[16];

	client->role = ROLE_CONTROL;
	put_u32(payload, (uint32_t)client->monitor->task->pid);
	put_u32(payload + 4, state(client->monitor));
	put_u64(payload + 8, client->monitor->task->started_at);
	client_send(client, FRAME_OK, payload, sizeof payload);
}

static void start_attach(struct client *client, const struct request *request)
{
	struct err err = {0};

	if (request->count != 1 || request->ops[0].code != OP_ATTACH) {
		err_set(&err, EINVAL, "an attach request has one operation");
		client_error(client, &err);
		client_finish(client);
		return;
	}
	struct args args = args_of(&request->ops[0]);
	for (int i = 0; i < 3; i++)
		client->carries[i] = args_number(&args) != 0;
	if (args_end(&args, &err) < 0) {
		client_error(client, &err);
		client_finish(client);
		return;
	}
	client->role = ROLE_ATTACH;
	client->task = client->monitor->task;
	client_send(client, FRAME_OK, NULL, 0);
}

void client_request(struct client *client, struct request *request)
{
	struct err err = {0};

	switch (request->kind) {
	case JOB_CONTROL:
		start_control(client);
		return;
	case JOB_ATTACH:
		start_attach(client, request);
		return;
	case JOB_FOLLOW:
		client->role = ROLE_FOLLOW;
		client_send(client, FRAME_OK, NULL, 0);
		return;
	case JOB_EXEC:
		client->role = ROLE_EXEC;
		if (exec_begin(client, request, &err) == 0)
			return;
		break;
	case JOB_NETWORK:
		if (net_change(&client->monitor->loop, client->monitor->task->pid, request, &err) <
		    0)
			break;
		client_send(client, FRAME_OK, NULL, 0);
		client_finish(client);
		return;
	default:
		err_set(&err, ENOSYS, "a monitor knows no job of kind %u", request->kind);
	}
	client_error(client, &err);
	client_finish(client);
}

static int deliver_signal(struct task *task, const char *payload, uint32_t size, struct err *err)
{
	if (size != 4)
		return err_set(err, EINVAL, "a signal is 4 bytes");
	return task_signal(task, (int)get_u32(payload)) < 0 ? err_errno(err, "send the signal") : 0;
}

static int resize(struct task *task, const char *payload, uint32_t size, struct err *err)
{
	if (size != 4)
		return err_set(err, EINVAL, "a size is 4 bytes");
	if (!task->terminal || task->output[0].watch.fd < 0)
		return err_set(err, ENOTTY, "there is no terminal");
	if (tty_resize(task->output[0].watch.fd, get_u16(payload), get_u16(payload + 2)) < 0)
		return err_errno(err, "resize the terminal");
	return 0;
}

static void answer(struct client *client, int result, const struct err *err)
{
	if (result < 0)
		client_error(client, err);
	else
		client_send(client, FRAME_OK, NULL, 0);
}

static void control_frame(struct client *client, uint8_t type, const char *payload, uint32_t size)
{
	struct task *task = client->monitor->task;
	struct err err = {0};

	switch (type) {
	case FRAME_GO:
		monitor_go(client->monitor, client, payload, size);
		return;
	case FRAME_SIGNAL:
		answer(client, deliver_signal(task, payload, size, &err), &err);
		return;
	case FRAME_RESIZE:
		answer(client, resize(task, payload, size, &err), &err);
		return;
	default:
		err_set(&err, ENOSYS, "a control connection has no frame of type %u", type);
		client_error(client, &err);
	}
}

/* Frames of a session are not answered: there is nothing that its client could do about a failure.
 */
static void session_frame(struct client *client, uint8_t type, const char *payload, uint32_t size)
{
	struct err ignored;

	if (!client->task)
		return;
	if (type == FRAME_RESIZE)
		(void)resize(client->task, payload, size, &ignored);
	else if (type == FRAME_SIGNAL && client->role == ROLE_EXEC)
		(void)deliver_signal(client->task, payload, size, &ignored);
	else if (type == FRAME_STDIN && size == 0 && client->carries[0] &&
		 (client->role == ROLE_EXEC || client->monitor->stdin_once))
		task_close_input(client->task);
}

void client_frame(struct client *client, uint8_t type, const char *payload, uint32_t size)
{
	if (client->role == ROLE_CONTROL)
		control_frame(client, type, payload, size);
	else if (client->role == ROLE_ATTACH || client->role == ROLE_EXEC)
		session_frame(client, type, payload, size);
}

void client_started(struct task *task, const void *error, size_t size)
{
	struct client *client = task->starter;
	char payload[12];

	task->starter = NULL;
	if (!error && task == task->monitor->task)
		task->monitor->started = true;
	if (!client)
		return;
	put_u32(payload, (uint32_t)task->pid);
	put_u64(payload + 4, task->started_at);
	if (!error) {
		client_send(client, FRAME_OK, payload, sizeof payload);
		return;
	}
	client_send(client, FRAME_ERROR, error, size);
	if (client->role == ROLE_EXEC)
		client_finish(client);
}

void client_exit(struct client *client, const struct task *task, bool oom)
{
	bool killed = WIFSIGNALED(task->status);
	char payload[20];

	put_u32(payload,
		(uint32_t)(killed ? 128 + WTERMSIG(task->status) : WEXITSTATUS(task->status)));
	put_u32(payload + 4, (uint32_t)(killed ? WTERMSIG(task->status) : 0));
	put_u32(payload + 8, oom);
	put_u64(payload + 12, task->finished_at);
	client_send(client, FRAME_EXIT, payload, sizeof payload);
	client_finish(client);
}

void client_gone(struct client *client)
{
	struct monitor *monitor = client->monitor;

	for (struct task *task = monitor->tasks; task; task = task->next)
		if (task->starter == client)
			task->starter = NULL;
	if (client->task && client->carries[0] &&
	    (client->role == ROLE_EXEC || (client->role == ROLE_ATTACH && monitor->stdin_once)))
		task_close_input(client->task);
}
