/*
 * Children that carry a connection: ProxyCommand (one socket) and the local
 * shell (pipes). Nothing but those descriptors reaches them, signals are as
 * after a fresh login, and each has a process group of its own.
 */
#include "ssh/remote_internal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

extern char **environ;

/* The descriptors of both sides; -1 where there is none. */
struct ends {
	int child[3]; /* its stdin, stdout, stderr */
	int ours[3];
};

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

static bool open_socket(struct ends *n)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	n->child[0] = n->child[1] = pair[1];
	n->ours[0] = n->ours[1] = pair[0];
	return true;
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
	bool ok = with_socket ? open_socket(n) :
				open_pipe(&n->child[0], &n->ours[0]) &&
				open_pipe(&n->ours[1], &n->child[1]);

	if (!ok || !open_pipe(&n->ours[2], &n->child[2]))
		return false;
	for (int i = 0; i < 3; i++)
		if (fcntl(n->ours[i], F_SETFL, O_NONBLOCK) < 0)
			return false;
	/* nobody may be there to read a proxy's complaints: never block it */
	return !with_socket ||
	       fcntl(n->child[2], F_SETFL, O_NONBLOCK) == 0;
}

/* posix_spawn() with everything that keeps the child apart from us. */
static int spawn(pid_t *pid, const char *command, const int fds[3])
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, NULL, NULL };
	AUTO(auto_free) char *text = mem_strdup(command);
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t none, all;
	int rc;

	argv[2] = text;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&how);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&files, fds[i], i);
	posix_spawn_file_actions_addclosefrom_np(&files, 3);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP |
					       POSIX_SPAWN_SETSIGMASK |
					       POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setsigdefault(&how, &all);
	rc = posix_spawn(pid, "/bin/sh", &files, &how, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&how);
	return rc;
}

int remote_child_start(struct remote_child *c, const char *command,
		       bool with_socket, struct err *e)
{
	AUTO(ends_done) struct ends n = { { -1, -1, -1 }, { -1, -1, -1 } };
	pid_t pid;

	if (!open_ends(&n, with_socket))
		return err_sys(e, "cannot open pipes for a command");
	errno = spawn(&pid, command, n.child);
	if (errno)
		return err_sys(e, "cannot start /bin/sh");
	c->pid = pid;
	c->in = n.ours[0];
	c->out = with_socket ? -1 : n.ours[1];
	c->errors = n.ours[2];
	n.ours[0] = n.ours[1] = n.ours[2] = -1;
	return 0;
}

/* Has @pid ended within @ms? It stays a zombie until it is reaped. */
static bool ends_within(pid_t pid, int ms)
{
	AUTO(auto_close) int fd = pidfd_open(pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t deadline = remote_now_ms() + ms;
	int rc;

	if (fd < 0)
		return false;
	do
		rc = poll(&p, 1, remote_left_ms(deadline));
	while (rc < 0 && errno == EINTR);
	return rc > 0;
}

int remote_child_end(struct remote_child *c, int grace_ms)
{
	int fds[3] = { c->in, c->out, c->errors };
	int status = -1;

	close_all(fds);
	c->in = c->out = c->errors = -1;
	if (c->pid <= 0)
		return -1;
	if (!ends_within(c->pid, grace_ms)) {
		kill(-c->pid, SIGTERM);
		if (!ends_within(c->pid, 500))
			kill(-c->pid, SIGKILL);
	}
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
	return status;
}
