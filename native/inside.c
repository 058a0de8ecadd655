#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>

#include "inside.h"
#include "kernel.h"
#include "ns.h"
#include "tty.h"

#define NS_ALL                                                                                     \
	(K_CLONE_NEWNS | K_CLONE_NEWNET | K_CLONE_NEWIPC | K_CLONE_NEWUTS | K_CLONE_NEWCGROUP)

static int open_terminal(const struct process *process, int link, int ends[3], struct err *err)
{
	AUTO_CLOSE int dev = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dev < 0)
		return err_errno(err, "open /dev");
	AUTO_CLOSE int master = tty_open(dev, &ends[0], err);
	if (master < 0)
		return -1;
	ends[1] = ends[2] = ends[0];
	if (process->rows > 0)
		(void)tty_resize(master, process->rows, process->columns);
	return fd_send(link, master) < 0 ? err_errno(err, "pass the terminal") : 0;
}

static int enter(const struct target *target, struct err *err)
{
	if (cgroup_join(target->cgroups, false, err) < 0)
		return -1;
	if (setns(target->pidfd, (int)(NS_ALL | target->user_ns)) < 0)
		return err_errno(err, "enter the container");
	if (!target->user_ns)
		return 0;
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_errno(err, "become the container's root");
	prctl(PR_SET_DUMPABLE, 0);
	return 0;
}

pid_t inside_fork(const struct target *target, int *pidfd, struct err *err)
{
	uint64_t flags = target->hand_over ? K_CLONE_PARENT : 0;
	pid_t pid = ns_fork_into(target->pidfd, flags, cgroup_v2(target->cgroups), pidfd, err);

	if (pid >= 0 || err->code != EBUSY)
		return pid;
	AUTO_CLOSE int below = cgroup_v2_of(target->cgroups, target->pid);
	return below < 0 ? -1 : ns_fork_into(target->pidfd, flags, below, pidfd, err);
}

_Noreturn void inside_run(const struct target *target, struct process *process,
			  const struct inside *inside)
{
	struct process_place place = {
	    .terminal = process->terminal,
	    .orphan = target->hand_over,
	    .preserved = inside->preserved,
	};
	struct err err = {0};

	place.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (enter(target, &err) == 0 &&
	    (!process->terminal || open_terminal(process, inside->link, inside->ends, &err) == 0)) {
		memcpy(place.streams, inside->ends, sizeof place.streams);
		process_start(process, &place, &err);
	}
	answer_error(inside->link, process->failed, &err);
	_exit(err.code == ENOENT ? 127 : 126);
}
