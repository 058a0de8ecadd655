#include <sys/resource.h>

#include "opcodes.h"
#include "process.h"

static int parse_list(struct args *args, char ***list, struct err *err)
{
	size_t count;
	const struct field *items = args_list(args, &count);

	if (args_end(args, err) < 0)
		return -1;
	free(*list);
	*list = calloc(count + 1, sizeof **list);
	if (!*list)
		return err_errno(err, "memory for a list of %zu", count);
	for (size_t i = 0; i < count; i++)
		(*list)[i] = items[i].data;
	return 0;
}

static int parse_argv(struct process *process, struct args *args, struct err *err)
{
	return parse_list(args, &process->argv, err);
}

static int parse_env(struct process *process, struct args *args, struct err *err)
{
	return parse_list(args, &process->env, err);
}

static int parse_cwd(struct process *process, struct args *args, struct err *err)
{
	process->cwd = args_string(args);
	return args_end(args, err);
}

/* A group is a decimal number: the list's fields are read as numbers, not as strings. */
static int parse_user(struct process *process, struct args *args, struct err *err)
{
	process->uid = (uint32_t)args_number(args);
	process->gid = (uint32_t)args_number(args);
	uint64_t count = args_number(args);
	if (count > args->op->count)
		return err_set(err, EBADMSG, "a list of groups that is cut off");
	free(process->groups);
	process->groups = calloc(count + 1, sizeof *process->groups);
	if (!process->groups)
		return err_errno(err, "memory for %llu groups", (unsigned long long)count);
	for (size_t i = 0; i < count; i++)
		process->groups[i] = (gid_t)args_number(args);
	process->group_count = count;
	process->has_user = true;
	return args_end(args, err);
}

static int parse_caps(struct process *process, struct args *args, struct err *err)
{
	process->caps.bounding = args_number(args);
	process->caps.permitted = args_number(args);
	process->caps.effective = args_number(args);
	process->caps.inheritable = args_number(args);
	process->caps.ambient = args_number(args);
	process->has_caps = true;
	return args_end(args, err);
}

static int parse_seccomp(struct process *process, struct args *args, struct err *err)
{
	process->seccomp = args_bytes(args);
	return args_end(args, err);
}

static int parse_no_new_privileges(struct process *process, struct args *args, struct err *err)
{
	process->no_new_privileges = true;
	return args_end(args, err);
}

static int parse_rlimit(struct process *process, struct args *args, struct err *err)
{
	if (process->limits == PROCESS_LIMITS)
		return err_set(err, E2BIG, "more than %d resource limits", PROCESS_LIMITS);
	uint64_t resource = args_number(args);
	if (resource >= RLIM_NLIMITS)
		return err_set(err, EINVAL, "resource limit %llu", (unsigned long long)resource);
	process->limit[process->limits].resource = (int)resource;
	process->limit[process->limits].soft = args_number(args);
	process->limit[process->limits].hard = args_number(args);
	process->limits++;
	return args_end(args, err);
}

static int parse_oom_score(struct process *process, struct args *args, struct err *err)
{
	process->oom_score = (int)(int64_t)args_number(args);
	process->has_oom_score = true;
	return args_end(args, err);
}

static int parse_umask(struct process *process, struct args *args, struct err *err)
{
	process->umask = (mode_t)args_number(args) & 0777;
	process->has_umask = true;
	return args_end(args, err);
}

static int parse_terminal(struct process *process, struct args *args, struct err *err)
{
	process->terminal = true;
	process->rows = (uint16_t)args_number(args);
	process->columns = (uint16_t)args_number(args);
	return args_end(args, err);
}

static int parse_init(struct process *process, struct args *args, struct err *err)
{
	process->init = true;
	return args_end(args, err);
}

static int parse_keyring(struct process *process, struct args *args, struct err *err)
{
	process->keyring = args_string(args);
	return args_end(args, err);
}

static int parse_streams(struct process *process, struct args *args, struct err *err)
{
	for (int i = 0; i < 3; i++)
		process->carries[i] = args_number(args) != 0;
	return args_end(args, err);
}

static int parse_label(struct process *process, struct args *args, struct err *err)
{
	process->lsm = args_string(args);
	process->label = args_string(args);
	return args_end(args, err);
}

/* Only kept: hook_run() reads it. */
static int parse_hook(struct process *process, struct args *args, struct err *err)
{
	if (process->hooks == PROCESS_HOOKS)
		return err_set(err, E2BIG, "more than %d hooks", PROCESS_HOOKS);
	process->hook[process->hooks++] = args->op;
	return 0;
}

static const struct {
	uint16_t code;
	int (*parse)(struct process *process, struct args *args, struct err *err);
} parsers[] = {
    {OP_ARGV, parse_argv},
    {OP_ENV, parse_env},
    {OP_CWD, parse_cwd},
    {OP_USER, parse_user},
    {OP_CAPS, parse_caps},
    {OP_SECCOMP, parse_seccomp},
    {OP_NO_NEW_PRIVILEGES, parse_no_new_privileges},
    {OP_RLIMIT, parse_rlimit},
    {OP_OOM_SCORE_ADJ, parse_oom_score},
    {OP_UMASK, parse_umask},
    {OP_TERMINAL, parse_terminal},
    {OP_INIT, parse_init},
    {OP_KEYRING, parse_keyring},
    {OP_STREAMS, parse_streams},
    {OP_LABEL, parse_label},
    {OP_HOOK, parse_hook},
};

static int parse_one(struct process *process, const struct op *op, struct err *err)
{
	struct args args = args_of(op);

	for (size_t i = 0; i < LENGTH(parsers); i++)
		if (parsers[i].code == op->code)
			return parsers[i].parse(process, &args, err);
	return err_set(err, ENOSYS, "operation %u is none of a process", op->code);
}

int process_parse(const struct request *request, struct process *process, struct err *err)
{
	*process = (struct process){.request = request, .cwd = "/", .failed = -1};
	for (uint32_t i = 0; i < request->count; i++) {
		process->failed = i;
		if (parse_one(process, &request->ops[i], err) < 0)
			return -1;
	}
	process->failed = -1;
	if (!process->argv || !process->argv[0])
		return err_set(err, EINVAL, "there is no program to start");
	return 0;
}

void process_free(struct process *process)
{
	free(process->argv);
	free(process->env);
	free(process->groups);
	*process = (struct process){0};
}
