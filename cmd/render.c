/*
 * wgmesh render: wg-quick files, without a host. Both forms come from the same
 * desired state as a deploy, so what is printed is what a host would get.
 */
#include "cmd/cmd.h"

#include "base/atomic.h"
#include "ssh/fleet/fleet.h"
#include "cmd/jout.h"
#include "render/wgquick.h"

#include <string.h>
#include <sys/stat.h>

static void print_desired_json(const struct desired *d)
{
	struct jout *j = jout_new();
	char text[ADDR_TEXT_MAX];

	jout_text(j, "node", d->node->name);
	jout_open(j, "interface");
	jout_text(j, "name", d->mesh->interface_name);
	jout_cidrs(j, "addresses", &d->addresses);
	jout_number(j, "listen_port", d->listen_port);
	jout_end(j);
	jout_list(j, "peers");
	for (size_t i = 0; i < d->peers.len; i++) {
		const struct desired_peer *p = &d->peers.items[i];

		jout_open(j, NULL);
		jout_text(j, "name", p->name);
		jout_text(j, "public_key", p->public_key);
		jout_text(j, "endpoint", p->endpoint);
		jout_cidrs(j, "allowed_ips", &p->allowed_ips);
		jout_number(j, "persistent_keepalive", p->keepalive_s);
		jout_end(j);
	}
	jout_end(j);
	jout_list(j, "routes");
	for (size_t i = 0; i < d->routes.len; i++) {
		const struct desired_route *r = &d->routes.items[i];

		jout_open(j, NULL);
		jout_text(j, "network", cidr_text(&r->network, text));
		jout_text(j, "gateway", ip_text(&r->gateway, text));
		jout_end(j);
	}
	jout_end(j);
	jout_print(j);
}

/* Desired, with the proof that the file's first line carries. */
static int compute_signed(struct desired *d, const struct mesh *m,
			  const struct access *a, const struct node *n,
			  struct err *e)
{
	desired_compute(d, m, a, n);
	return proof_sign(d, e);
}

static int render_one(const struct cmd_env *env, const struct mesh *m,
		      const struct access *a, struct err *e)
{
	const char *name = env->args.items[0];
	const struct node *n = edit_node(m, name, e);
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	AUTO(desired_done) struct desired d = { 0 };

	if (!n || compute_signed(&d, m, a, n, e) < 0)
		return -1;
	if (env->options.json) {
		print_desired_json(&d);
		return 0;
	}
	wgquick_file(&text, &d, m->serial, env->options.secrets);
	setvbuf(stdout, NULL, _IONBF, 0); /* no copy of a key in a buffer */
	fwrite(sbuf_str(&text), 1, text.len, stdout);
	return 0;
}

/* Each file 0600 with its key; a folder that is there keeps its mode. */
static int render_all(const char *folder, const struct mesh *m,
		      const struct access *a, struct err *e)
{
	const struct atomic_how how = { 0 };

	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return err_sys(e, "cannot make folder '%s'", folder);
	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];
		AUTO(auto_free) char *path =
			mem_printf("%s/%s.conf", folder, n->name);
		AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
		AUTO(desired_done) struct desired d = { 0 };

		if (compute_signed(&d, m, a, n, e) < 0)
			return -1;
		wgquick_file(&text, &d, m->serial, true);
		if (atomic_write(path, text.s, text.len, &how, e) < 0)
			return -1;
	}
	put("wrote %zu file%s to %s\n", m->nodes.len,
	    m->nodes.len == 1 ? "" : "s", folder);
	return 0;
}

static int check_render_options(const struct cmd_env *env, struct err *e)
{
	const struct options *o = &env->options;

	if (o->all && (!o->output || env->args.len || o->json))
		return err_set(e, ERR_INPUT, "expected: wgmesh render -all "
			       "-output DIR");
	if (!o->all && (env->args.len != 1 || o->output))
		return err_set(e, ERR_INPUT, "expected: wgmesh render NODE, "
			       "or: wgmesh render -all -output DIR");
	return 0;
}

DEFINE_AUTO(struct access *, access_free)

int cmd_render(struct cmd_env *env)
{
	AUTO(auto_store_close) struct store *s = NULL;
	AUTO(auto_access_free) struct access *a = NULL;
	const struct mesh *m;
	struct err e;
	int ret;

	if (check_render_options(env, &e) < 0 ||
	    env_open(&s, env, false, &e) < 0)
		return fail(&e);
	m = store_mesh(s);
	if (refuse_invalid(m, &e) < 0)
		return fail(&e);
	a = access_new(m);
	ret = env->options.all ? render_all(env->options.output, m, a, &e)
			       : render_one(env, m, a, &e);
	return ret < 0 ? fail(&e) : EXIT_DONE;
}
