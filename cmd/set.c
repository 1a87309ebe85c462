/*
 * wgmesh set and unset: what the state says about a node.
 */
#include "cmd/change.h"
#include "state/model/model.h"

#include <string.h>

/* One argument of `set` or `unset`. */
typedef int item_fn(struct mesh *m, struct node *n, char *item, struct err *e);

static int set_item(struct mesh *m, struct node *n, char *item, struct err *e)
{
	char *value = strchr(item, '=');

	if (!value)
		return err_set(e, ERR_INPUT, "'%s': expected KEY=VALUE", item);
	*value++ = '\0';
	return edit_set(m, n, item, value, e);
}

static int unset_item(struct mesh *m, struct node *n, char *item,
		      struct err *e)
{
	return edit_unset(m, n, item, e);
}

static int each(struct change_run *c, const struct cmd_env *env, item_fn *item,
		struct err *e)
{
	struct mesh *m = change_mesh(c);
	struct node *n = edit_node(m, env->args.items[0], e);

	if (!n)
		return -1;
	for (size_t i = 1; i < env->args.len; i++)
		if (item(m, n, env->args.items[i], e) < 0)
			return -1;
	return change_follow(c, n, e);
}

/* Of two values of one key only the last would count. */
static int check_once(const struct strings *args, struct err *e)
{
	for (size_t i = 1; i < args->len; i++) {
		size_t len = strcspn(args->items[i], "=") + 1;

		for (size_t k = 1; k < i; k++)
			if (strncmp(args->items[i], args->items[k], len) == 0)
				return err_set(e, ERR_INPUT, "'%.*s' is given "
					       "twice", (int)len - 1,
					       args->items[i]);
	}
	return 0;
}

static int set(struct change_run *c, const struct cmd_env *env, struct err *e)
{
	if (check_once(&env->args, e) < 0)
		return -1;
	return each(c, env, set_item, e);
}

static int unset(struct change_run *c, const struct cmd_env *env,
		 struct err *e)
{
	return each(c, env, unset_item, e);
}

int cmd_set(struct cmd_env *env)
{
	return change_command(env, set);
}

int cmd_unset(struct cmd_env *env)
{
	return change_command(env, unset);
}
