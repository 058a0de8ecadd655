#pragma once
/* An event loop over epoll: descriptors with a callback, and timers. One thread. */
#include <sys/epoll.h>

#include "err.h"
#include "util.h"

struct loop;

/*
 * A watched descriptor, embedded in its owner's structure (CONTAINER_OF gets back to it). The owner
 * closes `fd`, after loop_remove(). `ready` may remove and free any watch, its own too.
 */
struct watch {
	int fd;
	void (*ready)(struct loop *loop, struct watch *watch, uint32_t events);
	bool added;
};

/* Fires once; `fire` may set it again. */
struct timer {
	void (*fire)(struct loop *loop, struct timer *timer);
	uint64_t at; /* nanoseconds of CLOCK_MONOTONIC */
	struct timer *next;
	bool set;
};

#define LOOP_BATCH 16

struct ports;

struct loop {
	int epoll;
	bool stopped;
	struct ports
	    *ports; /* the container's published ports, which a change of network replaces */
	void (*quiet)(void);  /* called once, right before the next wait; or NULL */
	struct timer *timers; /* soonest first */
	struct epoll_event batch[LOOP_BATCH];
	int pending; /* events of the batch that were not dispatched yet: batch[LOOP_BATCH]
			downwards */
	int filled;
};

int loop_init(struct loop *loop, struct err *err);
/* `events`: EPOLLIN, EPOLLOUT, level-triggered. Returns 0, or -1 with *err set. */
int loop_add(struct loop *loop, struct watch *watch, uint32_t events, struct err *err);
/* Replaces the events waited for; 0 waits for hang-up and error alone. */
int loop_change(struct loop *loop, struct watch *watch, uint32_t events, struct err *err);
/* Never fails, and does nothing for a watch that was not added. */
void loop_remove(struct loop *loop, struct watch *watch);
void loop_timer(struct loop *loop, struct timer *timer, uint64_t milliseconds);
void loop_timer_clear(struct loop *loop, struct timer *timer);
/* Dispatches until loop_stop(). */
int loop_run(struct loop *loop, struct err *err);
void loop_stop(struct loop *loop);
/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t loop_now(void);
