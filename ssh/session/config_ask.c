/*
 * ssh_config is read by OpenSSH: 'ssh -G HOST' prints what holds for a host.
 * Here it is asked, and its answer is shared between hosts for which it must be
 * the same, since a start of the program costs a good part of a login.
 */
#include "base/run.h"
#include "base/text.h"
#include "ssh/session/config.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>

#define SSH_MS 30000                 /* a Match line may run a program */
#define ANSWER_MAX ((size_t)1 << 20) /* bytes; 7,000 are usual */
#define CONFIG_MAX ((size_t)1 << 20) /* bytes, of each file */

/* "~" of OpenSSH is the home of the password file, whatever $HOME says. */
static bool home_is_another(void)
{
	AUTO(auto_free) char *home = remote_home();
	struct passwd pw, *found = NULL;
	char buf[4096];

	return getpwuid_r(getuid(), &pw, buf, sizeof buf, &found) == 0 &&
	       found && strcmp(found->pw_dir, home) != 0;
}

static void put_include(struct sbuf *out, const char *path)
{
	if (access(path, F_OK) == 0)
		sbuf_printf(out, "Include \"%s\"\n", path);
}

/* The files that count, and behind them what holds where they say nothing. */
static void wrap_files(struct sbuf *out, const struct remote_config *c)
{
	AUTO(auto_free) char *own = remote_untilde("~/.ssh/config");
	AUTO(auto_free) char *home = remote_home();

	put_include(out, c->file ? c->file : own);
	if (!c->file)
		put_include(out, "/etc/ssh/ssh_config");
	sbuf_printf(out, "Host *\nUser root\nUserKnownHostsFile "
		    "\"%s/.ssh/known_hosts\" \"%s/.ssh/known_hosts2\"\n", home,
		    home);
}

/*
 * Until its output is at its end, and what it has said by then; a program that
 * a Match line leaves behind may have its stderr for ever. False: not within
 * the time, or too much.
 */
static bool collect(int out, int errors, struct sbuf *text, struct sbuf *words)
{
	struct pollfd p[2] = { { out, POLLIN, 0 }, { errors, POLLIN, 0 } };
	struct sbuf *to[2] = { text, words };
	int64_t deadline = remote_now_ms() + SSH_MS;
	char chunk[4096];

	for (;;) {
		int left = remote_left_ms(deadline);
		int n = poll(p, 2, p[0].fd < 0 ? 0 : left);

		if (p[0].fd < 0 && n == 0)
			return true;
		if (!left || (n < 0 && errno != EINTR))
			return false;
		for (int i = 0; i < 2; i++) {
			ssize_t got = n > 0 && p[i].fd >= 0 && p[i].revents
				? read(p[i].fd, chunk, sizeof chunk) : -2;

			if (got == 0 || (got == -1 && errno != EINTR))
				p[i].fd = -1;
			if (got > 0)
				sbuf_add(to[i], chunk, (size_t)got);
		}
		if (text->failed || words->failed)
			return false;
	}
}

/* What it said, besides its own account, in one line. */
static int fail_ssh(struct sbuf *words, struct err *e)
{
	AUTO(sbuf_done) struct sbuf shown = SBUF_INIT;
	char *rest = words->s, *line;

	while (rest && (line = strsep(&rest, "\n"))) {
		line[strcspn(line, "\r")] = '\0';
		if (!*line || strncmp(line, "debug", 5) == 0 ||
		    strncmp(line, "OpenSSH_", 8) == 0)
			continue;
		sbuf_puts(&shown, shown.len ? "; " : "");
		text_escape(&shown, line, strlen(line), false);
	}
	return err_set(e, ERR_INPUT, "ssh_config: %s",
		       shown.len ? shown.s : "'ssh -G' does not end well");
}

/*
 * Run 'ssh -G' for @t, with the files that count or, if @wrapped, with a text
 * that includes them.
 */
