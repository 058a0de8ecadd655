#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"
#include "kernel.h"
#include "util.h"

/* As a shell has it: 128 + signal. The monitor sees an exit code, for process 1 cannot die by a
 * signal. */
static int status_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void reap(pid_t program)
{
	int status;

	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		if (pid == program)
			_exit(status_code(status));
}

_Noreturn void init_run(pid_t program)
{
	sigset_t all;

	prctl(PR_SET_NAME, "init");
	/* Nothing of the engine's may stay open in a process that the container's root can look at.
	 */
	sys_close_range(0, ~0u, 0);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	/* One that ended before the signals were blocked has told nobody. */
	reap(program);
	for (;;) {
		siginfo_t info;
		int signal = sigwaitinfo(&all, &info);

		if (signal == SIGCHLD)
			reap(program);
		/* A terminal's own signals reach its foreground group without our help. */
		else if (signal > 0 && info.si_code != SI_KERNEL)
			kill(program, signal);
	}
}
