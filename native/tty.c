#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <termios.h>

#include "kernel.h"
#include "tty.h"
#include "util.h"

#define DEVPTS_MAGIC 0x1cd1
#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

int tty_open(int dev, int *slave, struct err *err)
{
	struct k_open_how how = {
	    .flags = O_RDWR | O_NOCTTY | O_CLOEXEC,
	    .resolve = K_RESOLVE_BENEATH | K_RESOLVE_NO_SYMLINKS | K_RESOLVE_NO_MAGICLINKS,
	};
	AUTO_CLOSE int master = sys_openat2(dev, "pts/ptmx", how);
	struct statfs fs;
	int unlocked = 0;

	if (master < 0)
		return err_errno(err, "open /dev/pts/ptmx");
	if (fstatfs(master, &fs) < 0)
		return err_errno(err, "look at /dev/pts/ptmx");
	if (fs.f_type != DEVPTS_MAGIC)
		return err_set(err, ENOTTY, "/dev/pts is no devpts");
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return err_errno(err, "unlock the terminal");
	*slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0)
		return err_errno(err, "open the terminal's other side");
	return take_fd(&master);
}

int tty_resize(int tty, uint16_t rows, uint16_t columns)
{
	struct winsize size = {.ws_row = rows, .ws_col = columns};

	return ioctl(tty, TIOCSWINSZ, &size);
}

int tty_control(int slave, struct err *err)
{
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return err_errno(err, "make the terminal the controlling one");
	return 0;
}

union fd_message {
	struct cmsghdr head;
	char space[CMSG_SPACE(sizeof(int))];
};

int fd_send(int socket, int fd)
{
	union fd_message control = {0};
	struct iovec part = {"f", 1};
	struct msghdr message = {
	    .msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = control.space,
	    .msg_controllen = sizeof control.space,
	};

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
	return sendmsg(socket, &message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

int fd_receive(int socket)
{
	union fd_message control = {0};
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {
	    .msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = control.space,
	    .msg_controllen = sizeof control.space,
	};
	ssize_t n;
	int fd;

	do
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	if (n == 0 || message.msg_controllen < CMSG_LEN(sizeof fd) ||
	    control.head.cmsg_type != SCM_RIGHTS) {
		errno = EPROTO;
		return -1;
	}
	memcpy(&fd, CMSG_DATA(&control.head), sizeof fd);
	return fd;
}
