#pragma once
/* Connections to a monitor: each sends one request, then frames go both ways. */
#include "loop.h"
#include "ops.h"

struct monitor;
struct task;

enum role { ROLE_NEW, ROLE_CONTROL, ROLE_ATTACH, ROLE_EXEC, ROLE_FOLLOW };

struct client {
	struct watch watch;
	struct monitor *monitor;
	struct client *next;
	enum role role;
	struct task *task; /* whose stdio it has; of an exec it owns the only view */
	bool carries[3];   /* which of stdin, stdout and stderr */
	bool blocked;      /* its stdin frame waits for the program to read */
	bool closing;      /* closed once `out` is written */
	bool dead;
	char *in;
	size_t in_used, in_room;
	char *out;
	size_t out_start, out_used, out_room;
};

/* Takes over a connected, non-blocking socket. Returns NULL if that fails; it is closed then. */
struct client *client_add(struct monitor *monitor, int fd);
void client_free(struct client *client);

void client_send(struct client *client, uint8_t type, const void *payload, size_t size);
void client_error(struct client *client, const struct err *err);
void client_exit(struct client *client, const struct task *task, bool oom);
/* Lets the connection go after all that was sent. */
void client_finish(struct client *client);

/* Sends output to all that carry it. Returns true if one of them has too much to read already. */
bool client_output(struct task *task, int index, const char *data, uint32_t size);
/* The program has read what was pending: goes on with stdin frames. */
void client_input_ready(struct task *task);

/* The program runs, or could not be started: `error` is the payload of an error frame. */
void client_started(struct task *task, const void *error, size_t size);

/* By role, in control.c. */
void client_request(struct client *client, struct request *request);
void client_frame(struct client *client, uint8_t type, const char *payload, uint32_t size);
void client_gone(struct client *client);
