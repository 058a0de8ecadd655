/* The pool of network namespaces, as the spawner fills it and a process that it forked takes from
 * it. */
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "check.h"
#include "pool.h"
#include "util.h"

static ino_t inode_of(const char *path, int fd)
{
	struct stat st = {0};

	CHECK((path ? stat(path, &st) : fstat(fd, &st)) == 0);
	return st.st_ino;
}

static void fill(struct pool *pool)
{
	while (pool_fill(pool))
		;
}

static void every_one_is_new_and_given_once(void)
{
	ino_t seen[POOL_SIZE + 1] = {inode_of("/proc/self/ns/net", -1)};
	struct pool pool;

	CHECK(pool_open(&pool) == 0);
	CHECK(pool_take(&pool) == -1);
	fill(&pool);
	CHECK(inode_of("/proc/self/ns/net", -1) == seen[0]);
	for (int i = 1; i <= POOL_SIZE; i++) {
		AUTO_CLOSE int taken = pool_take(&pool);

		CHECK(taken >= 0);
		seen[i] = inode_of(NULL, taken);
		for (int other = 0; other < i; other++)
			CHECK(seen[other] != seen[i]);
	}
	CHECK(pool_take(&pool) == -1);
	pool_forget(&pool);
	for (int i = 0; i < POOL_SIZE; i++)
		CHECK(pool.fd[i] == -1);
	CHECK(pool_take(&pool) == -1);
	fill(&pool);
	AUTO_CLOSE int again = pool_take(&pool);
	CHECK(again >= 0);
	pool_leave(&pool);
}

static void the_loopback_is_up_and_alone(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	struct pool pool;

	CHECK(pool_open(&pool) == 0);
	fill(&pool);
	AUTO_CLOSE int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int taken = pool_take(&pool);
	CHECK(setns(taken, CLONE_NEWNET) == 0);
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(ioctl(fd, SIOCGIFFLAGS, &request) == 0);
	CHECK(request.ifr_flags & IFF_UP);
	struct if_nameindex *links = if_nameindex();
	CHECK(links && links[0].if_index == 1 && links[1].if_index == 0);
	if_freenameindex(links);
	CHECK(setns(own, CLONE_NEWNET) == 0);
	pool_leave(&pool);
}

/* A process that was forked before has none of what the spawner made since, and can still take it.
 */
static void a_forked_process_takes_what_came_later(void)
{
	struct pool pool;
	int go[2], status;

	CHECK(pool_open(&pool) == 0 && pipe2(go, O_CLOEXEC) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		char byte;

		pool_leave(&pool);
		_exit(read_full(go[0], &byte, 1) == 0 && pool_take(&pool) >= 0 ? 0 : 1);
	}
	fill(&pool);
	CHECK(write_full(go[1], "", 1) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	pool_forget(&pool);
	int left = 0;
	for (int i = 0; i < POOL_SIZE; i++)
		left += pool.fd[i] >= 0;
	CHECK(left == POOL_SIZE - 1);
	pool_leave(&pool);
	close(go[0]);
	close(go[1]);
}

int main(void)
{
	every_one_is_new_and_given_once();
	the_loopback_is_up_and_alone();
	a_forked_process_takes_what_came_later();
	puts("native/pool: passed");
	return 0;
}
