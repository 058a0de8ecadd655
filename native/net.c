#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "net.h"

#define PATCH_SIZE 24
#define MESSAGES_LIMIT (1u << 20)
#define USUAL_ROOM 100000 /* bytes that a socket takes without being asked to take more */

static int link_index(int socket, const char *name, struct err *err)
{
	struct ifreq request = {0};

	memcpy(request.ifr_name, name, sizeof request.ifr_name - 1);
	if (ioctl(socket, SIOCGIFINDEX, &request) < 0)
		return err_errno(err, "link %s", request.ifr_name);
	return request.ifr_ifindex;
}

int net_loopback_up(struct err *err)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return err_errno(err, "bring up the loopback");
	return 0;
}

static int fill_in(int socket, int netns, struct field bytes, struct field patches, struct err *err)
{
	for (uint32_t at = 0; at < patches.size; at += PATCH_SIZE) {
		const char *entry = patches.data + at;
		uint32_t offset = patches.size - at < PATCH_SIZE ? UINT32_MAX : get_u32(entry + 4);

		if (offset % 4 || bytes.size < 4 || offset > bytes.size - 4)
			return err_set(err, EBADMSG, "a patch outside of the netlink messages");
		int value = netns;
		if (get_u32(entry) == NET_PATCH_INDEX &&
		    (value = link_index(socket, entry + 8, err)) < 0)
			return -1;
		if (value < 0)
			return err_set(err, EBADF, "no network namespace to put a link into");
		/* Netlink is in the machine's own byte order. */
		memcpy(bytes.data + offset, &value, sizeof value);
	}
	return 0;
}

/* The kernel's words about an error: attribute 1 after the capped message, if it sent any. */
static const char *reason(const struct nlmsghdr *header)
{
	const char *at = (const char *)header + NLMSG_HDRLEN + sizeof(struct nlmsgerr);
	const char *end = (const char *)header + header->nlmsg_len;
	struct nlattr attr;

	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	for (; end - at >= 4; at += NLMSG_ALIGN((size_t)attr.nla_len)) {
		memcpy(&attr, at, sizeof attr);
		if (attr.nla_len <= 4 || attr.nla_len > end - at)
			return NULL;
		if (attr.nla_type == NLMSGERR_ATTR_MSG && at[attr.nla_len - 1] == '\0')
			return at + 4;
	}
	return NULL;
}

static int judge(const struct nlmsghdr *header, int tolerated, struct err *err)
{
	struct nlmsgerr error;

	if (header->nlmsg_type != NLMSG_ERROR || header->nlmsg_len < NLMSG_LENGTH(sizeof error))
		return 0;
	memcpy(&error, NLMSG_DATA(header), sizeof error);
	if (error.error == 0 || -error.error == tolerated)
		return 0;
	const char *words = reason(header);
	return err_set(err, -error.error, "netlink message 0x%x: %s%s%s", error.msg.nlmsg_type,
		       strerror(-error.error), words ? ": " : "", words ? words : "");
}

static int read_answers(int socket, int tolerated, struct err *err)
{
	_Alignas(struct nlmsghdr) char buffer[4096];
	struct err later;
	int result = 0;

	for (;;) {
		ssize_t got = recv(socket, buffer, sizeof buffer, MSG_DONTWAIT);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? result
					       : err_errno(err, "read the kernel's answer");
		ssize_t at = 0;
		while (got - at >= (ssize_t)sizeof(struct nlmsghdr)) {
			const struct nlmsghdr *header = (const void *)(buffer + at);

			if (header->nlmsg_len < sizeof *header ||
			    header->nlmsg_len > (size_t)(got - at))
				break;
			/* The first is the cause of the others. */
			if (judge(header, tolerated, result ? &later : err) < 0)
				result = -1;
			at += NLMSG_ALIGN((ssize_t)header->nlmsg_len);
		}
	}
}

int net_send(const struct op *op, int netns, struct err *err)
{
	struct args args = args_of(op);
	int protocol = (int)args_number(&args);
	struct field bytes = args_bytes(&args);
	struct field patches = args_bytes(&args);
	int tolerated = (int)args_number(&args);
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	const int on = 1, room = (int)bytes.size * 2;

	if (args_end(&args, err) < 0)
		return -1;
	if (bytes.size > MESSAGES_LIMIT)
		return err_set(err, EMSGSIZE, "netlink messages of %u bytes", bytes.size);
	AUTO_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		return err_errno(err, "netlink socket");
	/* The kernel's reason in words, and not our whole message back. */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
	if (bytes.size > USUAL_ROOM)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
	if (fill_in(fd, netns, bytes, patches, err) < 0)
		return -1;
	/*
	 * The kernel works messages off before sendto(2) returns, and tells errors without being
	 * asked to acknowledge: no answer is there to read unless something failed.
	 */
	if (sendto(fd, bytes.data, bytes.size, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0)
		return err_errno(err, "send %u bytes of netlink messages", bytes.size);
	return read_answers(fd, tolerated, err);
}
