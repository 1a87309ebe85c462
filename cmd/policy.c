/*
 * wgmesh policy: which groups reach which.
 */
#include "cmd/change.h"
#include "cmd/list.h"
#include "state/model/model.h"

#include <string.h>

/* @p borrows: edit_policy_add() copies what it keeps. */
static int add_policy(struct change_run *c, const struct cmd_env *env,
		      struct err *e)
{
	const struct policy p = {
		.name = env->args.items[1],
		.description = (char *)(uintptr_t)env->options.description,
		.from_groups = env->options.from,
		.to_groups = env->options.to,
		.allow_mesh_ips = true,
		.allow_routable_networks = env->options.networks,
	};

	if (p.from_groups.len == 0 || p.to_groups.len == 0)
		return err_set(e, ERR_INPUT, "a policy needs -from GROUP and "
			       "-to GROUP");
	return edit_policy_add(change_mesh(c), &p, e);
}

static int remove_policy(struct change_run *c, const struct cmd_env *env,
			 struct err *e)
{
	return edit_policy_remove(change_mesh(c), env->args.items[1], e);
}

int cmd_policy(struct cmd_env *env)
{
	const struct options *o = &env->options;
	const char *verb = env->args.items[0];
	bool plain = !o->from.len && !o->to.len && !o->networks &&
		     !o->description;
	struct err e;

	if (strcmp(verb, "list") == 0 && env->args.len == 1 && plain)
		return list_part(env, PART_POLICY);
	if (strcmp(verb, "add") == 0 && env->args.len == 2)
		return change_command(env, add_policy);
	if (strcmp(verb, "remove") == 0 && env->args.len == 2 && plain)
		return change_command(env, remove_policy);
	err_set(&e, ERR_INPUT, "expected: wgmesh policy add NAME -from GROUP "
		"-to GROUP [-networks] [-description TEXT], policy remove NAME "
		"or policy list");
	return fail(&e);
}
