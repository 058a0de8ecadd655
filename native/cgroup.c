#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "cgroup.h"

#define CGROUP2_MAGIC 0x63677270

static bool is_v2(int dir)
{
	struct statfs fs;

	return fstatfs(dir, &fs) == 0 && fs.f_type == CGROUP2_MAGIC;
}

static ssize_t read_text_at(int dir, const char *name, char *text, size_t size)
{
	AUTO_CLOSE int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read_some(fd, text, size - 1);

	text[n < 0 ? 0 : n] = '\0';
	return n;
}

/* A new v1 cpuset has no cpus, and nothing can join it before it has some. */
static void inherit_cpuset(int parent, int dir, const char *file)
{
	char value[4096];

	if (read_text_at(dir, file, value, sizeof value) > 1)
		return;
	if (read_text_at(parent, file, value, sizeof value) > 1)
		(void)write_text_at(dir, file, value);
}

/* Best effort: a controller may be unavailable, and a parent with processes cannot pass any on. */
static void pass_controllers(int parent)
{
	char names[512], *rest = names;

	if (read_text_at(parent, "cgroup.controllers", names, sizeof names) <= 0)
		return;
	for (char *name; (name = strtok_r(rest, " \n", &rest));) {
		char text[64];

		snprintf(text, sizeof text, "+%s", name);
		(void)write_text_at(parent, "cgroup.subtree_control", text);
	}
}

static int make_level(int parent, const char *name, bool v2, struct err *err)
{
	if (v2)
		pass_controllers(parent);
	if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		return err_errno(err, "make the cgroup %s", name);
	int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, "open the cgroup %s", name);
	if (!v2) {
		inherit_cpuset(parent, dir, "cpuset.cpus");
		inherit_cpuset(parent, dir, "cpuset.mems");
	}
	return dir;
}

/* Walks down from the nearest level that is there. */
static int make_path(const char *path, struct err *err)
{
	AUTO_FREE char *copy = strdup(path);
	size_t kept = strlen(path);
	AUTO_CLOSE int dir = -1;

	if (!copy)
		return err_errno(err, "memory for a path");
	while (dir < 0) {
		dir = open(copy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0 && errno != ENOENT)
			return err_errno(err, "open the cgroup %s", copy);
		if (dir >= 0)
			break;
		char *slash = strrchr(copy, '/');
		if (!slash || slash == copy)
			return err_set(err, ENOENT, "no cgroup file system at %s", path);
		*slash = '\0';
		kept = (size_t)(slash - copy);
	}
	bool v2 = is_v2(dir);
	AUTO_FREE char *below = strdup(path + kept);
	if (!below)
		return err_errno(err, "memory for a path");
	char *rest = below;
	for (char *name; (name = strtok_r(rest, "/", &rest));) {
		if (strcmp(name, "..") == 0)
			return err_set(err, EINVAL, "a cgroup's path has no ..: %s", path);
		int next = make_level(dir, name, v2, err);
		if (next < 0)
			return -1;
		close(dir);
		dir = next;
	}
	return take_fd(&dir);
}

int cgroup_create(struct cgroups *cgroups, const char *path, struct err *err)
{
	struct cgroup *cgroup = &cgroups->list[cgroups->count];

	if (cgroups->count == CGROUP_MAX)
		return err_set(err, E2BIG, "more than %d cgroups", CGROUP_MAX);
	if (path[0] != '/' || strstr(path, "/../"))
		return err_set(err, EINVAL, "a cgroup's path is absolute and has no ..: %s", path);
	AUTO_CLOSE int dir = make_path(path, err);
	if (dir < 0)
		return -1;
	*cgroup = (struct cgroup){.path = strdup(path), .v2 = is_v2(dir)};
	if (!cgroup->path)
		return err_errno(err, "memory for a path");
	cgroup->dir = take_fd(&dir);
	cgroups->count++;
	return 0;
}

int cgroup_v2(const struct cgroups *cgroups)
{
	for (unsigned i = 0; i < cgroups->count; i++)
		if (cgroups->list[i].v2)
			return cgroups->list[i].dir;
	return -1;
}

int cgroup_join(const struct cgroups *cgroups, bool also_v2, struct err *err)
{
	for (unsigned i = 0; i < cgroups->count; i++) {
		const struct cgroup *cgroup = &cgroups->list[i];

		if (cgroup->v2 && !also_v2)
			continue;
		if (write_text_at(cgroup->dir, cgroup->v2 ? "cgroup.procs" : "tasks", "0") < 0)
			return err_errno(err, "join the cgroup %s", cgroup->path);
	}
	return 0;
}

static void kill_members(int dir)
{
	char pids[4096], *rest = pids;

	if (write_text_at(dir, "cgroup.kill", "1") == 0)
		return;
	if (read_text_at(dir, "cgroup.procs", pids, sizeof pids) <= 0)
		return;
	for (char *pid; (pid = strtok_r(rest, "\n", &rest));)
		if (atoi(pid) > 1)
			kill(atoi(pid), SIGKILL);
}

void cgroup_remove(struct cgroups *cgroups)
{
	const struct timespec pause = {.tv_nsec = 500000};

	for (unsigned i = 0; i < cgroups->count; i++) {
		struct cgroup *cgroup = &cgroups->list[i];

		for (int tries = 0; tries < 400; tries++) {
			if (rmdir(cgroup->path) == 0 || errno != EBUSY)
				break;
			kill_members(cgroup->dir);
			nanosleep(&pause, NULL);
		}
		close(cgroup->dir);
		free(cgroup->path);
	}
	cgroups->count = 0;
}

static unsigned long count_after(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoul(at + strlen(key), NULL, 10) : 0;
}

bool cgroup_oom_killed(const struct cgroups *cgroups)
{
	char text[1024];

	for (unsigned i = 0; i < cgroups->count; i++) {
		const char *file = cgroups->list[i].v2 ? "memory.events" : "memory.oom_control";

		if (read_text_at(cgroups->list[i].dir, file, text, sizeof text) > 0 &&
		    count_after(text, "oom_kill ") > 0)
			return true;
	}
	return false;
}

static int v1_event(int dir)
{
	AUTO_CLOSE int control = openat(dir, "memory.oom_control", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int event = control < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	char text[32];

	if (event < 0)
		return -1;
	snprintf(text, sizeof text, "%d %d", event, control);
	return write_text_at(dir, "cgroup.event_control", text) < 0 ? -1 : take_fd(&event);
}

int cgroup_oom_event(const struct cgroups *cgroups, bool *pri)
{
	for (unsigned i = 0; i < cgroups->count; i++) {
		const struct cgroup *cgroup = &cgroups->list[i];
		int fd = cgroup->v2 ? openat(cgroup->dir, "memory.events", O_RDONLY | O_CLOEXEC)
				    : v1_event(cgroup->dir);

		*pri = cgroup->v2;
		if (fd >= 0)
			return fd;
	}
	return -1;
}
