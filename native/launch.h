#pragma once
/*
 * Setting up one container. The monitor runs the operations before `clone`, clones the container's
 * first process, and then both go on at once: the monitor with the network's operations, the child
 * with the root file system's. Each operation code says in its table which side runs it.
 */
#include "loop.h"
#include "ns.h"
#include "ops.h"

struct monitor;

/* Where an operation runs. Within a side, operations run in the order of the request. */
enum side {
	SIDE_BEFORE,    /* the monitor, before clone */
	SIDE_HOST,      /* the monitor after clone, in the engine's own network namespace */
	SIDE_CONTAINER, /* the monitor after clone, with the container's network namespace entered
			 */
	SIDE_CHILD,     /* the child, in all of its namespaces */
	SIDE_PROCESS,   /* the child after `go`, and programs that `exec` starts */
};

struct launch {
	const struct request *request;
	struct monitor *monitor;
	struct pool *pool; /* of network namespaces, or NULL */
	struct loop
	    *loop;    /* the monitor's: operations may add watches that live as long as it does */
	pid_t child;  /* the container's first process, in our pid namespace; 0 before clone */
	int host_net; /* descriptors of network namespaces; both the same for the host's */
	int container_net; /* there before clone if it came from a pool */
	bool in_container; /* the container's network namespace is entered now */

	uint32_t failed; /* index of the operation that *err is about, or ~0 */
	struct namespaces ns;
	int pidfd;
	int link;   /* to the child, a stream socket; in the child, to the monitor */
	int caller; /* who asked for the container; hears of `hold` */

	/* In the child alone. Descriptors are -1 until they are there. */
	const char *run_dir;
	int root;     /* the root directory, O_PATH */
	int proc;     /* the engine's procfs, after pivot */
	int empty;    /* a detached, empty tmpfs */
	int *shared;  /* by operation: what it binds, opened while it still shared; NULL: nothing */
	char *answer; /* what readFile operations read */
	size_t answer_size;
	uint32_t answer_files;
	char *hook_state; /* what hooks get on their stdin; from who lets `hold` go on */
};

/*
 * Makes the container: cgroups, first process, network, mounts. The child waits for `go` on
 * launch->link. Returns 0 with launch->answer, the files that were read; or -1 with *err and
 * launch->failed, after which launch_undo() removes what is there.
 */
int launch_run(struct launch *launch, struct err *err);
void launch_undo(struct launch *launch);

/* Adds a file's content to the answer; `content` may be NULL: there is none. */
int launch_answer(struct launch *launch, const void *content, size_t size, struct err *err);

/*
 * Enters the container's network namespace, or goes back to the engine's. The runner calls it by
 * the operation's side; an operation that works in both calls it itself and need not go back.
 * Only the side of the monitor may. A socket stays in the namespace it was made in.
 */
int launch_net(struct launch *launch, bool container, struct err *err);

/* One operation. Each area has a table, ended by code 0. Returns 0, or -1 with *err set. */
struct op_kind {
	uint16_t code;
	enum side side;
	int (*run)(struct launch *launch, const struct op *op, struct err *err);
};

extern const struct op_kind net_ops[]
    __attribute__((weak)); /* codes 200-299, SIDE_HOST and SIDE_CONTAINER */
