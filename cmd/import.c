#include "cmd/import.h"

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
