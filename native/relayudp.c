#include <netinet/in.h>

#include "relay.h"

#define SESSIONS_MAX 256 /* of one port */
#define IDLE 90000       /* ms, as Docker's */
#define DATAGRAM_MAX 65536
#define BURST 32 /* datagrams before others get their turn */

/* One sender's datagrams leave by a socket of their own, so that answers find back. */
struct session {
	struct listener *listener;
	struct watch watch;
	struct timer timer;
	struct sockaddr_storage peer;
	socklen_t peer_length;
	struct session *next;
};

static void end(struct session *session)
{
	struct listener *listener = session->listener;
	struct session **at = &listener->sessions;

	while (*at != session)
		at = &(*at)->next;
	*at = session->next;
	listener->session_count--;
	loop_remove(listener->loop, &session->watch);
	loop_timer_clear(listener->loop, &session->timer);
	close_fd(&session->watch.fd);
	free(session);
}

void relay_end_sessions(struct listener *listener)
{
	while (listener->sessions)
		end(listener->sessions);
}

static void idle(struct loop *loop, struct timer *timer)
{
	(void)loop;
	end(CONTAINER_OF(timer, struct session, timer));
}

static void answered(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct session *session = CONTAINER_OF(watch, struct session, watch);
	char datagram[DATAGRAM_MAX];

	(void)events;
	loop_timer(loop, &session->timer, IDLE);
	for (int i = 0; i < BURST; i++) {
		ssize_t size = recv(watch->fd, datagram, sizeof datagram, MSG_DONTWAIT);

		/*
		 * A refusal by the container (ICMP) is read off here, and is the sender's to time
		 * out on.
		 */
		if (size < 0)
			return;
		sendto(session->listener->watch.fd, datagram, (size_t)size, MSG_DONTWAIT,
		       (struct sockaddr *)&session->peer, session->peer_length);
	}
}

static struct session *begin(struct listener *listener, const struct sockaddr_storage *peer,
			     socklen_t length)
{
	struct err err;

	/* The list has its oldest last: a flood of senders pushes out the ones before it. */
	if (listener->session_count >= SESSIONS_MAX) {
		struct session *oldest = listener->sessions;

		while (oldest->next)
			oldest = oldest->next;
		end(oldest);
	}
	struct session *session = calloc(1, sizeof *session);
	if (!session)
		return NULL;
	*session = (struct session){
	    .listener = listener,
	    .watch.ready = answered,
	    .timer.fire = idle,
	    .peer = *peer,
	    .peer_length = length,
	    .next = listener->sessions,
	};
	session->watch.fd =
	    socket(listener->target.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (session->watch.fd < 0 ||
	    connect(session->watch.fd, (struct sockaddr *)&listener->target,
		    listener->target_length) < 0 ||
	    loop_add(listener->loop, &session->watch, EPOLLIN, &err) < 0) {
		close_fd(&session->watch.fd);
		free(session);
		return NULL;
	}
	listener->sessions = session;
	listener->session_count++;
	return session;
}

static struct session *find(struct listener *listener, const struct sockaddr_storage *peer,
			    socklen_t length)
{
	for (struct session *session = listener->sessions; session; session = session->next)
		if (session->peer_length == length && memcmp(&session->peer, peer, length) == 0)
			return session;
	return begin(listener, peer, length);
}

void relay_datagram(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct listener *listener = CONTAINER_OF(watch, struct listener, watch);
	char datagram[DATAGRAM_MAX];

	(void)events;
	for (int i = 0; i < BURST; i++) {
		struct sockaddr_storage peer = {0};
		socklen_t length = sizeof peer;
		ssize_t size = recvfrom(watch->fd, datagram, sizeof datagram, MSG_DONTWAIT,
					(struct sockaddr *)&peer, &length);

		if (size < 0)
			return;
		struct session *session = find(listener, &peer, length);
		if (!session)
			continue;
		send(session->watch.fd, datagram, (size_t)size, MSG_DONTWAIT);
		loop_timer(loop, &session->timer, IDLE);
	}
}
