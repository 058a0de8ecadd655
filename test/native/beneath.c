/* Paths in a tree that somebody else filled: where each leads, and that none leads out. */
#include <sys/stat.h>

#include "beneath.h"
#include "check.h"
#include "util.h"

static char top[64];
static int root;

static void shell(const char *script)
{
	char command[4096];

	snprintf(command, sizeof command, "cd %s && %s", top, script);
	CHECK(system(command) == 0);
}

/* What a path names after it was made, relative to the root; "error NUMBER" if it was refused. */
static const char *made(const char *path, bool directory)
{
	static char name[4200];
	char self[64], target[4096];
	struct err err = {0};
	AUTO_CLOSE int fd = beneath_target(root, path, directory, &err);

	if (fd < 0) {
		CHECK(err.text[0]);
		snprintf(name, sizeof name, "error %d", err.code);
		return name;
	}
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(self, target, sizeof target - 1);
	CHECK(length > 0);
	target[length] = '\0';
	size_t skip = strlen(top) + strlen("/root");
	CHECK(strncmp(target, top, strlen(top)) == 0 && (size_t)length >= skip);
	snprintf(name, sizeof name, "%s", target + skip);
	return name;
}

static void mount_points_are_made_inside(void)
{
	static const struct {
		const char *path, *leads;
		bool directory;
	} table[] = {
	    {"/", "", true},
	    {"/plain/new/deep", "/plain/new/deep", true},
	    {"plain/file", "/plain/file", false},
	    {"/../../up", "/up", true},
	    {"/plain/../../x/./y", "/x/y", true},
	    {"/absolute/a", "/plain/a", true},
	    {"/out/b", "/etc/b", true},
	    {"/climb/c", "/c", true},
	    {"/dangling", "/nowhere/at/all", true},
	    {"/dangling-file", "/missing/file", false},
	    {"/relative/file", "/plain/sub/other", false},
	    {"/chain/x", "/plain/x", true},
	    {"/loop/x", "error 40", true},
	    {"/self", "error 40", false},
	    {"/plain/old", "error 20", true},
	    {"/plain", "error 21", false},
	    {"/plain/old/below", "error 20", true},
	};

	for (size_t i = 0; i < LENGTH(table); i++)
		CHECK_TEXT(made(table[i].path, table[i].directory), table[i].leads);
	/* A second time, all of them are there. */
	for (size_t i = 0; i < LENGTH(table); i++)
		CHECK_TEXT(made(table[i].path, table[i].directory), table[i].leads);
}

static void nothing_was_made_outside(void)
{
	shell("test \"$(ls)\" = root && test ! -e /etc/b");
}

static void magic_links_are_refused(void)
{
	AUTO_CLOSE int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	CHECK(beneath_open(proc, "self/root/etc", O_PATH) < 0 && errno == ELOOP);
	CHECK(beneath_open(proc, "self/fd/0", O_PATH) < 0 && errno == ELOOP);
	CHECK(beneath_open_plain(proc, "self/status", O_PATH) < 0 && errno == ELOOP);
}

static void parents_and_names(void)
{
	static const char *const bad[] = {"", "/", "/plain/", "/plain/.", "/plain/..", ".."};
	struct err err = {0};
	const char *name;

	for (size_t i = 0; i < LENGTH(bad); i++)
		CHECK(beneath_parent(root, bad[i], &name, &err) < 0 && err.code == EINVAL);
	AUTO_CLOSE int parent = beneath_parent(root, "/absolute/deep/file", &name, &err);
	CHECK(parent >= 0);
	CHECK_TEXT(name, "file");
	shell("test -d root/plain/deep && test ! -e root/plain/deep/file");
}

static void long_paths_end(void)
{
	char path[9000];

	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	CHECK_TEXT(made(path, true), "error 36");
	for (size_t i = 0; i < sizeof path - 1; i += 2)
		path[i] = '/';
	CHECK_TEXT(made(path, true), "error 36");
}

int main(void)
{
	char path[80];

	snprintf(top, sizeof top, "/tmp/slw-beneath-XXXXXX");
	CHECK(mkdtemp(top));
	shell("mkdir -p root/plain/sub root/etc && touch root/plain/old && cd root && "
	      "ln -s /plain absolute && ln -s /etc out && ln -s ../../../../.. climb && "
	      "ln -s /nowhere/at/all dangling && ln -s missing/file dangling-file && "
	      "ln -s plain/sub relative && ln -s other plain/sub/file && "
	      "ln -s chain2 chain && ln -s chain3 chain2 && ln -s /plain chain3 && "
	      "ln -s loop2 loop && ln -s loop loop2 && ln -s self self");
	snprintf(path, sizeof path, "%s/root", top);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(root >= 0);
	mount_points_are_made_inside();
	nothing_was_made_outside();
	magic_links_are_refused();
	parents_and_names();
	long_paths_end();
	snprintf(path, sizeof path, "rm -r %s", top);
	CHECK(system(path) == 0);
	puts("native/beneath: passed");
	return 0;
}
