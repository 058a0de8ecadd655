#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "hook.h"
#include "kernel.h"

struct hook {
	const char *path, *state;
	char **argv, **env; /* owned */
	unsigned seconds;
};

static char **strings(struct args *args)
{
	size_t count;
	const struct field *items = args_list(args, &count);
	char **list = calloc(count + 1, sizeof *list);

	for (size_t i = 0; list && i < count; i++)
		list[i] = items[i].data;
	return list;
}

static _Noreturn void become(const struct hook *hook, int input, int output)
{
	dup2(input, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	sys_close_range(3, ~0u, K_CLOSE_RANGE_CLOEXEC);
	signal(SIGPIPE, SIG_DFL);
	execve(hook->path, hook->argv, hook->env);
	dprintf(STDERR_FILENO, "%s", strerror(errno));
	_exit(127);
}

/* Reads what it says last, until it ends or its time has come. */
static int await(const struct hook *hook, pid_t pid, int output, struct err *err)
{
	char said[128] = "";
	int status;
	struct pollfd polled = {output, POLLIN, 0};

	while (poll(&polled, 1, hook->seconds > 0 ? (int)hook->seconds * 1000 : -1) != 0) {
		ssize_t n = read(output, said, sizeof said - 1);

		if (n <= 0)
			break;
		said[n] = '\0';
		said[strcspn(said, "\n")] = '\0';
	}
	if (!polled.revents)
		kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) < 0)
		return err_errno(err, "wait for the hook %s", hook->path);
	if (!polled.revents)
		return err_set(err, ETIME, "hook %s took more than %u s", hook->path,
			       hook->seconds);
	if (status != 0)
		return err_set(err, EINVAL, "hook %s ended with %d: %s", hook->path,
			       WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
			       said);
	return 0;
}

static int run(const struct hook *hook, struct err *err)
{
	int input[2], output[2];

	if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0)
		return err_errno(err, "make a pipe");
	pid_t pid = fork();
	if (pid == 0)
		become(hook, input[0], output[1]);
	close(input[0]);
	close(output[1]);
	AUTO_CLOSE int from = output[0];
	if (pid > 0)
		(void)write_full(input[1], hook->state, strlen(hook->state));
	close(input[1]);
	if (pid < 0)
		return err_errno(err, "fork a hook");
	return await(hook, pid, from, err);
}

int hook_run(const struct op *op, const char *state, struct err *err)
{
	struct args args = args_of(op);
	struct hook hook = {.path = args_string(&args)};
	AUTO_FREE char **argv = hook.argv = strings(&args);
	AUTO_FREE char **env = hook.env = strings(&args);

	hook.seconds = (unsigned)args_number(&args);
	hook.state = args_string(&args);
	if (args_end(&args, err) < 0)
		return -1;
	if (!argv || !env)
		return err_errno(err, "memory for a hook");
	if (!hook.state[0])
		hook.state = state ? state : "{}";
	return run(&hook, err);
}
