#pragma once
/*
 * The monitor: the one process beside each container. It holds the container's stdio, log and exit
 * status, runs programs in it, and needs neither the daemon nor the spawner.
 */
#include "cgroup.h"
#include "client.h"
#include "launch.h"
#include "log.h"
#include "task.h"

struct monitor {
	struct loop loop;
	char *run_dir, *state_dir;
	bool tty, open_stdin, stdin_once;
	bool inherits;   /* the container has this process's stdio */
	char *console;   /* the socket that gets the terminal instead of us, or NULL */
	bool hands_over; /* the first process is our caller's child, and the cgroups are its affair
			  */
	unsigned preserved; /* descriptors from 4 on that the program has from 3 on */
	struct log log;
	struct cgroups cgroups;

	int program_ends[3]; /* of the container's stdio, for its first process */
	struct task *task;   /* the container's own program */
	bool asked;          /* `go` has been sent */
	bool started;
	bool exited;
	uint64_t user_ns; /* K_CLONE_NEWUSER if the container has its own */

	struct watch listener;
	struct watch oom;
	bool oom_told;
	struct client *clients;
	struct task *tasks; /* programs of exec */
	struct timer sweep; /* frees clients and tasks that are done with */
	struct timer grew;  /* holds back news of the log while it is set */
	bool grew_again;
	struct timer quiet; /* gives memory back, see memory.h */
};

/* Operations; launch.c has their table. */
int monitor_set(struct launch *launch, const struct op *op, struct err *err);
int monitor_inherit(struct launch *launch, const struct op *op, struct err *err);
int monitor_set_log(struct launch *launch, const struct op *op, struct err *err);
int monitor_cgroup(struct launch *launch, const struct op *op, struct err *err);
int monitor_write(struct launch *launch, const struct op *op, struct err *err);
int monitor_host_file(struct launch *launch, const struct op *op, struct err *err);
int monitor_devices(struct launch *launch, const struct op *op, struct err *err);

/* Makes the container's stdio; with a terminal, the child makes it and monitor_terminal() takes it.
 */
int monitor_streams(struct monitor *monitor, struct err *err);
int monitor_terminal(struct monitor *monitor, int master, struct err *err);

/* The container's program, or that of an exec, has ended and its output is read. */
void monitor_task_done(struct monitor *monitor, struct task *task);
/* The log has new lines. */
void monitor_log_grew(struct monitor *monitor);
/* Hands the process operations of a `go` frame to the container's first process. */
void monitor_go(struct monitor *monitor, struct client *client, const char *body, uint32_t size);
/* Ends the loop if the container has exited and nobody waits for anything more. */
void monitor_settle(struct monitor *monitor);
