/* The last steps before a program: what each needs decides the order. */
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "hook.h"
#include "init.h"
#include "kernel.h"
#include "opcodes.h"
#include "process.h"
#include "rlimit.h"
#include "search.h"
#include "seccomp.h"
#include "tty.h"

#define KEYCTL_JOIN_SESSION_KEYRING 1
#define KEYCTL_SETPERM 5
#define KEYRING_POSSESSOR_ALL 0x3f000000
#define KEYRING_USER_SEARCH 0x00130000

/* Sets process->failed to the operation of this code, whose setting did not take. */
static int blame(struct process *process, uint16_t code)
{
	for (uint32_t i = 0; i < process->request->count; i++)
		if (process->request->ops[i].code == code)
			process->failed = i;
	return -1;
}

static int write_self(int proc, const char *file, const char *text, struct err *err)
{
	struct k_open_how how = {
	    .flags = O_WRONLY | O_CLOEXEC,
	    .resolve = K_RESOLVE_BENEATH | K_RESOLVE_NO_XDEV,
	};
	AUTO_CLOSE int fd = sys_openat2(proc, file, how);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return err_errno(err, "write %s to /proc/%s", text, file);
	return 0;
}

/* A new keyring, so that the engine's is not the container's; kernels without keys have nothing to
 * hide. */
static int join_keyring(const char *name, struct err *err)
{
	long key = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0);

	if (key < 0)
		return errno == ENOSYS || errno == EDQUOT
			   ? 0
			   : err_errno(err, "make a session keyring");
	(void)syscall(SYS_keyctl, KEYCTL_SETPERM, key, KEYRING_POSSESSOR_ALL | KEYRING_USER_SEARCH,
		      0, 0);
	return 0;
}

/* Lowering the score needs CAP_SYS_RESOURCE: without it, the container has the engine's. */
static int set_oom_score(int proc, int score, struct err *err)
{
	char text[16];

	snprintf(text, sizeof text, "%d", score);
	if (write_self(proc, "self/oom_score_adj", text, err) < 0 && err->code != EACCES)
		return -1;
	return 0;
}

static int set_label(const struct process *process, int proc, struct err *err)
{
	char text[512];

	if (strcmp(process->lsm, "selinux") == 0)
		return write_self(proc, "thread-self/attr/exec", process->label, err);
	snprintf(text, sizeof text, "exec %s", process->label);
	if (write_self(proc, "thread-self/attr/apparmor/exec", text, err) == 0)
		return 0;
	return err->code == ENOENT ? write_self(proc, "thread-self/attr/exec", text, err) : -1;
}

static int set_process(struct process *process, const struct process_place *place, struct err *err)
{
	if (process->keyring && join_keyring(process->keyring, err) < 0)
		return blame(process, OP_KEYRING);
	if (process->has_oom_score && set_oom_score(place->proc, process->oom_score, err) < 0)
		return blame(process, OP_OOM_SCORE_ADJ);
	for (unsigned i = 0; i < process->limits; i++)
		if (rlimit_set(process->limit[i].resource, process->limit[i].soft,
			       process->limit[i].hard, err) < 0)
			return blame(process, OP_RLIMIT);
	if (process->label && set_label(process, place->proc, err) < 0)
		return blame(process, OP_LABEL);
	if (process->has_umask)
		umask(process->umask);
	return 0;
}

/*
 * Descriptors 0 to 2. Pipes become the user's: a program may open /dev/stdout again, which is
 * /proc/self/fd/1, and that asks for permission anew.
 */
static int set_streams(const struct process *process, const struct process_place *place,
		       struct err *err)
{
	for (int fd = 0; fd < 3; fd++) {
		struct stat st;

		if (dup2(place->streams[fd], fd) < 0)
			return err_errno(err, "set descriptor %d", fd);
		if (fstat(fd, &st) == 0 && process->has_user && !S_ISCHR(st.st_mode))
			(void)fchown(fd, process->uid, process->gid);
	}
	if (place->terminal && process->has_user)
		(void)fchown(STDIN_FILENO, process->uid, (gid_t)-1);
	if (place->terminal && process->rows > 0)
		(void)tty_resize(STDIN_FILENO, process->rows, process->columns);
	return place->terminal ? tty_control(STDIN_FILENO, err) : 0;
}

