/*
 * wgmesh remove: a node leaves, with a tombstone if a host is to be cleaned.
 * An error that this brings does not stop it: a node that is compromised has
 * to go.
 */
#include "cmd/change.h"

#include "state/model/model.h"

/* For what is not there edit_node() says which name is near. */
static int no_node(const struct mesh *m, const char *name, struct err *e)
{
	if (nodes_find(&m->removed, name))
		return err_set(e, ERR_INPUT, "'%s' is removed already: the "
			       "next deploy takes it off its host; add "
			       "-forget if that host is gone for good", name);
	edit_node(m, name, e);
	return -1;
}

static int remove_node(struct change_run *c, const struct cmd_env *env,
		       struct err *e)
{
	AUTO(strings_done) struct strings left = { 0 };
	const char *name = env->args.items[0];
	bool forget = env->options.forget;
	struct mesh *m = change_mesh(c);
	const struct node *gone;

	c->always = true;
	/* a host that is gone for good keeps no tombstone, nor one of before */
	if (!forget || !nodes_drop(&m->removed, name)) {
		if (!mesh_remove(m, name, &left))
			return no_node(m, name, e);
		if (forget)
			nodes_drop(&m->removed, name);
		gone = nodes_find(&m->removed, name);
		if (gone)
			note("'%s' is still set up on its host until the next "
			     "deploy%s", name, gone->externals.len ?
			     ", which takes the interface from its external "
			     "peers, too" : "");
	}
	for (size_t i = 0; i < left.len; i++)
		note("'%s' is no longer in group '%s'", name, left.items[i]);
	c->done = mem_printf("Removed node: %s\nNode removed successfully",
			     name);
	return 0;
}

int cmd_remove(struct cmd_env *env)
{
	return change_command(env, remove_node);
}
