#pragma once
/* A program to be started in a container: by `go` its first one, by exec a further one. */
#include "caps.h"
#include "ops.h"

#define PROCESS_LIMITS 16
#define PROCESS_HOOKS 8

struct process {
	const struct request *request; /* all pointers below lead into it */
	char **argv, **env;            /* NULL at the end; owned */
	const char *cwd;
	uint32_t uid, gid;
	gid_t *groups; /* owned */
	size_t group_count;
	struct caps caps;
	struct field seccomp;
	bool has_user, has_caps, no_new_privileges, init, has_oom_score, has_umask;
	unsigned limits;
	struct {
		int resource;
		uint64_t soft, hard;
	} limit[PROCESS_LIMITS];
	int oom_score;
	mode_t umask;
	bool terminal;
	uint16_t rows, columns;
	const char *keyring, *lsm, *label;
	bool carries[3]; /* exec: which of stdin, stdout and stderr the connection has */
	const struct op *hook[PROCESS_HOOKS]; /* run as the last step before the program */
	unsigned hooks;
	long failed; /* index of the operation that an error is about, or -1 */
};

/* Reads the operations; `request` must live as long. Returns 0, or -1 with *err and
 * process->failed. */
int process_parse(const struct request *request, struct process *process, struct err *err);
void process_free(struct process *process);

/* What process_start() works with; descriptors that are not there are -1. */
struct process_place {
	int proc;           /* the engine's procfs, O_PATH */
	int streams[3];     /* what become its descriptors 0 to 2; all the same for a terminal */
	bool terminal;      /* streams are a terminal */
	bool orphan;        /* lives on without the process that started it */
	unsigned preserved; /* descriptors from 4 on, which it has from 3 on */
};

/*
 * Turns this process into the program: applies every setting in the one order that works, then
 * calls execve. Returns only if something failed, with *err and process->failed.
 */
void process_start(struct process *process, const struct process_place *place, struct err *err);
