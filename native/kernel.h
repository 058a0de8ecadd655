#pragma once
/*
 * System calls and constants that the oldest headers we build with (glibc 2.36, musl 1.2) lack or
 * keep in headers that contradict each other. Values are the kernel's ABI and do not change.
 */
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* linux/sched.h */
#define K_CLONE_NEWTIME 0x00000080ull
#define K_CLONE_NEWNS 0x00020000ull
#define K_CLONE_NEWCGROUP 0x02000000ull
#define K_CLONE_NEWUTS 0x04000000ull
#define K_CLONE_NEWIPC 0x08000000ull
#define K_CLONE_NEWUSER 0x10000000ull
#define K_CLONE_NEWPID 0x20000000ull
#define K_CLONE_NEWNET 0x40000000ull
#define K_CLONE_PIDFD 0x00001000ull
#define K_CLONE_PARENT 0x00008000ull
#define K_CLONE_INTO_CGROUP 0x200000000ull

struct k_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};

/* linux/openat2.h */
#define K_RESOLVE_NO_XDEV 0x01
#define K_RESOLVE_NO_MAGICLINKS 0x02
#define K_RESOLVE_NO_SYMLINKS 0x04
#define K_RESOLVE_BENEATH 0x08
#define K_RESOLVE_IN_ROOT 0x10

struct k_open_how {
	uint64_t flags, mode, resolve;
};

/* linux/mount.h */
#define K_OPEN_TREE_CLONE 1
#define K_OPEN_TREE_CLOEXEC 02000000
#define K_MOVE_MOUNT_F_EMPTY_PATH 0x04
#define K_MOVE_MOUNT_T_EMPTY_PATH 0x40
#define K_FSOPEN_CLOEXEC 1
#define K_FSMOUNT_CLOEXEC 1
#define K_FSCONFIG_SET_FLAG 0
#define K_FSCONFIG_SET_STRING 1
#define K_FSCONFIG_SET_FD 5
#define K_FSCONFIG_CMD_CREATE 6
#define K_MOUNT_ATTR_RDONLY 0x01
#define K_MOUNT_ATTR_NOSUID 0x02
#define K_MOUNT_ATTR_NODEV 0x04
#define K_MOUNT_ATTR_NOEXEC 0x08
#define K_MOUNT_ATTR_ATIME 0x70
#define K_MOUNT_ATTR_NOATIME 0x10
#define K_MOUNT_ATTR_STRICTATIME 0x20
#define K_MOUNT_ATTR_NODIRATIME 0x80
#define K_MOUNT_ATTR_IDMAP 0x100000

struct k_mount_attr {
	uint64_t attr_set, attr_clr, propagation, userns_fd;
};

/* linux/stat.h, of which little is looked at */
#define K_STATX_TYPE 0x1
#define K_STATX_ATTR_MOUNT_ROOT 0x2000

struct k_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint64_t rest[30];
};

static inline int sys_statx(int dir, const char *path, int flags, unsigned mask,
			    struct k_statx *statx)
{
	return (int)syscall(SYS_statx, dir, path, flags, mask, statx);
}

/* ioctl(2), whose request is an int in musl and an unsigned long in glibc. */
static inline int sys_ioctl(int fd, unsigned request, void *argument)
{
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

static inline int sys_clone3(struct k_clone_args *args)
{
	return (int)syscall(435, args, sizeof *args);
}

static inline int sys_openat2(int dir, const char *path, struct k_open_how how)
{
	return (int)syscall(437, dir, path, &how, sizeof how);
}

static inline int sys_open_tree(int dir, const char *path, unsigned flags)
{
	return (int)syscall(428, dir, path, flags);
}

static inline int sys_move_mount(int from, const char *from_path, int to, const char *to_path,
				 unsigned flags)
{
	return (int)syscall(429, from, from_path, to, to_path, flags);
}

static inline int sys_fsopen(const char *type, unsigned flags)
{
	return (int)syscall(430, type, flags);
}

static inline int sys_fsconfig(int fs, unsigned command, const char *key, const void *value,
			       int aux)
{
	return (int)syscall(431, fs, command, key, value, aux);
}

static inline int sys_fsmount(int fs, unsigned flags, unsigned attributes)
{
	return (int)syscall(432, fs, flags, attributes);
}

static inline int sys_mount_setattr(int dir, const char *path, unsigned flags,
				    struct k_mount_attr attr)
{
	return (int)syscall(442, dir, path, flags, &attr, sizeof attr);
}

static inline int sys_pidfd_open(pid_t pid, unsigned flags)
{
	return (int)syscall(434, pid, flags);
}

static inline int sys_pidfd_send_signal(int pidfd, int signal)
{
	return (int)syscall(424, pidfd, signal, (void *)0, 0);
}

/* linux/close_range.h */
#define K_CLOSE_RANGE_CLOEXEC 4

static inline int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	return (int)syscall(436, first, last, flags);
}
