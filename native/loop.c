#include <sys/syscall.h>
#include <time.h>

#include "loop.h"

uint64_t loop_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int loop_init(struct loop *loop, struct err *err)
{
	*loop = (struct loop){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	return loop->epoll < 0 ? err_errno(err, "epoll_create1") : 0;
}

int loop_add(struct loop *loop, struct watch *watch, uint32_t events, struct err *err)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, watch->fd, &event) < 0)
		return err_errno(err, "watch descriptor %d", watch->fd);
	watch->added = true;
	return 0;
}

int loop_change(struct loop *loop, struct watch *watch, uint32_t events, struct err *err)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (epoll_ctl(loop->epoll, EPOLL_CTL_MOD, watch->fd, &event) < 0)
		return err_errno(err, "change the watch on descriptor %d", watch->fd);
	return 0;
}

void loop_remove(struct loop *loop, struct watch *watch)
{
	if (!watch->added)
		return;
	watch->added = false;
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	/* Its memory may be gone before the rest of this batch is dispatched. */
	for (int i = loop->pending; i < loop->filled; i++)
		if (loop->batch[i].data.ptr == watch)
			loop->batch[i].data.ptr = NULL;
}

void loop_timer_clear(struct loop *loop, struct timer *timer)
{
	if (!timer->set)
		return;
	struct timer **at = &loop->timers;
	while (*at != timer)
		at = &(*at)->next;
	*at = timer->next;
	timer->set = false;
}

void loop_timer(struct loop *loop, struct timer *timer, uint64_t milliseconds)
{
	loop_timer_clear(loop, timer);
	timer->at = loop_now() + milliseconds * 1000000;
	struct timer **at = &loop->timers;
	while (*at && (*at)->at <= timer->at)
		at = &(*at)->next;
	timer->next = *at;
	timer->set = true;
	*at = timer;
}

static void fire_due(struct loop *loop)
{
	while (loop->timers && loop->timers->at <= loop_now()) {
		struct timer *timer = loop->timers;

		loop_timer_clear(loop, timer);
		timer->fire(loop, timer);
	}
}

/* Milliseconds to the next timer, rounded up, so that it is due when epoll_wait returns. */
static int patience(const struct loop *loop)
{
	if (!loop->timers)
		return -1;
	uint64_t now = loop_now();
	if (loop->timers->at <= now)
		return 0;
	uint64_t wait = (loop->timers->at - now + 999999) / 1000000;
	return wait > 3600000 ? 3600000 : (int)wait;
}

/*
 * By syscall(2), as memory_settle() does its work: what runs between that and the wait should touch
 * few pages of this program, for they stay resident.
 */
static int wait_for_events(struct loop *loop, int timeout)
{
	void (*quiet)(void) = loop->quiet;

	loop->quiet = NULL;
	if (quiet)
		quiet();
	return (int)syscall(SYS_epoll_pwait, loop->epoll, loop->batch, LOOP_BATCH, timeout, NULL,
			    (size_t)8);
}

int loop_run(struct loop *loop, struct err *err)
{
	while (!loop->stopped) {
		int n = wait_for_events(loop, patience(loop));

		if (n < 0 && errno != EINTR)
			return err_errno(err, "epoll_wait");
		loop->filled = n < 0 ? 0 : n;
		for (loop->pending = 0; loop->pending < loop->filled;) {
			struct epoll_event event = loop->batch[loop->pending++];
			struct watch *watch = event.data.ptr;

			if (watch)
				watch->ready(loop, watch, event.events);
		}
		fire_due(loop);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
