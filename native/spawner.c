/*
 * The spawner: one small process beside the daemon that forks for it. Node's own spawn copies the
 * daemon's page tables and blocks its event loop for milliseconds; this one has nothing to copy.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "job.h"
#include "kernel.h"
#include "outside.h"
#include "pool.h"
#include "sock.h"
#include "spawner.h"

extern char **environ;

static bool is_sealed(int self)
{
	struct statvfs fs;

	if (fstatvfs(self, &fs) == 0 && fs.f_flag & ST_RDONLY)
		return true;
	int seals = fcntl(self, F_GET_SEALS);
	return seals >= 0 && seals & F_SEAL_WRITE;
}

static int read_only_mount(void)
{
	int fd = sys_open_tree(AT_FDCWD, "/proc/self/exe", K_OPEN_TREE_CLONE | K_OPEN_TREE_CLOEXEC);
	struct k_mount_attr attr = {.attr_set = K_MOUNT_ATTR_RDONLY};

	if (fd >= 0 && sys_mount_setattr(fd, "", AT_EMPTY_PATH, attr) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int sealed_copy(int self)
{
	AUTO_CLOSE int copy = memfd_create("slipway-native", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat st;

	if (copy < 0 || fstat(self, &st) < 0)
		return -1;
	for (off_t done = 0; done < st.st_size;)
		if (sendfile(copy, self, &done, (size_t)(st.st_size - done)) <= 0)
			return -1;
	if (fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -1;
	return take_fd(&copy);
}

/* The one variable that monitors look at; all others would be readable as /proc/1/environ inside.
 */
static char *needed_variable(void)
{
	size_t length = strlen(OUTSIDE_VARIABLE);

	for (char **at = environ; *at; at++)
		if (strncmp(*at, OUTSIDE_VARIABLE, length) == 0 && (*at)[length] == '=')
			return *at;
	return NULL;
}

static int open_sealed(int self, struct err *err)
{
	int sealed = read_only_mount();

	if (sealed < 0)
		sealed = sealed_copy(self);
	return sealed < 0 ? err_errno(err, "make a copy of this program that cannot be written")
			  : sealed;
}

/*
 * Starts this program again from a place that cannot be written, and without the daemon's
 * environment. A process of ours that is about to become a container's, or is its process 1, can be
 * reached as /proc/PID from inside; through its exe, the file on disk must not be (CVE-2019-5736).
 */
static int run_sealed(char *const argv[], struct err *err)
{
	char *needed = needed_variable(), *kept[] = {needed, NULL};
	bool bare = !environ[0] || (environ[0] == needed && !environ[1]);
	AUTO_CLOSE int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (self < 0)
		return err_errno(err, "open /proc/self/exe");
	bool is_safe = is_sealed(self);
	if (is_safe && bare)
		return 0;
	AUTO_CLOSE int sealed = is_safe ? -1 : open_sealed(self, err);
	if (!is_safe && sealed < 0)
		return -1;
	syscall(SYS_execveat, is_safe ? self : sealed, "", argv, kept, AT_EMPTY_PATH);
	return err_errno(err, "run the sealed copy of this program");
}

#define IDLE 5 /* ms without a job before the pool is filled: a launch has the processors first */

/* In the child: nothing of the spawner's is kept but the connection and the pool's table. */
static int serve(int connection, int listener, struct pool *pool)
{
	AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	close(listener);
	if (pool)
		pool_leave(pool);
	signal(SIGCHLD, SIG_DFL);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	return job_serve(connection, pool);
}

static void accept_one(int listener, struct pool *pool)
{
	AUTO_CLOSE int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (connection < 0)
		return;
	pid_t pid = fork();
	if (pid < 0) {
		struct err err;

		err_errno(&err, "fork");
		answer_error(connection, -1, &err);
	}
	if (pid == 0)
		_exit(serve(connection, listener, pool));
}

static int fail(const struct err *err)
{
	fprintf(stderr, "slipway-native: %s\n", err->text);
	return 1;
}

/*
 * Mounts are made by descriptors alone, as paths of an image can be changed under our hands; the
 * newest call that this takes is mount_setattr(2). Said at once, and not by the first container.
 */
static int check_kernel(struct err *err)
{
	struct k_mount_attr nothing = {0};

	if (sys_mount_setattr(-1, "", AT_EMPTY_PATH, nothing) < 0 && errno == ENOSYS)
		return err_set(err, ENOSYS,
			       "containers need Linux 5.12 or newer: it has no mount_setattr(2)");
	return 0;
}

int job_main(char *const argv[])
{
	struct err err = {0};
	unsigned preserved = argv[2] ? (unsigned)atoi(argv[2]) : 0;

	if (check_kernel(&err) < 0 || run_sealed(argv, &err) < 0)
		return fail(&err);
	sys_close_range(4 + preserved, ~0u, 0);
	fcntl(3, F_SETFD, FD_CLOEXEC);
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	return job_serve(3, NULL);
}

int spawner_main(const char *program, const char *path)
{
	struct err err = {0};

	if (check_kernel(&err) < 0)
		return fail(&err);
	if (run_sealed((char *[]){(char *)program, "spawner", (char *)path, NULL}, &err) < 0)
		return fail(&err);
	/* Whoever started the daemon may have left descriptors open: no monitor is to hold them. */
	sys_close_range(3, ~0u, 0);
	/* Children inherit it: none of them can be traced, nor its descriptors be seen, from
	 * inside. */
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	int listener = sock_listen(path, &err);
	if (listener < 0)
		return fail(&err);
	struct pool pool;
	bool fills = pool_open(&pool) == 0;
	if (write_full(STDOUT_FILENO, "ready\n", 6) < 0)
		return 1;
	for (bool filling = fills;;) {
		struct pollfd polled[2] = {{STDIN_FILENO, POLLIN, 0}, {listener, POLLIN, 0}};
		int n = poll(polled, 2, filling ? IDLE : -1);

		if (n < 0 && errno != EINTR)
			return 1;
		if (fills)
			pool_forget(&pool);
		if (n == 0)
			filling = pool_fill(&pool);
		if (polled[1].revents) {
			accept_one(listener, fills ? &pool : NULL);
			filling = fills;
		}
		/* The daemon never writes: this is the end of its pipe. */
		if (polled[0].revents) {
			unlink(path);
			return 0;
		}
	}
}
