/*
 * What a plan or deploy prints, as text and as JSON: when all hosts are done
 * with, in one order, whichever host answered first.
 */
#include "cmd/engine.h"

#include "cmd/jout.h"
#include "render/silent.h"

/** Silent pairs that are named; -json has them all. */
#define SILENT_NAMED 10

/* The end of a summary line. */
static void print_unfinished(const struct fleet *f)
{
	size_t unreachable = fleet_count(f, HOST_UNREACHABLE);
	size_t failed = fleet_count(f, HOST_FAILED);

	if (unreachable)
		put(", %zu unreachable", unreachable);
	if (failed)
		put(", %zu failed", failed);
	put("\n");
}

void print_plan(const struct fleet *f)
{
	size_t to_change = fleet_count(f, HOST_TO_CHANGE);
	size_t steps = 0;

	for (size_t i = 0; i < f->hosts.len; i++) {
		const struct host *h = &f->hosts.items[i];
		const struct plan *p = &h->plan;

		if (!h->has_plan || (!p->steps.len && !p->notes.len))
			continue;
		put("%s%s:\n", h->name, h->removed ? " (removed)" : "");
		for (size_t k = 0; k < p->steps.len; k++) {
			AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

			step_text(&text, p, &p->steps.items[k]);
			put("  %s\n", sbuf_str(&text));
		}
		for (size_t k = 0; k < p->notes.len; k++)
			put("  (%s)\n", p->notes.items[k]);
		steps += p->steps.len;
	}
	/* behind the plans, where they are not lost among them */
	for (size_t i = 0; i < f->hosts.len; i++) {
		const struct host *h = &f->hosts.items[i];

		if (host_has_failed(h))
			put("%s: %s: %s\n", h->name,
			    fleet_result_name(h->result), err_words(&h->err).s);
	}
	put("Plan: %zu step%s on %zu host%s, %zu unchanged", steps,
	    steps == 1 ? "" : "s", to_change, to_change == 1 ? "" : "s",
	    fleet_count(f, HOST_UNCHANGED));
	print_unfinished(f);
}

/*
 * Pairs that should be up and are not. What changed just now needs its time, and
 * of a host that failed enough is said.
 */
static void find_silent(struct silent_pairs *out, const struct fleet *f)
{
	VEC(struct silent_host) hosts = { 0 };

	for (size_t i = 0; i < f->hosts.len; i++) {
		const struct host *h = &f->hosts.items[i];

		if (!h->removed)
			vec_push(&hosts, ((struct silent_host){
						 h->node,
						 h->result == HOST_UNCHANGED
							 ? &h->observed
							 : NULL }));
	}
	silent_find(out, f->mesh, hosts.items, hosts.len);
	vec_done(&hosts);
}

static void print_silent(const struct fleet *f)
{
	struct silent_pairs pairs = { 0 };

	find_silent(&pairs, f);
	if (pairs.len)
		put("%zu pair%s silent: ", pairs.len,
		    pairs.len == 1 ? "" : "s");
	for (size_t i = 0; i < pairs.len && i < SILENT_NAMED; i++)
		put("%s%s-%s", i ? ", " : "", pairs.items[i].a->name,
		    pairs.items[i].b->name);
	if (pairs.len > SILENT_NAMED)
		put(" and %zu more", pairs.len - SILENT_NAMED);
	if (pairs.len)
		put(" (no handshake: is UDP let through on both sides?)\n");
	vec_done(&pairs);
}

void print_results(const struct fleet *f)
{
	for (size_t i = 0; i < f->hosts.len; i++) {
		const struct host *h = &f->hosts.items[i];
		size_t steps = h->plan.steps.len;

		put("%s: %s", h->name, fleet_result_name(h->result));
		if (h->result == HOST_CHANGED)
			put(" (%zu step%s)", steps, steps == 1 ? "" : "s");
		if (host_has_failed(h))
			put(": %s", err_words(&h->err).s);
		put("\n");
	}
	print_silent(f);
	put("Deploy: %zu changed, %zu unchanged", fleet_count(f, HOST_CHANGED),
	    fleet_count(f, HOST_UNCHANGED));
	print_unfinished(f);
}

/* The steps; of a host that failed on the way those before that are done. */
static void add_steps(struct jout *j, const struct host *h)
{
	jout_list(j, "steps");
	for (size_t i = 0; h->has_plan && i < h->plan.steps.len; i++) {
		const struct step *s = &h->plan.steps.items[i];
		AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

		step_text(&text, &h->plan, s);
		jout_open(j, NULL);
		jout_text(j, "step", step_name(s->kind));
		jout_text(j, "text", sbuf_str(&text));
		jout_bool(j, "done", h->result == HOST_CHANGED ||
					     i < h->applied.steps_done);
		jout_end(j);
	}
	jout_end(j);
}

static void add_silent(struct jout *j, const struct fleet *f)
{
	struct silent_pairs pairs = { 0 };

	find_silent(&pairs, f);
	jout_list(j, "silent");
	for (size_t i = 0; i < pairs.len; i++) {
		const struct silent_pair *p = &pairs.items[i];

		jout_open(j, NULL);
		jout_text(j, "a", p->a->name);
		jout_text(j, "b", p->b->name);
		if (p->age_s < 0)
			jout_text(j, "handshake_age", NULL);
		else
			jout_number(j, "handshake_age", (long)p->age_s);
		jout_end(j);
	}
	jout_end(j);
	vec_done(&pairs);
}

void print_json(const struct fleet *f)
{
	struct jout *j = jout_new();

	jout_list(j, "hosts");
	for (size_t i = 0; i < f->hosts.len; i++) {
		const struct host *h = &f->hosts.items[i];

		jout_open(j, NULL);
		jout_text(j, "node", h->name);
		jout_bool(j, "removed", h->removed);
		jout_text(j, "result", fleet_result_name(h->result));
		add_steps(j, h);
		jout_strings(j, "notes", &h->plan.notes);
		if (host_has_failed(h)) {
			jout_open(j, "error");
			jout_text(j, "code", err_code_name(h->err.code));
			jout_text(j, "message", err_words(&h->err).s);
			jout_end(j);
		}
		jout_end(j);
	}
	jout_end(j);
	add_silent(j, f);
	jout_open(j, "summary");
	for (int r = HOST_UNCHANGED; r <= HOST_FAILED; r++)
		jout_number(j, fleet_result_name((enum host_result)r),
			    (long)fleet_count(f, (enum host_result)r));
	jout_end(j);
	jout_print(j);
}
