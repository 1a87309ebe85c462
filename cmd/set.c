#include "cmd/change.h"
#include "state/edit.h"

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

static int set(struct change_run *c, const struct cmd_env *env, struct err *e)
{
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
