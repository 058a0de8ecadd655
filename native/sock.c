#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "sock.h"
#include "util.h"

int sock_listen(const char *path, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *parent = strndup(path, slash ? (size_t)(slash - path) : 0);
	AUTO_CLOSE int dir = open(slash && parent[0] ? parent : slash ? "/" : ".",
				  O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, "open the directory of %s", path);
	/* sun_path holds 107 bytes; through the descriptor only the last name counts. */
	int used = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir,
			    slash ? slash + 1 : path);
	if (used < 0 || (size_t)used >= sizeof address.sun_path)
		return err_set(err, ENAMETOOLONG, "socket name of %s", path);
	if (unlinkat(dir, slash ? slash + 1 : path, 0) < 0 && errno != ENOENT)
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
