/*
 * A past state: named, found in git, opened with today's secrets. For diff,
 * show, blame, history and rollback.
 */
#include "cmd/revision.h"

#include "base/num.h"
#include "base/text.h"
#include "cmd/input.h"
#include "state/json/json.h"
#include "state/model/model.h"
#include "state/store/store.h"

#include <limits.h>
#include <string.h>
#include <time.h>

/* ---- opening ---- */

/*
 * The file of the state, behind links; the one that the options name if there
 * is none, for revisions may have it.
 */
static char *state_file(const struct cmd_env *env)
{
	AUTO(auto_free) char *path = env_state(env);
	char *file = NULL;
	struct err e;

	return file_resolve(&file, path, &e) < 0 ? STEAL(path) : file;
}

int past_unlock(struct cmd_env *env, struct err *e)
{
	AUTO(auto_free) char *file = state_file(env);
	AUTO(sbuf_done) struct sbuf raw = SBUF_SECRET;
	const struct source source = env_source(env);
	struct sealed_look look;
	struct err ignored; /* what is wrong, env_open() says */

	raw.max = FILE_SIZE_MAX;
	if (source.password_file || source.password_command ||
	    env->password.len || !source.ask ||
	    input_read(&raw, file, FILE_SIZE_MAX, &ignored) < 0 ||
	    sealed_form(sbuf_str(&raw), raw.len) == SEALED_NOT ||
	    sealed_look(&look, sbuf_str(&raw), raw.len, &ignored) < 0 ||
	    !look.passphrase)
		return 0;
	return source_passphrase(&env->password, &source, e);
}

int past_open(struct past *p, const struct cmd_env *env, struct err *e)
{
	AUTO(auto_free) char *shown = NULL;
	char head[REPO_ID_TEXT];

	memset(p, 0, sizeof *p);
	p->file = state_file(env);
	p->source = env_source(env);
	shown = check_shown(p->file);
	if (repo_open(&p->repo, p->file, e) < 0)
		return -1;
	if (!p->repo)
		return err_set(e, ERR_INPUT, "state '%s' has no history: it "
			       "lies in no git work tree, or git ignores it",
			       shown);
	if (repo_head(p->repo, head, e) < 0)
		return -1;
	if (!*head)
		return err_set(e, ERR_INPUT, "state '%s' has no history: the "
			       "branch has no commit yet", shown);
	return 0;
}

void past_done(struct past *p)
{
	repo_close(p->repo);
	free(p->file);
	age_identities_done(&p->identities);
	secret_done(&p->last.passphrase);
	memset(p, 0, sizeof *p);
}

/* The passphrase was another one then: ask for that. */
static int open_older(struct past *p, struct sbuf *text,
		      const struct sbuf *raw, const char *what, struct err *e)
{
	AUTO(auto_free) char *prompt =
		mem_printf("Enter the password of %s: ", what);
	AUTO(secret_done) struct secret older = { 0 };
	struct source agreed = p->source;
	struct sealing how = { .form = SEALED_NOT };

	if (p->source.ask(prompt, &older, e) < 0 || !older.len)
		return -1;
	how.passphrase = older; /* borrowed */
	agreed.costly = true;   /* its work is agreed to already */
	if (sealing_open(text, &how, raw, &agreed, NULL, e) < 0)
		return -1;
	secret_copy(&p->last.passphrase, &older);
	return 0;
}

/*
 * What opened one revision is tried on the next, so that whoever types it
 * types it once.
 */
static int unseal_past(struct past *p, struct sbuf *text,
		       const struct sbuf *raw, const char *what, struct err *e)
{
	if (sealing_open(text, &p->last, raw, &p->source, &p->identities,
			 e) == 0)
		return 0;
	if (e->code != ERR_AUTH || !p->last.takes_passphrase || !p->source.ask)
		return -1;
	return open_older(p, text, raw, what, e);
}

