#pragma once
/* The cgroups of one container: one directory a v1 hierarchy, or one on v2 (or both, on hybrid). */
#include "err.h"
#include "util.h"

#define CGROUP_MAX 24

struct cgroup {
	char *path;
	int dir;
	bool v2;
};

struct cgroups {
	struct cgroup list[CGROUP_MAX];
	unsigned count;
};

/*
 * Makes a cgroup with its missing parents. Parents pass on to it what it needs: cpus and memory
 * nodes on v1's cpuset, controllers on v2.
 * Returns 0, or -1 with *err set (EEXIST: it is there and has processes).
 */
int cgroup_create(struct cgroups *cgroups, const char *path, struct err *err);

/* The directory for CLONE_INTO_CGROUP, or -1 if none of them is on v2. */
int cgroup_v2(const struct cgroups *cgroups);

/*
 * Opens the cgroup v2 below the container's own in which a process of it is. Where the container
 * hands controllers on to cgroups of its own, as systemd does, its own can hold no process.
 * Returns a directory's descriptor, or -1.
 */
int cgroup_v2_of(const struct cgroups *cgroups, pid_t pid);

/*
 * Moves the calling process, which has one thread, into all of them.
 *
 * v1 takes the process by its `tasks` file, as a thread: a whole process by cgroup.procs waits for
 * an RCU grace period, 10 ms instead of 0.03.
 */
int cgroup_join(const struct cgroups *cgroups, bool also_v2, struct err *err);

/* Kills what is left in them and removes them; best effort, for they are empty but for host PIDs.
 */
void cgroup_remove(struct cgroups *cgroups);

/* Whether the kernel killed something in them for want of memory. */
bool cgroup_oom_killed(const struct cgroups *cgroups);

/*
 * A descriptor that becomes ready when that happens: EPOLLIN of an eventfd on v1 (read it),
 * EPOLLPRI of memory.events on v2 (*pri is set). Returns -1 if there is no memory controller.
 */
int cgroup_oom_event(const struct cgroups *cgroups, bool *pri);

/* Attaches a program of type BPF_PROG_TYPE_CGROUP_DEVICE, `size` bytes of struct bpf_insn. */
int cgroup_device_filter(const char *path, const void *program, size_t size, struct err *err);
