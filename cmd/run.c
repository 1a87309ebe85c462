/*
 * A run of plan or deploy, up to the plan; and the exit status of both.
 */
#include "cmd/run.h"

#include "cmd/ask.h"
#include "cmd/input.h"
#include "cmd/known.h"
#include "render/facts.h"

#include <sys/stat.h>

/*
 * Is the only argument of `deploy` a plan? It is when it names a regular file,
 * and neither a node nor a group of @m.
 */
static bool names_a_plan(const struct cmd_env *env, const struct mesh *m)
{
	const char *name = env->args.len == 1 ? env->args.items[0] : NULL;
	struct stat st;

	return name && !nodes_find(&m->nodes, name) &&
	       !nodes_find(&m->removed, name) && !mesh_group(m, name) &&
	       stat(name, &st) == 0 && S_ISREG(st.st_mode);
}

/*
 * Open the state, and the plan that is to be run. The log is opened first, so
 * that what is refused stands in it, too; then what git has, before the state
 * is read.
 */
static int open_state_and_plan(struct run *r, struct cmd_env *env, bool write,
			       struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	const struct options *o = &env->options;
	const char *path;

	if (audit_open(&r->audit, env, e) < 0 ||
	    team_begin(r->team, env, e) < 0 ||
	    env_open(&r->store, env, write, e) < 0 ||
	    (r->writes && team_enter(r->team, r->store, e) < 0))
		return -1;
	r->from_file = r->writes && names_a_plan(env, store_mesh(r->store));
	if (!r->from_file && !o->out)
		return 0;
	if (saved_begin(&r->now, r->store, &r->options, e) < 0)
		return -1;
	if (!r->from_file)
		return 0;
	path = env->args.items[0];
	if (input_read(&text, path, SAVED_PLAN_SIZE_MAX, e) < 0)
		return -1;
	/* the plan decides what deploy would else be told */
	if (o->adopt || o->no_install || o->force_serial)
		return err_set(e, ERR_INPUT, "-adopt, -no-install and "
			       "-force-serial belong to 'plan', which saved "
			       "what it was told");
	if (saved_parse(&r->saved, &text, &r->options, &r->now, e) < 0)
		return err_wrap(e, "plan '%s'", path);
	return 0;
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

int run_prepare(struct run *r, struct cmd_env *env, bool write, struct err *e)
{
	AUTO(strings_done) struct strings warnings = { 0 };
	struct fleet *f = &r->fleet;
	struct mesh *m;

	r->options = engine_options(env);
	if (open_state_and_plan(r, env, write, e) < 0)
		return -1;
	m = store_mesh(r->store);
	if (refuse_invalid(m, e) < 0 ||
	    (!m->mesh_id && mesh_make_id(m, e) < 0) ||
	    known_check(m, env, e) < 0 ||
	    (store_form(r->store) != SEALED_NOT &&
	     mesh_secret_make(m, e) < 0) ||
	    ask_local(m, r->writes && !env->options.json, e) < 0 ||
	    engine_ask(env, e) < 0 ||
	    fleet_begin(f, &r->options, engine_voice(env), m, e) < 0 ||
	    fleet_choose(f, r->from_file ? &r->saved : NULL, e) < 0)
		return -1;
	f->arg = r->audit;
	f->keep_probes = env->options.script;
	f->digests = r->from_file || env->options.out;
	if (fleet_prepare(f, r->writes, r->writes && !r->from_file, e) < 0)
		return -1;
	if (f->digests)
		saved_add(&r->now, f);
	warn_of(m);
	facts_warnings(m, &warnings);
	for (size_t i = 0; i < warnings.len; i++)
		note("warning: %s", warnings.items[i]);
	if (!r->from_file)
		return 0;
	/* a plan from a file is what is planned now, or is not run */
	for (size_t i = 0; i < r->saved.hosts.len; i++) {
		const struct saved_host *h = &r->saved.hosts.items[i];

		if (!saved_host_runs(h))
			note("'%s' was %s when the plan was made and stays out",
			     h->node, h->result);
	}
	return saved_plan_check_hosts(&r->saved, &r->now, e);
}

void run_done(struct run *r)
{
	fleet_done(&r->fleet);
	saved_plan_done(&r->saved);
	saved_plan_done(&r->now);
	audit_close(r->audit);
	store_close(r->store);
}

int hosts_status(const struct fleet *f)
{
	return fleet_has_failed(f) ? EXIT_HOSTS : EXIT_DONE;
}

int run_refuse(struct run *r, const struct err *e)
{
	audit_refused(r->audit, r->store ? store_mesh(r->store) : NULL, e);
	return fail(e);
}

int run_status(const struct run *r, int status)
{
	if (audit_is_whole(r->audit))
		return status;
	note("cannot write to the log");
	return status == EXIT_DONE ? EXIT_FAILED : status;
}
