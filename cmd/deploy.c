/*
 * wgmesh deploy: what is asked before hosts are written to, and what remembers
 * it. The order is the engine's: ssh/fleet/deploy.c.
 */
#include "cmd/known.h"
#include "cmd/run.h"

/** A deploy under way. */
struct deploy {
	struct run *run;
	const struct cmd_env *env;
	bool is_new; /* the mesh was never seen here */
};

/*
 * A question for what cannot be taken back by a second deploy. Without a yes
 * the hosts that it is about are left as they are, and no others.
 */
static void keep_interfaces(struct fleet *f, bool yes)
{
	bool asked = yes;

	for (size_t i = 0; i < f->hosts.len; i++) {
		struct host *h = &f->hosts.items[i];

		if (!h->has_plan || !h->plan.tears_down)
			continue;
		if (!asked)
			yes = f->voice->ask("This would tear down the interface"
					    " of a removed node. Go on?") == 1;
		asked = true;
		if (yes)
			return;
		err_set(&h->err, ERR_CONFLICT, "its interface is to be torn "
			"down: say -yes to agree; nothing was changed there");
		fleet_host_failed(f, h);
	}
}

/* ---- what remembers it ---- */

static int save_state(void *arg, struct err *e)
{
	const struct deploy *d = arg;

	return store_save(d->run->store, false, e);
}

static int before_hosts(void *arg, struct err *e)
{
	const struct deploy *d = arg;
	struct run *r = d->run;

	if (team_push(r->team, e) < 0)
		return -1;
	if (!fleet_has_others(&r->fleet) &&
	    (!d->is_new || fleet_count(&r->fleet, HOST_TO_CHANGE)))
		known_note(r->fleet.mesh);
	audit_fleet(r->audit, &r->fleet, false);
	return 0;
}

static void report_results(void *arg, const struct fleet *f)
{
	const struct deploy *d = arg;

	if (d->env->options.json)
		print_json(f);
	else
		print_results(f);
	fflush(stdout);
}

static int record_deploy(void *arg, const struct fleet *f, struct err *e)
{
	const struct deploy *d = arg;

	return team_record(d->run->team, f, d->run->store, e);
}

static int deploy_hosts(struct cmd_env *env, struct team *team)
{
	AUTO(run_done) struct run r = { .team = team, .writes = true };
	struct deploy d = { .run = &r, .env = env };
	const struct fleet_memory memory = { save_state, before_hosts,
					     report_results, record_deploy,
					     &d };
	struct fleet *f = &r.fleet;
	struct err e;
	int ret;

	if (run_prepare(&r, env, true, &e) < 0)
		return run_refuse(&r, &e);
	if (!env->options.json)
		print_plan(f);
	fflush(stdout);
	keep_interfaces(f, env->options.yes);
	d.is_new = known_is_new(f->mesh);
	/*
	 * A sealed state that came by git, of a mesh that was never seen here,
	 * and a host that does not prove that it belongs to it: anybody who can
	 * push can make such a state for public recipients.
	 */
	if (d.is_new && store_follower(r.store) &&
	    store_form(r.store) != SEALED_NOT && fleet_has_unproven(f) &&
	    known_agree_first(env, &e) < 0)
		return run_refuse(&r, &e);
	ret = fleet_deploy(f, &memory, &e);
	if (!f->wrote)
		return run_refuse(&r, &e);
	return ret < 0 ? fail(&e) : run_status(&r, hosts_status(f));
}

/* The state is closed, so unlocked, before anything is pushed. */
int cmd_deploy(struct cmd_env *env)
{
	AUTO(team_done) struct team team = { 0 };

	return team_end(&team, deploy_hosts(env, &team));
}