int past_parse(struct past *p, const struct sbuf *raw, const char *what,
	       struct mesh *out, struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	struct err inner;

	text.max = STATE_SIZE_MAX;
	if (unseal_past(p, &text, raw, what, &inner) < 0) {
		err_set(e, inner.code == ERR_AUTH ? ERR_INPUT : inner.code,
			"the state of %s %s", what, inner.msg);
		return err_advise(e, inner.advice, inner.about);
	}
	if (state_parse(out, sbuf_str(&text), text.len, e) < 0)
		return err_wrap(e, "the state of %s", what);
	return 0;
}

int past_read(struct past *p, const char *rev, struct mesh *out,
	      struct revision *info, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(rev);
	AUTO(auto_free) char *what = mem_printf("revision '%s'", shown);
	AUTO(sbuf_done) struct sbuf raw = SBUF_SECRET;
	struct revision v = { 0 };

	raw.max = FILE_SIZE_MAX;
	if (repo_read(p->repo, rev, &raw, info ? &v : NULL, e) < 0)
		return err_wrap(e, "there is no state at '%s'", shown);
	if (past_parse(p, &raw, what, out, e) < 0) {
		revision_done(&v);
		return -1;
	}
	if (info)
		*info = v;
	return 0;
}

int past_file(struct past *p, struct sbuf *raw, struct mesh *out,
	      struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(p->file);
	AUTO(auto_free) char *what = mem_printf("'%s'", shown);

	if (input_read(raw, p->file, FILE_SIZE_MAX, e) < 0)
		return err_wrap(e, "state '%s'", shown);
	return past_parse(p, raw, what, out, e);
}

/* ---- showing ---- */

/* A commit may have a time that no calendar has: anybody can write one. */
static const char *date_text(const struct revision *v, bool iso,
			     char out[REVISION_DATE])
{
	const time_t t = (time_t)v->time;
	struct tm tm;

	if (!gmtime_r(&t, &tm) ||
	    strftime(out, REVISION_DATE,
		     iso ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M", &tm) == 0)
		snprintf(out, REVISION_DATE, "(no date)");
	return out;
}

const char *revision_date(const struct revision *v, char out[REVISION_DATE])
{
	return date_text(v, false, out);
}

const char *revision_iso(const struct revision *v, char out[REVISION_DATE])
{
	return date_text(v, true, out);
}

char *revision_author(const struct revision *v)
{
	const char *end = strrchr(v->author, '<');
	size_t len = end && end > v->author ? (size_t)(end - v->author) - 1
					    : strlen(v->author);

	return mem_strndup(v->author, len);
}

/*
 * What others wrote in a commit, as a terminal may have it: JSON is read
 * there, too. NULL stays NULL.
 */
static void json_escaped(struct jout *j, const char *key, const char *value)
{
	AUTO(auto_free) char *text = value ? text_escaped(value) : NULL;

	jout_text(j, key, text);
}

void revision_json(struct jout *j, const struct revision *v)
{
	const char *serial = trailers_find(&v->trailers, TRAILER_SERIAL);
	char text[REVISION_DATE];
	long number;

	jout_text(j, "id", v->id);
	jout_text(j, "time", revision_iso(v, text));
	json_escaped(j, "author", v->author);
	json_escaped(j, "subject", v->subject);
	json_escaped(j, "command", trailers_find(&v->trailers,
						 TRAILER_COMMAND));
	json_escaped(j, "host", trailers_find(&v->trailers, TRAILER_HOST));
	if (serial && num_parse(&number, serial, 0, LONG_MAX))
		jout_number(j, "serial", number);
	else
		jout_text(j, "serial", NULL);
}

void changes_json(struct jout *j, const struct changes *all)
{
	jout_list(j, "changes");
	for (size_t i = 0; i < all->len; i++) {
		const struct change *c = &all->items[i];

		jout_open(j, NULL);
		jout_text(j, "change", c->sign == '+' ? "added"
				       : c->sign == '-' ? "removed"
							: "changed");
		jout_text(j, "part", part_word(c->part));
		jout_text(j, "name", c->name);
		jout_text(j, "field", c->field);
		jout_text(j, "before", c->before);
		jout_text(j, "after", c->after);
		jout_end(j);
	}
	jout_end(j);
}
