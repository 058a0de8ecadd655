#include <limits.h>
#include <sys/stat.h>

#include "search.h"

static const char *find_env(char *const env[], const char *name)
{
	size_t length = strlen(name);

	for (; env && *env; env++)
		if (strncmp(*env, name, length) == 0 && (*env)[length] == '=')
			return *env + length + 1;
	return NULL;
}

void search_exec(char *const argv[], char *const env[], struct err *err)
{
	const char *path = find_env(env, "PATH");
	char file[PATH_MAX];
	int code = ENOENT;

	if (strchr(argv[0], '/')) {
		execve(argv[0], argv, env);
		err_errno(err, "run %s", argv[0]);
		return;
	}
	for (const char *at = path; at && argv[0][0];) {
		size_t length = strcspn(at, ":");
		struct stat st;

		snprintf(file, sizeof file, "%.*s/%s", (int)length, length > 0 ? at : ".", argv[0]);
		if (stat(file, &st) < 0) {
			if (errno == EACCES)
				code = EACCES;
		} else if (!S_ISDIR(st.st_mode)) {
			execve(file, argv, env);
			if (errno != ENOENT && errno != ENOTDIR)
				code = errno;
			/* Such as a wrong architecture: the next directory has no say. */
			if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
				break;
		}
		at = at[length] ? at + length + 1 : NULL;
	}
	errno = code;
	err_errno(err, "run %s, found in no directory of PATH", argv[0]);
	if (code != ENOENT) {
		errno = code;
		err_errno(err, "run %s", argv[0]);
	}
}

static int look_at(const char *file, struct err *err)
{
	struct stat st;

	if (stat(file, &st) < 0)
		return err_errno(err, "run %s", file);
	errno = EACCES;
	return S_ISDIR(st.st_mode) || !(st.st_mode & 0111) ? err_errno(err, "run %s", file) : 0;
}

int search_check(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *name = args_string(&args), *path = args_string(&args);
	const char *cwd = args_string(&args);
	char file[PATH_MAX];
	struct err last = {0};

	(void)launch;
	if (args_end(&args, err) < 0)
		return -1;
	if (strchr(name, '/')) {
		snprintf(file, sizeof file, "%s%s%s", name[0] == '/' ? "" : cwd,
			 name[0] == '/' ? "" : "/", name);
		return look_at(file, err);
	}
	err_set(err, ENOENT, "run %s, found in no directory of PATH", name);
	for (const char *at = path; *at && name[0];) {
		size_t length = strcspn(at, ":");

		snprintf(file, sizeof file, "%.*s/%s", (int)length, length > 0 ? at : cwd, name);
		if (look_at(file, &last) == 0)
			return 0;
		if (last.code == EACCES)
			*err = last;
		at += length + (at[length] == ':');
	}
	return -1;
}
