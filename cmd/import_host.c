/*
 * Import of hosts as they are: logged in on, read, taken into the state. Nothing is
 * written there.
 */
#include "cmd/import.h"

#include "cmd/change.h"
#include "cmd/engine.h"
#include "render/import.h"
#include "state/model/model.h"

#include <string.h>

DEFINE_AUTO(struct remote *, remote_free)

/* The hosts of one import. */
struct import {
	struct cmd_env *env;
	struct change_run change;
	struct fleet fleet;
	struct nodes places; /* how to log in; named as the user said, or "" */
	struct found *found; /* one for each host of the fleet */
	bool want_key;
};

static void import_done(struct import *i)
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

/* [NAME=][USER@]HOST[:PORT] */
static int parse_place(struct import *i, const char *text, struct err *e)
{
	const char *equals = strchr(text, '=');
	AUTO(auto_free) char *name =
		mem_strndup(text, equals ? (size_t)(equals - text) : 0);
	struct node *n = vec_add(&i->places);

	node_init(n, name);
	if (equals && check_node_name(name, e) < 0)
		return -1;
	if (spec_place(n, equals ? equals + 1 : text, e) < 0)
		return -1;
	if (n->is_local)
		return err_set(e, ERR_INPUT, "import logs in to a host: "
			       "expected its name or address; 'wgmesh set NODE "
			       "ssh=" SPEC_LOCAL "' afterwards makes it local");
	copy_pins(n, &i->fleet.mesh->nodes);
	copy_pins(n, &i->fleet.mesh->removed);
	return 0;
}

static int parse_places(struct import *i, struct err *e)
{
	for (size_t k = 0; k < i->env->args.len; k++) {
		const char *text = i->env->args.items[k];

		if (parse_place(i, text, e) < 0) {
			AUTO(auto_free) char *shown = check_shown(text);

			return err_wrap(e, "'%s'", shown);
		}
	}
	for (size_t k = 0; k < i->places.len; k++) {
		struct host *h = vec_add(&i->fleet.hosts);

		h->node = &i->places.items[k];
		h->name = mem_strdup(h->node->name);
	}
	i->found = mem_calloc(i->places.len, sizeof *i->found);
	return 0;
}

/* ---- host keys ---- */

/* A key that nothing vouches for is asked about, unless the user took all. */
static int agree_to_key(const struct import *i, const struct node *n,
			const struct remote_facts *facts, struct err *e)
{
	AUTO(auto_free) char *question = NULL;

	if (i->env->options.accept_new)
		return 0;
	question = mem_printf("The SSH host key of %s is %s.\nIs it the right "
			      "one?", n->ssh_host, facts->fingerprint);
	if (ask_yes(question) == 1)
		return 0;
	return err_set(e, ERR_HOSTKEY, "the SSH host key %s of '%s' is not "
		       "known: check it and say -accept-new-host-keys; nothing "
		       "was imported", facts->fingerprint, n->ssh_host);
}

static int pin_host_key(struct import *i, struct node *n, struct err *e)
{
	AUTO(auto_remote_free) struct remote *r = NULL;
	struct remote_target target = { .host = n->ssh_host,
					.user = n->ssh_user,
					.port = node_ssh_port(n) };
	const struct remote_facts *facts;

	if (remote_peek(&r, &target, &i->fleet.conf, e) < 0)
		return -1;
	facts = remote_facts(r);
	if (facts->hostkey == REMOTE_KEY_NEW &&
	    agree_to_key(i, n, facts, e) < 0)
		return -1;
	strings_add(&n->ssh_host_keys, facts->hostkey_line);
	note("the host key of '%s' is %s%s", n->ssh_host, facts->fingerprint,
	     facts->hostkey == REMOTE_KEY_KNOWN ? " (in known_hosts)" : "");
	return 0;
}

/* ---- reading ---- */

/* Fails with the first host that could not be read. */
static int all_read(const struct import *i, struct err *e)
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

static int read_more(const struct import *i, struct host *h, struct err *e)
{
	struct found *found = &i->found[h - i->fleet.hosts.items];
	AUTO(sbuf_done) struct sbuf answer = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf script = SBUF_INIT;

	found_script(&script, i->fleet.mesh->interface_name, i->want_key,
		     i->fleet.nonce);
	if (fleet_run(&i->fleet, h, &script, i->fleet.conf.timeout_ms, &answer,
		      e) < 0)
		return -1;
	return found_parse(found, sbuf_str(&answer), answer.len,
			   i->fleet.nonce, e);
}

static void read_one(struct fleet *f, struct host *h, void *arg)
{
	const struct import *i = arg;

	if (h->observed.is_wireguard && read_more(i, h, &h->err) < 0)
		fleet_host_failed(f, h);
}

static int read_hosts(struct import *i, struct err *e)
{
	for (size_t k = 0; k < i->places.len; k++)
		if (!i->places.items[k].ssh_host_keys.len &&
		    pin_host_key(i, &i->places.items[k], e) < 0)
			return -1;
	if (fleet_probe(&i->fleet, e) < 0 || all_read(i, e) < 0)
		return -1;
	fleet_each(&i->fleet, "reading", HOST_OPEN, read_one, i);
	return all_read(i, e);
}

/* ---- the mesh ---- */

static int take_in(struct import *i, struct strings *notes,
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

/* What mesh_diff() does not look at: the words for it, or NULL. */
static const char *unseen_change(const struct external *before,
				 const struct external *after)
{
	if (!secret_equal(&before->preshared_key, &after->preshared_key))
		return "another preshared key";
	return same_routes(&before->routes, &after->routes) ? NULL
							    : "other routes";
}

static void show_unseen(struct import *i, const struct node *before,
			const struct node *after)
{
	for (size_t k = 0; k < after->externals.len; k++) {
		const struct external *x = &after->externals.items[k];
		const struct external *was = node_external(before,
							   x->public_key);
		const char *words = was ? unseen_change(was, x) : NULL;

		if (words)
			vec_push(&i->change.changes, ((struct change){
				.sign = '~', .part = PART_NODE,
				.name = mem_strdup(after->name),
				.field = "external peers",
				.before = mem_strdup(x->name),
				.after = mem_printf("%s with %s", x->name,
						    words) }));
	}
}

static void show_all_unseen(struct import *i)
{
	const struct nodes *nodes = &change_mesh(&i->change)->nodes;

	for (size_t k = 0; k < nodes->len; k++) {
		const struct node *before = nodes_find(
			&i->change.before.nodes, nodes->items[k].name);

		if (before)
			show_unseen(i, before, &nodes->items[k]);
	}
}

static int run(struct import *i, struct err *e)
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
	if (fleet_begin(&i->fleet, &options, engine_voice(i->env), m, e) < 0 ||
	    parse_places(i, e) < 0 || read_hosts(i, e) < 0 ||
	    take_in(i, &notes, &doubts, e) < 0)
		return -1;
	for (size_t k = 0; k < notes.len; k++)
		note("%s", notes.items[k]);
	show_all_unseen(i);
	if (import_agree(i->env, &doubts, e) < 0)
		return -1;
	return change_finish(&i->change, e);
}

int import_host(struct cmd_env *env)
{
	AUTO(import_done) struct import i = { .env = env };
	struct err e;

	if (run(&i, &e) == 0)
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
