#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "carrier.h"
#include "idmap.h"
#include "kernel.h"
#include "outside.h"
#include "rootless.h"
#include "util.h"

#define HOLDER "slipway-holder"
#define NAMESPACES ((int)(K_CLONE_NEWUSER | K_CLONE_NEWNS | K_CLONE_NEWNET))
#define RESOLV_CONF "nameserver 10.0.2.3\n" /* the carrier's */

static int become_root(struct err *err)
{
	/* Where groups may not be changed, those of the user stay, and are nobody's in here. */
	(void)setgroups(0, NULL);
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_errno(err, "become root of the user namespace");
	/* newuidmap and the carrier look at our /proc files as the user. */
	prctl(PR_SET_DUMPABLE, 1);
	return 0;
}

/* The process that keeps the namespaces, if it is still there. Returns its pidfd, or -1. */
static int find_holder(int directory)
{
	char text[32], path[64];
	AUTO_CLOSE int file = openat(directory, "holder.pid", O_RDONLY | O_CLOEXEC);
	ssize_t n = file < 0 ? -1 : read_some(file, text, sizeof text - 1);

	if (n <= 0)
		return -1;
	text[n] = '\0';
	AUTO_CLOSE int pidfd = sys_pidfd_open(atoi(text), 0);
	snprintf(path, sizeof path, "/proc/%d/comm", atoi(text));
	AUTO_CLOSE int comm = pidfd < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	n = comm < 0 ? -1 : read_some(comm, text, sizeof text - 1);
	/* Another process may have got the number. */
	return n > 0 && strncmp(text, HOLDER "\n", (size_t)n) == 0 ? take_fd(&pidfd) : -1;
}

static int join(int holder, struct err *err)
{
	if (setns(holder, NAMESPACES) < 0)
		return err_errno(err, "join the namespaces of the last engine");
	return become_root(err);
}

/* Runs outside, in a child: answers each step on `link` by a byte. */
static _Noreturn void outside_main(const char *directory, pid_t inside, int link)
{
	struct carrier carrier = {0};
	struct err err = {0};
	uint8_t number[4];
	char byte;

	setsid();
	/* The lock on the directory, among others: it is the starter's alone. */
	dup2(link, 3);
	link = 3;
	sys_close_range(4, ~0u, 0);
	fcntl(link, F_SETFD, FD_CLOEXEC);
	if (read_full(link, &byte, 1) < 0)
		_exit(1);
	int mapped = idmap_write(inside, getuid(), getgid(), &err);
	if (mapped < 0)
		fprintf(stderr, "slipway: %s\n", err.text);
	if (write_full(link, mapped < 0 ? "e" : "m", 1) < 0 || read_full(link, number, 4) < 0)
		_exit(1);
	pid_t pid = (pid_t)get_u32(number);
	int holder = sys_pidfd_open(pid, 0);
	int connected = carrier_start(&carrier, pid, &err);
	if (connected == 0)
		fprintf(stderr, "slipway: %s connects containers to the network\n", carrier.name);
	else
		fprintf(stderr,
			"slipway: containers reach each other, and nothing else: install passt "
			"or slirp4netns, and let users open /dev/net/tun (%s)\n",
			err.text);
	if (write_full(link, connected < 0 ? "x" : "n", 1) < 0)
		_exit(1);
	close(link);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	outside_serve(directory, holder, connected < 0 ? 0 : carrier.pid);
}

static _Noreturn void hold(void)
{
	prctl(PR_SET_NAME, HOLDER);
	setsid();
	sys_close_range(0, ~0u, 0);
	for (int number = 1; number < 32; number++)
		signal(number, SIG_IGN);
	for (;;)
		pause();
}

static void loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		(void)ioctl(fd, SIOCSIFFLAGS, &request);
}

/* The machine's resolver may be on its loopback, which is not ours. */
static int set_resolver(const char *path, struct err *err)
{
	char source[4096];

	/* By its path: a descriptor from before belongs to the machine's mounts, and cannot be
	 * bound here. */
	snprintf(source, sizeof source, "%s/resolv.conf", path);
	AUTO_CLOSE int file = open(source, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (file < 0 || write_full(file, RESOLV_CONF, sizeof RESOLV_CONF - 1) < 0)
		return err_errno(err, "write %s", source);
	if (mount(source, "/etc/resolv.conf", NULL, MS_BIND, NULL) < 0)
		return err_errno(err, "mount %s", source);
	return 0;
}

static int write_holder(int directory, pid_t pid, struct err *err)
{
	char text[16];
	AUTO_CLOSE int file =
	    openat(directory, "holder.pid", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int size = snprintf(text, sizeof text, "%d\n", pid);

	if (file < 0 || write_full(file, text, (size_t)size) < 0)
		return err_errno(err, "write holder.pid");
	return 0;
}

/* The network comes from outside, for which the holder stands; then its place is written down. */
static int connect_holder(const char *path, int directory, int link, pid_t holder, struct err *err)
{
	uint8_t number[4];
	char answer;

	put_u32(number, (uint32_t)holder);
	if (write_full(link, number, 4) < 0 || read_full(link, &answer, 1) < 0)
		return err_errno(err, "set up the network");
	if (answer == 'n' && set_resolver(path, err) < 0)
		return -1;
	return write_holder(directory, holder, err);
}

/* In the namespaces, as their root: what every engine in them will find. */
static int furnish(const char *path, int directory, int link, struct err *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_errno(err, "make all mounts private");
	loopback_up();
	pid_t holder = fork();
	if (holder < 0)
		return err_errno(err, "fork");
	if (holder == 0)
		hold();
	if (connect_holder(path, directory, link, holder, err) == 0)
		return 0;
	kill(holder, SIGKILL);
	return -1;
}

static int create(const char *path, int directory, struct err *err)
{
	int link[2];
	char answer;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link) < 0)
		return err_errno(err, "socketpair");
	pid_t own = getpid(), outside = fork();
	if (outside < 0)
		return err_errno(err, "fork");
	if (outside == 0) {
		close(link[0]);
		outside_main(path, own, link[1]);
	}
	close(link[1]);
	AUTO_CLOSE int to_outside = link[0];
	if (unshare(NAMESPACES) < 0)
		return err_errno(err, "make a user namespace");
	if (write_full(to_outside, "u", 1) < 0 || read_full(to_outside, &answer, 1) < 0)
		return err_errno(err, "map the user namespace");
	if (answer != 'm')
		return err_set(err, EPERM, "the user namespace cannot be mapped");
	if (become_root(err) < 0)
		return -1;
	return furnish(path, directory, to_outside, err);
}

static int enter(const char *path, struct err *err)
{
	AUTO_CLOSE int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return err_errno(err, "open %s", path);
	/* One engine at a time makes namespaces; the next one finds them. */
	if (flock(directory, LOCK_EX) < 0)
		return err_errno(err, "lock %s", path);
	AUTO_CLOSE int holder = find_holder(directory);
	return holder >= 0 ? join(holder, err) : create(path, directory, err);
}

int rootless_main(char **argv)
{
	char user[16], socket_path[4096];
	struct err err = {0};

	snprintf(user, sizeof user, "%u", getuid());
	if (enter(argv[0], &err) == 0) {
		snprintf(socket_path, sizeof socket_path, "%s/" OUTSIDE_SOCKET, argv[0]);
		setenv("SLIPWAY_ROOTLESS", user, 1);
		setenv(OUTSIDE_VARIABLE, socket_path, 1);
		execv(argv[1], argv + 1);
		err_errno(&err, "run %s", argv[1]);
	}
	fprintf(stderr, "slipway: %s\n", err.text);
	return 1;
}
