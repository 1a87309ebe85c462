#include "cmd/fleet.h"

#include "render/facts.h"

static void warn_lonely(const struct mesh *m)
{
	struct strings warnings = { 0 };

	facts_warnings(m, &warnings);
	for (size_t i = 0; i < warnings.len; i++)
		note("warning: %s", warnings.items[i]);
	strings_done(&warnings);
}

/* Probe and plan; the mesh in the store carries the facts afterwards. */
static int prepare(struct fleet *f, struct cmd_env *env, struct store *s,
		   bool writes, struct err *e)
{
	struct mesh *m = store_mesh(s);

	if (refuse_invalid(m, e) < 0 || (!m->mesh_id && mesh_make_id(m, e) < 0) ||
	    fleet_open(f, env, m, e) < 0 || fleet_probe(f, e) < 0)
		return -1;
	if (fleet_keys(f, writes, e) < 0)
		return -1;
	fleet_plan(f, writes);
	warn_of(m);
	warn_lonely(m);
	return 0;
}

int cmd_plan(struct cmd_env *env)
{
	AUTO(auto_store_close) struct store *s = NULL;
	AUTO(fleet_done) struct fleet f = { 0 };
	bool pins = env->options.accept_new;
	struct err e;
	int status;

	if (env_open(&s, env, pins, &e) < 0 ||
	    prepare(&f, env, s, false, &e) < 0)
		return fail(&e);
	if (pins && store_save(s, false, &e) < 0)
		return fail(&e);
	if (env->options.json)
		fleet_print_json(&f);
	else
		fleet_print_plan(&f);
	status = fleet_status(&f);
	if (status == EXIT_DONE && env->options.exit_code &&
	    fleet_count(&f, HOST_TO_CHANGE))
		status = EXIT_DIFFERENCES;
	return status;
}

/* A question for what cannot be taken back by a second deploy. */
static int consent(const struct fleet *f, struct err *e)
{
	static const char what[] = "tear down the interface of a removed node";
	AUTO(auto_free) char *question = NULL;
	int yes;

	if (!fleet_tears_down(f) || f->env->options.yes)
		return 0;
	question = mem_printf("This would %s. Go on?", what);
	yes = f->env->options.json ? -1 : ask_yes(question);
	if (yes == 1)
		return 0;
	return err_set(e, yes < 0 ? ERR_INPUT : ERR_CONFLICT,
		       yes < 0 ? "this would %s: say -yes to agree; no "
				 "configuration was changed"
			       : "not agreed to %s; no configuration was "
				 "changed",
		       what);
}

/* Before anything is written to a host: it may need taking off again. */
static int record_intent(struct fleet *f, struct store *s, struct err *e)
{
	for (size_t i = 0; i < f->hosts.len; i++)
		if (f->hosts.items[i].has_plan)
			f->hosts.items[i].node->facts.deployed = true;
	return store_save(s, false, e);
}

/* Tombstones whose host is clean are done with, moved keys forgotten. */
static int bury(struct fleet *f, struct store *s, struct err *e)
{
	struct strings gone = { 0 };

	fleet_forget_keys(f);
	for (size_t i = 0; i < f->hosts.len; i++) {
		const struct host *h = &f->hosts.items[i];

		if (h->removed && (h->result == HOST_UNCHANGED ||
				   h->result == HOST_CHANGED))
			strings_add(&gone, h->node->name);
	}
	for (size_t i = 0; i < gone.len; i++)
		nodes_drop(&store_mesh(s)->removed, gone.items[i]);
	strings_done(&gone);
	return store_save(s, false, e);
}

int cmd_deploy(struct cmd_env *env)
{
	AUTO(auto_store_close) struct store *s = NULL;
	AUTO(fleet_done) struct fleet f = { 0 };
	struct err e;
	int status;

	if (env_open(&s, env, true, &e) < 0 ||
	    prepare(&f, env, s, true, &e) < 0)
		return fail(&e);
	if (!env->options.json)
		fleet_print_plan(&f);
	fflush(stdout);
	if (consent(&f, &e) < 0 || record_intent(&f, s, &e) < 0)
		return fail(&e);
	if (fleet_count(&f, HOST_TO_CHANGE))
		fleet_apply(&f);
	if (env->options.json)
		fleet_print_json(&f);
	else
		fleet_print_results(&f);
	status = fleet_status(&f);
	if (bury(&f, s, &e) < 0)
		return fail(&e);
	return status;
}
