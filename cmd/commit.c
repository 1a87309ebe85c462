/*
 * Each save of a followed state as a commit, and its message: the subject is the
 * command as it was typed, unless the command says one (commit_subject()).
 */
#include "cmd/commit.h"

#include "state/git/git.h"
#include "state/model/model.h"

#include <string.h>

/** What follows the saves of a store. */
struct follower {
	struct repo *repo; /* NULL: only a note, when it is due */
	struct store *store;
	const struct cmd_env *env;
	char *subject; /* the command as it was typed, or what it says */
	bool no_keys;  /* the file as it was had no keys in plain text */
};

static void show_note(struct follower *f)
{
	AUTO(auto_free) char *text = repo_note(f->repo);

	if (text)
		note("%s", text);
}

/* Would its text tell keys to everybody who has the repository? */
static bool is_open_book(struct store *s)
{
	const char *key = store_mesh(s)->key;

	return store_form(s) == SEALED_NOT &&
	       (store_has_keys(s) || !key || strcmp(key, "host") != 0);
}

/* The command as it was typed: no secret is among a command's words. */
static char *typed(const struct cmd_env *env)
{
	struct sbuf b = SBUF_INIT;

	sbuf_puts(&b, env->command->name);
	if (env->options.file)
		sbuf_printf(&b, " %s", env->options.file);
	for (size_t i = 0; i < env->args.len; i++)
		sbuf_printf(&b, " %s", env->args.items[i]);
	return sbuf_detach(&b);
}

/* One line for each change; secrets are in none. */
static int changed_lines(struct strings *out, struct store *s, struct err *e)
{
	AUTO(mesh_done) struct mesh before = { 0 };
	AUTO(changes_done) struct changes all = { 0 };
	AUTO(sbuf_done) struct sbuf line = SBUF_INIT;

	if (store_is_new(s))
		mesh_init(&before);
	else if (store_original(&before, s, e) < 0)
		return -1;
	mesh_diff(&all, &before, store_mesh(s));
	for (size_t i = 0; i < all.len; i++) {
		sbuf_clear(&line);
		change_text(&line, &all.items[i]);
		strings_add(out, sbuf_str(&line));
	}
	return 0;
}

/* Who can read the repository is not told what is sealed. */
static void add_common(struct follower *f, struct trailers *out)
{
	char host[256] = "";

	gethostname(host, sizeof host - 1);
	trailers_add(out, TRAILER_COMMAND, f->env->command->name);
	trailers_add(out, TRAILER_HOST, host);
}

/* Begin the commit of @bytes (NULL: of none); the message gets what is common. */
static int begin(struct follower *f, const void *bytes, size_t len,
		 const char *subject, const struct strings *body,
		 struct trailers *trailers, struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	const struct message m = { subject, body, trailers };

	add_common(f, trailers);
	message_write(&text, &m);
	return repo_begin(f->repo, bytes, len, sbuf_str(&text), e);
}

static int make_ready(struct follower *f, struct err *e)
{
	if (!f->no_keys)
		repo_allow_edits(f->repo);
	if (repo_ready(f->repo, e) < 0)
		return -1;
	show_note(f);
	return 0;
}

static int before_save(void *arg, const void *bytes, size_t len, struct err *e)
{
	AUTO(trailers_done) struct trailers trailers = { 0 };
	struct follower *f = arg;
	struct strings body = { 0 };
	int ret;

	if (is_open_book(f->store)) {
		note("not committed: the state is plain text for keys; 'wgmesh "
		     "seal' it, or 'wgmesh keys host' (-no-commit says "
		     "nothing)");
		return 0;
	}
	if (!f->no_keys && make_ready(f, e) < 0)
		return -1;
	ret = changed_lines(&body, f->store, e);
	if (ret == 0)
		ret = begin(f, bytes, len, f->subject, &body, &trailers, e);
	strings_done(&body);
	return ret;
}

static int after_save(void *arg, struct err *e)
{
	struct follower *f = arg;
	int ret;

	if (is_open_book(f->store))
		return 0;
	ret = repo_finish(f->repo, e);
	show_note(f);
	return ret;
}

static void failed_save(void *arg)
{
	repo_abort(((struct follower *)arg)->repo);
}

static void follower_done(void *arg)
{
	struct follower *f = arg;

	repo_close(f->repo);
	free(f->subject);
	free(f);
}

static const struct store_hook hook = { before_save, after_save, failed_save,
					follower_done };

int commit_follow(struct store *s, const struct cmd_env *env, struct err *e)
{
	struct follower *f;
	struct repo *repo = NULL;

	if (env->options.no_commit)
		return 0;
	if (repo_open(&repo, store_file(s), e) < 0)
		return -1;
	if (!repo)
		return 0;
	f = mem_calloc(1, sizeof *f);
	f->repo = repo;
	f->store = s;
	f->env = env;
	f->subject = typed(env);
	f->no_keys = !is_open_book(s);
	store_follow(s, &hook, f);
	return f->no_keys ? make_ready(f, e) : 0;
}

void commit_subject(struct store *s, const char *subject)
{
	struct follower *f = store_follower(s);

	if (f)
		mem_replace(&f->subject, subject);
}

int commit_record(struct store *s, const char *subject,
		  const struct strings *body, const struct trailers *trailers,
		  struct err *e)
{
	AUTO(trailers_done) struct trailers all = { 0 };
	struct follower *f = store_follower(s);

	if (!f || is_open_book(s))
		return 0;
	for (size_t i = 0; i < trailers->len; i++)
		trailers_add(&all, trailers->items[i].key,
			     trailers->items[i].value);
	trailers_add(&all, TRAILER_STATE, repo_path(f->repo));
	if (begin(f, NULL, 0, subject, body, &all, e) < 0 ||
	    repo_finish(f->repo, e) < 0)
		return err_wrap(e, "the deploy is not recorded in git");
	show_note(f);
	return 0;
}
