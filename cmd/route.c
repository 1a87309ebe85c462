/*
 * wgmesh route: networks behind a node, one by one; `set NODE routes=` says
 * all of them at once.
 */
#include "cmd/change.h"
#include "state/model/model.h"

#include <string.h>

static int change_routes(struct change_run *c, const struct cmd_env *env,
			 struct err *e)
{
	const struct strings *args = &env->args;
	bool adds = strcmp(args->items[0], "add") == 0;
	struct node *n;

	if (!adds && strcmp(args->items[0], "remove") != 0)
		return err_set(e, ERR_INPUT, "'route %s': expected add or "
			       "remove", args->items[0]);
	n = edit_node(change_mesh(c), args->items[1], e);
	if (!n)
		return -1;
	for (size_t i = 2; i < args->len; i++)
		if ((adds ? edit_route_add(n, args->items[i], e)
			  : edit_route_remove(n, args->items[i], e)) < 0)
			return -1;
	return 0;
}

int cmd_route(struct cmd_env *env)
{
	return change_command(env, change_routes);
}
