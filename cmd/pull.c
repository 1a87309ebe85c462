/*
 * wgmesh pull and push: the state and its git remote, without a deploy. How a
 * pull merges and who is asked is cmd/team.c and cmd/incoming.c.
 */
#include "cmd/team.h"

int cmd_pull(struct cmd_env *env)
{
	AUTO(team_done) struct team t = { 0 };
	struct err e;

	if (team_open(&t, env, &e) < 0 || team_pull(&t, &e) < 0)
		return fail(&e);
	return EXIT_DONE;
}

int cmd_push(struct cmd_env *env)
{
	AUTO(team_done) struct team t = { 0 };
	struct err e;

	if (team_open(&t, env, &e) < 0 || repo_ready(t.repo, &e) < 0 ||
	    repo_push(t.repo, &e) < 0)
		return fail(&e);
	return EXIT_DONE;
}
