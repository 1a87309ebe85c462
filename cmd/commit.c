/*
 * Each save of a followed state as a commit, and its message: the subject is
 * the command as it was typed, unless the command says one (commit_subject()).
 */
#include "cmd/commit.h"

#include "state/git/git.h"
#include "state/model/model.h"

#include <string.h>

/** What makes commits of the saves of a store. */
struct committer {
	struct repo *repo; /* NULL: only a note, when it is due */
	struct store *store;
	const struct cmd_env *env;
	char *subject; /* the command as it was typed, or what it says */
	bool no_keys;  /* the file as it was had no keys in plain text */
};

/* What the repository has to say: a commit finished, one that was forgotten. */
static void note_of_repo(struct committer *f)
{
	AUTO(auto_free) char *text = repo_note(f->repo);

	if (text)
		note("%s", text);
}

/* Would its text tell keys to everybody who has the repository? */
static bool is_plain_with_keys(struct store *s)
{
	return store_form(s) == SEALED_NOT &&
	       (store_has_keys(s) || store_mesh(s)->key != KEY_ON_HOST);
}

/*
 * Begin the commit of @bytes (NULL: of none); the message gets what is common.
 * It is plain text even where the state is sealed: who can read the repository
 * is not told what only the state has.
 */
static int begin_commit(struct committer *f, const void *bytes, size_t len,
			const char *subject, const struct strings *body,
			struct trailers *trailers, struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	const struct message m = { subject, body, trailers };
	char host[256] = "";

	gethostname(host, sizeof host - 1);
	trailers_add(trailers, TRAILER_COMMAND, f->env->command->name);
	trailers_add(trailers, TRAILER_HOST, host);
	message_write(&text, &m);
	return repo_begin(f->repo, bytes, len, sbuf_str(&text), e);
}

/*
 * Finish what an interrupted commit left, and see that one can be made. A state
 * that had keys in plain text was never committed, so the file in the work tree
 * may differ from HEAD by more than this change.
 */
static int ready_repo(struct committer *f, struct err *e)
{
	if (!f->no_keys)
		repo_allow_edits(f->repo);
	if (repo_ready(f->repo, e) < 0)
		return -1;
	note_of_repo(f);
	return 0;
}

static int before_save(void *arg, const void *bytes, size_t len, struct err *e)
{
	AUTO(trailers_done) struct trailers trailers = { 0 };
	AUTO(strings_done) struct strings body = { 0 };
	AUTO(mesh_done) struct mesh before = { 0 };
	AUTO(changes_done) struct changes all = { 0 };
	struct committer *f = arg;

	if (is_plain_with_keys(f->store)) {
		note("not committed: the state is plain text for keys; 'wgmesh "
		     "seal' it, or 'wgmesh keys host' (-no-commit says "
		     "nothing)");
		return 0;
	}
	if (!f->no_keys && ready_repo(f, e) < 0)
		return -1;
	if (store_is_new(f->store))
		mesh_init(&before);
	else if (store_original(&before, f->store, e) < 0)
		return -1;
	/* the body has a line for each change; secrets are in none */
	mesh_diff(&all, &before, store_mesh(f->store));
	for (size_t i = 0; i < all.len; i++) {
		AUTO(sbuf_done) struct sbuf line = SBUF_INIT;

		change_text(&line, &all.items[i]);
		strings_add(&body, sbuf_str(&line));
	}
	return begin_commit(f, bytes, len, f->subject, &body, &trailers, e);
}

static int after_save(void *arg, struct err *e)
{
	struct committer *f = arg;
	int ret;

	if (is_plain_with_keys(f->store))
		return 0;
	ret = repo_finish(f->repo, e);
	note_of_repo(f);
	return ret;
}

static void failed_save(void *arg)
{
	repo_abort(((struct committer *)arg)->repo);
}

static void committer_done(void *arg)
{
	struct committer *f = arg;

	repo_close(f->repo);
	free(f->subject);
	free(f);
}

static const struct store_hook commit_hook = { before_save, after_save,
					       failed_save, committer_done };

int commit_follow(struct store *s, const struct cmd_env *env, struct err *e)
{
	struct committer *f;
	struct repo *repo = NULL;
	struct sbuf typed = SBUF_INIT;

	if (env->options.no_commit)
		return 0;
	if (repo_open(&repo, store_file(s), e) < 0)
		return -1;
	if (!repo)
		return 0;
	/* no secret is among a command's words */
	sbuf_puts(&typed, env->command->name);
	if (env->options.file)
		sbuf_printf(&typed, " %s", env->options.file);
	for (size_t i = 0; i < env->args.len; i++)
		sbuf_printf(&typed, " %s", env->args.items[i]);
	f = mem_calloc(1, sizeof *f);
	f->repo = repo;
	f->store = s;
	f->env = env;
	f->subject = sbuf_detach(&typed);
	f->no_keys = !is_plain_with_keys(s);
	store_follow(s, &commit_hook, f);
	return f->no_keys ? ready_repo(f, e) : 0;
}

void commit_subject(struct store *s, const char *subject)
{
	struct committer *f = store_follower(s);

	if (f)
		mem_replace(&f->subject, subject);
}

int commit_record(struct store *s, const char *subject,
		  const struct strings *body, struct trailers *trailers,
		  struct err *e)
{
	struct committer *f = store_follower(s);

	if (!f || is_plain_with_keys(s))
		return 0;
	trailers_add(trailers, TRAILER_STATE, repo_path(f->repo));
	if (begin_commit(f, NULL, 0, subject, body, trailers, e) < 0 ||
	    repo_finish(f->repo, e) < 0)
		return err_wrap(e, "the deploy is not recorded in git");
	note_of_repo(f);
	return 0;
}
