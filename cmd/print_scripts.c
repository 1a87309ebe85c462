/*
 * plan -script: what a deploy would send to each host, for whoever wants to read it
 * before. The probe is the one that was sent just now; the script has the nonce
 * of this run, and no secret.
 */
#include "cmd/engine.h"

/* A key is made on its host first, and then the script is planned. */
static void print_script(struct fleet *f, struct host *h)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	bool makes_key = fleet_key_script(f, h, &text);

	if (!makes_key && !h->plan.steps.len) {
		put("# %s: nothing more: there is nothing to change\n",
		    h->name);
		return;
	}
	if (!makes_key && fleet_script(f, h, true, &text, &h->err) < 0) {
		fleet_host_failed(f, h);
		return;
	}
	put("# %s: %s\n%s", h->name,
	    makes_key ? "the script that makes its key; what comes then is "
			"planned with that" : "the script", sbuf_str(&text));
}

void print_scripts(struct fleet *f)
{
	for (size_t i = 0; i < f->hosts.len; i++) {
		struct host *h = &f->hosts.items[i];

		if (h->probe.len)
			put("# %s: the probe\n%s\n", h->name,
			    sbuf_str(&h->probe));
		if (h->has_plan && h->result != HOST_FAILED)
			print_script(f, h);
		if (host_has_failed(h))
			put("# %s: %s: %s\n", h->name,
			    fleet_result_name(h->result),
			    err_words(&h->err).s);
	}
}
