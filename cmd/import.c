/*
 * wgmesh import: a file or hosts, and the yes that what they doubt needs.
 */
#include "cmd/import.h"

#include "cmd/ask.h"

int import_agree(const struct cmd_env *env, const struct strings *doubts,
		 struct err *e)
{
	AUTO(auto_free) char *list = NULL;
	int yes;

	for (size_t i = 0; i < doubts->len; i++)
		note("%s", doubts->items[i]);
	if (doubts->len == 0 || env->options.yes || env->options.dry_run)
		return 0;
	yes = ask_yes(doubts->len == 1 ? "Is that to be so?"
				       : "Is all of that to be so?");
	if (yes == 1)
		return 0;
	list = strings_line(doubts, 3);
	return err_set(e, yes < 0 ? ERR_INPUT : ERR_CONFLICT, "%s: %s; nothing "
		       "was imported", list, yes < 0 ? "say -yes to agree to "
		       "exactly that" : "not agreed to");
}

int cmd_import(struct cmd_env *env)
{
	const struct options *o = &env->options;
	struct err e;

	if (o->from.len)
		return import_file(env);
	if (o->to_yaml) {
		err_set(&e, ERR_INPUT, "-to-yaml goes with -from FILE");
		return fail(&e);
	}
	if (env->args.len)
		return import_host(env);
	err_set(&e, ERR_INPUT, "expected: wgmesh import "
		"[NAME=][USER@]HOST[:PORT]..., or: wgmesh import -from FILE");
	return fail(&e);
}
