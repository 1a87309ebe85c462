/*
 * The agent protocol (draft-miller-ssh-agent), as little as logins need: list
 * the keys, and stand in front of the agent with a choice of them. libssh
 * would offer all keys of an agent in the agent's order and wait for it
 * without end; IdentitiesOnly and many keys want a choice.
 */
#include "base/base64.h"
#include "ssh/session/internal.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#define AGENT_MSG_MAX (256 * 1024) /* bytes, as OpenSSH's agent */
#define AGENT_FAILURE 5 /* the numbers are the protocol's */
#define AGENT_REQUEST_IDENTITIES 11
#define AGENT_IDENTITIES 12
#define AGENT_KEYS_MAX 512 /* more are passed over */

static uint32_t get_u32(const void *at)
{
	const unsigned char *p = at;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void put_u32(struct sbuf *b, size_t n)
{
	unsigned char c[4] = { (unsigned char)(n >> 24), (unsigned char)
			       (n >> 16), (unsigned char)(n >> 8),
			       (unsigned char)n };

	sbuf_add(b, c, sizeof c);
}

/* A connected socket whose reads and writes end after @timeout_ms; or -1. */
static int agent_connect(const char *path, int timeout_ms)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct timeval t = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	int fd;

	if (!*path || strlen(path) >= sizeof sa.sun_path)
		return -1;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
	if (connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0)
		return fd;
	close(fd);
	return -1;
}

/* False at the end, after an error or when the time is over. */
static bool recv_all(int fd, void *buf, size_t len)
{
	for (size_t got = 0; got < len;) {
		ssize_t n = recv(fd, (char *)buf + got, len - got, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	return true;
}

/* Send @b as one message: its length first. */
static bool send_msg(int fd, const struct sbuf *b)
{
	AUTO(sbuf_done) struct sbuf whole = SBUF_INIT;

	put_u32(&whole, b->len);
	sbuf_add(&whole, b->s, b->len);
	for (size_t sent = 0; sent < whole.len;) {
		ssize_t n = send(fd, whole.s + sent, whole.len - sent,
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		sent += (size_t)n;
	}
	return true;
}

/* The next message, without its length, in place of what @b has. */
static bool recv_msg(int fd, struct sbuf *b)
{
	AUTO(auto_free) char *body = NULL;
	unsigned char head[4];
	uint32_t len;

	sbuf_clear(b);
	if (!recv_all(fd, head, sizeof head))
		return false;
	len = get_u32(head);
	if (len == 0 || len > AGENT_MSG_MAX)
		return false;
	body = mem_calloc(len, 1);
	if (!recv_all(fd, body, len))
		return false;
	sbuf_add(b, body, len);
	return true;
}

/* The next "length, bytes" of [*@p, @end); false past the end. */
static bool take_string(const char **p, const char *end, const char **s,
			size_t *len)
{
	if (end - *p < 4)
		return false;
	*len = get_u32(*p);
	if ((size_t)(end - *p - 4) < *len)
		return false;
	*s = *p + 4;
	*p += 4 + *len;
	return true;
}

void remote_agent_list(remote_identities *out, const char *path,
		       int timeout_ms)
{
	AUTO(auto_close) int fd = agent_connect(path, timeout_ms);
	AUTO(sbuf_done) struct sbuf msg = SBUF_INIT;
	const char *p, *end, *blob, *comment;
	size_t len, clen;
	uint32_t n;

	if (fd < 0)
		return;
	sbuf_putc(&msg, AGENT_REQUEST_IDENTITIES);
	if (!send_msg(fd, &msg) || !recv_msg(fd, &msg) || msg.len < 5 ||
	    msg.s[0] != AGENT_IDENTITIES)
		return;
	n = get_u32(msg.s + 1);
	p = msg.s + 5;
	end = msg.s + msg.len;
	/* @n is the agent's word: what is there in fact ends the list */
	for (uint32_t i = 0; i < n && i < AGENT_KEYS_MAX; i++) {
		struct sbuf text = SBUF_INIT;
		struct remote_identity *id;

		if (!take_string(&p, end, &blob, &len) ||
		    !take_string(&p, end, &comment, &clen))
			return;
		id = vec_add(out);
		id->blob = mem_calloc(len + 1, 1);
		memcpy(id->blob, blob, len);
		id->len = len;
		base64_add(&text, VIEW(id->blob, len), BASE64_PADDED);
		id->b64 = sbuf_detach(&text);
	}
}

void remote_identities_done(remote_identities *v)
{
	for (size_t i = 0; i < v->len; i++) {
		free(v->items[i].blob);
		free(v->items[i].b64);
	}
	vec_done(v);
}

long remote_identities_find(const remote_identities *v, const char *b64)
{
	for (size_t i = 0; b64 && i < v->len; i++)
		if (strcmp(v->items[i].b64, b64) == 0)
			return (long)i;
	return -1;
}

struct remote_front {
	pthread_t thread;
	int near;  /* our end of the client's socket */
	int agent; /* the real one */
	struct sbuf answer;
};

/* Ends when either side hangs up: see remote_front_stop(). */
static void *front_serve(void *arg)
{
	struct remote_front *f = arg;
	AUTO(sbuf_done) struct sbuf msg = SBUF_INIT;

	while (recv_msg(f->near, &msg)) {
		if (msg.s[0] == AGENT_REQUEST_IDENTITIES) {
			send_msg(f->near, &f->answer);
		} else if (send_msg(f->agent, &msg) &&
			   recv_msg(f->agent, &msg)) {
			send_msg(f->near, &msg);
		} else {
			sbuf_clear(&msg);
			sbuf_putc(&msg, AGENT_FAILURE);
			send_msg(f->near, &msg);
		}
	}
	return NULL;
}

static void front_free(struct remote_front *f)
{
	if (f->near >= 0)
		close(f->near);
	if (f->agent >= 0)
		close(f->agent);
	sbuf_done(&f->answer);
	free(f);
}

struct remote_front *remote_front_start(int *fd, const char *path,
					const remote_identities *offer,
					int timeout_ms)
{
	struct remote_front *f = mem_calloc(1, sizeof *f);
	sigset_t all, before;
	int pair[2], rc;

	f->near = -1;
	f->agent = agent_connect(path, timeout_ms);
	if (f->agent < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		front_free(f);
		return NULL;
	}
	f->near = pair[0];
	sbuf_putc(&f->answer, AGENT_IDENTITIES);
	put_u32(&f->answer, offer->len);
	for (size_t i = 0; i < offer->len; i++) {
		put_u32(&f->answer, offer->items[i].len);
		sbuf_add(&f->answer, offer->items[i].blob, offer->items[i].len);
		put_u32(&f->answer, 0); /* no comment */
	}
	/* it takes no signal: those are for the program's own threads */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&f->thread, NULL, front_serve, f);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		close(pair[1]);
		front_free(f);
		return NULL;
	}
	*fd = pair[1];
	return f;
}

void remote_front_stop(struct remote_front *f)
{
	if (!f)
		return;
	shutdown(f->near, SHUT_RDWR);
	shutdown(f->agent, SHUT_RDWR);
	pthread_join(f->thread, NULL);
	front_free(f);
}
