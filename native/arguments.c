#include "arguments.h"

#include <stdlib.h>
#include <string.h>

/* The process has one command line, and the kernel shows it from this very memory. */
static char *begin, *copy;
static size_t size;

void arguments_keep(int count, char **arguments)
{
	const char *last = arguments[count - 1];

	begin = arguments[0];
	size = (size_t)(last - begin) + strlen(last);
	copy = malloc(size);
	if (copy)
		memcpy(copy, begin, size);
}

void arguments_hide(void)
{
	if (copy)
		memset(begin, 0, size);
}

void arguments_show(void)
{
	if (copy)
		memcpy(begin, copy, size);
}
