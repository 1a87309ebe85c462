/*
 * Plans in files: what a plan was made from, and the options that it was made
 * with. Such a file is no script: a deploy of it plans anew, and compares.
 */
#include "ssh/fleet/internal.h"

#include <string.h>

int saved_begin(struct saved_plan *out, const struct store *s,
		const struct fleet_options *options, struct err *e)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	char digest[DIGEST_HEX + 1];

	if (store_original(&m, s, e) < 0)
		return -1;
	out->mesh_id = mem_strdup(m.mesh_id ? m.mesh_id : "");
	out->serial = m.serial;
	saved_plan_state(&m, digest);
	out->state = mem_strdup(digest);
	out->adopt = options->adopt;
	out->install = !options->no_install;
	out->force_serial = options->force_serial;
	return 0;
}

void saved_add(struct saved_plan *out, const struct fleet *f)
{
	for (size_t i = 0; i < f->hosts.len; i++) {
		const struct host *h = &f->hosts.items[i];
		struct saved_host *to = vec_add(&out->hosts);

		to->node = mem_strdup(h->name);
		to->removed = h->removed;
		to->result = mem_strdup(fleet_result_name(h->result));
		to->observed = mem_strdup(h->observed_digest);
		to->desired = mem_strdup(h->desired_digest);
		for (size_t k = 0; h->has_plan && k < h->plan.steps.len; k++) {
			const struct step *s = &h->plan.steps.items[k];
			struct saved_step *step = vec_add(&to->steps);
			AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

			step_text(&text, &h->plan, s);
			step->word = mem_strdup(step_name(s->kind));
			step->text = mem_strdup(sbuf_str(&text));
		}
	}
}

int saved_text(struct sbuf *out, struct saved_plan *p, const struct fleet *f,
	       struct err *e)
{
	/* nobody can say yet what the others of such a host will get */
	for (size_t i = 0; i < f->hosts.len; i++) {
		const struct host *h = &f->hosts.items[i];

		if (h->has_plan && !h->removed &&
		    node_key_on_host(f->mesh, h->node) &&
		    !h->node->private_key.len && !h->observed.host_key) {
			err_set(e, ERR_INPUT, "no plan was saved: the private "
				"key of '%s' is yet to be made on its host",
				h->name);
			return err_advise(e, ADVICE_KEY_NOT_MADE, h->name);
		}
	}
	return saved_plan_write(out, p, e);
}

int saved_parse(struct saved_plan *out, const struct sbuf *text,
		struct fleet_options *options, const struct saved_plan *now,
		struct err *e)
{
	AUTO(saved_plan_done) struct saved_plan p = { 0 };

	if (saved_plan_parse(&p, sbuf_str(text), text->len, e) < 0 ||
	    saved_plan_check_state(&p, now, e) < 0)
		return -1;
	options->adopt = p.adopt;
	options->no_install = !p.install;
	options->force_serial = p.force_serial;
	*out = p;
	memset(&p, 0, sizeof p);
	return 0;
}
