#pragma once
#include <sys/types.h>

#include "ops.h"

#define NS_JOINS 8

/* The namespaces of a container, as the `clone` operation tells them. */
struct namespaces {
	uint64_t create;
	const char *uid_map, *gid_map; /* of a new user namespace */
	unsigned joins;
	struct {
		uint64_t kind;
		const char *path;
	} join[NS_JOINS];
};

/* Whether this process lives in the machine's own user namespace, as opposed to a rootless
 * engine's. */
bool ns_is_initial_user(void);

int ns_parse(const struct op *op, struct namespaces *ns, struct err *err);

/*
 * Forks into the new namespaces, but for the cgroup one, which must follow the move into a cgroup.
 *
 * cgroup	a cgroup v2 directory to be born in, or -1
 * Returns 0 in the child, its PID in the parent with *pidfd, -1 with *err set.
 */
pid_t ns_clone(const struct namespaces *ns, int cgroup, int *pidfd, struct err *err);

/* In the child: enters the namespaces to be joined, but for the PID one. */
int ns_join(const struct namespaces *ns, struct err *err);

/* In the parent: writes the id maps of the child's new user namespace, if it has one. */
int ns_map(const struct namespaces *ns, pid_t child, struct err *err);

/* Forks a child into the PID namespace of `pidfd`'s process, and into a cgroup v2 if it is not -1.
 * K_CLONE_PARENT in `flags` makes it the caller's sibling. */
pid_t ns_fork_into(int pidfd, uint64_t flags, int cgroup, int *child_pidfd, struct err *err);
