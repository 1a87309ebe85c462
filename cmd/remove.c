/*
 * wgmesh remove: a node leaves, with a tombstone if a host is to be cleaned.
 */
#include "cmd/change.h"

#include "state/model/model.h"

static int no_node(const struct mesh *m, const char *name, struct err *e)
{
	if (nodes_find(&m->removed, name))
		return err_set(e, ERR_INPUT, "'%s' is removed already: the "
			       "next deploy takes it off its host; add "
			       "-forget if that host is gone for good", name);
	edit_node(m, name, e);
	return -1;
}

/* A host that is gone for good keeps no tombstone. */
static int forget(struct mesh *m, const char *name, struct strings *left,
		  struct err *e)
{
	if (nodes_drop(&m->removed, name))
		return 0;
	if (!mesh_remove(m, name, left))
		return no_node(m, name, e);
	nodes_drop(&m->removed, name);
	return 0;
}

static int take(struct mesh *m, const char *name, struct strings *left,
		struct err *e)
{
	const struct node *gone;

	if (!mesh_remove(m, name, left))
		return no_node(m, name, e);
	gone = nodes_find(&m->removed, name);
	if (gone)
		note("'%s' is still set up on its host until the next deploy%s",
		     name, gone->externals.len ? ", which takes the interface "
		     "from its external peers, too" : "");
	return 0;
}

static int change(struct change_run *c, const struct cmd_env *env,
		  struct err *e)
{
	AUTO(strings_done) struct strings left = { 0 };
	const char *name = env->args.items[0];

	c->always = true;
	if ((env->options.forget ? forget(change_mesh(c), name, &left, e)
				 : take(change_mesh(c), name, &left, e)) < 0)
		return -1;
	for (size_t i = 0; i < left.len; i++)
		note("'%s' is no longer in group '%s'", name, left.items[i]);
	c->done = mem_printf("Removed node: %s\nNode removed successfully",
			     name);
	return 0;
}

int cmd_remove(struct cmd_env *env)
{
	return change_command(env, change);
}
