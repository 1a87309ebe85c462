/*
 * Commits that are signed as git's config says: with gpg, or with ssh-keygen.
 * Through the programs, for the user's agents, cards and trust are theirs; run
 * with the options that git gives them (gpg-interface.c there).
 */
#include "state/git/internal.h"

#include "base/atomic.h"
#include "state/git/child.h"

#include <string.h>

/* How git's config wants it. */
struct signing {
	bool ssh;
	char *program;
	char *key; /* a name for gpg; a file, or a public key, for ssh */
};

static void signing_done(struct signing *s)
{
	free(s->program);
	free(s->key);
}

/* The first of two settings that is set, else @dflt; the caller frees. */
static char *either(struct repo *r, const char *a, const char *b,
		    const char *dflt)
{
	AUTO(auto_free) char *text = repo_config(r, a);

	if (!*text) {
		free(text);
		text = repo_config(r, b);
	}
	return *text ? STEAL(text) : mem_strdup(dflt);
}

static int read_signing(struct signing *s, struct repo *r, struct err *e)
{
	AUTO(auto_git_signature_free) git_signature *who = NULL;
	AUTO(auto_free) char *format = repo_config(r, "gpg.format");

	s->key = repo_config(r, "user.signingkey");
	s->ssh = strcmp(format, "ssh") == 0;
	if (*format && !s->ssh && strcmp(format, "openpgp") != 0) {
		err_set(e, ERR_INPUT, "commit.gpgsign is set with gpg.format "
			"'%s', and only openpgp and ssh can be done: unset one "
			"of them", format);
		return err_advise(e, ADVICE_NO_COMMIT, NULL);
	}
	if (s->ssh && !*s->key) {
		err_set(e, ERR_INPUT, "commit.gpgsign is set with gpg.format "
			"ssh, and no user.signingkey: set it");
		return err_advise(e, ADVICE_NO_COMMIT, NULL);
	}
	s->program = s->ssh ? either(r, "gpg.ssh.program", "gpg.ssh.program",
				     "ssh-keygen")
			    : either(r, "gpg.openpgp.program", "gpg.program",
				     "gpg");
	if (s->ssh || *s->key)
		return 0;
	/* the committer is the key's name when no other is given, as for git */
	if (repo_committer(&who, r, e) < 0)
		return -1;
	free(s->key);
	s->key = mem_printf("%s <%s>", who->name, who->email);
	return 0;
}

/*
 * The file that holds @key: its own, or the new one that is @made.
 */
static char *key_file(const char *key, struct temporary *made, struct err *e)
{
	const struct atomic_how how = { .fresh = true };
	const char *home = getenv("HOME");
	const char *folder = getenv("TMPDIR");
	AUTO(auto_free) char *path = NULL;

	if (strncmp(key, "~/", 2) == 0)
		return mem_printf("%s/%s", home ? home : "", key + 2);
	/* a public key as text, whose private one an agent has; or a file */
	if (strncmp(key, "key::", 5) == 0)
		key += 5;
	else if (strncmp(key, "ssh-", 4) != 0)
		return mem_strdup(key);
	path = mem_printf("%s/wgmesh-key", folder ? folder : "/tmp");
	if (temporary_open(made, path, &how, e) < 0 ||
	    temporary_write(made, key, strlen(key), e) < 0 ||
	    temporary_write(made, "\n", 1, e) < 0)
		return NULL;
	return mem_strdup(made->path);
}

static void add_all(struct strings *argv, const char *const words[])
{
	for (size_t i = 0; words[i]; i++)
		strings_add(argv, words[i]);
}

static int run_signer(struct sbuf *out, const struct signing *s,
		      struct child *c, const char *text, struct err *e)
{
	AUTO(auto_free) char *words = NULL;
	int status;

	c->in = text;
	status = child_run(c, e);
	if (status < 0)
		return err_wrap(e, "the commit is to be signed "
				"(commit.gpgsign)");
	sbuf_add(out, sbuf_str(&c->out), c->out.len);
	/* what it prints goes into the commit's header: armor and no more */
	if (status == 0 && strncmp(sbuf_str(out), "-----BEGIN ", 11) == 0 &&
	    strstr(sbuf_str(out), "\n-----END "))
		return 0;
	words = child_words(c);
	err_set_(e, ERR_INPUT, "the commit is to be signed (commit.gpgsign), "
		 "and %s does not sign with key '%s'%s", s->program, s->key,
		 words);
	return err_advise(e, ADVICE_NO_COMMIT, NULL);
}

int repo_check_signing(struct repo *r, struct err *e)
{
	AUTO(signing_done) struct signing s = { 0 };

	if (!repo_config_bool(r, "commit.gpgsign", false))
		return 0;
	return read_signing(&s, r, e);
}

int repo_sign(struct sbuf *out, struct repo *r, const char *text,
	      struct err *e)
{
	AUTO(signing_done) struct signing s = { 0 };
	AUTO(child_done) struct child c = { 0 };
	AUTO(temporary_done) struct temporary made = TEMPORARY_NONE;
	AUTO(auto_free) char *file = NULL;

	if (!repo_config_bool(r, "commit.gpgsign", false))
		return 0;
	if (read_signing(&s, r, e) < 0)
		return -1;
	if (!s.ssh) {
		add_all(&c.argv, (const char *const[]){ s.program, "-bsau", s.key,
						      NULL });
		return run_signer(out, &s, &c, text, e);
	}
	file = key_file(s.key, &made, e);
	if (!file)
		return -1;
	add_all(&c.argv, (const char *const[]){ s.program, "-Y", "sign", "-n",
					      "git", "-f", file,
					      made.path ? "-U" : NULL, NULL });
	return run_signer(out, &s, &c, text, e);
}
