#pragma once
#include <stdbool.h>
#include <sys/types.h>

/*
 * Network namespaces that the spawner makes ahead, with their loopback up: making one takes the
 * kernel half a millisecond. Each is given to one container, once, and dies with it. The processes
 * that the spawner forks share a table with it, and hold none of its descriptors.
 */
#define POOL_SIZE 4

struct pool {
	struct pool_slot *slots; /* shared memory */
	int fd[POOL_SIZE];       /* of the spawner, or -1 */
};

/* Returns 0, or -1 with errno. */
int pool_open(struct pool *pool);
/* In the spawner: makes one namespace that is missing. Returns false if there is nothing to do, or
 * if it cannot be done. */
bool pool_fill(struct pool *pool);
/* In the spawner: lets go of those that were taken, which else would outlive their containers. */
void pool_forget(struct pool *pool);
/* In a process that the spawner forked: closes what it inherited. */
void pool_leave(struct pool *pool);
/* In such a process: the descriptor of a namespace that is the caller's from now on, or -1. */
int pool_take(struct pool *pool);
