/*
 * The git program as a child, bounded in time and output, ended with all its
 * own. All directions go through one poll(): a child that waits for us to
 * read, while we wait for it to read, would hang for good.
 */
#include "state/git/child.h"

#include "base/auto.h"
#include "base/run.h"
#include "base/text.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

extern char **environ;

#define SILENT_MS 300000 /* a remote that counts objects says nothing */
#define SLICE_MS 200     /* how late an interrupt is seen */
#define OUT_MAX (1 << 20)
#define WORDS_MAX 2048   /* bytes of its stderr that are kept */
#define GRACE_MS 5000    /* for its own end, once it closed all */

/* Our ends of its descriptors; -1: closed. */
struct pipes {
	int in, out, errors;
	const char *left; /* what is still to be written */
};

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

/* Is the variable one of those that @set has? */
static bool is_set(const char *variable, const char *const *set)
{
	for (; set && *set; set++)
		if (strncmp(variable, *set, strcspn(*set, "=") + 1) == 0)
			return true;
	return false;
}

/* The child's environment, of borrowed strings; the caller frees it. */
static char **make_environment(const char *const *set)
{
	size_t n = 0, kept = 0;
	char **env;

	while (environ[n])
		n++;
	for (size_t i = 0; set && set[i]; i++)
		n++;
	env = mem_calloc(n + 1, sizeof *env);
	for (char **v = environ; *v; v++)
		if (!is_of_hook(*v) && !is_set(*v, set))
			env[kept++] = *v;
	for (; set && *set; set++)
		env[kept++] = (char *)(uintptr_t)*set;
	return env;
}

static void shut(int *fd)
{
	auto_close(fd);
	*fd = -1;
}

/* Its process id, with @p set; -1 with @e. */
static pid_t start(struct pipes *p, struct child *c, bool own_group,
		   struct err *e)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, errors[2] = { -1, -1 };
	AUTO(auto_free) char **env = make_environment(c->set);
	struct run how = { .argv = &c->argv, .folder = c->folder,
			   .environment = env, .own_group = own_group };
	struct rlimit before, cut;
	pid_t pid = -1;

	/* a socket, for which a write can be made without SIGPIPE */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) < 0 ||
	    pipe2(out, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0)
		err_sys(e, "cannot make pipes for '%s'", c->argv.items[0]);
	else {
		memcpy(how.fds, (int[]){ in[1], out[1], errors[1] },
		       sizeof how.fds);
		/* inherited; we write nothing as long meanwhile */
		getrlimit(RLIMIT_FSIZE, &before);
		cut = before;
		if (cut.rlim_cur > CHILD_FILE_MAX)
			cut.rlim_cur = CHILD_FILE_MAX;
		setrlimit(RLIMIT_FSIZE, &cut);
		pid = run_start(&how, e);
		setrlimit(RLIMIT_FSIZE, &before);
	}
	shut(&in[1]);
	shut(&out[1]);
	shut(&errors[1]);
	*p = (struct pipes){ .in = in[0], .out = out[0], .errors = errors[0],
			     .left = c->in ? c->in : "" };
	return pid;
}

/*
 * Is @line, which ends in @end, progress of git's? "remote: Title: 50% (1/2)"
 * and "Title: 5" are overwritten (CR), the last one ends in "done.". Servers'
 * own lines can end in CR, too.
 */
static bool is_progress(const char *line, char end)
{
	static const char done[] = ", done.";
	const char *number = strrchr(line, ':');
	size_t len = strlen(line), digits;

	if (len >= strlen(done) &&
	    strcmp(line + len - strlen(done), done) == 0)
		return true;
	if (end != '\r' || !number)
		return false;
	number += 1 + strspn(number + 1, " ");
	digits = strspn(number, "0123456789");
	return digits && strchr("% ", number[digits]);
}

