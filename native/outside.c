#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "address.h"
#include "outside.h"
#include "sock.h"
#include "tty.h"
#include "util.h"

static int serve_one(int connection)
{
	char request[96], protocol[4], host[48];
	unsigned port;
	struct err err = {0};
	ssize_t n = read(connection, request, sizeof request - 1);

	request[n < 0 ? 0 : n] = '\0';
	if (sscanf(request, "%3s %47s %5u", protocol, host, &port) != 3)
		return -1;
	AUTO_CLOSE int fd = address_listen(protocol, host, port, &err);
	if (fd >= 0)
		return fd_send(connection, fd);
	char code[5] = {'e'};
	put_u32(code + 1, (uint32_t)err.code);
	return write_full(connection, code, sizeof code);
}

_Noreturn void outside_serve(const char *directory, int holder, pid_t carrier)
{
	char path[4096];
	struct err err;

	prctl(PR_SET_NAME, "slipway-outside");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	snprintf(path, sizeof path, "%s/" OUTSIDE_SOCKET, directory);
	int listener = sock_listen(path, &err);
	for (;;) {
		struct pollfd polled[2] = {{holder, POLLIN, 0}, {listener, POLLIN, 0}};

		if (listener < 0 || (poll(polled, 2, -1) < 0 && errno != EINTR) ||
		    polled[0].revents) {
			/* It has changed its ids, and with them forgotten to die with us. */
			if (carrier > 0)
				kill(carrier, SIGTERM);
			_exit(0);
		}
		if (!polled[1].revents)
			continue;
		AUTO_CLOSE int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (connection >= 0)
			(void)serve_one(connection);
	}
}

int outside_listen(const char *path, const char *request, struct err *err)
{
	char code[5];
	AUTO_CLOSE int fd = sock_connect(path, err);

	if (fd < 0)
		return -1;
	if (write_full(fd, request, strlen(request)) < 0 || recv(fd, code, 1, MSG_PEEK) != 1)
		return err_errno(err, "ask for a port");
	if (code[0] != 'e') {
		int listener = fd_receive(fd);
		return listener < 0 ? err_errno(err, "receive a port") : listener;
	}
	if (read_full(fd, code, sizeof code) < 0)
		return err_errno(err, "ask for a port");
	errno = (int)get_u32(code + 1);
	return err_errno(err, "listen on %s", request);
}
