/*
 * Where a secret comes from: options, environment, a command, a terminal.
 */
#include "vault/source.h"

#include "base/auto.h"
#include "base/run.h"
#include "base/sbuf.h"
#include "base/text.h"
#include "vault/words.h"

#include <fcntl.h>
#include <sys/stat.h>

#define SECRET_MAX ((size_t)1 << 20) /* bytes, of a file or a command */
#define SHORT_PASSPHRASE 12 /* bytes; shorter ones are taken and told */

static bool given(const char *s)
{
	return s && *s;
}

static bool has_bytes(const struct secret *s)
{
	return s && s->len > 0;
}

bool source_has_identity(const struct source *s)
{
	return given(s->identity_file) || has_bytes(s->identity_data);
}

/* All of @fd into @out; -1 with errno set. */
static int read_secret(struct secret *out, int fd)
{
	AUTO(sbuf_done) struct sbuf b = SBUF_SECRET;

	b.max = SECRET_MAX;
	if (sbuf_read(&b, fd) < 0)
		return -1;
	secret_set(out, sbuf_str(&b), b.len);
	return 0;
}

int source_read_file(struct secret *out, const char *path, struct err *e)
{
	AUTO(auto_free) char *shown = text_escaped(path);
	AUTO(auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	/* O_NONBLOCK: a pipe without a writer must not hold us */
	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(e, "secret file '%s' cannot be opened", shown);
		e->code = ERR_INPUT;
		return -1;
	}
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_INPUT, "secret file '%s' is a folder",
			       shown);
	/* a pipe, or the caller's shell's <(...), is the caller's matter */
	if (S_ISREG(st.st_mode) && (st.st_mode & 077))
		return err_set(e, ERR_INPUT, "secret file '%s' can be read by "
			       "others (mode %04o): chmod 600 '%s'", shown,
			       st.st_mode & 07777, shown);
	if (read_secret(out, fd) < 0)
		return err_sys(e, "secret file '%s' cannot be read", shown);
	return 0;
}

/* A passphrase ends with its line: one line end goes. */
static void chop_line_end(struct secret *s)
{
	if (s->len && s->bytes[s->len - 1] == '\n')
		s->bytes[--s->len] = '\0';
	if (s->len && s->bytes[s->len - 1] == '\r')
		s->bytes[--s->len] = '\0';
}

static int add_identities(struct age_identities *out, const struct source *s,
			  const char *where, struct secret *text,
			  struct err *e)
{
	if (!age_identities_locked(text))
		return age_identities_parse(out, text, e);
	if (!s->unlock)
		return err_set(e, ERR_INPUT, "the OpenSSH private key has a "
			       "passphrase, and there is no terminal to ask "
			       "for it on");
	if (s->unlock(where, text, e) < 0)
		return -1;
	return age_identities_parse(out, text, e);
}

int source_identities(struct age_identities *out, const struct source *s,
		      struct err *e)
{
	AUTO(secret_done) struct secret text = { 0 };

	if (given(s->identity_file)) {
		if (source_read_file(&text, s->identity_file, e) < 0)
			return -1;
		if (add_identities(out, s, s->identity_file, &text, e) < 0) {
			AUTO(auto_free) char *shown =
				text_escaped(s->identity_file);

			return err_wrap(e, "identity file '%s'", shown);
		}
		return 0;
	}
	if (!has_bytes(s->identity_data))
		return 0;
	secret_copy(&text, s->identity_data);
	if (add_identities(out, s, "$WGMESH_IDENTITY_DATA", &text, e) < 0)
		return err_wrap(e, "$WGMESH_IDENTITY_DATA");
	return 0;
}

/* @out gets what the command prints; its input and its complaints are ours. */
static int run_password_command(struct secret *out, const char *command,
				struct err *e)
{
	AUTO(strings_done) struct strings words = { 0 };
	struct run how = { .argv = &words,
			   .fds = { STDIN_FILENO, -1, STDERR_FILENO } };
	int pipes[2], status, got;
	pid_t pid;

	if (words_split(&words, command, e) < 0)
		return err_wrap(e, "password command");
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	how.fds[1] = pipes[1];
	pid = run_start(&how, e);
	close(pipes[1]);
	if (pid < 0) {
		close(pipes[0]);
		e->code = ERR_INPUT;
		return err_wrap(e, "password command");
	}
	got = read_secret(out, pipes[0]);
	if (got < 0)
		err_sys(e, "password command '%s'", words.items[0]);
	close(pipes[0]); /* who still writes gets SIGPIPE */
	status = run_end(pid, false, RUN_FOREVER);
	if (got < 0)
		return -1;
	if (status != 0)
		return err_set(e, ERR_INPUT, "password command '%s' failed "
			       "with status %d", words.items[0], status);
	chop_line_end(out);
	return 0;
}

static int no_source(struct err *e)
{
	err_set(e, ERR_INPUT, "no passphrase: there is no terminal to ask on");
	return err_advise(e, ADVICE_GIVE_PASSPHRASE, NULL);
}

/* The sources without a terminal: 1 got one, 0 none is given, -1 error. */
static int quiet_passphrase(struct secret *out, const struct source *s,
			    struct err *e)
{
	if (given(s->password_file)) {
		if (source_read_file(out, s->password_file, e) < 0)
			return -1;
		chop_line_end(out);
		return 1;
	}
	if (given(s->password_command))
		return run_password_command(out, s->password_command,
					    e) < 0 ? -1 : 1;
	if (has_bytes(s->password)) {
		secret_copy(out, s->password);
		return 1;
	}
	return 0;
}

int source_passphrase(struct secret *out, const struct source *s,
		      struct err *e)
{
	int got = quiet_passphrase(out, s, e);

	if (got != 0)
		return got < 0 ? -1 : 0;
	if (!s->ask)
		return no_source(e);
	return s->ask(s->prompt ? s->prompt : "Enter encryption password: ",
		      out, e);
}

int source_new_passphrase(struct secret *out, const struct source *s,
			  struct err *e)
{
	AUTO(secret_done) struct secret again = { 0 };
	int got = quiet_passphrase(out, s, e);

	if (got < 0)
		return -1;
	if (got == 0) {
		if (!s->ask)
			return no_source(e);
		if (s->ask("Enter encryption password: ", out, e) < 0 ||
		    s->ask("Confirm password: ", &again, e) < 0)
			return -1;
		if (!secret_equal(out, &again))
			return err_set(e, ERR_INPUT, "passwords do not match");
	}
	if (out->len == 0)
		return err_set(e, ERR_INPUT, "the passphrase is empty: nothing "
			       "was sealed");
	if (out->len < SHORT_PASSPHRASE && s->warn)
		s->warn("the passphrase is short; four random words are better");
	return 0;
}

int source_work(const struct source *s, int log_n, struct err *e)
{
	AUTO(auto_free) char *question = NULL;
	char less[16];

	if (log_n <= AGE_LOG_N_ASKED || s->costly)
		return 0;
	question = mem_printf("The state is sealed with a scrypt work factor of "
			      "2^%d: to open it takes %d GiB of memory and "
			      "long. Open it?", log_n, 1 << (log_n - 20));
	if (s->agree && s->agree(question))
		return 0;
	snprintf(less, sizeof less, "2^%d", AGE_LOG_N_DEFAULT);
	err_set(e, ERR_INPUT, "asks for a scrypt work factor of 2^%d, which "
		"takes %d GiB of memory: say yes on a terminal", log_n,
		1 << (log_n - 20));
	return err_advise(e, ADVICE_COSTLY_SEAL, less);
}
