/*
 * Each host that is to change gets its script, and says how that went. What of
 * the answer did not come is looked for in again.c, unless the rest says it.
 */
#include "ssh/fleet/internal.h"

#include "render/wgquick.h"

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

int fleet_script(const struct fleet *f, struct host *h, bool hidden,
		 struct sbuf *out, struct err *e)
{
	AUTO(sbuf_done) struct sbuf boot_file = SBUF_SECRET;
	const struct script_run run = { f->nonce, f->who,
					h->observed.lock_token, hidden };

	if (!h->removed) {
		if (proof_sign(&h->desired, e) < 0)
			return -1;
		wgquick_file(&boot_file, &h->desired, f->mesh->serial, !hidden);
	}
	script_text(out, &h->plan, h->removed ? NULL : sbuf_str(&boot_file),
		    &run);
	return 0;
}

static int apply_host(struct fleet *f, struct host *h, struct err *e)
{
	AUTO(sbuf_done) struct sbuf script = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	const int timeout_ms = apply_timeout(f, h);

	if (fleet_script(f, h, false, &script, e) < 0)
		return -1;
	if (host_connect(f, h, e) < 0)
		return err_wrap(e, "nothing was changed there");
	if (fleet_run(f, h, &script, timeout_ms, &answer, e) < 0) {
		script_parse_start(&h->applied, &h->plan, sbuf_str(&answer),
				   answer.len, f->nonce);
		if (!h->applied.failure &&
		    h->applied.steps_done != h->plan.steps.len)
			return fleet_again(f, h, fleet_total_ms(timeout_ms), e);
	} else if (script_parse(&h->applied, &h->plan, sbuf_str(&answer),
				answer.len, f->nonce, e) < 0) {
		return -1;
	}
	return h->applied.failure ? step_failed(h, e) : plan_unmet(&h->plan, e);
}

static void apply_one(struct fleet *f, struct host *h, void *arg)
{
	(void)arg;
	if (apply_host(f, h, &h->err) < 0)
		fleet_host_failed(f, h);
	else
		h->result = HOST_CHANGED;
	if (f->voice->wrote)
		f->voice->wrote(f, h);
	remote_free(h->remote);
	h->remote = NULL;
}

/* The step that sets a new port; NULL: it stays. */
static const struct step *port_step(const struct host *h)
{
	for (size_t i = 0; i < h->plan.steps.len; i++)
		if (h->plan.steps.items[i].kind == STEP_LISTEN_PORT)
			return &h->plan.steps.items[i];
	return NULL;
}

static void apply_new_port(struct fleet *f, struct host *h, void *arg)
{
	if (port_step(h))
		apply_one(f, h, arg);
}

/* Is its port the old one still? The state then says so. */
static bool kept_port(struct host *h)
{
	const struct step *s = port_step(h);

	if (!s || !host_has_failed(h) ||
	    h->applied.steps_done > (size_t)(s - h->plan.steps.items))
		return false;
	h->node->facts.listen_port = h->observed.listen_port;
	return true;
}

static void plan_again(struct fleet *f, struct host *h, void *arg)
{
	plan_done(&h->plan);
	h->plan = (struct plan){ 0 };
	if (h->has_desired)
		desired_done(&h->desired);
	h->has_desired = false;
	fleet_plan_one(f, h, arg);
}

/*
 * Hosts that get a new port are first: the others are told it only when it is
 * there, or they would lose them. Where none does there is nothing to wait for.
 */
static void apply_new_ports(struct fleet *f)
{
	bool any = false, kept = false;

	for (size_t i = 0; i < f->hosts.len && !any; i++)
		any = f->hosts.items[i].result == HOST_TO_CHANGE &&
		      port_step(&f->hosts.items[i]);
	if (!any)
		return;
	fleet_each(f, "changing ports", HOST_TO_CHANGE, apply_new_port, NULL);
	for (size_t i = 0; i < f->hosts.len; i++)
		kept |= kept_port(&f->hosts.items[i]);
	if (kept)
		fleet_each(f, "planning", HOST_TO_CHANGE, plan_again, NULL);
}

void fleet_apply(struct fleet *f)
{
	apply_new_ports(f);
	fleet_each(f, "deploying", HOST_TO_CHANGE, apply_one, NULL);
	fleet_fail_those(f, HOST_TO_CHANGE);
}
