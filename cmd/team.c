/*
 * One state, several clones: pull before a deploy, push after it. Whatever
 * fails before the first host is contacted says so, so that nobody looks
 * there.
 */
#include "cmd/team.h"

#include "cmd/commit.h"
#include "cmd/incoming.h"
#include "state/store/store.h"

/** How long a pull waits for another command's lock of the state. */
#define LOCK_WAIT_MS 60000
/** So often a record is pushed while others push, too. */
#define PUSH_TRIES 5

static void show_note(struct team *t)
{
	AUTO(auto_free) char *text = repo_note(t->repo);

	if (text)
		note("%s", text);
}

int team_open(struct team *t, const struct cmd_env *env, struct err *e)
{
	AUTO(auto_free) char *path = env_state(env);

	t->env = env;
	if (env->options.no_commit)
		return err_set(e, ERR_INPUT, "-no-commit leaves nothing to "
			       "pull or push: commit, pull and push with git");
	if (file_resolve(&t->file, path, e) < 0) {
		err_wrap_(e, "state '%s'", path);
		return env_no_state(env, e);
	}
	if (repo_open(&t->repo, t->file, e) < 0)
		return -1;
	if (!t->repo)
		return err_set(e, ERR_INPUT, "the state '%s' is not in a git "
			       "work tree, or git ignores it: there is nothing "
			       "to pull or push", path);
	return 0;
}

/* ---- pull ---- */

int team_pull(struct team *t, struct err *e)
{
	static const char *const said[] = {
		[REPO_SAME] = "the remote has nothing new",
		[REPO_FORWARDED] = "pulled what is new at the remote",
		[REPO_MERGED] = "merged what is new at the remote",
	};
	AUTO(sbuf_done) struct sbuf message = SBUF_INIT;
	AUTO(incoming_done) struct incoming in;
	AUTO(trailers_done) struct trailers trailers = { 0 };
	const struct message m = { "merge the state of the upstream", NULL,
				   &trailers };
	struct repo_merge how = { incoming_signed, incoming_merge,
				  incoming_review, &in, NULL, LOCK_WAIT_MS };
	enum repo_pulled what;
	int ret;

	incoming_init(&in, t->env);
	trailers_add(&trailers, TRAILER_COMMAND, t->env->command->name);
	trailers_add(&trailers, TRAILER_HOST, env_host());
	message_write(&message, &m);
	how.message = sbuf_str(&message);
	ret = repo_pull(t->repo, &how, &what, e);
	show_note(t);
	if (ret < 0)
		return -1;
	incoming_taken(&in);
	note("%s", said[what]);
	return 0;
}

int team_begin(struct team *t, const struct cmd_env *env, struct err *e)
{
	if (!env->options.pull && !env->options.push)
		return 0;
	if (team_open(t, env, e) < 0)
		return -1;
	return env->options.pull ? team_pull(t, e) : 0;
}

/* ---- deploy ---- */

/* What is to be deployed is what git has, so that it can be pushed. */
static int check_committed(struct team *t, struct err *e)
{
	struct err inner;

	if (repo_ready(t->repo, e) < 0)
		return -1;
	show_note(t);
	if (repo_read(t->repo, "HEAD", NULL, NULL, &inner) < 0)
		return err_set(e, ERR_CONFLICT, "the state is not in git, so "
			       "it cannot be pushed: 'git add' and commit it, "
			       "sealed or without keys");
	return 0;
}

int team_enter(struct team *t, struct store *s, struct err *e)
{
	struct mesh *m = store_mesh(s);
	size_t behind = 0;
	int ret;

	commit_subject(s, "deploy: facts");
	if (!t->repo)
		return 0;
	if (check_committed(t, e) < 0 ||
	    (!m->mesh_id && mesh_make_id(m, e) < 0))
		return err_wrap(e, "no host was contacted");
	t->mesh_id = mem_strdup(m->mesh_id);
	ret = team_lock(t, e);
	if (ret == 0)
		ret = t->env->options.push ? repo_push(t->repo, e)
					   : repo_behind(t->repo, &behind, e);
	if (behind) /* the remote shall have nothing that we do not deploy */
		ret = err_set(e, ERR_CONFLICT, "the remote got something new "
			      "since it was pulled: try again");
	return ret < 0 ? err_wrap(e, "no host was contacted") : 0;
}

int team_push(struct team *t, struct err *e)
{
	if (!t->repo || !t->env->options.push)
		return 0;
	return repo_push(t->repo, e) < 0 ? err_wrap(e, "no host was changed")
					 : 0;
}

/* Push; when others were first, pull theirs and try again. */
static int push_record(struct team *t, struct err *e)
{
	for (int i = 0; i < PUSH_TRIES; i++) {
		if (repo_push(t->repo, e) == 0)
			return 0;
		if (e->code != ERR_CONFLICT)
			return -1;
		if (team_pull(t, e) < 0)
			return -1;
	}
	return err_set(e, ERR_CONFLICT, "others push all the time");
}

int team_end(struct team *t, int status)
{
	struct err e;

	if (t->repo && t->recorded && t->env->options.push &&
	    push_record(t, &e) < 0) {
		note("the hosts are deployed, and the remote does not know it: "
		     "%s ('wgmesh pull' and 'wgmesh push' tell it)",
		     err_words(&e).s);
		if (status == EXIT_DONE)
			status = EXIT_FAILED;
	}
	team_unlock(t);
	return status;
}

void team_done(struct team *t)
{
	team_unlock(t);
	repo_lock_done(&t->lock);
	repo_close(t->repo);
	free(t->mesh_id);
	free(t->file);
}
