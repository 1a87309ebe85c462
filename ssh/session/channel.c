/*
 * The way to run a command over SSH: one channel of a libssh session. The
 * session never blocks; all waiting is in remote_link_wait().
 */
#include "ssh/session/internal.h"

#include "base/text.h"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#define WRITE_MAX ((size_t)32 << 10) /* bytes at a time; libssh copies them */
#define PROXY_GRACE_MS 200 /* it has nothing left to say */

void remote_link_wait(const struct remote_link *l, int timeout_ms)
{
	struct pollfd p = { .fd = ssh_get_fd(l->session), .events = POLLIN };

	if (ssh_get_poll_flags(l->session) & SSH_WRITE_PENDING)
		p.events |= POLLOUT;
	poll(&p, 1, timeout_ms);
}

bool remote_link_again(struct remote_link *l)
{
	int left;

	if (l->traffic->in_bytes != l->heard)
		remote_patience_renew(&l->patience);
	l->heard = l->traffic->in_bytes;
	left = remote_patience_left(&l->patience);
	if (left == 0 || !ssh_is_connected(l->session))
		return false;
	remote_link_wait(l, left);
	return true;
}

char *remote_link_error(const struct remote_link *l)
{
	return text_escaped(ssh_get_error(l->session));
}

void remote_link_free(struct remote_link *l)
{
	if (!l)
		return;
	remote_front_stop(l->front);
	/* closes the channel and the descriptor too: see login.c */
	ssh_free(l->session);
	remote_child_end(&l->proxy, PROXY_GRACE_MS);
	free(l->callbacks);
	free(l->traffic);
	free(l);
}

static void on_exit_status(ssh_session session, ssh_channel channel, int status,
			   void *arg)
{
	struct remote_exit *x = arg;

	(void)session;
	(void)channel;
	x->known = true;
	x->status = status;
}

/* The name is the host's: it is cut, and shown escaped. */
static void on_exit_signal(ssh_session session, ssh_channel channel,
			   const char *signal, int core, const char *text,
			   const char *lang, void *arg)
{
	AUTO(auto_free) char *shown = text_escaped(signal ? signal : "?");
	struct remote_exit *x = arg;

	(void)session;
	(void)channel;
	(void)core;
	(void)text;
	(void)lang;
	x->known = true;
	x->status = -1;
	snprintf(x->signal, sizeof x->signal, "%s", shown);
}

/* REMOTE: the host is there and runs no commands. */
static int start_failed(const struct remote_link *l, int rc, struct err *e)
{
	AUTO(auto_free) char *why = remote_link_error(l);
	AUTO(auto_free) char *over = remote_patience_text(&l->patience);

	if (rc == SSH_AGAIN && ssh_is_connected(l->session))
		return err_set(e, ERR_UNREACHABLE, "%s", over);
	return err_set(e, ssh_is_connected(l->session) ? ERR_REMOTE :
							 ERR_UNREACHABLE,
		       "cannot run a command: %s", why);
}

static int via_start(void *link, const char *command, int timeout_ms,
			 struct err *e)
{
	struct remote_link *l = link;
	struct ssh_channel_callbacks_struct *cb;
	int rc, one = 1;

	remote_patience_begin(&l->patience, timeout_ms,
			      (int64_t)timeout_ms * REMOTE_SILENCES);
	cb = l->callbacks = mem_calloc(1, sizeof *cb);
	ssh_callbacks_init(cb);
	cb->userdata = &l->exit;
	cb->channel_exit_status_function = on_exit_status;
	cb->channel_exit_signal_function = on_exit_signal;
	l->channel = ssh_channel_new(l->session);
	if (!l->channel || ssh_set_channel_callbacks(l->channel, cb) != SSH_OK)
		return err_set(e, ERR_BUG, "cannot run a command before the login");
	rc = ssh_channel_open_session(l->channel);
	/*
	 * Our kernel is to acknowledge at once what sshd sends of itself after
	 * a login: sshd holds back its answer until then. It does not last.
	 */
	setsockopt(ssh_get_fd(l->session), IPPROTO_TCP, TCP_QUICKACK, &one,
		   sizeof one);
	while (rc == SSH_AGAIN && remote_link_again(l))
		rc = ssh_channel_open_session(l->channel);
	if (rc != SSH_OK)
		return start_failed(l, rc, e);
	do
		rc = ssh_channel_request_exec(l->channel, command);
	while (rc == SSH_AGAIN && remote_link_again(l));
	return rc == SSH_OK ? 0 : start_failed(l, rc, e);
}

/* The exit status may come before the rest of the output, or without an end. */
static long via_read(void *link, bool errors, char *buf, size_t len)
{
	struct remote_link *l = link;
	int n = ssh_channel_read_nonblocking(l->channel, buf, (uint32_t)len,
					     errors);

	if (n > 0)
		return n;
	if (n == SSH_EOF || ssh_channel_is_eof(l->channel) || l->exit.known)
		return n == 0 && !ssh_channel_is_eof(l->channel) ? 0 :
								   REMOTE_EOF;
	if (n == SSH_ERROR || !ssh_is_connected(l->session))
		return REMOTE_BROKEN;
	return 0;
}

static long via_write(void *link, const char *buf, size_t len)
{
	struct remote_link *l = link;
	int n = ssh_channel_write(l->channel, buf,
				  (uint32_t)(len < WRITE_MAX ? len :
							       WRITE_MAX));

	if (n == SSH_AGAIN)
		return 0;
	return n < 0 ? REMOTE_BROKEN : n;
}

/*
 * What is in libssh's own buffer is what counts: SSH_WRITE_PENDING says only
 * that libssh wants to know when the socket takes more, and after the end of
 * the output no read lets libssh look at the socket and learn it.
 */
static int via_flushed(void *link)
{
	struct remote_link *l = link;
	int rc = ssh_blocking_flush(l->session, 0);

	return rc == SSH_OK ? 1 : rc == SSH_AGAIN ? 0 : REMOTE_BROKEN;
}

/*
 * Each call of libssh takes in whatever has come: reading one stream may bring
 * the other's bytes or room to write. So only a round in which nothing came is
 * followed by a wait; else what came would be waited for once more.
 */
static void via_wait(void *link, bool writing, int timeout_ms)
{
	struct remote_link *l = link;
	bool came = l->traffic->in_bytes != l->seen;

	(void)writing; /* room comes as a message from the host */
	l->seen = l->traffic->in_bytes;
	if (came)
		return;
	if (ssh_is_connected(l->session))
		remote_link_wait(l, timeout_ms);
	else
		poll(NULL, 0, timeout_ms);
}

static void via_ended(void *link, struct remote_exit *out)
{
	struct remote_link *l = link;

	/* lets libssh look at what came in */
	(void)ssh_channel_get_exit_status(l->channel);
	*out = l->exit;
}

static void via_free(void *link)
{
	remote_link_free(link);
}

const struct remote_via remote_via_ssh = {
	.start = via_start,
	.read = via_read,
	.write = via_write,
	.flushed = via_flushed,
	.wait = via_wait,
	.ended = via_ended,
	.free = via_free,
};
