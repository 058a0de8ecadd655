#include "hold.h"
#include "hook.h"

#define STATE_LIMIT (1u << 20)

int hold_wait(struct launch *launch, const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	uint8_t length[4];

	if (args_end(&args, err) < 0)
		return -1;
	if (frame_write(launch->link, FRAME_HOLD, NULL, 0) < 0 ||
	    read_full(launch->link, length, sizeof length) < 0)
		return err_errno(err, "wait for the caller");
	free(launch->hook_state);
	launch->hook_state = calloc(1, (size_t)get_u32(length) + 1);
	if (!launch->hook_state)
		return err_errno(err, "memory for a state");
	if (read_full(launch->link, launch->hook_state, get_u32(length)) < 0)
		return err_errno(err, "wait for the caller");
	return 0;
}

int hold_hook(struct launch *launch, const struct op *op, struct err *err)
{
	return hook_run(op, launch->hook_state, err);
}

int hold_relay(struct launch *launch, struct err *err)
{
	uint8_t type, pids[8], length[4];
	uint32_t size;
	AUTO_FREE char *state = malloc(STATE_LIMIT);

	put_u32(pids, (uint32_t)launch->child);
	put_u32(pids + 4, (uint32_t)getpid());
	if (!state || answer_ok(launch->caller, pids, sizeof pids) < 0 ||
	    frame_read(launch->caller, &type, state, STATE_LIMIT, &size) < 0)
		return err_errno(err, "wait for the caller");
	put_u32(length, size);
	if (write_full(launch->link, length, sizeof length) < 0 ||
	    write_full(launch->link, state, size) < 0)
		return err_errno(err, "tell the container's first process to go on");
	return 0;
}
