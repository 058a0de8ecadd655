#pragma once
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What went wrong, for the caller's caller. Always the last argument of a function that can fail.
 */
struct err {
	int code;       /* errno value, 0: no errno behind it */
	char text[256]; /* "what failed: why", never with a newline */
};

#define PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Records `errno` and what was being done. Returns -1, so that a caller can `return` it. */
static inline int PRINTF(2, 3) err_errno(struct err *err, const char *what, ...)
{
	int saved = errno;
	va_list args;

	va_start(args, what);
	vsnprintf(err->text, sizeof err->text, what, args);
	va_end(args);
	size_t used = strlen(err->text);
	snprintf(err->text + used, sizeof err->text - used, ": %s", strerror(saved));
	err->code = saved;
	return -1;
}

/* Records a failure that has no `errno` of its own; `code` may still name the nearest one. Returns
 * -1. */
static inline int PRINTF(3, 4) err_set(struct err *err, int code, const char *what, ...)
{
	va_list args;

	va_start(args, what);
	vsnprintf(err->text, sizeof err->text, what, args);
	va_end(args);
	err->code = code;
	return -1;
}
