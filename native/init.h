#pragma once
#include <sys/types.h>

/*
 * Process 1 of a container that asked for one: passes signals on to `program`, reaps everything
 * else, and ends as the program ended. Does not return.
 */
_Noreturn void init_run(pid_t program);