static int run_ssh(struct sbuf *text, struct sbuf *words,
		   const struct remote_config *c,
		   const struct remote_target *t, bool wrapped, struct err *e)
{
	AUTO(sbuf_done) struct sbuf wrapper = SBUF_INIT;
	AUTO(strings_done) struct strings argv = { 0 };
	AUTO(auto_close) int in = -1;
	int out[2] = { -1, -1 }, errors[2] = { -1, -1 };
	struct run how = { .argv = &argv, .own_group = true };
	pid_t pid = -1;
	bool whole = false;

	if (wrapped)
		wrap_files(&wrapper, c);
	strings_add(&argv, "ssh");
	strings_add(&argv, "-vTG");
	if (wrapped || c->file) {
		strings_add(&argv, "-F");
		strings_add(&argv, wrapped ? "/dev/stdin" : c->file);
	}
	if (t->user)
		strings_printf(&argv, "-l%s", t->user);
	if (t->port)
		strings_printf(&argv, "-p%d", t->port);
	strings_add(&argv, "--");
	strings_add(&argv, t->host);
	in = remote_open_text(sbuf_str(&wrapper));
	if (in < 0 || pipe2(out, O_CLOEXEC) < 0 ||
	    pipe2(errors, O_CLOEXEC) < 0) {
		err_sys(e, "cannot ask 'ssh' for its configuration");
	} else {
		memcpy(how.fds, (int[]){ in, out[1], errors[1] },
		       sizeof how.fds);
		pid = run_start(&how, e);
	}
	auto_close(&out[1]);
	auto_close(&errors[1]);
	text->max = words->max = ANSWER_MAX;
	if (pid > 0)
		whole = collect(out[0], errors[0], text, words);
	auto_close(&out[0]);
	auto_close(&errors[0]);
	if (pid < 0)
		return -1;
	if (run_end(pid, true, whole ? 1000 : 0) == 0 && whole)
		return 0;
	return fail_ssh(words, e);
}

/* ---- one answer for many ---- */

/* A keyword's value on a line of ssh_config; NULL: another line. */
static char *value_of(char *line, const char *keyword)
{
	size_t len = strlen(keyword);

	line += strspn(line, " \t\f");
	if (strncasecmp(line, keyword, len) != 0 ||
	    !strchr(" \t=\"", line[len]))
		return NULL;
	line += len;
	return line + strspn(line, " \t=");
}

/*
 * The patterns of the Host lines of a file. What else could tell two hosts
 * apart, "Match" and a token that hashes names, ends all sharing.
 */
static void learn_file(struct remote_config *c, const char *path)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	char *rest, *line, *word;

	text.max = CONFIG_MAX;
	if (remote_slurp(&text, path, SLURP_ANY) < 0 ||
	    strlen(sbuf_str(&text)) != text.len) {
		c->each = true; /* not to be judged */
		return;
	}
	rest = text.s;
	while (rest && (line = strsep(&rest, "\r\n"))) {
		char *name = value_of(line, "hostname");
		/* a block's HostName may be the name of one that it fits */
		char *patterns = name ? name : value_of(line, "host");
		char *match = value_of(line, "match");

		if (strstr(line, "%C") ||
		    (match && strncasecmp(match, "all", 3) != 0))
			c->each = true;
		while (patterns && (word = strsep(&patterns, " \t\"")))
			if (*word && strcmp(word, "*") != 0)
				strings_add(&c->patterns,
					    word + (*word == '!'));
	}
}

/* The files that it has read, by its own account. */
static void learn_files(struct remote_config *c, const struct sbuf *words)
{
	static const char mark[] = "debug1: Reading configuration data ";
	AUTO(auto_free) char *copy = mem_strdup(sbuf_str(words));
	char *rest = copy, *line;
	size_t files = 0;

	while ((line = strsep(&rest, "\r\n")))
		if (strncmp(line, mark, sizeof mark - 1) == 0 &&
		    strcmp(line + sizeof mark - 1, "/dev/stdin") != 0) {
			learn_file(c, line + sizeof mark - 1);
			files++;
		}
	/* one that tells its files in other words is asked each time */
	if (!files && remote_config_is_there(c))
		c->each = true;
	c->learnt = true;
}

