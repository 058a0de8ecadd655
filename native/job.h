#pragma once
#include "ops.h"

struct pool;

/* One accepted connection of the spawner, in a process of its own, with its request read. */
struct job {
	int fd;
	struct request *request;
	struct pool *pool; /* of network namespaces; NULL: there is none */
};

/*
 * A kind of job. `run` answers on job->fd (answer_ok() or answer_error() first, then frames) and
 * returns the process's exit status. Each area has one table, ended by kind 0.
 */
struct job_kind {
	uint8_t kind;
	int (*run)(struct job *job);
};

/* Weak: a program without an area's files (a unit test) links, and refuses that area's kinds. */
extern const struct job_kind runtime_jobs[] __attribute__((weak));
extern const struct job_kind net_jobs[] __attribute__((weak));
extern const struct job_kind worker_jobs[] __attribute__((weak));

/* Reads the request of an accepted connection and runs the job. Returns the exit status. */
int job_serve(int fd, struct pool *pool);