/* One byte of stderr: lines are kept when they are whole and say something. */
static void hear_byte(struct child *c, char byte)
{
	struct sbuf *b = &c->words;
	size_t line = b->len;

	if (byte != '\n' && byte != '\r') {
		sbuf_putc(b, byte);
	} else {
		while (line && b->s[line - 1] != '\n')
			line--;
		if (line < b->len && is_progress(b->s + line, byte)) {
			b->len = line;
			b->s[line] = '\0';
		} else if (line < b->len) {
			sbuf_putc(b, '\n');
		}
	}
	if (b->len > WORDS_MAX) { /* the end says why */
		b->len -= WORDS_MAX / 2;
		memmove(b->s, b->s + WORDS_MAX / 2, b->len + 1);
	}
}

static void hear(struct child *c, struct pipes *p)
{
	char chunk[1024];
	ssize_t n = read(p->errors, chunk, sizeof chunk);

	if (n == 0 || (n < 0 && errno != EINTR))
		shut(&p->errors);
	for (ssize_t i = 0; i < n; i++)
		hear_byte(c, chunk[i]);
}

static _Atomic bool interrupted;

void child_interrupt(bool on)
{
	interrupted = on;
}

/* poll() until something happens; false when it is over. */
static bool poll_patiently(struct pollfd p[3])
{
	for (int left = SILENT_MS; left > 0; left -= SLICE_MS) {
		int n;

		if (interrupted)
			return false;
		n = poll(p, 3, SLICE_MS);
		if (n > 0 || (n < 0 && errno != EINTR))
			return n > 0;
	}
	return false;
}

/* All that it says, until it closes its output; false: it is to be ended. */
static bool talk(struct child *c, struct pipes *p)
{
	char chunk[4096];
	ssize_t n;

	while (p->out >= 0) {
		size_t len = strlen(p->left);
		struct pollfd set[3] = {
			{ len ? p->in : -1, POLLOUT, 0 },
			{ p->out, POLLIN, 0 },
			{ p->errors, POLLIN, 0 },
		};

		if (!len)
			shut(&p->in); /* it waits for the end of its input */
		if (!poll_patiently(set))
			return false;
		if (set[2].revents)
			hear(c, p);
		if (set[1].revents) {
			n = read(p->out, chunk, sizeof chunk);
			if (n > 0)
				sbuf_add(&c->out, chunk, (size_t)n);
			else if (n == 0 || errno != EINTR)
				shut(&p->out);
			if (c->out.failed)
				return false;
		}
		if (set[0].revents) {
			n = send(p->in, p->left, len,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
			if (n < 0 && errno != EAGAIN && errno != EINTR)
				p->left = ""; /* it wants no more */
			else if (n > 0)
				p->left += n;
		}
	}
	return true;
}

/* A terminal's signals reach its own group alone, and so does its keyboard. */
static bool has_terminal(void)
{
	AUTO(auto_close) int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	return fd >= 0;
}

int child_run(struct child *c, struct err *e)
{
	bool own_group = !has_terminal();
	struct pipes p;
	int status;
	bool whole;
	pid_t pid;

	c->out.max = OUT_MAX;
	pid = start(&p, c, own_group, e);
	whole = pid > 0 && talk(c, &p);
	/* its last words; a grandchild may hold stderr open for long */
	for (int i = 0; whole && i < 64 && p.errors >= 0; i++) {
		struct pollfd set = { p.errors, POLLIN, 0 };

		if (poll(&set, 1, 1000) <= 0)
			break;
		hear(c, &p);
	}
	shut(&p.in);
	shut(&p.out);
	shut(&p.errors);
	if (pid < 0)
		return -1;
	status = run_end(pid, own_group, whole ? GRACE_MS : 0);
	return status < 0 || !whole ? CHILD_KILLED : status;
}

void child_done(struct child *c)
{
	strings_done(&c->argv);
	sbuf_done(&c->out);
	sbuf_done(&c->words);
}

char *child_words(const struct child *c)
{
	const char *words = sbuf_str(&c->words);
	struct view rest = VIEW(words, c->words.len), line;
	AUTO(sbuf_done) struct sbuf shown = SBUF_INIT;

	while (view_line(&rest, &line)) {
		while (line.len && strchr(" \r\t", line.at[line.len - 1]))
			line.len--;
		if (!line.len)
			continue;
		sbuf_puts(&shown, shown.len ? "; " : ": ");
		text_escape(&shown, (const char *)line.at, line.len, false);
	}
	return mem_strdup(sbuf_str(&shown));
}
