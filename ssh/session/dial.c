/*
 * A TCP connection by a deadline: the name looked up, every address tried.
 */
#include "ssh/session/internal.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>

#define TIMEOUT_DEFAULT_MS 10000 /* documented: docs/man, -timeout */

int64_t remote_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int remote_left_ms(int64_t deadline)
{
	int64_t left = deadline - remote_now_ms();

	if (left < 0)
		return 0;
	return left > 1000000000 ? 1000000000 : (int)left; /* 11 days: ever */
}

/* Seconds as text for messages: "10 s", "0.3 s". */
static const char *seconds_text(int ms, char buf[24])
{
	if (ms % 1000 == 0)
		snprintf(buf, 24, "%d s", ms / 1000);
	else
		snprintf(buf, 24, "%d.%d s", ms / 1000, ms % 1000 / 100);
	return buf;
}

int remote_timeout(int ms)
{
	return ms > 0 ? ms : TIMEOUT_DEFAULT_MS;
}

void remote_patience_begin(struct remote_patience *p, int silence_ms,
			   int64_t total_ms)
{
	p->silence_ms = silence_ms;
	p->end = total_ms ? remote_now_ms() + total_ms : INT64_MAX;
	p->total_ms = (int)total_ms;
	remote_patience_renew(p);
}

void remote_patience_renew(struct remote_patience *p)
{
	p->deadline = remote_now_ms() + p->silence_ms;
}

int remote_patience_left(const struct remote_patience *p)
{
	return remote_left_ms(p->end < p->deadline ? p->end : p->deadline);
}

char *remote_patience_text(const struct remote_patience *p)
{
	char buf[24];

	if (remote_left_ms(p->end) == 0)
		return mem_printf("not done within %s, though something came",
				  seconds_text(p->total_ms, buf));
	return mem_printf("no answer within %s",
			  seconds_text(p->silence_ms, buf));
}

/* A look-up under way; it outlives us when the name servers are silent. */
struct lookup {
	struct gaicb cb;
	struct addrinfo hints;
	char *host;
	char port[8];
};

/* How the look-up ended; EAI_INPROGRESS when it can't be stopped, either. */
static int wait_for_name(struct gaicb *list[1], int64_t deadline)
{
	int rc;

	while ((rc = gai_error(list[0])) == EAI_INPROGRESS) {
		int left = remote_left_ms(deadline);
		struct timespec t = { left / 1000, left % 1000 * 1000000L };

		if (left == 0)
			break;
		gai_suspend((const struct gaicb *const *)list, 1, &t);
	}
	if (rc == EAI_INPROGRESS)
		rc = gai_cancel(list[0]) == EAI_CANCELED ? EAI_CANCELED
							 : gai_error(list[0]);
	return rc;
}

static int look_up_host(struct addrinfo **out, const struct remote_settings *s,
			int64_t deadline, struct err *e)
{
	struct lookup *l = mem_calloc(1, sizeof *l);
	struct gaicb *list[] = { &l->cb };
	int rc;

	l->host = mem_strdup(s->host);
	snprintf(l->port, sizeof l->port, "%d", s->port);
	l->hints.ai_socktype = SOCK_STREAM;
	l->cb.ar_name = l->host;
	l->cb.ar_service = l->port;
	l->cb.ar_request = &l->hints;
	/* an address takes no name server, and no thread for it */
	l->hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	rc = getaddrinfo(s->host, l->port, &l->hints, out);
	if (rc == EAI_NONAME) {
		/* getaddrinfo() that stops waiting: EAI_INPROGRESS then */
		l->hints.ai_flags = AI_NUMERICSERV;
		rc = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
		if (rc == 0)
			rc = wait_for_name(list, deadline);
		if (rc == 0)
			*out = l->cb.ar_result;
	}
	if (rc != EAI_INPROGRESS) {
		free(l->host);
		free(l);
	}
	if (rc == EAI_INPROGRESS || rc == EAI_CANCELED)
		return err_set(e, ERR_UNREACHABLE, "name servers do not "
			       "answer for '%s'", s->host);
	if (rc != 0)
		return err_set(e, ERR_UNREACHABLE, "name '%s' does not "
			       "resolve: %s", s->host, gai_strerror(rc));
	return 0;
}

