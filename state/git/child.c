/*
 * The git program as a child, bounded in time and output, ended with all its
 * own. Both directions go through one poll(): a child that waits for us to
 * read, while we wait for it to read, would hang for good.
 */
#include "state/git/child.h"

#include "base/auto.h"
#include "base/run.h"
#include "base/text.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

extern char **environ;

#define SILENT_MS 300000 /* a remote that counts objects says nothing */
#define SLICE_MS 200     /* how late an interrupt is seen */
#define WORDS_MAX 2048   /* bytes of its stderr that are kept */
#define GRACE_MS 5000    /* for its own end */

/*
 * Is it what git sets for its hooks, about another repository? We may be run by
 * one; see git(1), "The Git Repository".
 */
static bool is_of_hook(const char *variable)
{
	static const char *const names[] = {
		"GIT_DIR=", "GIT_WORK_TREE=", "GIT_INDEX_FILE=",
		"GIT_OBJECT_DIRECTORY=", "GIT_COMMON_DIR=", "GIT_PREFIX=",
		"GIT_ALTERNATE_OBJECT_DIRECTORIES=", "GIT_NAMESPACE=",
		"GIT_QUARANTINE_PATH=", "GIT_PROTOCOL=",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void shut(int *fd)
{
	auto_close(fd);
	*fd = -1;
}

int child_start(struct child *c, const struct strings *argv,
		const char *folder, struct err *e)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, errors[2] = { -1, -1 };
	AUTO(auto_free) char **env = NULL; /* of borrowed strings */
	struct run how = { .argv = argv, .folder = folder };
	size_t n = 0, kept = 0;

	while (environ[n])
		n++;
	how.environment = env = mem_calloc(n + 1, sizeof *env);
	for (size_t i = 0; i < n; i++)
		if (!is_of_hook(environ[i]))
			env[kept++] = environ[i];
	memset(c, 0, sizeof *c);
	c->pid = -1;
	/* a socket, for which a write can be made without SIGPIPE */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) < 0 ||
	    pipe2(out, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0)
		err_sys(e, "cannot make pipes for '%s'", argv->items[0]);
	else {
		memcpy(how.fds, (int[]){ in[1], out[1], errors[1] },
		       sizeof how.fds);
		c->pid = run_start(&how, e);
	}
	shut(&in[1]);
	shut(&out[1]);
	shut(&errors[1]);
	c->in = in[0];
	c->out = out[0];
	c->errors = errors[0];
	if (c->pid > 0)
		return 0;
	c->pid = 0;
	child_end(c);
	return -1;
}

/* Keep the end of what it says. */
static void hear(struct child *c)
{
	char chunk[1024];
	ssize_t n = read(c->errors, chunk, sizeof chunk);

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		shut(&c->errors);
		return;
	}
	if (c->words.len + (size_t)n > WORDS_MAX)
		sbuf_clear(&c->words);
	sbuf_add(&c->words, chunk, (size_t)n);
}

static _Atomic bool interrupted;

void child_interrupt(bool on)
{
	interrupted = on;
}

/* poll() until something happens; at most 0 when it is over. */
static int poll_patiently(struct pollfd p[3])
{
	for (int left = SILENT_MS; left > 0; left -= SLICE_MS) {
		int n;

		if (interrupted)
			return 0;
		n = poll(p, 3, SLICE_MS);
		if (n > 0 || (n < 0 && errno != EINTR))
			return n;
	}
	return 0;
}

int child_move(struct child *c, const char *in, size_t len, size_t *wrote,
	       char *out, size_t size, size_t *got)
{
	ssize_t n;

	*wrote = *got = 0;
	while (*wrote == 0 && *got == 0) {
		struct pollfd p[3] = {
			{ len ? c->in : -1, POLLOUT, 0 },
			{ size ? c->out : -1, POLLIN, 0 },
			{ c->errors, POLLIN, 0 },
		};

		if (p[0].fd < 0 && p[1].fd < 0)
			return len ? -1 : 0;
		if (poll_patiently(p) <= 0)
			return -1;
		if (p[2].revents)
			hear(c);
		if (p[1].revents) {
			n = read(c->out, out, size);
			if (n > 0)
				*got = (size_t)n;
			else if (n == 0 || errno != EINTR)
				shut(&c->out);
		}
		if (p[0].revents) {
			n = send(c->in, in, len, MSG_NOSIGNAL | MSG_DONTWAIT);
			if (n < 0 && errno != EAGAIN && errno != EINTR)
				return -1;
			*wrote = n < 0 ? 0 : (size_t)n;
		}
	}
	return 0;
}

int child_end(struct child *c)
{
	int status = -1;

	shut(&c->in);
	shut(&c->out);
	/* its last words say why; a grandchild may hold stderr open for long */
	for (int i = 0; i < 64 && c->errors >= 0; i++) {
		struct pollfd p = { c->errors, POLLIN, 0 };

		if (poll(&p, 1, 1000) <= 0)
			break;
		hear(c);
	}
	shut(&c->errors);
	if (c->pid > 0)
		status = run_end(c->pid, false, GRACE_MS);
	c->pid = 0;
	return status;
}

bool child_run(struct child *c, const char *in, struct sbuf *out)
{
	size_t len = strlen(in), wrote, got;
	char chunk[4096];

	while (true) {
		if (len == 0 && c->in >= 0)
			shut(&c->in); /* it waits for the end of its input */
		if (child_move(c, in, len, &wrote, chunk, sizeof chunk,
			       &got) < 0)
			break;
		if (!wrote && !got)
			return child_end(c) == 0;
		in += wrote;
		len -= wrote;
		sbuf_add(out, chunk, got);
	}
	child_end(c);
	return false;
}

char *child_words(const struct child *c)
{
	AUTO(auto_free) char *copy = mem_strdup(sbuf_str(&c->words));
	AUTO(auto_free) char *shown = NULL;
	size_t len = strlen(copy);

	while (len && strchr(" \r\n", copy[len - 1]))
		copy[--len] = '\0';
	for (char *p = copy; *p; p++)
		if (*p == '\n' || *p == '\r' || *p == '\t')
			*p = ' ';
	shown = text_escaped(copy);
	return mem_printf("%s%s", *shown ? ": " : "", shown);
}
