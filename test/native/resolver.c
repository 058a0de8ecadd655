/* The resolver at work, on loopback: questions over udp and tcp, a server that is silent or lies,
 * and noise. */
#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "dns.h"
#include "kernel.h"
#include "loop.h"

#define LIMIT 30 /* s; a test that hangs is killed */

static uint16_t port; /* of 127.0.0.11: another one for each run */

static const uint8_t question[] = {0, 7, 1,   0,   0,   1, 0, 0, 0, 0, 0,
				   0, 3, 'w', 'e', 'b', 0, 0, 1, 0, 1};
static const uint8_t unknown[] = {0, 8,   1,   0,   0,   1,   0, 0, 0, 0, 0, 0,
				  5, 'o', 't', 'h', 'e', 'r', 0, 0, 1, 0, 1};

static int connect_to(int type)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(0x7f00000b),
	};
	const struct timeval patience = {5, 0};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	assert(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
	return fd;
}

static void ask_udp(const uint8_t *query, size_t size, int code, uint8_t last)
{
	uint8_t answer[600];
	int fd = connect_to(SOCK_DGRAM);

	assert(send(fd, query, size, 0) == (ssize_t)size);
	ssize_t n = recv(fd, answer, sizeof answer, 0);
	assert(n >= (ssize_t)size && answer[1] == query[1] && (answer[3] & 15) == code);
	assert(code != 0 || answer[n - 1] == last);
	close(fd);
}

/* Two questions on one connection, the first in pieces. */
static void ask_tcp(void)
{
	uint8_t framed[2 + sizeof question] = {0, sizeof question}, answer[100];
	int fd = connect_to(SOCK_STREAM);

	memcpy(framed + 2, question, sizeof question);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof framed; i += 5) {
			size_t left = sizeof framed - i;

			assert(send(fd, framed + i, left < 5 ? left : 5, 0) > 0);
			usleep(round == 0 ? 2000 : 0);
		}
		size_t got = 0, want = 2 + sizeof question + 16;
		while (got < want) {
			ssize_t n = recv(fd, answer + got, sizeof answer - got, 0);
			assert(n > 0);
			got += (size_t)n;
		}
		assert(got == want && answer[got - 1] == 2);
	}
	close(fd);
}

/* What a server of that address answers is a lie: another id, another question, or cut off. Returns
 * its pid. */
static pid_t start_liar(void)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(0x7f00000c)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		close(fd);
		return 0; /* not root: nobody answers, which is a case too */
	}
	pid_t pid = fork();
	if (pid != 0) {
		close(fd);
		return pid;
	}
	/* It has no descriptor of the test's, and does not outlive it. */
	sys_close_range(3, (unsigned)fd - 1, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		uint8_t packet[600];
		socklen_t length = sizeof address;
		ssize_t n =
		    recvfrom(fd, packet, sizeof packet, 0, (struct sockaddr *)&address, &length);

		packet[2] |= 0x80;
		for (int i = 0; i < 3 && n > 12; i++) {
			uint8_t lie[600];

			memcpy(lie, packet, (size_t)n);
			lie[i == 0 ? 0 : 13] ^= 1;
			sendto(fd, lie, i == 2 ? 13 : (size_t)n, 0, (struct sockaddr *)&address,
			       length);
		}
		packet[3] = 3; /* and then the truth: there is no such name */
		sendto(fd, packet, (size_t)n, 0, (struct sockaddr *)&address, length);
	}
}

static void make_noise(void)
{
	srandom(7);
	for (int round = 0; round < 3000; round++) {
		uint8_t bytes[300];
		size_t size = (size_t)random() % sizeof bytes;
		int fd = connect_to(random() % 4 ? SOCK_DGRAM : SOCK_STREAM);

		memcpy(bytes, question, sizeof question);
		for (size_t i = random() % 2 ? 0 : 12; i < size; i++)
			bytes[i] = (uint8_t)random();
		send(fd, bytes, size, MSG_NOSIGNAL);
		close(fd);
		/* A connection that finds the queue full is delayed by a second. */
		if (round % 50 == 0)
			usleep(5000);
	}
}

static void asker(void)
{
	pid_t liar = start_liar();

	ask_udp(question, sizeof question, 0, 2);
	ask_tcp();
	make_noise();
	ask_udp(question, sizeof question, 0, 2);
	if (liar > 0)
		ask_udp(unknown, sizeof unknown, 3, 0);
	ask_tcp();
	if (liar > 0) {
		kill(liar, SIGKILL);
		waitpid(liar, NULL, 0);
	}
	_exit(0);
}

static void stop(struct loop *loop, struct watch *watch, uint32_t events)
{
	(void)watch;
	(void)events;
	loop_stop(loop);
}

int main(void)
{
	char path[] = "/tmp/slipway-resolver-XXXXXX";
	const char *view = "name web 172.18.0.2\nserver 127.0.0.12\n";
	struct err err = {0};
	struct loop loop;
	int fd = mkstemp(path), ends[2];

	signal(SIGPIPE, SIG_IGN);
	alarm(LIMIT);
	port = (uint16_t)(20000 + getpid() % 10000);
	assert(fd >= 0 && write(fd, view, strlen(view)) == (ssize_t)strlen(view));
	assert(loop_init(&loop, &err) == 0 && pipe2(ends, O_CLOEXEC) == 0);
	/* The end of the pipe is the client's end: nobody else may hold it. */
	pid_t container = fork();
	if (container == 0) {
		close(ends[0]);
		close(ends[1]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	struct launch launch = {.loop = &loop, .child = container};
	if (dns_start(&launch, path, port, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	pid_t client = fork();
	if (client == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		asker();
	}
	close(ends[1]);
	struct watch done = {.fd = ends[0], .ready = stop};
	assert(loop_add(&loop, &done, EPOLLIN, &err) == 0);
	assert(loop_run(&loop, &err) == 0);
	int status;
	assert(waitpid(client, &status, 0) == client && status == 0);
	/* The resolver ends with the container, and its port is free. */
	loop_remove(&loop, &done);
	kill(container, SIGKILL);
	for (int i = 0; i < 100; i++) {
		struct sockaddr_in address = {.sin_family = AF_INET,
					      .sin_port = htons(port),
					      .sin_addr.s_addr = htonl(0x7f00000b)};
		struct epoll_event event;

		if (epoll_wait(loop.epoll, &event, 1, 20) > 0)
			((struct watch *)event.data.ptr)
			    ->ready(&loop, event.data.ptr, event.events);
		int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		int bound = bind(probe, (struct sockaddr *)&address, sizeof address);
		close(probe);
		if (bound == 0) {
			waitpid(container, NULL, 0);
			unlink(path);
			puts("resolver: answers, forwards, and outlives noise");
			return 0;
		}
	}
	fprintf(stderr, "the resolver did not end with its container\n");
	return 1;
}
