#include "cmd/cmd.h"

#include "acl/access.h"
#include "state/mesh.h"

#include <string.h>

/* A node that is gone is a member of nothing. */
static void leave_groups(struct mesh *m, const char *name)
{
	for (size_t i = 0; i < m->groups.len; i++) {
		struct strings *members = &m->groups.items[i].members;
		long at;

		while ((at = strings_find(members, name)) >= 0) {
			free(members->items[at]);
			vec_remove(members, (size_t)at);
			note("'%s' is no longer in group '%s'", name,
			     m->groups.items[i].name);
		}
	}
}

static int forget(struct mesh *m, const char *name, struct err *e)
{
	if (nodes_drop(&m->removed, name) || nodes_drop(&m->nodes, name))
		return 0;
	return err_set(e, ERR_INPUT, "there is no node '%s'", name);
}

/* A host that a deploy may have written to keeps a tombstone. */
static int remove_node(struct mesh *m, const char *name, struct err *e)
{
	const struct node *n = nodes_find(&m->nodes, name);

	if (!n && nodes_find(&m->removed, name))
		return err_set(e, ERR_INPUT, "'%s' is removed already: the "
			       "next deploy takes it off its host; add "
			       "-forget if that host is gone for good", name);
	if (!n)
		return err_set(e, ERR_INPUT, "there is no node '%s'", name);
	if (n->facts.deployed || !m->mesh_id) {
		nodes_move(&m->nodes, &m->removed, name);
		note("'%s' is still set up on its host until the next deploy",
		     name);
	} else {
		nodes_drop(&m->nodes, name);
	}
	return 0;
}

int cmd_remove(struct cmd_env *env)
{
	AUTO(auto_store_close) struct store *s = NULL;
	const char *name = env->args.items[0];
	struct err e;
	int ret;

	if (env_open(&s, env, true, &e) < 0)
		return fail(&e);
	ret = env->options.forget ? forget(store_mesh(s), name, &e)
				  : remove_node(store_mesh(s), name, &e);
	if (ret < 0)
		return fail(&e);
	leave_groups(store_mesh(s), name);
	if (env_save(s, &e) < 0)
		return fail(&e);
	put("Removed node: %s\nNode removed successfully\n", name);
	if (access_check(store_mesh(s), NULL, &e) < 0)
		note("deploys are refused until this is mended: %s", e.msg);
	return EXIT_DONE;
}
