#include "cmd/fleet.h"

#include "base/pool.h"
#include "cmd/ask.h"
#include "cmd/audit.h"
#include "cmd/team.h"
#include "render/facts.h"
#include "render/spare.h"
#include "render/wgquick.h"
#include "state/model/model.h"

#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

/** What a host may answer at most, unless the mesh is large: then so much for
 * each of its nodes and networks. */
#define ANSWER_MAX ((size_t)4 << 20)
#define ANSWER_EACH ((size_t)1 << 10)
/** Answers together may take so many silences, and no longer than that. */
#define TOTAL_SILENCES 15
#define TOTAL_MAX_MS 1800000
/** Descriptors: of our own files, for a host that is worked on (a proxy, an
 * agent, files that are read), for a connection that waits. */
#define FILES_OWN 40
#define FILES_WORKING 8
#define FILES_HELD 3
/** The least patience with a step that changes a host (milliseconds). */
#define APPLY_TIMEOUT_MS 60000
/** The same when a package is installed. */
#define INSTALL_TIMEOUT_MS 600000

DEFINE_AUTO(struct remote *, remote_free)

/* ---- choosing ---- */

static bool named(const struct mesh *m, const struct strings *names,
		  const char *node)
{
	if (names->len == 0 || strings_find(names, node) >= 0)
		return true;
	for (size_t i = 0; i < names->len; i++) {
		const struct group *g = mesh_group(m, names->items[i]);

		if (g && strings_find(&g->members, node) >= 0)
			return true;
	}
	return false;
}

static bool chosen(const struct fleet *f, const struct saved_plan *saved,
		   const char *node, bool removed)
{
	const struct saved_host *h;

	if (!saved)
		return named(f->mesh, &f->env->args, node);
	h = saved_plan_host(saved, node, removed);
	return h && saved_host_runs(h);
}

static void choose_nodes(struct fleet *f, const struct saved_plan *saved,
			 struct nodes *nodes, bool removed)
{
	for (size_t i = 0; i < nodes->len; i++) {
		struct node *n = &nodes->items[i];
		struct host *h;

		if (!chosen(f, saved, n->name, removed))
			continue;
		h = vec_add(&f->hosts);
		h->node = n;
		h->removed = removed;
		h->local = local_is_here(f->mesh, n);
	}
}

static int check_names(const struct fleet *f, struct err *e)
{
	for (size_t i = 0; i < f->env->args.len; i++) {
		const char *name = f->env->args.items[i];

		if (!nodes_find(&f->mesh->nodes, name) &&
		    !nodes_find(&f->mesh->removed, name) &&
		    !mesh_group(f->mesh, name))
			return err_set(e, ERR_INPUT, "'%s' is neither a node "
				       "nor a group of this mesh", name);
	}
	return 0;
}

