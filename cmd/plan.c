#include "cmd/audit.h"
#include "cmd/known.h"
#include "cmd/saved.h"
#include "cmd/team.h"

#include "cmd/ask.h"
#include "render/facts.h"
#include "state/model/model.h"

static void warn_lonely(const struct mesh *m)
{
	struct strings warnings = { 0 };

	facts_warnings(m, &warnings);
	for (size_t i = 0; i < warnings.len; i++)
		note("warning: %s", warnings.items[i]);
	strings_done(&warnings);
}

/* No host goes back to an older state by mistake. */
static int refuse_stale(const struct fleet *f, bool writes, struct err *e)
{
	AUTO(auto_free) char *stale = fleet_stale(f);

	if (!stale)
		return 0;
	if (writes && !f->env->options.force_serial)
		return err_set(e, ERR_CONFLICT, "nothing was changed: %s",
			       stale);
	note("warning: %s", stale);
	return 0;
}

/* One run of plan or deploy. */
struct run {
	struct store *store;
	struct fleet fleet;
	struct audit *audit;
	struct team *team;
	bool writes; /* it is a deploy */
	bool from_file;
	struct saved_plan saved; /* deploy: the file's, if from_file */
	struct saved_plan now;   /* what would be saved, or has to be equal */
};

static void run_done(struct run *r)
{
	fleet_done(&r->fleet);
	saved_plan_done(&r->saved);
	saved_plan_done(&r->now);
	audit_close(r->audit);
	store_close(r->store);
}

/* Open the state, and the plan that is to be run. */
static int start(struct run *r, struct cmd_env *env, bool write,
		 struct err *e)
{
	if (audit_open(&r->audit, env, e) < 0 ||
	    team_begin(r->team, env, e) < 0 ||
	    env_open(&r->store, env, write, e) < 0 ||
	    (r->writes && team_enter(r->team, r->store, e) < 0))
		return -1;
	r->from_file = r->writes && saved_is_named(env, store_mesh(r->store));
	if (!r->from_file && !env->options.out)
		return 0;
	if (saved_begin(&r->now, r->store, env, e) < 0)
		return -1;
	return r->from_file ? saved_read(&r->saved, env, &r->now, e) : 0;
}

/* A plan from a file is what is planned now, or is not run. */
static int compare(struct run *r, struct err *e)
{
	if (!r->from_file)
		return 0;
	saved_note_absent(&r->saved);
	return saved_plan_check_hosts(&r->saved, &r->now, e);
}

/*
 * The Go tool says is_local by a host name. Whether a node is this machine is
 * asked once; where nobody can be asked it is a host like any other.
 */
static int ask_local(struct mesh *m, bool writes, struct err *e)
{
	for (size_t i = 0; i < m->nodes.len; i++) {
		struct node *n = &m->nodes.items[i];
		AUTO(auto_free) char *question = NULL;
		int yes = -1;

		if (!n->is_local || n->local_machine)
			continue;
		question = mem_printf("The state says that '%s' is this very "
				      "machine. Is it?", n->name);
		if (writes && ask_on_terminal())
			yes = ask_yes(question);
		if (yes == 1)
			mem_replace(&n->local_machine, "");
		else if (yes == 0)
			n->is_local = false;
		else
			note("the state says that '%s' is local, and nobody "
			     "has said so on this machine: it is reached by "
			     "SSH; 'wgmesh set %s ssh=local' makes it local",
			     n->name, n->name);
	}
	return local_fill(m, e);
}

/* Probe and plan; the mesh in the store carries the facts afterwards. */
static int prepare(struct run *r, struct cmd_env *env, struct err *e)
{
	struct mesh *m = store_mesh(r->store);
	struct fleet *f = &r->fleet;

	if (refuse_invalid(m, e) < 0 || (!m->mesh_id && mesh_make_id(m, e) < 0) ||
	    known_check(m, env, e) < 0 ||
	    (store_form(r->store) != SEALED_NOT && mesh_secret_make(m, e) < 0) ||
	    ask_local(m, r->writes && !env->options.json, e) < 0 ||
	    fleet_open(f, env, m, r->from_file ? &r->saved : NULL, e) < 0)
		return -1;
	f->audit = r->audit;
	f->digests = r->from_file || env->options.out;
	if (fleet_probe(f, e) < 0)
		return -1;
	fleet_judge_authors(f);
	if (refuse_stale(f, r->writes, e) < 0)
		return -1;
	fleet_keys(f, r->writes && !r->from_file);
	fleet_plan(f, r->writes);
	if (f->digests)
		saved_add(&r->now, f);
	warn_of(m);
	warn_lonely(m);
	return compare(r, e);
}

