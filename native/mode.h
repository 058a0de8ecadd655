#pragma once
#include <sys/types.h>

#include "err.h"
#include "util.h"

/*
 * Applies a mode as chmod(1) writes it, octal ("755") or symbolic ("u+x,go-w", "a+rX"), without a
 * umask.
 *
 * Returns 0, or -1 with *err set.
 */
int mode_apply(const char *text, bool directory, mode_t old, mode_t *new, struct err *err);
