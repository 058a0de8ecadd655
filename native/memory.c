#include <malloc.h>
#include <sys/mman.h>

#include "memory.h"
#include "monitor.h"

#define QUIET 500 /* ms */
#define PAGE 4096ul

extern char __executable_start[], etext[];

void memory_settle(void)
{
	uintptr_t start = (uintptr_t)__executable_start & ~(PAGE - 1);
	uintptr_t end = (uintptr_t)etext & ~(PAGE - 1);

	/* The pages stay in the page cache; a process that runs from them maps a few again. */
	(void)madvise((void *)start, end - start, MADV_DONTNEED);
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

char *memory_output(void)
{
	static _Alignas(4096) char buffer[MEMORY_OUTPUT];

	return buffer;
}

static void on_quiet(struct loop *loop, struct timer *timer)
{
	struct monitor *monitor = CONTAINER_OF(timer, struct monitor, quiet);

	(void)loop;
	(void)madvise(memory_output(), MEMORY_OUTPUT, MADV_DONTNEED);
	log_trim(&monitor->log);
	memory_settle();
}

void memory_used(struct monitor *monitor)
{
	if (monitor->quiet.set)
		return;
	monitor->quiet.fire = on_quiet;
	loop_timer(&monitor->loop, &monitor->quiet, QUIET);
}
