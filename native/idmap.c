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

/* Runs `program PID 0 OWN 1 1 START LENGTH …`, which is allowed to do what we are not. */
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
	return child > 0 && waitpid(child, &status, 0) == child && status == 0 ? 0 : -1;
}

static int write_map(pid_t pid, const char *file, const char *text, struct err *err)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
	return write_text_at(AT_FDCWD, path, text) < 0 ? err_errno(err, "write %s", path) : 0;
}

/* What the kernel lets anybody do: the own id alone, and no change of groups. */
static int write_single(pid_t pid, uid_t uid, gid_t gid, struct err *err)
{
	char text[32];

	snprintf(text, sizeof text, "0 %u 1", uid);
	if (write_map(pid, "uid_map", text, err) < 0 ||
	    write_map(pid, "setgroups", "deny", err) < 0)
		return -1;
	snprintf(text, sizeof text, "0 %u 1", gid);
	return write_map(pid, "gid_map", text, err);
}

int idmap_write(pid_t pid, uid_t uid, gid_t gid, struct err *err)
{
	struct ranges uids, gids;
	char name[64];

	find_name(uid, name);
	read_ranges("/etc/subuid", uid, name, &uids);
	read_ranges("/etc/subgid", uid, name, &gids);
	if (uids.count > 0 && gids.count > 0 && run_map_helper("newuidmap", pid, uid, &uids) == 0) {
		if (run_map_helper("newgidmap", pid, gid, &gids) == 0)
			return 1;
		return err_set(err, EPERM, "newgidmap refused the ids of /etc/subgid");
	}
	return write_single(pid, uid, gid, err) < 0 ? -1 : 0;
}
