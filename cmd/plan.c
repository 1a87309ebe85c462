/*
 * wgmesh plan: what deploy would do, in one of four forms, or saved for it.
 * What the two have in common is cmd/run.c.
 */
#include "base/atomic.h"
#include "cmd/run.h"

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

/* The state is written for new host keys alone: a plan changes nothing else. */
int cmd_plan(struct cmd_env *env)
{
	AUTO(team_done) struct team team = { 0 };
	AUTO(run_done) struct run r = { .team = &team };
	const struct options *o = &env->options;
	struct err e;
	int status;

	if (check_plan_options(o, &e) < 0 ||
	    run_prepare(&r, env, o->accept_new, &e) < 0 ||
	    (o->accept_new && store_save(r.store, false, &e) < 0) ||
	    (o->out && save_plan(&r, o->out, &e) < 0))
		return run_refuse(&r, &e);
	if (o->json)
		print_json(&r.fleet);
	else if (o->markdown)
		print_markdown(&r.fleet);
	else if (o->script)
		print_scripts(&r.fleet);
	else
		print_plan(&r.fleet);
	audit_fleet(r.audit, &r.fleet, true);
	status = hosts_status(&r.fleet);
	if (status == EXIT_DONE && o->exit_code &&
	    fleet_count(&r.fleet, HOST_TO_CHANGE))
		status = EXIT_DIFFERENCES;
	return run_status(&r, status);
}
