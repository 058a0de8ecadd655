#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "inside.h"
#include "join.h"
#include "kernel.h"
#include "opcodes.h"
#include "sock.h"
#include "tty.h"

struct join {
	struct target target;
	struct cgroups cgroups;
	struct process process;
	const char *console;
	unsigned preserved;
};

static int read_target(struct join *join, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	pid_t pid = (pid_t)args_number(&args);
	bool user_ns = args_number(&args) != 0;

	join->console = args_string(&args);
	join->preserved = (unsigned)args_number(&args);
	if (args_end(&args, err) < 0)
		return -1;
	join->target = (struct target){
	    .cgroups = &join->cgroups,
	    .pid = pid,
	    .pidfd = sys_pidfd_open(pid, 0),
	    .user_ns = user_ns ? K_CLONE_NEWUSER : 0,
	    .hand_over = true,
	};
	return join->target.pidfd < 0 ? err_errno(err, "find process %d", pid) : 0;
}

/* `join` comes first, then the cgroups, then what the program is started with. */
static int read_request(struct join *join, const struct request *request, struct err *err)
{
	struct request rest = *request;

	if (rest.count == 0 || rest.ops->code != OP_JOIN)
		return err_set(err, EINVAL, "`join` is not the first operation");
	if (read_target(join, rest.ops, err) < 0)
		return -1;
	for (rest.ops++, rest.count--; rest.count > 0 && rest.ops->code == OP_CGROUP;
	     rest.ops++, rest.count--) {
		struct args args = args_of(rest.ops);
		const char *path = args_string(&args);

		if (args_end(&args, err) < 0 || cgroup_create(&join->cgroups, path, err) < 0)
			return -1;
	}
	return process_parse(&rest, &join->process, err);
}

static int send_terminal(const char *console, int master, struct err *err)
{
	AUTO_CLOSE int terminal = master;
	AUTO_CLOSE int receiver = sock_connect(console, err);

	if (receiver < 0)
		return -1;
	return fd_send(receiver, terminal) < 0 ? err_errno(err, "send the terminal to %s", console)
					       : 0;
}

/* As task.h's task_link(): a terminal may come, then nothing but the end, or an error. */
static int await_program(const struct join *join, int link, struct err *err)
{
	uint8_t frame[FRAME_HEADER + 8 + sizeof err->text];

	if (join->process.terminal && recv(link, frame, 1, MSG_PEEK) == 1 &&
	    frame[0] != FRAME_ERROR) {
		int master = fd_receive(link);

		if (master < 0)
			return err_errno(err, "receive the terminal");
		if (send_terminal(join->console, master, err) < 0)
			return -1;
	}
	ssize_t n = read_some(link, frame, sizeof frame);
	if (n < 0)
		return err_errno(err, "start the program");
	if (n < FRAME_HEADER + 8)
		return 0;
	return err_set(err, (int)get_u32(frame + FRAME_HEADER + 4), "%.*s",
		       (int)n - FRAME_HEADER - 8, (char *)frame + FRAME_HEADER + 8);
}

static pid_t start(struct join *join, struct err *err)
{
	int ends[3] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}, link[2], pidfd = -1;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link) < 0)
		return err_errno(err, "socketpair");
	struct inside inside = {.link = link[1], .ends = ends, .preserved = join->preserved};
	pid_t pid = inside_fork(&join->target, &pidfd, err);
	if (pid == 0) {
		close(link[0]);
		inside_run(&join->target, &join->process, &inside);
	}
	close(link[1]);
	AUTO_CLOSE int outcome = link[0];
	return pid < 0 || await_program(join, outcome, err) < 0 ? -1 : pid;
}

int join_run(struct job *job)
{
	struct join join = {0};
	struct err err = {0};
	uint8_t number[4];
	pid_t pid = -1;

	if (read_request(&join, job->request, &err) == 0)
		pid = start(&join, &err);
	if (pid < 0) {
		answer_error(job->fd, -1, &err);
		return 1;
	}
	put_u32(number, (uint32_t)pid);
	return answer_ok(job->fd, number, sizeof number) < 0;
}
