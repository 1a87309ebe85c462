/*
 * What a plan or deploy prints, as text and as JSON.
 */
#include "cmd/engine.h"

#include "cmd/jout.h"

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void print_host_plan(const struct host *h)
{
	if (!h->plan.steps.len && !h->plan.notes.len)
		return;
	put("%s%s:\n", h->name, h->removed ? " (removed)" : "");
	for (size_t i = 0; i < h->plan.steps.len; i++) {
		AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

		step_text(&text, &h->plan, &h->plan.steps.items[i]);
		put("  %s\n", sbuf_str(&text));
	}
	for (size_t i = 0; i < h->plan.notes.len; i++)
		put("  (%s)\n", h->plan.notes.items[i]);
}

static void print_errors(const struct fleet *f)
{
	for (size_t i = 0; i < f->hosts.len; i++) {
		const struct host *h = &f->hosts.items[i];

		if (host_has_failed(h))
			put("%s: %s: %s\n", h->name,
			    fleet_result_name(h->result), err_words(&h->err).s);
	}
}

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
	size_t steps = 0;

	for (size_t i = 0; i < f->hosts.len; i++) {
		const struct host *h = &f->hosts.items[i];

		if (!h->has_plan)
			continue;
		print_host_plan(h);
		steps += h->plan.steps.len;
	}
	print_errors(f);
	put("Plan: %zu step%s on %zu host%s, %zu unchanged", steps,
	    plural(steps), fleet_count(f, HOST_TO_CHANGE),
	    plural(fleet_count(f, HOST_TO_CHANGE)),
	    fleet_count(f, HOST_UNCHANGED));
	print_unfinished(f);
}

static void print_result(const struct host *h)
{
	size_t steps = h->plan.steps.len;

	put("%s: %s", h->name, fleet_result_name(h->result));
	if (h->result == HOST_CHANGED)
		put(" (%zu step%s)", steps, plural(steps));
	if (host_has_failed(h))
		put(": %s", err_words(&h->err).s);
	put("\n");
}

void print_results(const struct fleet *f)
{
	for (size_t i = 0; i < f->hosts.len; i++)
		print_result(&f->hosts.items[i]);
	put("Deploy: %zu changed, %zu unchanged", fleet_count(f, HOST_CHANGED),
	    fleet_count(f, HOST_UNCHANGED));
	print_unfinished(f);
}

static void json_steps(struct jout *j, const struct host *h)
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
	jout_strings(j, "notes", &h->plan.notes);
}

static void json_host(struct jout *j, const struct host *h)
{
	bool bad = host_has_failed(h);

	jout_open(j, NULL);
	jout_text(j, "node", h->name);
	jout_bool(j, "removed", h->removed);
	jout_text(j, "result", fleet_result_name(h->result));
	json_steps(j, h);
	if (bad) {
		jout_open(j, "error");
		jout_text(j, "code", err_code_name(h->err.code));
		jout_text(j, "message", err_words(&h->err).s);
		jout_end(j);
	}
	jout_end(j);
}

void print_json(const struct fleet *f)
{
	struct jout *j = jout_new();

	jout_list(j, "hosts");
	for (size_t i = 0; i < f->hosts.len; i++)
		json_host(j, &f->hosts.items[i]);
	jout_end(j);
	jout_open(j, "summary");
	for (int r = HOST_UNCHANGED; r <= HOST_FAILED; r++)
		jout_number(j, fleet_result_name((enum host_result)r),
			    (long)fleet_count(f, (enum host_result)r));
	jout_end(j);
	jout_print(j);
}
