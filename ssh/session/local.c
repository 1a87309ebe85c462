/*
 * The way to run a command on this very machine: /bin/sh with three pipes; or
 * behind a program of this machine that runs it elsewhere.
 */
#include "base/text.h"
#include "ssh/session/internal.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

/* What a shell is given to end by itself once its input is closed. */
#define GRACE_MS 2000

struct remote_local {
	struct remote_child child;
	bool eof[2]; /* of output and errors */
	char *program; /* a shell text that takes the command; or NULL */
	remote_temporaries files; /* for it, ours to remove */
};

void *remote_local_new(const char *program, remote_temporaries *files)
{
	struct remote_local *l = mem_calloc(1, sizeof *l);

	l->child = (struct remote_child)REMOTE_CHILD_NONE;
	l->program = program ? mem_strdup(program) : NULL;
	if (files) {
		l->files = *files;
		memset(files, 0, sizeof *files);
	}
	return l;
}

static int local_start(void *link, const char *command, int timeout_ms,
		       struct err *e)
{
	struct remote_local *l = link;
	AUTO(sbuf_done) struct sbuf behind = SBUF_INIT;

	(void)timeout_ms;
	if (l->program) {
		sbuf_printf(&behind, "%s ", l->program);
		text_quote(&behind, command);
		command = sbuf_str(&behind);
	}
	return remote_child_start(&l->child, command, false, e);
}

static long local_read(void *link, bool errors, char *buf, size_t len)
{
	struct remote_local *l = link;
	ssize_t n;

	if (l->eof[errors])
		return REMOTE_EOF;
	n = read(errors ? l->child.errors : l->child.out, buf, len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0)
		return n;
	l->eof[errors] = true;
	return REMOTE_EOF;
}

/* Without SIGPIPE, which would end all of us when the shell is gone: it is held
 * back in this thread and taken from the queue. */
static long local_write(void *link, const char *buf, size_t len)
{
	const struct remote_local *l = link;
	const struct timespec now = { 0, 0 };
	sigset_t pipe_only, before, pending;
	bool was_pending;
	ssize_t n;
	int error;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
	n = write(l->child.in, buf, len);
	error = errno;
	if (n < 0 && error == EPIPE && !was_pending)
		sigtimedwait(&pipe_only, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (n < 0)
		return error == EAGAIN || error == EINTR ? 0 : REMOTE_BROKEN;
	return n;
}

/* What a pipe took is the kernel's. */
static int local_flushed(void *link)
{
	(void)link;
	return 1;
}

static void local_wait(void *link, bool writing, int timeout_ms)
{
	struct remote_local *l = link;
	struct pollfd p[] = {
		{ .fd = l->eof[0] ? -1 : l->child.out, .events = POLLIN },
		{ .fd = l->eof[1] ? -1 : l->child.errors, .events = POLLIN },
		{ .fd = writing ? l->child.in : -1, .events = POLLOUT },
	};

	poll(p, 3, timeout_ms);
}

/* Looked at, not reaped: remote_child_end() does that. */
static void local_ended(void *link, struct remote_exit *out)
{
	struct remote_local *l = link;
	siginfo_t info = { 0 };

	if (l->child.pid <= 0 ||
	    waitid(P_PID, (id_t)l->child.pid, &info,
		   WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
		return;
	out->known = true;
	out->status = info.si_code == CLD_EXITED ? info.si_status : -1;
	if (info.si_code != CLD_EXITED)
		snprintf(out->signal, sizeof out->signal, "%s",
			 sigabbrev_np(info.si_status));
}

static void local_free(void *link)
{
	struct remote_local *l = link;

	remote_child_end(&l->child, GRACE_MS);
	remote_temporaries_done(&l->files);
	free(l->program);
	free(l);
}

const struct remote_via remote_via_local = {
	.start = local_start,
	.read = local_read,
	.write = local_write,
	.flushed = local_flushed,
	.wait = local_wait,
	.ended = local_ended,
	.free = local_free,
};
