/*
 * wgmesh rename: another name for the same node.
 */
#include "cmd/change.h"
#include "state/model/model.h"

#include <string.h>

/*
 * Renamed in both meshes, what was before and what is: they differ by nothing
 * else then, and the one change that is shown is the name.
 */
static int rename_node(struct change_run *c, const struct cmd_env *env,
		       struct err *e)
{
	const char *from = env->args.items[0], *to = env->args.items[1];

	if (edit_rename(change_mesh(c), from, to, e) < 0 ||
	    edit_rename(&c->before, from, to, e) < 0)
		return -1;
	if (strcmp(from, to) != 0)
		vec_push(&c->changes, ((struct change){
			.sign = '~', .part = PART_NODE,
			.name = mem_strdup(from), .field = "name",
			.before = mem_strdup(from), .after = mem_strdup(to) }));
	return 0;
}

int cmd_rename(struct cmd_env *env)
{
	return change_command(env, rename_node);
}
