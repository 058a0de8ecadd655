#pragma once
#include "task.h"

/*
 * Writes `dir`/exit, one line: code, signal, whether memory ran out, nanoseconds since 1970. It is
 * on disk, and whole, on return.
 */
int record_exit(const char *dir, const struct task *task, bool oom, struct err *err);
