/* The device controller of cgroup v2, which is a BPF program. */
#include <fcntl.h>
#include <linux/bpf.h>

#include "cgroup.h"
#include "kernel.h"

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof *attr);
}

int cgroup_device_filter(const char *path, const void *program, size_t size, struct err *err)
{
	if (size == 0 || size % sizeof(struct bpf_insn) != 0)
		return err_set(err, EINVAL, "a device filter of %zu bytes", size);
	AUTO_CLOSE int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, "open the cgroup %s", path);
	union bpf_attr load = {
	    .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
	    .insns = (uintptr_t)program,
	    .insn_cnt = (uint32_t)(size / sizeof(struct bpf_insn)),
	    .license = (uintptr_t) "Apache-2.0",
	};
	AUTO_CLOSE int loaded = bpf(BPF_PROG_LOAD, &load);
	if (loaded < 0)
		return err_errno(err, "load the device filter");
	/* MULTI: an outer cgroup's filter keeps its say. */
	union bpf_attr attach = {
	    .target_fd = (uint32_t)dir,
	    .attach_bpf_fd = (uint32_t)loaded,
	    .attach_type = BPF_CGROUP_DEVICE,
	    .attach_flags = BPF_F_ALLOW_MULTI,
	};
	if (bpf(BPF_PROG_ATTACH, &attach) < 0)
		return err_errno(err, "attach the device filter to %s", path);
	return 0;
}
