/*
 * What the hosts said becomes facts and pins of the mesh, and each host's
 * difference from it a plan.
 */
#include "ssh/fleet/internal.h"

#include "base/text.h"
#include "render/facts.h"
#include "render/wgquick.h"

/* Has the jump host @place a pin already, by another login of this run? */
static bool has_jump_pin(const struct mesh *m, const char *place)
{
	for (size_t i = 0; i < m->jump_host_keys.len; i++)
		if (text_behind(m->jump_host_keys.items[i], place))
			return true;
	return false;
}

int fleet_pin_jumps(struct mesh *m, const struct remote_facts *facts,
		    bool known, void (*note)(const char *fmt, ...),
		    struct err *e)
{
	for (size_t i = 0; facts->jumps && i < facts->jumps->len; i++) {
		const struct remote_jump *j = &facts->jumps->items[i];
		AUTO(auto_free) char *pin = mem_printf("%s %s", j->place,
						       j->hostkey_line);

		if ((j->hostkey == REMOTE_KEY_KNOWN && !known) ||
		    strings_find(&m->jump_host_keys, pin) >= 0)
			continue;
		if (has_jump_pin(m, j->place))
			return err_set(e, ERR_HOSTKEY, "the jump host '%s' "
				       "showed another host key on the way to "
				       "another host", j->place);
		strings_add(&m->jump_host_keys, pin);
		note("pinned the host key of the jump host '%s': %s%s",
		     j->place, j->fingerprint,
		     j->hostkey == REMOTE_KEY_KNOWN ? " (in known_hosts)" : "");
	}
	return 0;
}

/*
 * Host keys that were accepted just now, or (at deploy) that known_hosts has.
 */
static void pin_keys(struct fleet *f, bool pin_known)
{
	for (size_t i = 0; i < f->hosts.len; i++) {
		struct host *h = &f->hosts.items[i];
		const struct remote_facts *facts;

		if (!h->has_observed || !h->remote || h->local)
			continue;
		facts = remote_facts(h->remote);
		if (fleet_pin_jumps(f->mesh, facts, pin_known, f->voice->note,
				    &h->err) < 0) {
			fleet_host_failed(f, h);
			continue;
		}
		if (facts->hostkey == REMOTE_KEY_PINNED ||
		    facts->hostkey == REMOTE_KEY_VOUCHED ||
		    (facts->hostkey == REMOTE_KEY_KNOWN && !pin_known))
			continue;
		strings_add(&h->node->ssh_host_keys, facts->hostkey_line);
		if (facts->hostkey == REMOTE_KEY_NEW)
			f->voice->note("pinned the host key of '%s': %s",
				       h->name, facts->fingerprint);
	}
}

int fleet_plan_host(const struct fleet *f, const struct host *h,
		    const struct observed *o, struct plan *out, struct err *e)
{
	struct plan_options options = {
		.install = !f->options.no_install,
		.adopt = f->options.adopt,
		.force_serial = f->options.force_serial,
		.prove = fleet_marker_is_old(f, h),
	};

	if (h->removed) {
		plan_teardown(out, f->mesh, h->node, o);
		return 0;
	}
	return plan_make(out, &h->desired, o, wgquick_hash(&h->desired),
			 &options, e);
}

/* What the plan was made from; secrets are not in it. */
static void digest_host(struct host *h)
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

void fleet_plan_one(struct fleet *f, struct host *h, void *arg)
{
	(void)arg;
	if (!h->has_observed)
		return;
	if (!h->removed) {
		desired_compute(&h->desired, f->mesh, f->access, h->node);
		h->has_desired = true;
		desired_spare_client(&h->desired, &h->observed);
		desired_fit_host(&h->desired, &h->observed);
	}
	/* from here on nothing but this host is written to: threads share f */
	h->has_plan = fleet_plan_host(f, h, &h->observed, &h->plan,
				      &h->err) == 0;
	if (f->digests)
		digest_host(h);
	if (!h->has_plan ||
	    (!h->plan.steps.len && plan_unmet(&h->plan, &h->err) < 0)) {
		fleet_host_failed(f, h);
	} else if (h->plan.steps.len) {
		h->result = HOST_TO_CHANGE;
	} else { /* only its result is needed from here on */
		h->result = HOST_UNCHANGED;
		remote_free(h->remote);
		h->remote = NULL;
		if (h->has_desired)
			desired_done(&h->desired);
		h->has_desired = false;
	}
}

/*
 * The others are told the port that a host has when they are. It is the new one
 * where the host will have taken it by then: see fleet_apply().
 */
static void hold_port(const struct fleet *f, struct host *h)
{
	const struct observed *o = &h->observed;
	bool can = h->result == HOST_OPEN && !o->port_holder;

	if (!h->has_observed || h->removed)
		return;
	h->node->facts.listen_port = 0;
	if (!can && o->is_wireguard && o->listen_port &&
	    o->listen_port != node_port(f->mesh, h->node))
		h->node->facts.listen_port = o->listen_port;
}

void fleet_plan(struct fleet *f, bool pin_known)
{
	VEC(struct host_report) reports = { 0 };

	pin_keys(f, pin_known);
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
	for (size_t i = 0; i < f->hosts.len; i++)
		hold_port(f, &f->hosts.items[i]);
	f->access = access_new(f->mesh);
	fleet_each(f, "planning", HOST_OPEN, fleet_plan_one, NULL);
	fleet_fail_those(f, HOST_OPEN);
}

int fleet_prepare(struct fleet *f, bool writes, bool make, struct err *e)
{
	if (fleet_probe(f, e) < 0)
		return -1;
	fleet_judge_authors(f);
	if (fleet_refuse_stale(f, writes, e) < 0)
		return -1;
	fleet_keys(f, make);
	fleet_plan(f, writes);
	return 0;
}
