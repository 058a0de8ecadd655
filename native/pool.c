#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "net.h"
#include "pool.h"
#include "util.h"

/* OPENING: somebody opens it by the spawner's descriptor, which must not be closed now. */
enum { EMPTY, READY, OPENING, TAKEN };

struct pool_slot {
	_Atomic int state;
	pid_t spawner;
	int fd; /* in the spawner */
};

int pool_open(struct pool *pool)
{
	pool->slots = mmap(NULL, sizeof *pool->slots * POOL_SIZE, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < POOL_SIZE; i++)
		pool->fd[i] = -1;
	return pool->slots == MAP_FAILED ? -1 : 0;
}

/* In a process that shares memory and descriptors with the spawner, but not its network. */
static int enter_new(void *result)
{
	int *made = result;
	struct err ignored;

	if (net_loopback_up(&ignored) == 0)
		*made = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return 0;
}

/* The spawner never leaves its own network namespace: what goes wrong here stays here. */
static int make_one(void)
{
	_Alignas(16) char stack[16384];
	int flags = CLONE_VM | CLONE_VFORK | CLONE_FILES | (int)CLONE_NEWNET | SIGCHLD;
	int made = -1;

	return clone(enter_new, stack + sizeof stack, flags, &made) < 0 ? -1 : made;
}

bool pool_fill(struct pool *pool)
{
	for (int i = 0; i < POOL_SIZE; i++) {
		struct pool_slot *slot = &pool->slots[i];

		if (atomic_load(&slot->state) != EMPTY)
			continue;
		pool->fd[i] = make_one();
		if (pool->fd[i] < 0)
			return false;
		slot->spawner = getpid();
		slot->fd = pool->fd[i];
		atomic_store(&slot->state, READY);
		return true;
	}
	return false;
}

void pool_forget(struct pool *pool)
{
	for (int i = 0; i < POOL_SIZE; i++)
		if (atomic_load(&pool->slots[i].state) == TAKEN) {
			close(take_fd(&pool->fd[i]));
			atomic_store(&pool->slots[i].state, EMPTY);
		}
}

void pool_leave(struct pool *pool)
{
	for (int i = 0; i < POOL_SIZE; i++) {
		close_fd(&pool->fd[i]);
		pool->fd[i] = -1;
	}
}

int pool_take(struct pool *pool)
{
	char path[64];

	for (int i = 0; i < POOL_SIZE; i++) {
		struct pool_slot *slot = &pool->slots[i];
		int ready = READY;

		if (!atomic_compare_exchange_strong(&slot->state, &ready, OPENING))
			continue;
		snprintf(path, sizeof path, "/proc/%d/fd/%d", slot->spawner, slot->fd);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		atomic_store(&slot->state, TAKEN);
		if (fd >= 0)
			return fd;
	}
	return -1;
}
