#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "carrier.h"
#include "util.h"

#define WAIT 10000 /* ms; pasta takes 0.1 s, slirp4netns 0.05 */

struct program {
	const char *name;
	void (*run)(const char *holder, int ready);
};

/* `ready` gets what it writes when packets flow. Ports are ours to publish, loopback is not to be
 * reached. */
static void run_pasta(const char *holder, int ready)
{
	char pid_file[32];

	/* It ignores it by itself, and takes it for a failure where that was done before. */
	signal(SIGPIPE, SIG_DFL);
	snprintf(pid_file, sizeof pid_file, "/proc/self/fd/%d", ready);
	execlp("pasta", "pasta", "--quiet", "--foreground", "--config-net", "--pid", pid_file,
	       "--ns-ifname", "tap0", "--address", "10.0.2.100", "--netmask", "24", "--gateway",
	       "10.0.2.2", "--dns-forward", "10.0.2.3", "--no-map-gw", "--tcp-ports", "none",
	       "--udp-ports", "none", "--tcp-ns", "none", "--udp-ns", "none", holder, NULL);
}

static void run_slirp(const char *holder, int ready)
{
	char ready_fd[32];

	/* What it says once packets flow has no reader any more. */
	signal(SIGPIPE, SIG_IGN);
	snprintf(ready_fd, sizeof ready_fd, "--ready-fd=%d", ready);
	execlp("slirp4netns", "slirp4netns", "--configure", "--mtu=65520",
	       "--disable-host-loopback", ready_fd, holder, "tap0", NULL);
}

static const struct program programs[] = {{"pasta", run_pasta}, {"slirp4netns", run_slirp}};

/* What the program said last before it failed. */
static void read_reason(int output, char reason[96])
{
	ssize_t n = read_some(output, reason, 95);

	reason[n < 0 ? 0 : n] = '\0';
	reason[strcspn(reason, "\n")] = '\0';
}

static _Noreturn void become(const struct program *program, pid_t holder, int ready, int output)
{
	char pid[16];

	/* It has no reason to outlive this process, which ends with the namespaces. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(output, STDERR_FILENO);
	dup2(output, STDOUT_FILENO);
	snprintf(pid, sizeof pid, "%d", holder);
	program->run(pid, ready);
	dprintf(STDERR_FILENO, "%s", errno == ENOENT ? "not installed" : strerror(errno));
	_exit(127);
}

/* Whether it has said that it is ready before its end. */
static bool is_ready(int ready)
{
	struct pollfd polled = {ready, POLLIN, 0};
	char byte;

	return poll(&polled, 1, WAIT) == 1 && read(ready, &byte, 1) == 1;
}

static int start(const struct program *program, pid_t holder, pid_t *pid, char reason[96])
{
	int ready[2], output[2];

	if (pipe(ready) < 0 || pipe2(output, O_CLOEXEC) < 0)
		return -1;
	fcntl(ready[0], F_SETFD, FD_CLOEXEC);
	*pid = fork();
	if (*pid == 0)
		become(program, holder, ready[1], output[1]);
	close(ready[1]);
	close(output[1]);
	AUTO_CLOSE int from = ready[0];
	AUTO_CLOSE int said = output[0];
	if (*pid > 0 && is_ready(from))
		return 0;
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		read_reason(said, reason);
		waitpid(*pid, NULL, 0);
	}
	return -1;
}

int carrier_start(struct carrier *carrier, pid_t holder, struct err *err)
{
	char reasons[LENGTH(programs)][96] = {"", ""};

	for (size_t i = 0; i < LENGTH(programs); i++) {
		carrier->name = programs[i].name;
		if (start(&programs[i], holder, &carrier->pid, reasons[i]) == 0)
			return 0;
	}
	return err_set(err, ENOENT, "pasta: %s; slirp4netns: %s", reasons[0], reasons[1]);
}
