#pragma once
/* A further program in a container that runs: by a monitor's exec, or beside it by `join`. */
#include "cgroup.h"
#include "process.h"

/* The container, by its first process. */
struct target {
	const struct cgroups *cgroups;
	pid_t pid;
	int pidfd;
	uint64_t user_ns; /* K_CLONE_NEWUSER if it has its own */
	bool hand_over;   /* the program becomes the caller's child, and lives without us */
};

struct inside {
	int link;  /* where the terminal's master and an error go; its end: the program runs */
	int *ends; /* of its stdio; a terminal's are made inside */
	unsigned preserved; /* see struct process_place */
};

/* Forks into the container's PID namespace and cgroup. As fork(2), with *pidfd and *err. */
pid_t inside_fork(const struct target *target, int *pidfd, struct err *err);

/* In the child: enters the rest and becomes the program. */
_Noreturn void inside_run(const struct target *target, struct process *process,
			  const struct inside *inside);
