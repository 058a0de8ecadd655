#pragma once
#include "task.h"

/* Removes the record of the run before. Returns 0, or -1 with *err set. */
int record_clear(const char *dir, struct err *err);

/*
 * Writes `dir`/exit, one line: code, signal, whether memory ran out, and when it finished and
 * started, in nanoseconds since 1970 (started 0: it never ran). By rename: from then on the record
 * is whole for whoever looks (on a full disk it is a link whose target is the line), and is not
 * lost with this process nor with the daemon. What the disk has of it matters to a machine that
 * loses power, and takes longer than the container did: nobody waits for it. Returns a descriptor,
 * to be synced before this process ends; -1 with *err set.
 */
int record_exit(const char *dir, const struct task *task, bool oom, struct err *err);
