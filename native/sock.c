#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "sock.h"
#include "util.h"

/*
 * sun_path holds 107 bytes; through a descriptor of the directory only the last name counts.
 * Returns that descriptor, which the address needs, and the last name.
 */
static int name(const char *path, struct sockaddr_un *address, const char **last, struct err *err)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *parent = strndup(path, slash ? (size_t)(slash - path) : 0);
	AUTO_CLOSE int dir = open(slash && parent[0] ? parent
				  : slash            ? "/"
						     : ".",
				  O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, "open the directory of %s", path);
	*last = slash ? slash + 1 : path;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	int used = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", dir,
			    *last);
	if (used < 0 || (size_t)used >= sizeof address->sun_path)
		return err_set(err, ENAMETOOLONG, "socket name of %s", path);
	return take_fd(&dir);
}

int sock_connect(const char *path, struct err *err)
{
	struct sockaddr_un address;
	const char *last;
	AUTO_CLOSE int dir = name(path, &address, &last, err);
	if (dir < 0)
		return -1;
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, "socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		return err_errno(err, "connect to %s", path);
	return take_fd(&fd);
}

int sock_listen(const char *path, struct err *err)
{
	struct sockaddr_un address;
	const char *last;
	AUTO_CLOSE int dir = name(path, &address, &last, err);
	if (dir < 0)
		return -1;
	if (unlinkat(dir, last, 0) < 0 && errno != ENOENT)
		return err_errno(err, "remove the old %s", path);

	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(err, "socket");
	mode_t mask = umask(0177);
	int bound = bind(fd, (struct sockaddr *)&address, sizeof address);
	umask(mask);
	if (bound < 0 || listen(fd, 128) < 0)
		return err_errno(err, "listen on %s", path);
	return take_fd(&fd);
}

void sock_remove(const char *directory, const char *name)
{
	AUTO_CLOSE int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir >= 0)
		(void)unlinkat(dir, name, 0);
}