size_t remote_addresses(struct ip *out, size_t max, const char *host,
			int *left_ms)
{
	AUTO(auto_free) char *name = mem_strdup(host);
	const struct remote_settings s = { .host = name, .port = 1 };
	int64_t deadline = remote_now_ms() + *left_ms;
	struct addrinfo *list = NULL;
	char text[NI_MAXHOST];
	struct err ignored;
	size_t n = 0;
	int ret;

	if (*left_ms == 0)
		return 0;
	ret = look_up_host(&list, &s, deadline, &ignored);
	*left_ms = remote_left_ms(deadline);
	if (ret < 0)
		return 0;
	for (const struct addrinfo *a = list; a && n < max; a = a->ai_next)
		if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text,
				NULL, 0, NI_NUMERICHOST) == 0 &&
		    ip_parse(&out[n], text))
			n++;
	freeaddrinfo(list);
	return n;
}

/* Connect to one address within @ms: the descriptor, or -errno. */
static int connect_one(const struct addrinfo *a, int ms)
{
	int64_t deadline = remote_now_ms() + ms;
	socklen_t len = sizeof(int);
	int one = 1, rc = 0, ready;
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC |
		SOCK_NONBLOCK, a->ai_protocol);
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0)
		rc = errno;
	if (rc == EINPROGRESS) {
		do
			ready = poll(&p, 1, remote_left_ms(deadline));
		while (ready < 0 && errno == EINTR);
		if (ready == 0)
			rc = ETIMEDOUT;
		else if (ready < 0 ||
			 getsockopt(fd, SOL_SOCKET, SO_ERROR, &rc, &len) < 0)
			rc = errno;
	}
	if (rc == 0)
		return fd;
	close(fd);
	return -rc;
}

/* The address of one end as text, version 4 in version 6 as version 4. */
static char *end_text(int fd, int (*name)(int fd, struct sockaddr *sa,
					  socklen_t *len))
{
	struct sockaddr_storage sa;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&sa;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&sa;
	char buf[INET6_ADDRSTRLEN] = "";
	socklen_t len = sizeof sa;

	if (name(fd, (struct sockaddr *)&sa, &len) < 0)
		return mem_strdup("");
	if (sa.ss_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, buf, sizeof buf);
	else if (sa.ss_family == AF_INET6 &&
		 IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], buf, sizeof buf);
	else if (sa.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, buf, sizeof buf);
	return mem_strdup(buf);
}

int remote_dial(int *fd, struct remote_login *facts,
		const struct remote_settings *s, int64_t deadline,
		struct err *e)
{
	int64_t began = remote_now_ms();
	struct addrinfo *list = NULL;
	int got = -EHOSTUNREACH, left = 0;
	char buf[24];

	if (look_up_host(&list, s, deadline, e) < 0)
		return -1;
	for (struct addrinfo *a = list; a; a = a->ai_next)
		left++; /* each has its share of the time that is left */
	for (struct addrinfo *a = list; a && got < 0; a = a->ai_next)
		got = connect_one(a, remote_left_ms(deadline) / left--);
	freeaddrinfo(list);
	if (got == -ETIMEDOUT)
		return err_set(e, ERR_UNREACHABLE,
			       "no answer from '%s' port %d within %s",
			       s->host, s->port,
			       seconds_text((int)(deadline - began), buf));
	if (got < 0) {
		errno = -got;
		err_sys(e, "cannot connect to '%s' port %d", s->host, s->port);
		/* for want of descriptors or memory here no host is to blame */
		if (got != -EMFILE && got != -ENFILE && got != -ENOMEM &&
		    got != -ENOBUFS)
			e->code = ERR_UNREACHABLE;
		return -1;
	}
	*fd = got;
	facts->dialled = end_text(got, getpeername);
	facts->source = end_text(got, getsockname);
	return 0;
}
