#include <linux/filter.h>
#include <linux/seccomp.h>

#include "kernel.h"
#include "seccomp.h"

int seccomp_load(const void *filter, size_t size, struct err *err)
{
	size_t count = size / sizeof(struct sock_filter);

	if (size % sizeof(struct sock_filter) != 0 || count == 0 || count > BPF_MAXINSNS)
		return err_set(err, EINVAL, "a seccomp filter of %zu bytes", size);
	struct sock_fprog program = {
	    .len = (unsigned short)count,
	    .filter = (struct sock_filter *)(uintptr_t)filter,
	};
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return err_errno(err, "load a seccomp filter of %zu instructions", count);
	return 0;
}
