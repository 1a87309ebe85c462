/*
 * plan -script: what a deploy would send to each host, for whoever wants to
 * read it before. The probe is the one that was sent just now; the script has
 * the nonce of this run, and no secret. Apart from print_hosts.c: this makes
 * what it prints.
 */
#include "cmd/engine.h"

void print_scripts(struct fleet *f)
{
	for (size_t i = 0; i < f->hosts.len; i++) {
		struct host *h = &f->hosts.items[i];
		AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

		if (h->probe.len)
			put("# %s: the probe\n%s\n", h->name,
			    sbuf_str(&h->probe));
		if (!h->has_plan || h->result == HOST_FAILED)
			; /* why not is said below */
		else if (fleet_key_script(f, h, &text))
			put("# %s: the script that makes its key; what comes "
			    "then is planned with that\n%s", h->name,
			    sbuf_str(&text));
		else if (!h->plan.steps.len)
			put("# %s: nothing more: there is nothing to change\n",
			    h->name);
		else if (fleet_script(f, h, true, &text, &h->err) < 0)
			fleet_host_failed(f, h);
		else
			put("# %s: the script\n%s", h->name, sbuf_str(&text));
		if (host_has_failed(h))
			put("# %s: %s: %s\n", h->name,
			    fleet_result_name(h->result),
			    err_words(&h->err).s);
	}
}
