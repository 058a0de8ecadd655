#pragma once

/* Operation codes of the runtime; engine/native/protocol.ts has the same table, with the fields. */
enum {
	/* The monitor, before the container is made. */
	OP_MONITOR = 1,
	OP_LOG = 2,
	OP_CGROUP = 3,
	OP_WRITE = 4,
	OP_DEVICE_FILTER = 5,
	OP_CLONE = 6,
	OP_INHERIT_STDIO = 7,
	OP_JOIN = 8,
	OP_HOST_FILE = 9,

	/* The container's first process, in its namespaces. */
	OP_OVERLAY = 20,
	OP_BIND_ROOT = 21,
	OP_MOUNT = 22,
	OP_BIND = 23,
	OP_VOLUME_INIT = 24,
	OP_NODE = 25,
	OP_SYMLINK = 26,
	OP_DIRECTORY = 27,
	OP_FILE = 28,
	OP_MASK = 29,
	OP_READONLY = 30,
	OP_SYSCTL = 31,
	OP_HOSTNAME = 32,
	OP_PIVOT = 33,
	OP_READONLY_ROOT = 34,
	OP_READ_FILE = 35,
	OP_HOLD = 36,
	OP_PROGRAM = 38,
	OP_HOOK = 37, /* also of a program that is to be started: its last step */

	/* A program that is to be started. */
	OP_ARGV = 60,
	OP_ENV = 61,
	OP_CWD = 62,
	OP_USER = 63,
	OP_CAPS = 64,
	OP_SECCOMP = 65,
	OP_NO_NEW_PRIVILEGES = 66,
	OP_RLIMIT = 67,
	OP_OOM_SCORE_ADJ = 68,
	OP_UMASK = 69,
	OP_TERMINAL = 70,
	OP_INIT = 71,
	OP_KEYRING = 72,
	OP_STREAMS = 73,
	OP_LABEL = 74,

	/* A client of a monitor. */
	OP_ATTACH = 100,
};
