#include <dirent.h>
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

/*
 * A new v1 cpuset has no cpus, and nothing can join it before it has some. Neither has its parent,
 * if another process has made that one just now and not got to this.
 */
static void inherit_cpuset(int parent, int dir, const char *file, int depth)
{
	char value[4096];

	if (read_text_at(dir, file, value, sizeof value) > 1)
		return;
	if (read_text_at(parent, file, value, sizeof value) <= 1 && depth < 64) {
		AUTO_CLOSE int above = openat(parent, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		inherit_cpuset(above, parent, file, depth + 1);
		(void)read_text_at(parent, file, value, sizeof value);
	}
	if (value[0] && value[0] != '\n')
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

/*
 * Which v1 hierarchy it is shows only in its files; looking for cpuset's in all of them costs more
 * than making the cgroups. Where it is mounted, its name is part of the path.
 */
static bool is_cpuset(const char *path)
{
	return strstr(path, "cpuset") != NULL;
}

static int make_level(int parent, const char *name, const char *path, bool v2, struct err *err)
{
	if (v2)
		pass_controllers(parent);
	if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		return err_errno(err, "make the cgroup %s", path);
	int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, "open the cgroup %s", path);
	if (!v2 && is_cpuset(path)) {
		inherit_cpuset(parent, dir, "cpuset.cpus", 0);
		inherit_cpuset(parent, dir, "cpuset.mems", 0);
	}
	return dir;
}

/* Makes `path`, whose parents are made first if they are missing. Returns its descriptor. */
static int make_path(const char *path, bool *v2, struct err *err)
{
	const char *slash = strrchr(path, '/');

	if (slash == path || !slash[1])
		return err_set(err, ENOENT, "no cgroup file system at %s", path);
	AUTO_FREE char *above = strndup(path, (size_t)(slash - path));
	if (!above)
		return err_errno(err, "memory for a path");
	AUTO_CLOSE int parent = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0 && errno == ENOENT)
		parent = make_path(above, v2, err);
	else if (parent < 0)
		return err_errno(err, "open the cgroup %s", above);
	else
		*v2 = is_v2(parent);
	if (parent < 0)
		return -1;
	return make_level(parent, slash + 1, path, *v2, err);
}

/* `..` as a component would lead to another container's cgroup, or to no cgroup. */
static bool has_dots(const char *path)
{
	for (const char *at = path; (at = strstr(at, "/.."));) {
		at += 3;
		if (*at == '/' || !*at)
			return true;
	}
	return false;
}

int cgroup_create(struct cgroups *cgroups, const char *path, struct err *err)
{
	struct cgroup *cgroup = &cgroups->list[cgroups->count];

	if (cgroups->count == CGROUP_MAX)
		return err_set(err, E2BIG, "more than %d cgroups", CGROUP_MAX);
	if (path[0] != '/' || has_dots(path))
		return err_set(err, EINVAL, "a cgroup's path is absolute and has no ..: %s", path);
	bool v2;
	AUTO_CLOSE int dir = make_path(path, &v2, err);
	if (dir < 0)
		return -1;
	*cgroup = (struct cgroup){.path = strdup(path), .v2 = v2};
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

/* The part of `inside`, a path from the hierarchy's root, that is below `path`, which has its mount
 * point, too. */
static const char *part_below(const char *path, const char *inside)
{
	for (const char *at = path; (at = strchr(at, '/')); at++) {
		size_t length = strlen(at);

		if (strncmp(at, inside, length) == 0 && (inside[length] == '/' || !inside[length]))
			return inside + length;
	}
	return NULL;
}

int cgroup_v2_of(const struct cgroups *cgroups, pid_t pid)
{
	char file[64], text[8192];

	snprintf(file, sizeof file, "/proc/%d/cgroup", pid);
	if (read_text_at(AT_FDCWD, file, text, sizeof text) <= 0)
		return -1;
	char *inside = strncmp(text, "0::", 3) == 0 ? text + 3 : strstr(text, "\n0::");
	if (!inside)
		return -1;
	inside += *inside == '\n' ? 4 : 0;
	inside[strcspn(inside, "\n")] = '\0';
	for (unsigned i = 0; i < cgroups->count; i++) {
		const char *below =
		    cgroups->list[i].v2 ? part_below(cgroups->list[i].path, inside) : NULL;

		if (below && *below && !has_dots(below))
			return openat(cgroups->list[i].dir, below + 1,
				      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
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

static bool remove_tree(int parent, const char *name, int depth);

/* The container may have made cgroups of its own below its own. */
static void remove_below(int dir, int depth)
{
	AUTO_CLOSE int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	if (!stream)
		return;
	(void)take_fd(&fd);
	for (struct dirent *entry; (entry = readdir(stream));)
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			remove_tree(dir, entry->d_name, depth + 1);
	closedir(stream);
}

static bool remove_tree(int parent, const char *name, int depth)
{
	if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return true;
	AUTO_CLOSE int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || depth > 64)
		return false;
	kill_members(dir);
	remove_below(dir, depth);
	return unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

void cgroup_remove(struct cgroups *cgroups)
{
	const struct timespec pause = {.tv_nsec = 500000};
	int tries = 0;

	for (unsigned i = 0; i < cgroups->count; i++) {
		struct cgroup *cgroup = &cgroups->list[i];

		/* What was killed is in its cgroup until it is reaped: 200 ms for all of them. */
		while (!remove_tree(AT_FDCWD, cgroup->path, 0) && ++tries < 400)
			nanosleep(&pause, NULL);
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
