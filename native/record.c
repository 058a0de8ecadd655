#include <fcntl.h>
#include <sys/wait.h>

#include "record.h"

int record_clear(const char *dir, struct err *err)
{
	AUTO_CLOSE int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (at < 0)
		return err_errno(err, "open %s", dir);
	if (unlinkat(at, "exit", 0) < 0 && errno != ENOENT)
		return err_errno(err, "remove %s/exit", dir);
	return 0;
}

/* A link that leads nowhere holds the line itself, for which there is room on a full disk. */
static int record_as_link(int at, const char *dir, char *line, struct err *err)
{
	line[strcspn(line, "\n")] = '\0';
	if (unlinkat(at, "exit.new", 0) < 0 && errno != ENOENT)
		return err_errno(err, "remove %s/exit.new", dir);
	if (symlinkat(line, at, "exit.new") < 0)
		return err_errno(err, "link %s/exit.new", dir);
	if (renameat(at, "exit.new", at, "exit") < 0)
		return err_errno(err, "rename %s/exit.new", dir);
	int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_errno(err, "open %s", dir) : fd;
}

int record_exit(const char *dir, const struct task *task, bool oom, struct err *err)
{
	int number = WIFSIGNALED(task->status) ? WTERMSIG(task->status) : 0;
	int code = number > 0 ? 128 + number : WEXITSTATUS(task->status);
	char line[100];
	AUTO_CLOSE int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return err_errno(err, "open %s", dir);
	int size =
	    snprintf(line, sizeof line, "%d %d %d %llu %llu\n", code, number, oom,
		     (unsigned long long)task->finished_at, (unsigned long long)task->started_at);
	AUTO_CLOSE int fd = openat(at, "exit.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write_full(fd, line, (size_t)size) < 0)
		return record_as_link(at, dir, line, err);
	if (renameat(at, "exit.new", at, "exit") < 0)
		return err_errno(err, "rename %s/exit.new", dir);
	return take_fd(&fd);
}
