#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "arguments.h"
#include "kernel.h"
#include "ns.h"

bool ns_is_initial_user(void)
{
	unsigned long inside, outside, count;
	char map[256];
	AUTO_CLOSE int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read_some(fd, map, sizeof map - 1);

	if (n < 0)
		return true;
	map[n] = '\0';
	return sscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3 && inside == 0 &&
	       outside == 0 && count == 0xffffffffu;
}

int ns_parse(const struct op *op, struct namespaces *ns, struct err *err)
{
	struct args args = args_of(op);

	*ns = (struct namespaces){.create = args_number(&args)};
	ns->uid_map = args_string(&args);
	ns->gid_map = args_string(&args);
	uint64_t joins = args_number(&args);
	if (joins > NS_JOINS)
		return err_set(err, E2BIG, "more than %d namespaces to join", NS_JOINS);
	for (ns->joins = 0; ns->joins < joins; ns->joins++) {
		ns->join[ns->joins].kind = args_number(&args);
		ns->join[ns->joins].path = args_string(&args);
		/* Namespaces made before it was joined would belong to the wrong one. */
		if (ns->join[ns->joins].kind == K_CLONE_NEWUSER)
			return err_set(err, ENOTSUP, "a user namespace cannot be joined");
	}
	return args_end(&args, err);
}

static const char *pid_join(const struct namespaces *ns)
{
	for (unsigned i = 0; i < ns->joins; i++)
		if (ns->join[i].kind == K_CLONE_NEWPID)
			return ns->join[i].path;
	return NULL;
}

static pid_t clone_with(uint64_t flags, int cgroup, int *pidfd, struct err *err)
{
	struct k_clone_args args = {
	    .flags = flags | K_CLONE_PIDFD | (cgroup >= 0 ? K_CLONE_INTO_CGROUP : 0),
	    .pidfd = (uintptr_t)pidfd,
	    /* The kernel wants none where the parent is another: ours is taken. */
	    .exit_signal = flags & K_CLONE_PARENT ? 0 : SIGCHLD,
	    .cgroup = (uint64_t)cgroup,
	};
	pid_t pid = sys_clone3(&args);

	return pid < 0 ? err_errno(err, "clone with flags %llx", (unsigned long long)args.flags)
		       : pid;
}

/* Our own PID namespace, to come back to. */
static int open_own_pids(struct err *err)
{
	int fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_errno(err, "open /proc/self/ns/pid") : fd;
}

/* The child is born where this process's children are, for the moment, born. */
static pid_t clone_there_and_back(int pids, uint64_t flags, int cgroup, int *pidfd, struct err *err)
{
	AUTO_CLOSE int own = open_own_pids(err);

	if (own < 0)
		return -1;
	if (setns(pids, (int)K_CLONE_NEWPID) < 0)
		return err_errno(err, "join a PID namespace");
	pid_t pid = clone_with(flags, cgroup, pidfd, err);
	if (pid != 0 && setns(own, (int)K_CLONE_NEWPID) < 0)
		return err_errno(err, "go back to the own PID namespace");
	return pid;
}

/* In a process in between: makes a sibling of it, which is our child, and tells its PID. */
static pid_t clone_sibling(int pids, uint64_t flags, int cgroup, int tell)
{
	struct k_clone_args args = {
	    .flags = flags | K_CLONE_PARENT | (cgroup >= 0 ? K_CLONE_INTO_CGROUP : 0),
	    .cgroup = (uint64_t)cgroup,
	};
	int result[2] = {-1, 0};

	if (setns(pids, (int)K_CLONE_NEWPID) == 0)
		result[0] = sys_clone3(&args);
	if (result[0] == 0)
		return 0;
	result[1] = errno;
	(void)write_full(tell, result, sizeof result);
	_exit(0);
}

/*
 * Rootless, a process that has left its PID namespace for its children cannot go back: that one is
 * the machine's. So another process goes.
 */
static pid_t clone_by_another(int pids, uint64_t flags, int cgroup, int *pidfd, struct err *err)
{
	int told[2], result[2] = {-1, EPIPE};

	if (pipe2(told, O_CLOEXEC) < 0)
		return err_errno(err, "make a pipe");
	/* A sibling's sibling is its own parent's child. */
	struct k_clone_args sibling = {.flags = K_CLONE_PARENT};
	pid_t between = flags & K_CLONE_PARENT ? sys_clone3(&sibling) : fork();
	if (between == 0) {
		pid_t pid = clone_sibling(pids, flags, cgroup, told[1]);

		close(told[0]);
		close(told[1]);
		return pid;
	}
	close(told[1]);
	if (between > 0) {
		(void)read_full(told[0], result, sizeof result);
		waitpid(between, NULL, 0);
	}
	close(told[0]);
	errno = result[1];
	if (result[0] < 0)
		return err_errno(err, "start a process in a PID namespace");
	*pidfd = sys_pidfd_open(result[0], 0);
	return *pidfd < 0 ? err_errno(err, "pidfd of a process") : result[0];
}

static pid_t clone_in_pids(int pids, uint64_t flags, int cgroup, int *pidfd, struct err *err)
{
	if (ns_is_initial_user())
		return clone_there_and_back(pids, flags, cgroup, pidfd, err);
	return clone_by_another(pids, flags, cgroup, pidfd, err);
}

/* Hides the arguments from the container, and shows them again in the process that goes on. */
static pid_t clone_hidden(int pids, uint64_t flags, int cgroup, int *pidfd, struct err *err)
{
	arguments_hide();
	pid_t pid = pids < 0 ? clone_with(flags, cgroup, pidfd, err)
			     : clone_in_pids(pids, flags, cgroup, pidfd, err);

	if (pid != 0)
		arguments_show();
	return pid;
}

pid_t ns_clone(const struct namespaces *ns, int cgroup, int *pidfd, struct err *err)
{
	uint64_t flags = ns->create & ~K_CLONE_NEWCGROUP;
	const char *path = pid_join(ns);

	if (!path)
		return clone_hidden(-1, flags, cgroup, pidfd, err);
	AUTO_CLOSE int pids = open(path, O_RDONLY | O_CLOEXEC);
	if (pids < 0)
		return err_errno(err, "open %s", path);
	return clone_hidden(pids, flags, cgroup, pidfd, err);
}

pid_t ns_fork_into(int pidfd, uint64_t flags, int cgroup, int *child_pidfd, struct err *err)
{
	return clone_hidden(pidfd, flags, cgroup, child_pidfd, err);
}

int ns_join(const struct namespaces *ns, struct err *err)
{
	for (unsigned i = 0; i < ns->joins; i++) {
		if (ns->join[i].kind == K_CLONE_NEWPID)
			continue;
		AUTO_CLOSE int fd = open(ns->join[i].path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_errno(err, "open %s", ns->join[i].path);
		if (setns(fd, (int)ns->join[i].kind) < 0)
			return err_errno(err, "join %s", ns->join[i].path);
	}
	return 0;
}

static int write_map(pid_t child, const char *file, const char *map, struct err *err)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", child, file);
	return write_text_at(AT_FDCWD, path, map) < 0 ? err_errno(err, "write %s", path) : 0;
}

int ns_map(const struct namespaces *ns, pid_t child, struct err *err)
{
	if (!(ns->create & K_CLONE_NEWUSER))
		return 0;
	if (write_map(child, "uid_map", ns->uid_map, err) < 0)
		return -1;
	return write_map(child, "gid_map", ns->gid_map, err);
}
