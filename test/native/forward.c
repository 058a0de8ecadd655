/* Published ports at work, on loopback: half-closed streams, broken ones, datagrams, and the end.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "loop.h"
#include "ports.h"

#define PUBLISHED base
#define TARGET (base + 1)
#define NOBODY (base + 2) /* published, but nothing listens at its target */
#define LIMIT 30          /* s; a test that hangs is killed */
#define SIZE (3 << 20)

static int base; /* the first of three ports: others for each run */

static int open_socket(int type, int port, bool listens)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct timeval patience = {5, 0};
	const int on = 1;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (!listens)
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	assert((listens ? bind : connect)(fd, (struct sockaddr *)&address, sizeof address) == 0);
	assert(!listens || type == SOCK_DGRAM || listen(fd, 64) == 0);
	return fd;
}

/* Gives back what it gets. */
static _Noreturn void echo_datagrams(int fd)
{
	char buffer[65536];

	for (;;) {
		struct sockaddr_in peer;
		socklen_t length = sizeof peer;
		ssize_t n =
		    recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&peer, &length);

		sendto(fd, buffer, (size_t)n, 0, (struct sockaddr *)&peer, length);
	}
}

static _Noreturn void echo_streams(int listener)
{
	char buffer[65536];

	for (;;) {
		int fd = accept(listener, NULL, NULL);
		ssize_t n;

		while ((n = read(fd, buffer, sizeof buffer)) > 0)
			if (write_full(fd, buffer, (size_t)n) < 0)
				break;
		close(fd);
	}
}

/* The client's end of its stream must reach the target, and what is under way must come back. */
static void send_much(void)
{
	static char out[SIZE], in[SIZE];
	int fd = open_socket(SOCK_STREAM, PUBLISHED, false);

	for (size_t i = 0; i < sizeof out; i++)
		out[i] = (char)(i * 31 >> 3);
	pid_t writer = fork();
	if (writer == 0) {
		assert(write_full(fd, out, sizeof out) == 0 && shutdown(fd, SHUT_WR) == 0);
		_exit(0);
	}
	assert(read_some(fd, in, sizeof in) == (ssize_t)sizeof in);
	assert(memcmp(in, out, sizeof in) == 0 && read(fd, in, 1) == 0);
	waitpid(writer, NULL, 0);
	close(fd);
}

static void break_off(void)
{
	const struct linger reset = {1, 0};

	for (int i = 0; i < 50; i++) {
		int fd = open_socket(SOCK_STREAM, PUBLISHED, false);

		send(fd, "half", 4, MSG_NOSIGNAL);
		if (i % 2)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		close(fd);
	}
	char byte;
	int refused = open_socket(SOCK_STREAM, NOBODY, false);
	assert(read(refused, &byte, 1) <= 0);
	close(refused);
}

static void send_datagrams(void)
{
	for (int i = 0; i < 300; i++) {
		char text[16], answer[16];
		int fd = open_socket(SOCK_DGRAM, PUBLISHED, false);
		int size = snprintf(text, sizeof text, "hello %d", i);

		assert(send(fd, text, (size_t)size, 0) == size);
		assert(recv(fd, answer, sizeof answer, 0) == size);
		assert(memcmp(text, answer, (size_t)size) == 0);
		close(fd);
	}
}

static void stop(struct loop *loop, struct watch *watch, uint32_t events)
{
	(void)watch;
	(void)events;
	loop_stop(loop);
}

static void stop_later(struct loop *loop, struct timer *timer)
{
	(void)timer;
	loop_stop(loop);
}

static pid_t start_target(int type)
{
	int fd = open_socket(type, TARGET, true);
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (type == SOCK_DGRAM)
			echo_datagrams(fd);
		echo_streams(fd);
	}
	close(fd);
	return pid;
}

static void end_target(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static pid_t start_client(int end)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)end; /* it stays open until this process ends */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	send_much();
	break_off();
	send_datagrams();
	send_much();
	_exit(0);
}

int main(void)
{
	char rules[200], text[8];
	struct err err = {0};
	struct loop loop, other;
	int ends[2], status;

	signal(SIGPIPE, SIG_IGN);
	alarm(LIMIT);
	base = 10000 + getpid() % 3000 * 3;
	pid_t target = start_target(SOCK_STREAM), datagrams = start_target(SOCK_DGRAM);
	snprintf(rules, sizeof rules,
		 "tcp 127.0.0.1 %d 127.0.0.1 %d\nudp 127.0.0.1 %d 127.0.0.1 %d\n"
		 "tcp 127.0.0.1 %d 127.0.0.1 1\n",
		 PUBLISHED, TARGET, PUBLISHED, TARGET, NOBODY);
	assert(loop_init(&loop, &err) == 0 && loop_init(&other, &err) == 0);
	struct launch launch = {.loop = &loop, .child = target};
	struct launch rival = {.loop = &other, .child = target};
	assert(ports_start(&launch, rules, &err) == 0);
	/* The container's own take the place of those of before: its network has changed. */
	assert(ports_start(&launch, rules, &err) == 0);
	/* A second container cannot have the port; the message names it. */
	assert(ports_start(&rival, rules, &err) < 0 && err.code == EADDRINUSE);
	snprintf(text, sizeof text, "%d", PUBLISHED);
	assert(strstr(err.text, text));
	for (const char *const *bad =
		 (const char *const[]){"tcp a 1 b 2", "sctp 127.0.0.1 1 127.0.0.1 2",
				       "tcp 127.0.0.1 70000 127.0.0.1 2", NULL};
	     *bad; bad++)
		assert(ports_start(&rival, *bad, &err) < 0 && err.code == EINVAL);

	assert(pipe(ends) == 0);
	pid_t client = start_client(ends[1]);
	close(ends[1]);
	struct watch done = {.fd = ends[0], .ready = stop};
	assert(loop_add(&loop, &done, EPOLLIN, &err) == 0);
	assert(loop_run(&loop, &err) == 0);
	assert(waitpid(client, &status, 0) == client && status == 0);
	/* The ports end with the container. */
	end_target(datagrams);
	end_target(target);
	loop.stopped = false;
	loop_remove(&loop, &done);
	struct timer timer = {.fire = stop_later};
	loop_timer(&loop, &timer, 200);
	assert(loop_run(&loop, &err) == 0);
	close(open_socket(SOCK_DGRAM, PUBLISHED, true));
	puts("forward: streams, datagrams, and what breaks");
	return 0;
}
