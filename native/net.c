#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "job.h"
#include "net.h"

#define PATCH_SIZE 24
#define NETLINK_LIMIT (1u << 20)

int net_socket_in(int netns, int domain, int type, int protocol, struct err *err)
{
	AUTO_CLOSE int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0)
		return err_errno(err, "open the own network namespace");
	if (setns(netns, CLONE_NEWNET) < 0)
		return err_errno(err, "enter the container's network namespace");
	int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		err_errno(err, "socket in the container's network namespace");
	/* To go on in the wrong namespace would be worse than to end. */
	if (setns(own, CLONE_NEWNET) < 0)
		abort();
	return fd;
}

static int netlink_socket(int netns, int protocol, struct err *err)
{
	const int on = 1;
	AUTO_CLOSE int fd = netns < 0 ? socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)
				      : net_socket_in(netns, AF_NETLINK, SOCK_RAW, protocol, err);
	if (fd < 0)
		return netns < 0 ? err_errno(err, "netlink socket") : -1;
	/* The kernel's reason in words, and not our whole message back. */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
	return take_fd(&fd);
}

static int protocol_of(int which)
{
	return which ? NETLINK_NETFILTER : NETLINK_ROUTE;
}

int net_open_host(struct net *net, struct err *err)
{
	for (int i = 0; i < 2; i++)
		if (net->host[i] < 0 && (net->host[i] = netlink_socket(-1, protocol_of(i), err)) < 0)
			return -1;
	return 0;
}

void net_close(struct net *net)
{
	int *fds[] = {&net->host[0], &net->host[1], &net->container[0], &net->container[1], &net->netns};

	for (size_t i = 0; i < LENGTH(fds); i++) {
		close_fd(fds[i]);
		*fds[i] = -1;
	}
}

static int link_index(int socket, const char *name, struct err *err)
{
	struct ifreq request = {0};

	memcpy(request.ifr_name, name, sizeof request.ifr_name - 1);
	if (ioctl(socket, SIOCGIFINDEX, &request) < 0)
		return err_errno(err, "link %s", request.ifr_name);
	return request.ifr_ifindex;
}

static int patch(int socket, const struct net *net, struct field bytes, struct field patches, struct err *err)
{
	for (uint32_t at = 0; at < patches.size; at += PATCH_SIZE) {
		const char *entry = patches.data + at;
		uint32_t offset = patches.size - at < PATCH_SIZE ? UINT32_MAX : get_u32(entry + 4);

		if (offset % 4 || bytes.size < 4 || offset > bytes.size - 4)
			return err_set(err, EBADMSG, "a patch outside of the netlink messages");
		int value = get_u32(entry) == NET_PATCH_NETNS ? net->netns : link_index(socket, entry + 8, err);
		if (value < 0)
			return get_u32(entry) == NET_PATCH_NETNS
				       ? err_set(err, EBADF, "no network namespace to put the link into")
				       : -1;
		/* Netlink is in the machine's own byte order. */
		memcpy(bytes.data + offset, &value, sizeof value);
	}
	return 0;
}

/* The kernel's words about an error: attribute 1 after the capped message, if it sent any. */
static const char *reason(const struct nlmsghdr *header, size_t size)
{
	const char *at = (const char *)header + NLMSG_HDRLEN + sizeof(struct nlmsgerr);
	const char *end = (const char *)header + size;

	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	while (end - at >= 4) {
		struct nlattr attr;

		memcpy(&attr, at, sizeof attr);
		if (attr.nla_len < 4 || attr.nla_len > end - at)
			return NULL;
		if ((attr.nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG && at[attr.nla_len - 1] == '\0')
			return at + 4;
		at += NLMSG_ALIGN((size_t)attr.nla_len);
	}
	return NULL;
}

static int answers(int socket, int tolerated, struct err *err)
{
	_Alignas(struct nlmsghdr) char buffer[4096];
	int result = 0;

	for (;;) {
		ssize_t got = recv(socket, buffer, sizeof buffer, MSG_DONTWAIT);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return result;
		if (got < 0)
			return err_errno(err, "read the kernel's answer");
		size_t left = (size_t)got;
		for (struct nlmsghdr *at = (void *)buffer;
		     left >= sizeof *at && at->nlmsg_len >= sizeof *at && at->nlmsg_len <= left;) {
			struct nlmsgerr error = {0};
			if (at->nlmsg_type == NLMSG_ERROR && at->nlmsg_len >= NLMSG_LENGTH(sizeof error))
				memcpy(&error, NLMSG_DATA(at), sizeof error);
			if (error.error && -error.error != tolerated && result == 0) {
				const char *words = reason(at, at->nlmsg_len);
				result = err_set(err, -error.error, "netlink message of type 0x%x: %s%s%s",
						 error.msg.nlmsg_type, strerror(-error.error),
						 words ? ": " : "", words ? words : "");
			}
			size_t step = NLMSG_ALIGN(at->nlmsg_len);
			if (step >= left)
				break;
			left -= step;
			at = (void *)((char *)at + step);
		}
	}
}

int net_netlink(struct net *net, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	bool inside = args_number(&args) == 1;
	int which = args_number(&args) == NETLINK_NETFILTER;
	struct field bytes = args_bytes(&args);
	struct field patches = args_bytes(&args);
	int tolerated = (int)args_number(&args);

	if (args_end(&args, err) < 0)
		return -1;
	int *fd = inside ? &net->container[which] : &net->host[which];
	if (*fd < 0)
		*fd = netlink_socket(inside ? net->netns : -1, protocol_of(which), err);
	if (*fd < 0)
		return -1;
	if (patch(*fd, net, bytes, patches, err) < 0)
		return -1;
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	if (bytes.size > NETLINK_LIMIT)
		return err_set(err, EMSGSIZE, "netlink messages of %u bytes", bytes.size);
	if (bytes.size > 100000) {
		int room = (int)bytes.size * 2;
		setsockopt(*fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
	}
	if (sendto(*fd, bytes.data, bytes.size, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0)
		return err_errno(err, "send %u bytes of netlink messages", bytes.size);
	return answers(*fd, tolerated, err);
}

static int enter(struct net *net, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	uint64_t pid = args_number(&args);
	char path[64];

	if (args_end(&args, err) < 0)
		return -1;
	snprintf(path, sizeof path, "/proc/%llu/ns/net", (unsigned long long)pid);
	net->netns = open(path, O_RDONLY | O_CLOEXEC);
	return net->netns < 0 ? err_errno(err, "open %s", path) : 0;
}

/* Job 16: netlink messages in the engine's namespace, and in that of a running container. */
static int run(struct job *job)
{
	__attribute__((cleanup(net_close))) struct net net = NET_CLOSED;
	struct err err = {0};

	for (uint32_t i = 0; i < job->request->count; i++) {
		const struct op *op = &job->request->ops[i];
		int result = op->code == OP_NETLINK ? net_netlink(&net, op, &err)
			     : op->code == OP_NETNS ? enter(&net, op, &err)
						    : err_set(&err, ENOSYS, "operation %u", op->code);

		if (result < 0)
			return answer_error(job->fd, i, &err), 1;
	}
	return answer_ok(job->fd, NULL, 0) < 0;
}

const struct job_kind net_jobs[] = {{16, run}, {0, NULL}};
