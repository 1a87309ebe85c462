/*
 * wgmesh set and unset: what the state says about a node. What keys there are
 * and what may stand behind them is the table of fields, state/model/field.c.
 */
#include "cmd/change.h"
#include "state/model/model.h"

#include <string.h>

static int set_fields(struct change_run *c, const struct cmd_env *env,
		      struct err *e)
{
	const struct strings *args = &env->args;
	struct mesh *m = change_mesh(c);
	struct node *n;

	/* of two values of one key only the last would count */
	for (size_t i = 1; i < args->len; i++) {
		size_t len = strcspn(args->items[i], "=") + 1;

		for (size_t k = 1; k < i; k++)
			if (strncmp(args->items[i], args->items[k], len) == 0)
				return err_set(e, ERR_INPUT, "'%.*s' is given "
					       "twice", (int)len - 1,
					       args->items[i]);
	}
	n = edit_node(m, args->items[0], e);
	if (!n)
		return -1;
	for (size_t i = 1; i < args->len; i++) {
		char *key = args->items[i];
		char *value = strchr(key, '=');

		if (!value)
			return err_set(e, ERR_INPUT, "'%s': expected KEY=VALUE",
				       key);
		*value++ = '\0';
		if (edit_set(m, n, key, value, e) < 0)
			return -1;
	}
	return change_follow(c, n, e);
}

static int unset_fields(struct change_run *c, const struct cmd_env *env,
			struct err *e)
{
	const struct strings *args = &env->args;
	struct mesh *m = change_mesh(c);
	bool pins = strings_find(args, EDIT_HOST_KEYS) > 0;
	size_t dropped = pins ? edit_drop_jump(m, args->items[0]) : 0;
	struct node *n = edit_node(m, args->items[0], e);

	/* a jump host needs to be no node */
	if (!n)
		return dropped && args->len == 2 ? 0 : -1;
	for (size_t i = 1; i < args->len; i++)
		if (edit_unset(m, n, args->items[i], e) < 0)
			return -1;
	return change_follow(c, n, e);
}

int cmd_set(struct cmd_env *env)
{
	return change_command(env, set_fields);
}

int cmd_unset(struct cmd_env *env)
{
	return change_command(env, unset_fields);
}
