#pragma once
/* A program with its stdio: the container's own, or one that exec started. */
#include "loop.h"
#include "ops.h"

struct monitor;
struct client;

struct output {
	struct watch watch;
	struct task *task;
	int index;   /* 0 stdout, 1 stderr */
	bool paused; /* a client is slow */
};

struct input {
	struct watch watch; /* fd -1: closed */
	char *pending;
	size_t start, size;
	bool closing; /* close it once `pending` is written */
};

struct task {
	struct monitor *monitor;
	struct task *next;
	pid_t pid;
	struct watch exit;      /* its pidfd */
	struct watch link;      /* to the process that is to become the program; its end: it has */
	struct client *starter; /* who waits for that */
	int held[3];            /* stdio that is not used before the program runs, or -1 */
	struct output output[2];
	struct input input;
	bool terminal;
	bool exited, done;
	int status;                       /* as of waitpid(2) */
	uint64_t started_at, finished_at; /* nanoseconds since 1970; 0: it has not */
	struct timer linger;              /* for output that processes left behind hold open */
};

struct task *task_new(struct monitor *monitor);
/* Takes descriptors, -1 where there is none; of a terminal, `master` for both directions. */
int task_streams(struct task *task, int input, int out, int error, struct err *err);
int task_terminal(struct task *task, int master, struct err *err);
int task_watch(struct task *task, pid_t pid, int pidfd, struct err *err);
/*
 * Waits for the outcome of execve on `link`: a terminal's master may come first, then nothing but
 * the end if it succeeded, else an error frame. client_started() tells it.
 */
int task_link(struct task *task, int link, struct err *err);
void task_free(struct task *task);

/* Returns false if the program has not yet read what it got before: ask again after
 * task_input_ready. */
bool task_write(struct task *task, const char *data, uint32_t size);
/* Closes the program's stdin after what is pending; a terminal has no such end. */
void task_close_input(struct task *task);
/* Reads on where a slow client had stopped it. */
void task_resume(struct task *task);
int task_signal(struct task *task, int number);
