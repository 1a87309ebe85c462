/*
 * wgmesh diff: what changed since a revision, or between two.
 */
#include "cmd/change.h"
#include "cmd/revision.h"

int cmd_diff(struct cmd_env *env)
{
	const struct strings *revs = &env->args;
	AUTO(change_done) struct change_run c = { 0 };
	AUTO(past_done) struct past past;
	AUTO(sbuf_done) struct sbuf raw = SBUF_SECRET;
	AUTO(mesh_done) struct mesh before = { 0 }, after = { 0 };
	struct err e;

	if (past_open(&past, env, &e) < 0 ||
	    (revs->len == 2
		     ? past_read(&past, revs->items[1], &after, NULL, &e)
		     : past_file(&past, &raw, &after, &e)) < 0 ||
	    past_read(&past, revs->len ? revs->items[0] : "HEAD", &before,
		      NULL, &e) < 0)
		return fail(&e);
	mesh_diff(&c.changes, &before, &after);
	if (env->options.json) {
		struct jout *j = jout_new();

		changes_json(j, &c.changes);
		jout_print(j);
		return EXIT_DONE;
	}
	change_print(&c);
	put(c.changes.len ? "" : "no differences\n");
	return EXIT_DONE;
}