static int draw_nonce(struct fleet *f, struct err *e)
{
	unsigned char raw[16];

	if (getrandom(raw, sizeof raw, 0) != sizeof raw)
		return err_sys(e, "cannot get random bytes");
	for (size_t i = 0; i < sizeof raw; i++)
		snprintf(f->nonce + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

/* What another deploy is told about us: one line of ASCII. */
static void say_who(struct fleet *f)
{
	snprintf(f->who, sizeof f->who, "%.64s@%.64s, pid %ld",
		 env_user(), env_host(), (long)getpid());
	for (char *c = f->who; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/*
 * One connection per host, and pipes: as many as this machine allows. Where
 * that is not enough, fewer hosts at a time, and a host that is to wait is hung
 * up and logged in on again.
 */
static void allow_descriptors(struct fleet *f)
{
	size_t wanted = (size_t)f->env->options.parallel;
	size_t spare = SIZE_MAX / 2;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
		if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
		    limit.rlim_cur < spare)
			spare = limit.rlim_cur < FILES_OWN
					? 0 : limit.rlim_cur - FILES_OWN;
	}
	f->parallel = (unsigned)wanted;
	if (spare / FILES_WORKING < wanted)
		f->parallel = (unsigned)(spare / FILES_WORKING);
	if (f->parallel == 0)
		f->parallel = 1;
	if (f->parallel * FILES_WORKING < spare)
		f->room = (spare - f->parallel * FILES_WORKING) / FILES_HELD;
}

/* Nodes and networks: what a host may well have to tell of. */
static size_t size_of(const struct mesh *m)
{
	size_t size = m->nodes.len + m->removed.len;

	for (size_t i = 0; i < m->nodes.len; i++)
		size += m->nodes.items[i].routable_networks.len +
			m->nodes.items[i].externals.len;
	return size;
}

static size_t answer_max(const struct fleet *f)
{
	size_t max = f->size * ANSWER_EACH;

	return max > ANSWER_MAX ? max : ANSWER_MAX;
}

int fleet_total_ms(int silence_ms)
{
	int64_t total = (int64_t)silence_ms * TOTAL_SILENCES;

	if (total > TOTAL_MAX_MS)
		total = TOTAL_MAX_MS;
	return total > silence_ms ? (int)total : silence_ms;
}

int fleet_begin(struct fleet *f, struct cmd_env *env, struct mesh *m,
		struct err *e)
{
	memset(f, 0, sizeof *f);
	f->env = env;
	f->mesh = m;
	f->conf.timeout_ms = (int)env->options.timeout_s * 1000;
	f->conf.accept_new = env->options.accept_new;
	f->size = size_of(m);
	f->conf.input_max = answer_max(f);
	allow_descriptors(f);
	say_who(f);
	return draw_nonce(f, e);
}

int fleet_open(struct fleet *f, struct cmd_env *env, struct mesh *m,
	       const struct saved_plan *saved, struct err *e)
{
	if (fleet_begin(f, env, m, e) < 0 || (!saved && check_names(f, e) < 0))
		return -1;
	choose_nodes(f, saved, &m->nodes, false);
	choose_nodes(f, saved, &m->removed, true);
	return 0;
}

/* ---- working in parallel ---- */

static struct remote_target target_of(const struct host *h)
{
	const struct node *n = h->node;

	return (struct remote_target){
		.host = n->ssh_host,
		.user = n->ssh_user,
		.port = node_ssh_port(n),
		.pinned = &n->ssh_host_keys,
		.local = h->local,
	};
}

void fleet_host_failed(struct fleet *f, struct host *h)
{
	__atomic_add_fetch(&f->failed, 1, __ATOMIC_RELAXED);
	h->result = h->err.code == ERR_UNREACHABLE ? HOST_UNREACHABLE
						   : HOST_FAILED;
	remote_free(h->remote);
	h->remote = NULL;
}

int fleet_look(const struct fleet *f, const struct host *h,
	       struct remote **out, struct observed *o, struct err *e)
{
	AUTO(auto_free) char *end = probe_end(f->nonce);
	AUTO(auto_remote_free) struct remote *r = NULL;
	AUTO(sbuf_done) struct sbuf command = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf answer = { .max = answer_max(f) };
	struct remote_target target = target_of(h);
	struct probe_request request = {
		.interface = f->mesh->interface_name,
		.nonce = f->nonce,
		.known_hostname = h->node->actual_hostname,
		.local = h->local,
		.size = f->size,
	};

	if (h->node->is_local && h->node->local_machine && !h->local)
		return err_set(e, ERR_UNREACHABLE, "it is local to another "
			       "machine: deploy it there, or say where to log "
			       "in: 'wgmesh set %s ssh=HOST'", h->node->name);
	if (remote_open(&r, &target, &f->conf, e) < 0)
		return -1;
	request.sudo = !remote_facts(r)->is_root;
	probe_command(&command, &request);
	if (remote_start(r, sbuf_str(&command), e) < 0)
		return -1;
	remote_allow(r, fleet_total_ms(f->conf.timeout_ms));
	if (remote_read_to(r, end, &answer, 0, NULL, NULL, e) < 0 ||
	    observed_parse(o, sbuf_str(&answer), answer.len, &request, e) < 0)
		return -1;
	*out = STEAL(r);
	return 0;
}

static void probe_one(struct fleet *f, struct host *h)
{
	if (fleet_look(f, h, &h->remote, &h->observed, &h->err) < 0) {
		fleet_host_failed(f, h);
		return;
	}
	h->has_observed = true;
	h->held = __atomic_add_fetch(&f->held, 1, __ATOMIC_RELAXED) <= f->room;
	if (!h->held)
		remote_hang_up(h->remote);
}

/* A host that was hung up is logged in on again. What is there now does not
 * matter: if another deploy was there meanwhile, the script does not run. */
static int connect_again(const struct fleet *f, struct host *h, struct err *e)
{
	AUTO(observed_done) struct observed seen = { 0 };
	struct remote *r = NULL;

	if (remote_is_open(h->remote))
		return 0;
	if (fleet_look(f, h, &r, &seen, e) < 0)
		return -1;
	remote_free(h->remote);
	h->remote = r;
	return 0;
}

static bool on_terminal(const struct fleet *f)
{
	return !f->env->options.json && isatty(STDERR_FILENO);
}

/* One pass over some of the hosts, in parallel. */
struct pass {
	struct fleet *fleet;
	const char *doing;
	void (*work)(struct fleet *f, struct host *h);
	VEC(struct host *) hosts;
};

static void pass_one(size_t i, void *arg)
{
	struct pass *p = arg;

	p->work(p->fleet, p->hosts.items[i]);
}

static void show_progress(size_t done, void *arg)
{
	const struct pass *p = arg;
	size_t left = p->hosts.len - done;
	size_t working = p->fleet->parallel;
	size_t again = __atomic_load_n(&p->fleet->again, __ATOMIC_RELAXED);

	flockfile(stderr);
	fprintf(stderr, "\r\033[K%s: %zu of %zu hosts done, %zu working, %zu "
		"failed", p->doing, done, p->hosts.len,
		left < working ? left : working,
		__atomic_load_n(&p->fleet->failed, __ATOMIC_RELAXED));
	if (again)
		fprintf(stderr, ", %zu looked at again, still working", again);
	fflush(stderr);
	funlockfile(stderr);
}

void fleet_each(struct fleet *f, const char *doing, enum host_result which,
		void (*work)(struct fleet *f, struct host *h))
{
	struct pass p = { .fleet = f, .doing = doing, .work = work };
	bool live = on_terminal(f);

	for (size_t i = 0; i < f->hosts.len; i++)
		if (f->hosts.items[i].result == which)
			vec_push(&p.hosts, &f->hosts.items[i]);
	team_rest();
	pool_run(p.hosts.len, f->parallel, pass_one,
		 live ? show_progress : NULL, &p);
	team_go_on();
	if (live && p.hosts.len)
		fputs("\r\033[K", stderr);
	vec_done(&p.hosts);
}

int fleet_probe(struct fleet *f, struct err *e)
{
	VEC(struct remote_target) targets = { 0 };
	int ret;

	for (size_t i = 0; i < f->hosts.len; i++)
		vec_push(&targets, target_of(&f->hosts.items[i]));
	ret = remote_keys_load(&f->keys, targets.items, targets.len, &f->conf,
			       ask_on_terminal() ? ask_passphrase : NULL, e);
	vec_done(&targets);
	if (ret < 0)
		return -1;
	f->conf.keys = f->keys;
	fleet_each(f, "probing", HOST_OPEN, probe_one);
	return 0;
}

/* ---- planning ---- */

/* Host keys that were accepted just now, or (at deploy) that known_hosts has. */
static void pin_keys(struct fleet *f, bool pin_known)
{
	for (size_t i = 0; i < f->hosts.len; i++) {
		struct host *h = &f->hosts.items[i];
		const struct remote_facts *facts;

		if (!h->has_observed || !h->remote || h->local)
			continue;
		facts = remote_facts(h->remote);
		if (facts->hostkey == REMOTE_KEY_PINNED ||
		    (facts->hostkey == REMOTE_KEY_KNOWN && !pin_known))
			continue;
		strings_add(&h->node->ssh_host_keys, facts->hostkey_line);
		if (facts->hostkey == REMOTE_KEY_NEW)
			note("pinned the host key of '%s': %s", h->node->name,
			     facts->fingerprint);
	}
}

static void merge_facts(struct fleet *f)
{
	VEC(struct host_report) reports = { 0 };

	for (size_t i = 0; i < f->hosts.len; i++) {
		struct host *h = &f->hosts.items[i];

		if (h->has_observed && h->remote && !h->removed)
			vec_push(&reports,
				 ((struct host_report){
					 h->node, &h->observed,
					 remote_facts(h->remote)->dialled,
					 remote_facts(h->remote)->source,
					 h->local }));
	}
	facts_merge(f->mesh, reports.items, reports.len);
	vec_done(&reports);
}

int fleet_plan_host(const struct fleet *f, const struct host *h,
		    const struct observed *o, struct plan *out, struct err *e)
{
	struct plan_options options = {
		.install = !f->env->options.no_install,
		.adopt = f->env->options.adopt,
		.force_serial = f->env->options.force_serial,
		.prove = fleet_marker_is_old(f, h),
	};

	if (h->removed) {
		plan_teardown(out, f->mesh, h->node, o);
		return 0;
	}
	return plan_make(out, &h->desired, o, wgquick_hash(&h->desired),
			 &options, e);
}

static int plan_host(struct fleet *f, struct host *h, struct err *e)
{
	if (!h->removed) {
		desired_compute(&h->desired, f->mesh, f->access, h->node);
		h->has_desired = true;
		spare_client(&h->desired, &h->observed);
	}
	if (fleet_plan_host(f, h, &h->observed, &h->plan, e) < 0)
		return -1;
	h->has_plan = true;
	return 0;
}

/* A host without a difference: only its result is needed from here on. */
static void let_go(struct host *h)
{
	remote_free(h->remote);
	h->remote = NULL;
	if (h->has_desired)
		desired_done(&h->desired);
	h->has_desired = false;
}

/* What the plan was made from; secrets are not in it. */
static void digest(struct host *h)
{
	AUTO(sbuf_done) struct sbuf there = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf wanted = SBUF_INIT;

	observed_text(&there, &h->observed);
	digest_sha256(sbuf_str(&there), there.len, h->observed_digest);
	if (!h->has_desired)
		return;
	wgquick_file(&wanted, &h->desired, 0, false);
	sbuf_printf(&wanted, "%d %d\n", h->desired.forward4,
		    h->desired.forward6);
	digest_sha256(sbuf_str(&wanted), wanted.len, h->desired_digest);
}

static void plan_one(struct fleet *f, struct host *h)
{
	int ret;

	if (!h->has_observed)
		return;
	ret = plan_host(f, h, &h->err);
	if (f->digests)
		digest(h);
	if (ret < 0)
		fleet_host_failed(f, h);
	else if (h->plan.steps.len)
		h->result = HOST_TO_CHANGE;
	else {
		h->result = HOST_UNCHANGED;
		let_go(h);
	}
}

/* A host that was passed over is no success, whatever the reason. */
static void fail_those(struct fleet *f, enum host_result which)
{
	for (size_t i = 0; i < f->hosts.len; i++) {
		struct host *h = &f->hosts.items[i];

		if (h->result != which)
			continue;
		err_set(&h->err, ERR_BUG, "was passed over: nothing is known "
			"of it");
		fleet_host_failed(f, h);
	}
}

void fleet_plan(struct fleet *f, bool pin_known)
{
	pin_keys(f, pin_known);
	merge_facts(f);
	f->access = access_new(f->mesh);
	fleet_each(f, "planning", HOST_OPEN, plan_one);
	fail_those(f, HOST_OPEN);
}

/* ---- applying ---- */

static int apply_timeout(const struct fleet *f, const struct host *h)
{
	int ms = f->conf.timeout_ms;

	if (ms < APPLY_TIMEOUT_MS)
		ms = APPLY_TIMEOUT_MS;
	if (h->plan.steps.items[0].kind == STEP_INSTALL &&
	    ms < INSTALL_TIMEOUT_MS)
		ms = INSTALL_TIMEOUT_MS;
	return ms;
}

static int step_failed(struct host *h, struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

	if (h->applied.refused)
		return err_set(e, ERR_CONFLICT, "%s", h->applied.failure);
	step_text(&text, &h->plan,
		  &h->plan.steps.items[h->applied.failed_step]);
	return err_set(e, ERR_REMOTE, "'%s' failed: %s (%zu of %zu steps "
		       "done)", sbuf_str(&text), h->applied.failure,
		       h->applied.steps_done, h->plan.steps.len);
}

int fleet_run(const struct fleet *f, struct host *h,
	      const struct sbuf *script, int timeout_ms, struct sbuf *answer,
	      struct err *e)
{
	AUTO(auto_free) char *end = probe_end(f->nonce);

	answer->max = answer_max(f);
	if (connect_again(f, h, e) < 0)
		return -1;
	remote_allow(h->remote, fleet_total_ms(timeout_ms));
	if (remote_send(h->remote, script->s, script->len, e) < 0 ||
	    remote_read_to(h->remote, end, answer, timeout_ms, NULL, NULL,
			   e) < 0)
		return -1;
	if (!h->held)
		remote_hang_up(h->remote);
	return 0;
}

/* What did not come of the answer is looked for, unless the rest says it. */
static int apply_unanswered(struct fleet *f, struct host *h,
			    const struct sbuf *answer, struct err *e)
{
	script_parse_start(&h->applied, &h->plan, sbuf_str(answer),
			   answer->len, f->nonce);
	if (h->applied.failure)
		return step_failed(h, e);
	if (h->applied.steps_done == h->plan.steps.len)
		return 0;
	return fleet_again(f, h, fleet_total_ms(apply_timeout(f, h)), e);
}

static int apply_host(struct fleet *f, struct host *h, struct err *e)
{
	AUTO(sbuf_done) struct sbuf boot_file = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf script = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	const struct script_run run = { f->nonce, f->who,
					h->observed.lock_token };

	if (!h->removed && proof_sign(&h->desired, e) < 0)
		return -1;
	if (!h->removed)
		wgquick_file(&boot_file, &h->desired, f->mesh->serial, true);
	script_text(&script, &h->plan, h->removed ? NULL : sbuf_str(&boot_file),
		    &run);
	if (connect_again(f, h, e) < 0)
		return err_wrap(e, "nothing was changed there");
	if (fleet_run(f, h, &script, apply_timeout(f, h), &answer, e) < 0)
		return apply_unanswered(f, h, &answer, e);
	if (script_parse(&h->applied, &h->plan, sbuf_str(&answer), answer.len,
			 f->nonce, e) < 0)
		return -1;
	return h->applied.failure ? step_failed(h, e) : 0;
}

static void apply_one(struct fleet *f, struct host *h)
{
	if (apply_host(f, h, &h->err) < 0)
		fleet_host_failed(f, h);
	else
		h->result = HOST_CHANGED;
	audit_host(f->audit, f, h);
	remote_free(h->remote);
	h->remote = NULL;
}

void fleet_apply(struct fleet *f)
{
	fleet_each(f, "deploying", HOST_TO_CHANGE, apply_one);
	fail_those(f, HOST_TO_CHANGE);
}

/* ---- the end ---- */

static void host_done(struct host *h)
{
	remote_free(h->remote);
	if (h->has_plan)
		plan_done(&h->plan);
	if (h->has_desired)
		desired_done(&h->desired);
	if (h->has_observed)
		observed_done(&h->observed);
	script_result_done(&h->applied);
}

void fleet_done(struct fleet *f)
{
	for (size_t i = 0; i < f->hosts.len; i++)
		host_done(&f->hosts.items[i]);
	vec_done(&f->hosts);
	remote_keys_free(f->keys);
	access_free(f->access);
	f->keys = NULL;
	f->access = NULL;
}
