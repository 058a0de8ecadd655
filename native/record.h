#pragma once
#include "task.h"

/*
 * Writes `dir`/exit, one line: code, signal, whether memory ran out, nanoseconds since 1970. It is
 * whole for whoever looks. Returns a descriptor, to be synced before this process ends: the disk
 * takes longer than the container did, and nobody has to wait for it. -1 with *err set.
 */
int record_exit(const char *dir, const struct task *task, bool oom, struct err *err);
