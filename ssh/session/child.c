/*
 * Children that carry a connection: ProxyCommand (one socket) and the local
 * shell (pipes). Each has a process group of its own.
 */
#include "base/run.h"
#include "ssh/session/internal.h"

#include <fcntl.h>
#include <sys/socket.h>

/* The descriptors of both sides; -1 where there is none. */
struct ends {
	int child[3]; /* its stdin, stdout, stderr */
	int ours[3];
};

/* A socket stands twice in a row: for input and for output. */
static void close_all(const int fds[3])
{
	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0 && (i == 0 || fds[i] != fds[i - 1]))
			close(fds[i]);
}

static void ends_done(struct ends *n)
{
	int saved = errno;

	close_all(n->child);
	close_all(n->ours);
	errno = saved;
}

static bool open_pipe(int *reader, int *writer)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return false;
	*reader = pair[0];
	*writer = pair[1];
	return true;
}

static bool open_ends(struct ends *n, bool with_socket)
{
	int pair[2];

	if (with_socket) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
			return false;
		n->child[0] = n->child[1] = pair[1];
		n->ours[0] = n->ours[1] = pair[0];
	} else if (!open_pipe(&n->child[0], &n->ours[0]) ||
		   !open_pipe(&n->ours[1], &n->child[1])) {
		return false;
	}
	if (!open_pipe(&n->ours[2], &n->child[2]))
		return false;
	for (int i = 0; i < 3; i++)
		if (fcntl(n->ours[i], F_SETFL, O_NONBLOCK) < 0)
			return false;
	/* nobody may be there to read a proxy's complaints: never block it */
	return !with_socket ||
	       fcntl(n->child[2], F_SETFL, O_NONBLOCK) == 0;
}

int remote_child_start(struct remote_child *c, const char *command,
		       bool with_socket, struct err *e)
{
	AUTO(ends_done) struct ends n = { { -1, -1, -1 }, { -1, -1, -1 } };
	AUTO(strings_done) struct strings argv = { 0 };
	struct run how = { .argv = &argv, .own_group = true };
	pid_t pid;

	if (!open_ends(&n, with_socket))
		return err_sys(e, "cannot open pipes for a command");
	strings_add(&argv, "/bin/sh");
	strings_add(&argv, "-c");
	strings_add(&argv, command);
	memcpy(how.fds, n.child, sizeof how.fds);
	pid = run_start(&how, e);
	if (pid < 0)
		return -1;
	c->pid = pid;
	c->in = n.ours[0];
	c->out = with_socket ? -1 : n.ours[1];
	c->errors = n.ours[2];
	n.ours[0] = n.ours[1] = n.ours[2] = -1;
	return 0;
}

void remote_child_end(struct remote_child *c, int grace_ms)
{
	int fds[3] = { c->in, c->out, c->errors };

	close_all(fds);
	c->in = c->out = c->errors = -1;
	if (c->pid > 0)
		run_end(c->pid, true, grace_ms);
	c->pid = 0;
}
