#include <arpa/inet.h>

#include "address.h"
#include "util.h"

socklen_t address_read(const char *text, unsigned port, union address *address)
{
	*address = (union address){0};
	if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons((uint16_t)port);
		return sizeof address->v4;
	}
	if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons((uint16_t)port);
		return sizeof address->v6;
	}
	return 0;
}

int address_listen(const char *protocol, const char *host, unsigned port, struct err *err)
{
	const int on = 1;
	bool udp = strcmp(protocol, "udp") == 0;
	union address at;
	socklen_t length = port > 65535 ? 0 : address_read(host, port, &at);

	if (length == 0 || (!udp && strcmp(protocol, "tcp") != 0))
		return err_set(err, EINVAL, "an address to listen on: %s %s %u", protocol, host,
			       port);
	AUTO_CLOSE int fd = socket(
	    at.any.sa_family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(err, "socket for %s %s %u", protocol, host, port);
	if (!udp)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (at.any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(fd, &at.any, length) < 0 || (!udp && listen(fd, 128) < 0))
		return err_errno(err, "listen on %s %s %u", protocol, host, port);
	return take_fd(&fd);
}