/* The end of a run that was refused. */
static int refuse(struct run *r, const struct err *e)
{
	audit_refused(r->audit, r->store ? store_mesh(r->store) : NULL, e);
	return fail(e);
}

/* A log with a line missing is no success. */
static int audited(const struct run *r, int status)
{
	if (audit_is_whole(r->audit))
		return status;
	note("cannot write to the log");
	return status == EXIT_DONE ? EXIT_FAILED : status;
}

static void print_plan(const struct fleet *f)
{
	if (f->env->options.json)
		fleet_print_json(f);
	else if (f->env->options.markdown)
		fleet_print_markdown(f);
	else
		fleet_print_plan(f);
}

static int check_plan_options(const struct options *o, struct err *e)
{
	if (o->json && o->markdown)
		return err_set(e, ERR_INPUT, "-json or -markdown, not both");
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
	    start(&r, env, pins, &e) < 0 || prepare(&r, env, &e) < 0)
		return refuse(&r, &e);
	if ((pins && store_save(r.store, false, &e) < 0) ||
	    (out && saved_write(&r.now, &r.fleet, out, &e) < 0))
		return refuse(&r, &e);
	print_plan(&r.fleet);
	audit_fleet(r.audit, &r.fleet, true);
	status = fleet_status(&r.fleet);
	if (status == EXIT_DONE && env->options.exit_code &&
	    fleet_count(&r.fleet, HOST_TO_CHANGE))
		status = EXIT_DIFFERENCES;
	return audited(&r, status);
}

/*
 * A question for what cannot be taken back by a second deploy. Without a yes the
 * hosts that it is about are left as they are, and no others.
 */
static void consent(struct fleet *f)
{
	if (!fleet_tears_down(f) || f->env->options.yes ||
	    (!f->env->options.json &&
	     ask_yes("This would tear down the interface of a removed node. "
		     "Go on?") == 1))
		return;
	for (size_t i = 0; i < f->hosts.len; i++) {
		struct host *h = &f->hosts.items[i];

		if (!h->has_plan || !h->plan.tears_down)
			continue;
		err_set(&h->err, ERR_CONFLICT, "its interface is to be torn "
			"down: say -yes to agree; nothing was changed there");
		fleet_host_failed(f, h);
	}
}

/*
 * A sealed state that came by git, of a mesh that was never seen here, and a host
 * that does not prove that it belongs to it: anybody who can push can make such
 * a state for public recipients.
 */
static int agree_to_mesh(const struct run *r, bool is_new, struct err *e)
{
	if (!is_new || !store_follower(r->store) ||
	    store_form(r->store) == SEALED_NOT ||
	    !fleet_has_unproven(&r->fleet))
		return 0;
	return known_agree_first(r->fleet.env, e);
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

static int deploy(struct cmd_env *env, struct team *team)
{
	AUTO(run_done) struct run r = { .team = team, .writes = true };
	struct fleet *f = &r.fleet;
	bool is_new;
	struct err e;
	int status;

	if (start(&r, env, true, &e) < 0 || prepare(&r, env, &e) < 0)
		return refuse(&r, &e);
	if (!env->options.json)
		fleet_print_plan(f);
	fflush(stdout);
	consent(f);
	is_new = known_is_new(store_mesh(r.store));
	if (agree_to_mesh(&r, is_new, &e) < 0 ||
	    record_intent(f, r.store, &e) < 0 ||
	    team_push(team, &e) < 0)
		return refuse(&r, &e);
	if (!fleet_has_others(f) && (!is_new || fleet_count(f, HOST_TO_CHANGE)))
		known_note(store_mesh(r.store));
	audit_fleet(r.audit, f, false);
	if (fleet_count(f, HOST_TO_CHANGE))
		fleet_apply(f);
	if (env->options.json)
		fleet_print_json(f);
	else
		fleet_print_results(f);
	status = fleet_status(f);
	if (bury(f, r.store, &e) < 0 || team_record(team, f, r.store, &e) < 0)
		return fail(&e);
	return audited(&r, status);
}

int cmd_deploy(struct cmd_env *env)
{
	AUTO(team_done) struct team team = { 0 };

	return team_end(&team, deploy(env, &team));
}