/* Does the answer say anything that is of this host alone? */
static bool names_host(const struct sbuf *text, const char *host)
{
	AUTO(auto_free) char *place = mem_printf("\nhostname %s\n", host);
	size_t len = strlen(host), named = 0;
	const char *all = sbuf_str(text), *at = all;

	for (; (at = strcasestr(at, host)); at += len)
		named += !(at > all && isalnum((unsigned char)at[-1])) &&
			 !isalnum((unsigned char)at[len]);
	/* "hostname NAME", and "host NAME" of newer ones */
	return named != 1u + (strncmp(all, "host ", 5) == 0) ||
	       !strstr(all, place) ||
	       !strstr(all, "\ncanonicalizehostname false\n");
}

/* Hosts with the same text get the same answer; the caller frees. */
static char *key_of(const struct remote_config *c,
		    const struct remote_target *t, bool alone)
{
	struct sbuf key = SBUF_INIT;

	sbuf_printf(&key, "%d %s ", t->port, t->user ? t->user : "");
	for (const char *p = t->host; *p; p++)
		alone |= isupper((unsigned char)*p) != 0;
	if (alone)
		sbuf_puts(&key, t->host);
	for (size_t i = 0; !alone && i < c->patterns.len; i++)
		sbuf_putc(&key, remote_pattern_fits(c->patterns.items[i],
						    t->host) ? '1' : '0');
	return sbuf_detach(&key);
}

static const struct remote_answer *find(const struct remote_config *c,
					const char *key)
{
	for (size_t i = 0; i < c->answers.len; i++)
		if (strcmp(c->answers.items[i]->key, key) == 0)
			return c->answers.items[i];
	return NULL;
}

/* As find(), for the host alone or shared; the caller has the lock. */
static const struct remote_answer *find_for(const struct remote_config *c,
					    const struct remote_target *t)
{
	AUTO(auto_free) char *alone = key_of(c, t, true);
	AUTO(auto_free) char *shared = key_of(c, t, false);
	const struct remote_answer *a = find(c, alone);

	return a || c->each || !c->learnt ? a : find(c, shared);
}

/* Who nobody named is root, for hosts are to be changed: does a file name one? */
static bool is_user_said(const struct remote_config *c,
			 const struct remote_target *t)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf words = SBUF_INIT;
	struct err ignored;

	return run_ssh(&text, &words, c, t, true, &ignored) < 0 ||
	       !strstr(sbuf_str(&text), "\nuser root\n");
}

/* Ask for @t. It may be slow, so the caller has no lock. */
static struct remote_answer *ask(const struct remote_config *c,
				 const struct remote_target *t,
				 struct sbuf *words)
{
	struct remote_answer *a = mem_calloc(1, sizeof *a);
	bool wrapped = !c->file && home_is_another();
	AUTO(auto_free) char *ours = NULL;
	struct passwd pw, *found = NULL;
	char buf[4096];

	a->host = mem_strdup(t->host);
	a->text = (struct sbuf)SBUF_INIT;
	if (run_ssh(&a->text, words, c, t, wrapped, &a->e) < 0) {
		a->failed = true;
		return a;
	}
	if (t->user || wrapped || getuid() == 0)
		return a;
	/* it says our own name both where a file does and where none does */
	if (getpwuid_r(getuid(), &pw, buf, sizeof buf, &found) == 0 && found)
		ours = mem_printf("\nuser %s\n", found->pw_name);
	a->as_root = ours && strstr(sbuf_str(&a->text), ours) &&
		     !is_user_said(c, t);
	return a;
}

const struct remote_answer *remote_config_answer(struct remote_config *c,
					const struct remote_target *t)
{
	AUTO(sbuf_done) struct sbuf words = SBUF_INIT;
	const struct remote_answer *known;
	struct remote_answer *a;

	pthread_mutex_lock(&c->lock);
	known = find_for(c, t);
	pthread_mutex_unlock(&c->lock);
	if (known)
		return known;
	a = ask(c, t, &words);
	pthread_mutex_lock(&c->lock);
	if (!c->learnt && !a->failed)
		learn_files(c, &words);
	a->key = key_of(c, t, c->each || a->failed ||
			      names_host(&a->text, t->host));
	vec_push(&c->answers, a);
	pthread_mutex_unlock(&c->lock);
	return a;
}
