#include "cmd/saved.h"

#include "base/atomic.h"
#include "cmd/input.h"

#include <string.h>
#include <sys/stat.h>

bool saved_is_named(const struct cmd_env *env, const struct mesh *m)
{
	const char *name = env->args.len == 1 ? env->args.items[0] : NULL;
	struct stat st;

	return name && !nodes_find(&m->nodes, name) &&
	       !nodes_find(&m->removed, name) && !mesh_group(m, name) &&
	       stat(name, &st) == 0 && S_ISREG(st.st_mode);
}

int saved_begin(struct saved_plan *out, const struct store *s,
		const struct cmd_env *env, struct err *e)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	char digest[DIGEST_HEX + 1];

	if (store_original(&m, s, e) < 0)
		return -1;
	out->mesh_id = mem_strdup(m.mesh_id ? m.mesh_id : "");
	out->serial = m.serial;
	saved_plan_state(&m, digest);
	out->state = mem_strdup(digest);
	out->adopt = env->options.adopt;
	out->install = !env->options.no_install;
	out->force_serial = env->options.force_serial;
	return 0;
}

void saved_add(struct saved_plan *out, const struct fleet *f)
{
	for (size_t i = 0; i < f->hosts.len; i++) {
		const struct host *h = &f->hosts.items[i];
		struct saved_host *to = vec_add(&out->hosts);

		to->node = mem_strdup(h->node->name);
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

static int check_keys(const struct fleet *f, struct err *e)
{
	for (size_t i = 0; i < f->hosts.len; i++) {
		const struct host *h = &f->hosts.items[i];

		if (h->has_plan && !h->removed &&
		    node_key_on_host(f->mesh, h->node) &&
		    !h->node->private_key.len && !h->observed.host_key)
			return err_set(e, ERR_INPUT, "no plan was saved: the "
				       "private key of '%s' is yet to be made "
				       "on its host; 'wgmesh deploy %s' does "
				       "it", h->node->name, h->node->name);
	}
	return 0;
}

int saved_write(struct saved_plan *p, const struct fleet *f, const char *path,
		struct err *e)
{
	const struct atomic_how how = { 0 };
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

	if (check_keys(f, e) < 0 || saved_plan_write(&text, p, e) < 0 ||
	    atomic_write(path, sbuf_str(&text), text.len, &how, e) < 0)
		return err_wrap(e, "-out %s", path);
	return 0;
}

/* A plan decides what deploy would else be told. */
static int take_options(struct cmd_env *env, const struct saved_plan *p,
			struct err *e)
{
	struct options *o = &env->options;

	if (o->adopt || o->no_install || o->force_serial)
		return err_set(e, ERR_INPUT, "-adopt, -no-install and "
			       "-force-serial belong to 'plan', which saved "
			       "what it was told");
	o->adopt = p->adopt;
	o->no_install = !p->install;
	o->force_serial = p->force_serial;
	return 0;
}

int saved_read(struct saved_plan *out, struct cmd_env *env,
	       const struct saved_plan *now, struct err *e)
{
	const char *path = env->args.items[0];
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(saved_plan_done) struct saved_plan p = { 0 };

	if (input_read(&text, path, SAVED_PLAN_SIZE_MAX, e) < 0)
		return -1;
	if (saved_plan_parse(&p, sbuf_str(&text), text.len, e) < 0 ||
	    saved_plan_check_state(&p, now, e) < 0)
		return err_wrap(e, "plan '%s'", path);
	if (take_options(env, &p, e) < 0)
		return -1;
	*out = p;
	memset(&p, 0, sizeof p);
	return 0;
}

void saved_note_absent(const struct saved_plan *p)
{
	for (size_t i = 0; i < p->hosts.len; i++)
		if (!saved_host_runs(&p->hosts.items[i]))
			note("'%s' was %s when the plan was made and stays out",
			     p->hosts.items[i].node,
			     p->hosts.items[i].result);
}
