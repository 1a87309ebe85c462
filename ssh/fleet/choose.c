/*
 * A run begins and ends: which hosts, how many at a time, and who we are.
 * Nothing here talks to a host.
 */
#include "ssh/fleet/internal.h"

#include "base/random.h"

#include <string.h>
#include <sys/resource.h>

/** What a host may answer at most, unless the mesh is large: then so much for
 * each of its nodes and networks. */
#define ANSWER_MAX ((size_t)4 << 20)
#define ANSWER_EACH ((size_t)1 << 10)
/** Descriptors: of our own files, for a host that is worked on (a proxy, an
 * agent, files that are read), for a connection that waits. */
#define FILES_OWN 40
#define FILES_WORKING 8
#define FILES_HELD 3

/* Is @node said by its name, by that of a group, or by no name at all? */
static bool is_named(const struct mesh *m, const struct strings *names,
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

static void choose_nodes(struct fleet *f, const struct saved_plan *saved,
			 struct nodes *nodes, bool removed)
{
	for (size_t i = 0; i < nodes->len; i++) {
		struct node *n = &nodes->items[i];
		const struct saved_host *s =
			saved ? saved_plan_host(saved, n->name, removed) : NULL;
		struct host *h;

		if (saved ? !s || !saved_host_runs(s)
			  : !is_named(f->mesh, f->options.names, n->name))
			continue;
		h = vec_add(&f->hosts);
		h->name = mem_strdup(n->name);
		h->node = n;
		h->removed = removed;
		h->local = local_is_here(f->mesh, n);
	}
}

/*
 * One connection per host, and pipes: as many as this machine allows. Where
 * that is not enough, fewer hosts at a time, and a host that is to wait is hung
 * up and logged in on again.
 */
static void allow_descriptors(struct fleet *f)
{
	size_t wanted = f->options.parallel;
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

size_t fleet_answer_max(const struct fleet *f)
{
	size_t max = f->size * ANSWER_EACH;

	return max > ANSWER_MAX ? max : ANSWER_MAX;
}

int fleet_begin(struct fleet *f, const struct fleet_options *options,
		const struct fleet_voice *voice, struct mesh *m,
		struct err *e)
{
	memset(f, 0, sizeof *f);
	f->options = *options;
	f->voice = voice;
	f->mesh = m;
	f->conf.timeout_ms = options->timeout_ms;
	f->conf.jump_pins = &m->jump_host_keys;
	f->conf.accept_new = options->accept_new;
	/* nodes and networks: what a host may well have to tell of */
	f->size = m->nodes.len + m->removed.len;
	for (size_t i = 0; i < m->nodes.len; i++)
		f->size += m->nodes.items[i].routable_networks.len +
			   m->nodes.items[i].externals.len;
	f->conf.input_max = fleet_answer_max(f);
	allow_descriptors(f);
	/* what another deploy is told about us: one line of ASCII */
	snprintf(f->who, sizeof f->who, "%.64s@%.64s, pid %ld", options->user,
		 options->machine, (long)getpid());
	for (char *c = f->who; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return random_hex(f->nonce, sizeof f->nonce - 1, e);
}

int fleet_choose(struct fleet *f, const struct saved_plan *saved,
		 struct err *e)
{
	const struct mesh *m = f->mesh;

	for (size_t i = 0; !saved && i < f->options.names->len; i++) {
		const char *name = f->options.names->items[i];
		const char *near;

		if (nodes_find(&m->nodes, name) ||
		    nodes_find(&m->removed, name) || mesh_group(m, name))
			continue;
		near = nearest_name(m->nodes.items, m->nodes.len,
				    sizeof *m->nodes.items, name);
		if (!near)
			near = nearest_name(m->groups.items, m->groups.len,
					    sizeof *m->groups.items, name);
		if (near)
			return err_set(e, ERR_INPUT, "'%s' is neither a node "
				       "nor a group of this mesh; did you mean "
				       "'%s'?", name, near);
		err_set_(e, ERR_INPUT, "'%s' is neither a node nor a group of "
			 "this mesh", name);
		return err_advise(e, ADVICE_SEE_NODES, NULL);
	}
	choose_nodes(f, saved, &f->mesh->nodes, false);
	choose_nodes(f, saved, &f->mesh->removed, true);
	return 0;
}

void fleet_done(struct fleet *f)
{
	for (size_t i = 0; i < f->hosts.len; i++) {
		struct host *h = &f->hosts.items[i];

		free(h->name);
		remote_free(h->remote);
		if (h->has_plan)
			plan_done(&h->plan);
		if (h->has_desired)
			desired_done(&h->desired);
		if (h->has_observed)
			observed_done(&h->observed);
		script_result_done(&h->applied);
		sbuf_done(&h->probe);
	}
	vec_done(&f->hosts);
	remote_keys_free(f->keys);
	access_free(f->access);
	f->keys = NULL;
	f->access = NULL;
}
