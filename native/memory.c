#include <elf.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "memory.h"
#include "monitor.h"

#define QUIET 500 /* ms */
#define PAGE 4096ul

/* The linker's: the first byte of this program as it lies in memory. */
extern const Elf64_Ehdr __ehdr_start;

/*
 * The pages stay in the page cache; a process that runs from them maps a few again, 64 KiB around
 * each that it touches. Not before the wait, then: by one libc function, which the wait uses, too.
 */
static void drop_program(void)
{
	uintptr_t base = (uintptr_t)&__ehdr_start;
	const Elf64_Phdr *segment = (const Elf64_Phdr *)(base + __ehdr_start.e_phoff);
	const Elf64_Phdr *end = segment + __ehdr_start.e_phnum;
	uintptr_t from[8], size[8];
	unsigned count = 0;

	for (; segment < end && count < LENGTH(from); segment++) {
		if (segment->p_type != PT_LOAD || segment->p_flags & PF_W)
			continue;
		/* Linked to where it lies: static, and at no random place. */
		from[count] = segment->p_vaddr & ~(PAGE - 1);
		size[count] = segment->p_vaddr + segment->p_memsz - from[count];
		count++;
	}
	for (unsigned i = 0; i < count; i++)
		(void)syscall(SYS_madvise, from[i], size[i], MADV_DONTNEED);
}

void memory_settle(struct loop *loop)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
	loop->quiet = drop_program;
}

char *memory_output(void)
{
	static _Alignas(4096) char buffer[MEMORY_OUTPUT];

	return buffer;
}

static void on_quiet(struct loop *loop, struct timer *timer)
{
	struct monitor *monitor = CONTAINER_OF(timer, struct monitor, quiet);

	(void)madvise(memory_output(), MEMORY_OUTPUT, MADV_DONTNEED);
	log_trim(&monitor->log);
	memory_settle(loop);
}

void memory_used(struct monitor *monitor)
{
	if (monitor->quiet.set)
		return;
	monitor->quiet.fire = on_quiet;
	loop_timer(&monitor->loop, &monitor->quiet, QUIET);
}
