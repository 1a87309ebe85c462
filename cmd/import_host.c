/*
 * Import of hosts as they are: logged in on, read, taken into the state.
 * Nothing is written there.
 */
#include "cmd/import.h"

#include "cmd/change.h"
#include "cmd/engine.h"
#include "render/import.h"
#include "state/model/model.h"

#include <string.h>
#include <strings.h>

/* The hosts of one import. */
struct host_import {
	struct cmd_env *env;
	struct change_run change;
	struct fleet fleet;
	struct nodes places; /* how to log in; named as the user said, or "" */
	struct found *found; /* one for each host of the fleet */
	bool want_key;
};

static void import_done(struct host_import *i)
{
	for (size_t k = 0; i->found && k < i->fleet.hosts.len; k++)
		found_done(&i->found[k]);
	free(i->found);
	fleet_done(&i->fleet);
	for (size_t k = 0; k < i->places.len; k++)
		node_done(&i->places.items[k]);
	vec_done(&i->places);
	change_done(&i->change);
}

/* The host keys that are pinned for one of @nodes there. */
static void copy_pins(struct node *place, const struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->len && !place->ssh_host_keys.len; i++) {
		const struct node *n = &nodes->items[i];

		if (strcmp(n->ssh_host, place->ssh_host) != 0 ||
		    node_ssh_port(n) != node_ssh_port(place))
			continue;
		strings_copy(&place->ssh_host_keys, &n->ssh_host_keys);
	}
}

/* A host of the fleet for each argument. */
static int add_places(struct host_import *i, struct err *e)
{
	const struct strings *args = &i->env->args;

	for (size_t k = 0; k < args->len; k++) {
		struct node *n = vec_add(&i->places);

		node_init(n, "");
		if (import_place(n, args->items[k], e) < 0)
			return -1;
		if (n->is_local) {
			AUTO(auto_free) char *shown =
				check_shown(args->items[k]);

			return err_set(e, ERR_INPUT, "'%s': import logs in to "
				       "a host: expected its name or address; "
				       "'wgmesh set NODE ssh=" SPEC_LOCAL "' "
				       "afterwards makes it local", shown);
		}
		copy_pins(n, &i->fleet.mesh->nodes);
		copy_pins(n, &i->fleet.mesh->removed);
	}
	/* only now, since a list that grows moves what hosts point to */
	for (size_t k = 0; k < i->places.len; k++) {
		struct host *h = vec_add(&i->fleet.hosts);

		h->node = &i->places.items[k];
		h->name = mem_strdup(h->node->name);
	}
	i->found = mem_calloc(i->places.len, sizeof *i->found);
	return 0;
}

/*
 * A key that nothing vouches for is asked about, unless the user took all. One
 * by one, since questions of many at once could not be told apart.
 */
static int pin_imported_host(struct host_import *i, struct node *n,
			     struct err *e)
{
	AUTO(auto_remote_free) struct remote *r = NULL;
	struct remote_target target = { .host = n->ssh_host,
					.user = n->ssh_user,
					.port = node_ssh_port(n) };
	struct jump_asker asker = { .env = i->env };
	struct remote_conf conf = i->fleet.conf;
	const struct remote_facts *facts;

	conf.take_jump = ask_jump_key;
	conf.take_arg = &asker;
	if (remote_peek(&r, &target, &conf, e) < 0)
		return -1;
	facts = remote_facts(r);
	if (fleet_pin_jumps(i->fleet.mesh, facts, true, note, e) < 0)
		return -1;
	if (note_vouched(n->ssh_host, facts))
		return 0;
	if (ask_host_key(i->env, n->ssh_host, facts) != 1)
		return err_set(e, ERR_HOSTKEY, "the SSH host key %s of '%s' is "
			       "not known: check it and say "
			       "-accept-new-host-keys; nothing was imported",
			       facts->fingerprint, n->ssh_host);
	strings_add(&n->ssh_host_keys, facts->hostkey_line);
	note("the host key of '%s' is %s%s", n->ssh_host, facts->fingerprint,
	     facts->hostkey == REMOTE_KEY_KNOWN ? " (in known_hosts)" : "");
	return 0;
}

/* ---- reading ---- */

/* Fails with the first host that could not be read. */
static int all_read(const struct host_import *i, struct err *e)
{
	for (size_t k = 0; k < i->fleet.hosts.len; k++) {
		const struct host *h = &i->fleet.hosts.items[k];

		if (h->result == HOST_OPEN && h->has_observed)
			continue;
		*e = h->err;
		return err_wrap(e, "'%s'", h->node->ssh_host);
	}
	return 0;
}

/* The second script on the probe's channel: it reads secrets, and no more. */
static void read_host(struct fleet *f, struct host *h, void *arg)
{
	const struct host_import *i = arg;
	struct found *found = &i->found[h - f->hosts.items];
	AUTO(sbuf_done) struct sbuf answer = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf script = SBUF_INIT;

	if (!h->observed.is_wireguard)
		return;
	found_script(&script, f->mesh->interface_name, i->want_key,
		     i->env->options.hooks, f->nonce);
	if (fleet_run(f, h, &script, f->conf.timeout_ms, &answer,
		      &h->err) < 0 ||
	    found_parse(found, sbuf_str(&answer), answer.len, f->nonce,
			&h->err) < 0)
		fleet_host_failed(f, h);
}

