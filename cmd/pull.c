/*
 * wgmesh pull: the state merged with what the remote has.
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
