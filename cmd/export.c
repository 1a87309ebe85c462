/*
 * wgmesh export: the mesh.yaml of the state.
 */
#include "cmd/cmd.h"

#include "state/yaml/yaml.h"

int cmd_export(struct cmd_env *env)
{
	AUTO(auto_store_close) struct store *s = NULL;
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	struct err e;

	if (env_open(&s, env, false, &e) < 0)
		return fail(&e);
	yaml_write(&text, store_mesh(s));
	put("%s", sbuf_str(&text));
	return EXIT_DONE;
}