static int read_hosts(struct host_import *i, struct err *e)
{
	for (size_t k = 0; k < i->places.len; k++)
		if (!i->places.items[k].ssh_host_keys.len &&
		    pin_imported_host(i, &i->places.items[k], e) < 0)
			return -1;
	if (fleet_probe(&i->fleet, e) < 0 || all_read(i, e) < 0)
		return -1;
	fleet_each(&i->fleet, "reading", HOST_OPEN, read_host, i);
	return all_read(i, e);
}

/* ---- the mesh ---- */

static int take_hosts(struct host_import *i, struct strings *notes,
		      struct strings *doubts, struct err *e)
{
	VEC(struct import_source) sources = { 0 };
	int ret;

	for (size_t k = 0; k < i->fleet.hosts.len; k++) {
		struct host *h = &i->fleet.hosts.items[k];

		vec_push(&sources, ((struct import_source){
			.name = *h->node->name ? h->node->name : NULL,
			.place = h->node,
			.observed = &h->observed,
			.found = &i->found[k],
			.dialled = remote_facts(h->remote)->dialled,
			.source = remote_facts(h->remote)->source,
			.here = env_host() }));
	}
	ret = import_hosts(i->fleet.mesh, sources.items, sources.len, notes,
			   doubts, e);
	vec_done(&sources);
	return ret;
}

static bool same_routes(const struct cidrs *a, const struct cidrs *b)
{
	bool same = a->len == b->len;

	for (size_t i = 0; same && i < a->len; i++)
		same = cidr_equal(&a->items[i], &b->items[i]);
	return same;
}

/* What mesh_diff() does not look at: another preshared key, other routes. */
static void show_unseen(struct changes *out, const struct node *before,
			const struct node *after)
{
	for (size_t k = 0; k < after->externals.len; k++) {
		const struct external *x = &after->externals.items[k];
		const struct external *was = node_external(before,
							   x->public_key);
		bool other_key, other_routes;

		if (!was)
			continue;
		other_key = !secret_equal(&was->preshared_key,
					  &x->preshared_key);
		other_routes = !same_routes(&was->routes, &x->routes);
		if (other_key || other_routes)
			vec_push(out, ((struct change){
				.sign = '~', .part = PART_NODE,
				.name = mem_strdup(after->name),
				.field = "external peers",
				.before = mem_strdup(x->name),
				.after = mem_printf("%s with %s", x->name,
						    other_key ?
						    "another preshared key" :
						    "other routes") }));
	}
}

/* Commands that were not asked for. */
static bool has_hooks(const struct found *f)
{
	bool has = false;

	for (size_t i = 0; i < f->dropped.len && !has; i++)
		has = strcasecmp(f->dropped.items[i], "PostUp") == 0 ||
		      strcasecmp(f->dropped.items[i], "PreDown") == 0;
	return has;
}

static int import_all(struct host_import *i, struct err *e)
{
	AUTO(strings_done) struct strings notes = { 0 };
	AUTO(strings_done) struct strings doubts = { 0 };
	const struct fleet_options options = engine_options(i->env);
	struct mesh *m;

	if (change_begin(&i->change, i->env, e) < 0)
		return -1;
	m = change_mesh(&i->change);
	if (!m->interface_name || !*m->interface_name)
		return err_set(e, ERR_INPUT, "the mesh has no interface name");
	i->want_key = import_wants_key(m);
	if (engine_ask(i->env, e) < 0 ||
	    fleet_begin(&i->fleet, &options, engine_voice(i->env), m, e) < 0 ||
	    add_places(i, e) < 0 || read_hosts(i, e) < 0 ||
	    take_hosts(i, &notes, &doubts, e) < 0)
		return -1;
	for (size_t k = 0; k < notes.len; k++)
		note("%s", notes.items[k]);
	for (size_t k = 0; k < i->fleet.hosts.len; k++)
		if (!i->env->options.hooks && has_hooks(&i->found[k])) {
			import_note_hooks();
			break;
		}
	for (size_t k = 0; k < m->nodes.len; k++) {
		const struct node *before = nodes_find(
			&i->change.before.nodes, m->nodes.items[k].name);

		if (before)
			show_unseen(&i->change.changes, before,
				    &m->nodes.items[k]);
	}
	if (import_agree(i->env, &doubts, e) < 0)
		return -1;
	return change_finish(&i->change, e);
}

int import_host(struct cmd_env *env)
{
	AUTO(import_done) struct host_import i = { .env = env };
	struct err e;

	if (import_all(&i, &e) == 0)
		return EXIT_DONE;
	note("%s", err_words(&e).s);
	switch (e.code) {
	case ERR_INPUT: return EXIT_USAGE;
	case ERR_UNREACHABLE:
	case ERR_AUTH:
	case ERR_HOSTKEY:
	case ERR_REMOTE: return EXIT_HOSTS;
	default: return EXIT_FAILED;
	}
}
