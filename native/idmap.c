#include <fcntl.h>
#include <sys/wait.h>

#include "idmap.h"
#include "util.h"

#define RANGES 16

struct ranges {
	unsigned count;
	unsigned long start[RANGES], length[RANGES];
};

/* A field of a line such as "name:x:1000"; they are counted from 0. */
static bool field_is(const char *line, unsigned index, const char *value)
{
	for (; index > 0; index--) {
		line = strchr(line, ':');
		if (!line++)
			return false;
	}
	size_t length = strcspn(line, ":\n");
	return length == strlen(value) && strncmp(line, value, length) == 0;
}

/* The user's name by /etc/passwd: this program has no NSS, so for others $USER has to do. */
static void find_name(uid_t uid, char name[64])
{
	const char *user = getenv("USER");
	char line[1024], id[16];
	FILE *file = fopen("/etc/passwd", "re");

	snprintf(id, sizeof id, "%u", uid);
	snprintf(name, 64, "%s", user ? user : "");
	while (file && fgets(line, sizeof line, file)) {
		size_t length = strcspn(line, ":");

		if (!field_is(line, 2, id) || length >= 64)
			continue;
		memcpy(name, line, length);
		name[length] = '\0';
		break;
	}
	if (file)
		fclose(file);
}

/* Lines "name-or-id:first:count". */
static void read_ranges(const char *path, uid_t uid, const char *name, struct ranges *ranges)
{
	char line[1024], id[16];
	FILE *file = fopen(path, "re");

	snprintf(id, sizeof id, "%u", uid);
	ranges->count = 0;
	while (file && ranges->count < RANGES && fgets(line, sizeof line, file)) {
		const char *numbers = strchr(line, ':');
		unsigned n = ranges->count;

		if (!numbers || (!field_is(line, 0, id) && !(name[0] && field_is(line, 0, name))))
			continue;
		if (sscanf(numbers, ":%lu:%lu", &ranges->start[n], &ranges->length[n]) == 2 &&
		    ranges->length[n] > 0)
			ranges->count++;
	}
	if (file)
		fclose(file);
}

/* Runs `program PID 0 OWN 1 1 START LENGTH …`, which is allowed to do what we are not. Returns its
 * status, 127 if it is not installed. */
static int run_map_helper(const char *program, pid_t pid, unsigned own, const struct ranges *ranges)
{
	char text[5 + 3 * RANGES][24], *argv[5 + 3 * RANGES + 1];
	unsigned long inside = 1;
	unsigned argc = 0;
	int status;

	snprintf(text[argc++], sizeof *text, "%s", program);
	snprintf(text[argc++], sizeof *text, "%d", pid);
	snprintf(text[argc++], sizeof *text, "0");
	snprintf(text[argc++], sizeof *text, "%u", own);
	snprintf(text[argc++], sizeof *text, "1");
	for (unsigned i = 0; i < ranges->count; i++) {
		snprintf(text[argc++], sizeof *text, "%lu", inside);
		snprintf(text[argc++], sizeof *text, "%lu", ranges->start[i]);
		snprintf(text[argc++], sizeof *text, "%lu", ranges->length[i]);
		inside += ranges->length[i];
	}
	for (unsigned i = 0; i < argc; i++)
		argv[i] = text[i];
	argv[argc] = NULL;
	pid_t child = fork();
	if (child == 0) {
		execvp(program, argv);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return 1;
	return WEXITSTATUS(status);
}

/* Says what is missing, and the command that adds it. */
static int refuse(const char *name, const char *what, struct err *err)
{
	return err_set(err, EPERM,
		       "an engine without root needs ids for its containers' users: %s has none in "
		       "%s; as root: usermod --add-subuids 100000-165535 --add-subgids "
		       "100000-165535 %s",
		       name, what, name);
}

static int map(const char *program, pid_t pid, unsigned own, const char *file,
	       const struct ranges *ranges, struct err *err)
{
	int status = run_map_helper(program, pid, own, ranges);

	if (status == 0)
		return 0;
	if (status == 127)
		return err_set(err, ENOENT,
			       "an engine without root needs %s: as root: apt-get install uidmap",
			       program);
	return err_set(err, EPERM, "%s refused the ids of %s", program, file);
}

int idmap_write(pid_t pid, uid_t uid, gid_t gid, struct err *err)
{
	struct ranges uids, gids;
	char name[64];

	find_name(uid, name);
	read_ranges("/etc/subuid", uid, name, &uids);
	read_ranges("/etc/subgid", uid, name, &gids);
	if (uids.count == 0 || gids.count == 0)
		return refuse(name, uids.count == 0 ? "/etc/subuid" : "/etc/subgid", err);
	if (map("newuidmap", pid, uid, "/etc/subuid", &uids, err) < 0)
		return -1;
	return map("newgidmap", pid, gid, "/etc/subgid", &gids, err);
}