static int set_user(struct process *process, struct err *err)
{
	if (!process->has_user)
		return 0;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_errno(err, "keep capabilities");
	if (setgroups(process->group_count, process->groups) < 0)
		return err_errno(err, "setgroups");
	if (setresgid(process->gid, process->gid, process->gid) < 0)
		return err_errno(err, "setgid %u", process->gid);
	if (setresuid(process->uid, process->uid, process->uid) < 0)
		return err_errno(err, "setuid %u", process->uid);
	return 0;
}

/* Refuses a directory that lies outside the root, such as one leaked by /proc/self/fd
 * (CVE-2024-21626). */
static int enter_cwd(const char *cwd, struct err *err)
{
	char now[PATH_MAX];

	if (chdir(cwd) < 0)
		return err_errno(err, "enter the working directory %s", cwd);
	if (syscall(SYS_getcwd, now, sizeof now) < 0)
		return err_errno(err, "the working directory %s", cwd);
	if (now[0] != '/')
		return err_set(err, ENOENT, "the working directory %s is outside the container",
			       cwd);
	return 0;
}

/* Node ignores SIGPIPE, and a mask is inherited: the program gets neither. */
static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < 65; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Goes on as the program, a child of this process. On a terminal it is the foreground job. */
static int become_init(const struct process_place *place, struct err *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_errno(err, "fork the program");
	if (pid > 0)
		init_run(pid);
	setpgid(0, 0);
	if (place->terminal) {
		signal(SIGTTOU, SIG_IGN);
		(void)tcsetpgrp(STDIN_FILENO, getpid());
	}
	return 0;
}

static int apply(struct process *process, const struct process_place *place, struct err *err)
{
	/* Without no_new_privs, loading a filter needs CAP_SYS_ADMIN, which is about to go. */
	bool early = process->seccomp.size > 0 && !process->no_new_privileges;

	if (set_process(process, place, err) < 0)
		return -1;
	if (set_streams(process, place, err) < 0)
		return -1;
	if (process->has_caps && caps_bound(process->caps.bounding, err) < 0)
		return blame(process, OP_CAPS);
	/* The engine may enter directories that the user may not, and the other way round over NFS.
	 */
	bool entered = enter_cwd(process->cwd, err) == 0;
	if (!entered && err->code != EACCES)
		return blame(process, OP_CWD);
	if (early && seccomp_load(process->seccomp.data, process->seccomp.size, err) < 0)
		return blame(process, OP_SECCOMP);
	if (set_user(process, err) < 0)
		return blame(process, OP_USER);
	if (process->has_caps && caps_set(&process->caps, err) < 0)
		return blame(process, OP_CAPS);
	if (!entered && enter_cwd(process->cwd, err) < 0)
		return blame(process, OP_CWD);
	if (process->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		err_errno(err, "set no_new_privs");
		return blame(process, OP_NO_NEW_PRIVILEGES);
	}
	/* They were moved up by one, for 3 was the runtime's own connection. */
	for (unsigned i = 0; i < place->preserved; i++)
		if (dup2((int)(4 + i), (int)(3 + i)) < 0)
			return err_errno(err, "keep descriptor %u", 3 + i);
	sys_close_range(3 + place->preserved, ~0u, K_CLOSE_RANGE_CLOEXEC);
	if (process->seccomp.size > 0 && !early &&
	    seccomp_load(process->seccomp.data, process->seccomp.size, err) < 0)
		return blame(process, OP_SECCOMP);
	return 0;
}

void process_start(struct process *process, const struct process_place *place, struct err *err)
{
	static char *nothing[] = {NULL};

	setsid();
	if (apply(process, place, err) < 0)
		return;
	for (unsigned i = 0; i < process->hooks; i++)
		if (hook_run(process->hook[i], NULL, err) < 0)
			return;
	/* Nothing runs without its monitor. A change of user has cleared what was set before. */
	if (!place->orphan)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (process->init && become_init(place, err) < 0)
		return;
	reset_signals();
	blame(process, OP_ARGV);
	search_exec(process->argv, process->env ? process->env : nothing, err);
}
