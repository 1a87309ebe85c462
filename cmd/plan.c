/*
 * wgmesh plan.
 */
#include "base/atomic.h"
#include "cmd/run.h"

static void print_it(struct fleet *f, const struct options *o)
{
	if (o->json)
		print_json(f);
	else if (o->markdown)
		print_markdown(f);
	else if (o->script)
		print_scripts(f);
	else
		print_plan(f);
}

static int check_plan_options(const struct options *o, struct err *e)
{
	if (o->json && o->markdown)
		return err_set(e, ERR_INPUT, "-json or -markdown, not both");
	if (o->script && (o->json || o->markdown))
		return err_set(e, ERR_INPUT, "-script is text: not with -json "
			       "or -markdown");
	return 0;
}

/* Save the plan as @path, 0600. */
static int save_plan(struct run *r, const char *path, struct err *e)
{
	const struct atomic_how how = { 0 };
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

	if (saved_text(&text, &r->now, &r->fleet, e) < 0 ||
	    atomic_write(path, sbuf_str(&text), text.len, &how, e) < 0)
		return err_wrap(e, "-out %s", path);
	return 0;
}

int cmd_plan(struct cmd_env *env)
{
	AUTO(team_done) struct team team = { 0 };
	AUTO(run_done) struct run r = { .team = &team };
	bool pins = env->options.accept_new;
	const char *out = env->options.out;
	struct err e;
	int status;

	if (check_plan_options(&env->options, &e) < 0 ||
	    run_prepare(&r, env, pins, &e) < 0 ||
	    (pins && store_save(r.store, false, &e) < 0) ||
	    (out && save_plan(&r, out, &e) < 0))
		return run_refuse(&r, &e);
	print_it(&r.fleet, &env->options);
	audit_fleet(r.audit, &r.fleet, true);
	status = hosts_status(&r.fleet);
	if (status == EXIT_DONE && env->options.exit_code &&
	    fleet_count(&r.fleet, HOST_TO_CHANGE))
		status = EXIT_DIFFERENCES;
	return run_status(&r, status);
}
