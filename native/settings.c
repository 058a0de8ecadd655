/* The operations that the monitor carries out before the container is made. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor.h"
#include "record.h"
#include "sock.h"
#include "tty.h"

int monitor_set(struct launch *launch, const struct op *op, struct err *err)
{
	struct monitor *monitor = launch->monitor;
	struct args args = args_of(op);
	const char *run_dir = args_string(&args), *state_dir = args_string(&args);

	monitor->tty = args_number(&args) != 0;
	monitor->open_stdin = args_number(&args) != 0;
	monitor->stdin_once = args_number(&args) != 0;
	if (args_end(&args, err) < 0)
		return -1;
	monitor->run_dir = strdup(run_dir);
	monitor->state_dir = strdup(state_dir);
	if (!monitor->run_dir || !monitor->state_dir)
		return err_errno(err, "memory for a path");
	if (mkdir(run_dir, 0700) < 0 && errno != EEXIST)
		return err_errno(err, "make the directory %s", run_dir);
	launch->run_dir = monitor->run_dir;
	return record_clear(state_dir, err);
}

int monitor_host_file(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *path = args_string(&args);
	mode_t mode = (mode_t)args_number(&args) & 0777;
	struct field content = args_bytes(&args);

	(void)launch;
	if (args_end(&args, err) < 0)
		return -1;
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0 || write_full(fd, content.data, content.size) < 0)
		return err_errno(err, "write %s", path);
	return 0;
}

int monitor_inherit(struct launch *launch, const struct op *op, struct err *err)
{
	struct monitor *monitor = launch->monitor;
	struct args args = args_of(op);
	const char *console = args_string(&args);
	bool hands_over = args_number(&args) != 0;
	uint64_t preserved = args_number(&args);

	if (args_end(&args, err) < 0)
		return -1;
	monitor->inherits = true;
	monitor->hands_over = hands_over;
	monitor->preserved = (unsigned)preserved;
	if (*console && !(monitor->console = strdup(console)))
		return err_errno(err, "memory for a path");
	return 0;
}

int monitor_set_log(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	struct log_options options = {.path = args_string(&args)};

	options.max_size = args_number(&args);
	options.max_files = (unsigned)args_number(&args);
	options.binary = args_number(&args) != 0;
	options.next = args_number(&args);
	options.attrs = args_string(&args);
	if (args_end(&args, err) < 0)
		return -1;
	return log_open(&launch->monitor->log, &options, err);
}

int monitor_cgroup(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *path = args_string(&args);

	if (args_end(&args, err) < 0)
		return -1;
	return cgroup_create(&launch->monitor->cgroups, path, err);
}

int monitor_write(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *path = args_string(&args), *value = args_string(&args);
	bool optional = args_number(&args) != 0;

	(void)launch;
	if (args_end(&args, err) < 0)
		return -1;
	if (write_text_at(AT_FDCWD, path, value) < 0 && !optional)
		return err_errno(err, "write %s to %s", value, path);
	return 0;
}

int monitor_devices(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *path = args_string(&args);
	struct field program = args_bytes(&args);

	(void)launch;
	if (args_end(&args, err) < 0)
		return -1;
	return cgroup_device_filter(path, program.data, program.size, err);
}

static int make_pipe(int *read_end, int *write_end, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, "make a pipe");
	*read_end = ends[0];
	*write_end = ends[1];
	return 0;
}

int monitor_streams(struct monitor *monitor, struct err *err)
{
	int input = -1, out = -1, error = -1, *program = monitor->program_ends;

	if (!monitor->run_dir)
		return err_set(err, EINVAL, "a container needs the operation `monitor` first");
	if (monitor->tty)
		return 0;
	if (monitor->inherits) {
		for (int i = 0; i < 3; i++)
			if ((program[i] = fcntl(i, F_DUPFD_CLOEXEC, 3)) < 0)
				return err_errno(err, "keep descriptor %d", i);
		return 0;
	}
	if (monitor->open_stdin && make_pipe(&program[0], &input, err) < 0)
		return -1;
	if (!monitor->open_stdin) {
		program[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (program[0] < 0)
			return err_errno(err, "open /dev/null");
	}
	if (make_pipe(&out, &program[1], err) < 0 || make_pipe(&error, &program[2], err) < 0)
		return -1;
	return task_streams(monitor->task, input, out, error, err);
}

int monitor_terminal(struct monitor *monitor, int master, struct err *err)
{
	if (!monitor->console)
		return task_terminal(monitor->task, master, err);
	/* As runc has it: who asked for the container holds its terminal. */
	AUTO_CLOSE int terminal = master;
	AUTO_CLOSE int receiver = sock_connect(monitor->console, err);
	if (receiver < 0)
		return -1;
	if (fd_send(receiver, terminal) < 0)
		return err_errno(err, "send the terminal to %s", monitor->console);
	return 0;
}
