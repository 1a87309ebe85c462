/*
 * wgmesh group: groups and who is in them.
 */
#include "cmd/change.h"
#include "cmd/list.h"
#include "state/model/model.h"

#include <string.h>

/* The arguments behind the group's name, borrowed. */
static struct strings node_names(const struct cmd_env *env)
{
	return (struct strings){ .items = env->args.items + 2,
				 .len = env->args.len - 2 };
}

static int add_group(struct change_run *c, const struct cmd_env *env,
		     struct err *e)
{
	const struct strings nodes = node_names(env);

	return edit_group_add(change_mesh(c), env->args.items[1], &nodes,
			      env->options.description, e);
}

/* Without nodes it is the group itself that goes. */
static int remove_group(struct change_run *c, const struct cmd_env *env,
			struct err *e)
{
	const struct strings nodes = node_names(env);
	const char *name = env->args.items[1];

	return nodes.len ? edit_group_leave(change_mesh(c), name, &nodes, e)
			 : edit_group_remove(change_mesh(c), name, e);
}

int cmd_group(struct cmd_env *env)
{
	const char *verb = env->args.items[0];
	struct err e;

	if (strcmp(verb, "list") == 0 && env->args.len == 1 &&
	    !env->options.description)
		return list_part(env, PART_GROUP);
	if (strcmp(verb, "add") == 0 && env->args.len > 1)
		return change_command(env, add_group);
	if (strcmp(verb, "remove") == 0 && env->args.len > 1 &&
	    !env->options.description)
		return change_command(env, remove_group);
	err_set(&e, ERR_INPUT, "expected: wgmesh group add [-description TEXT] "
		"NAME [NODE]..., group remove NAME [NODE]... or group list");
	return fail(&e);
}
