#include "vault/source.h"

#include "base/auto.h"
#include "base/sbuf.h"
#include "base/text.h"
#include "vault/words.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SECRET_MAX ((size_t)1 << 20)
#define SHORT_PASSPHRASE 12

extern char **environ;

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
static int slurp(struct secret *out, int fd)
{
	AUTO(sbuf_done) struct sbuf b = SBUF_SECRET;
	char chunk[4096];
	ssize_t n;

	b.max = SECRET_MAX;
	do {
		n = read(fd, chunk, sizeof chunk);
		if (n > 0)
			sbuf_add(&b, chunk, (size_t)n);
	} while ((n > 0 && !b.failed) || (n < 0 && errno == EINTR));
	explicit_bzero(chunk, sizeof chunk);
	if (b.failed)
		errno = EFBIG;
	if (n < 0 || b.failed)
		return -1;
	secret_set(out, sbuf_str(&b), b.len);
	return 0;
}

int source_read_file(struct secret *out, const char *path, struct err *e)
{
	AUTO(auto_free) char *shown = text_escaped(path);
	AUTO(auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(e, "secret file '%s' cannot be opened", shown);
		e->code = ERR_INPUT;
		return -1;
	}
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_INPUT, "secret file '%s' is a folder",
			       shown);
	if (S_ISREG(st.st_mode) && (st.st_mode & 077))
		return err_set(e, ERR_INPUT, "secret file '%s' can be read by "
			       "others (mode %04o): chmod 600 '%s'", shown,
			       st.st_mode & 07777, shown);
	if (slurp(out, fd) < 0)
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

int source_identities(struct age_identities *out, const struct source *s,
		      struct err *e)
{
	AUTO(secret_done) struct secret text = { 0 };

	if (given(s->identity_file)) {
		if (source_read_file(&text, s->identity_file, e) < 0)
			return -1;
		if (age_identities_parse(out, &text, e) < 0) {
			AUTO(auto_free) char *shown =
				text_escaped(s->identity_file);

			return err_wrap(e, "identity file '%s'", shown);
		}
		return 0;
	}
	if (has_bytes(s->identity_data) &&
	    age_identities_parse(out, s->identity_data, e) < 0)
		return err_wrap(e, "$WGMESH_IDENTITY_DATA");
	return 0;
}

/* Start the command with its output in a pipe: the read end, or -1. */
static int start_command(pid_t *pid, const struct strings *words,
			 struct err *e)
{
	char **argv = mem_calloc(words->len + 1, sizeof *argv);
	posix_spawn_file_actions_t actions;
	int pipes[2], rc;

	memcpy(argv, words->items, words->len * sizeof *argv);
	if (pipe2(pipes, O_CLOEXEC) < 0) {
		free(argv);
		return err_sys(e, "cannot make a pipe");
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
	rc = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipes[1]);
	free(argv);
	if (rc == 0)
		return pipes[0];
	close(pipes[0]);
	errno = rc;
	err_sys(e, "password command '%s' cannot be run", words->items[0]);
	e->code = ERR_INPUT;
	return -1;
}

static int run_command(struct secret *out, const char *command, struct err *e)
{
	AUTO(strings_done) struct strings words = { 0 };
	AUTO(auto_close) int fd = -1;
	int status, got, saved;
	pid_t pid;

	if (words_split(&words, command, e) < 0)
		return err_wrap(e, "password command");
	fd = start_command(&pid, &words, e);
	if (fd < 0)
		return -1;
	got = slurp(out, fd);
	saved = errno;
	close(fd);
	fd = -1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	errno = saved;
	if (got < 0)
		return err_sys(e, "password command '%s'", words.items[0]);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, ERR_INPUT, "password command '%s' failed "
			       "with status %d", words.items[0],
			       WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	chop_line_end(out);
	return 0;
}

static int no_source(struct err *e)
{
	return err_set(e, ERR_INPUT, "no passphrase: there is no terminal to "
		       "ask on; give -identity FILE, -password-file FILE or "
		       "-password-command CMD, or set WGMESH_IDENTITY, "
		       "WGMESH_IDENTITY_DATA, WGMESH_PASSWORD_FILE, "
		       "WGMESH_PASSWORD_COMMAND or WGMESH_PASSWORD");
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
		return run_command(out, s->password_command, e) < 0 ? -1 : 1;
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
	return s->ask("Enter encryption password: ", out, e);
}

static int ask_twice(struct secret *out, const struct source *s, struct err *e)
{
	AUTO(secret_done) struct secret again = { 0 };

	if (!s->ask)
		return no_source(e);
	if (s->ask("Enter encryption password: ", out, e) < 0 ||
	    s->ask("Confirm password: ", &again, e) < 0)
		return -1;
	if (!secret_equal(out, &again))
		return err_set(e, ERR_INPUT, "passwords do not match");
	return 0;
}

int source_new_passphrase(struct secret *out, const struct source *s,
			  struct err *e)
{
	int got = quiet_passphrase(out, s, e);

	if (got < 0 || (got == 0 && ask_twice(out, s, e) < 0))
		return -1;
	if (out->len == 0)
		return err_set(e, ERR_INPUT, "the passphrase is empty: nothing "
			       "was sealed");
	if (out->len < SHORT_PASSPHRASE && s->warn)
		s->warn("the passphrase is short; four random words are better");
	return 0;
}
