#include "dirtimes.h"

#include <sys/stat.h>

#include "beneath.h"

struct dir_time {
	char *path;
	struct timespec mtime;
};

int dir_times_add(struct dir_times *times, const char *path, struct timespec mtime, struct err *err)
{
	if (times->count == times->room) {
		size_t room = times->room > 0 ? times->room * 2 : 256;
		struct dir_time *more = realloc(times->list, room * sizeof *more);

		if (!more)
			return err_errno(err, "memory for an archive");
		times->list = more;
		times->room = room;
	}
	char *copy = strdup(path);
	if (!copy)
		return err_errno(err, "memory for an archive");
	times->list[times->count++] = (struct dir_time){copy, mtime};
	return 0;
}

void dir_times_apply(struct dir_times *times, int root)
{
	for (size_t i = 0; i < times->count; i++) {
		const struct timespec both[2] = {times->list[i].mtime, times->list[i].mtime};
		const char *path = times->list[i].path;
		AUTO_CLOSE int fd =
		    beneath_open(root, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

		if (fd >= 0)
			futimens(fd, both);
		free(times->list[i].path);
	}
	free(times->list);
	*times = (struct dir_times){0};
}
