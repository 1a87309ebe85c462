/*
 * `show NODE` for people: first what is said and what holds where nothing is,
 * then what deploys found, then what the host gets.
 */
#include "cmd/cmd.h"

#include "cmd/show.h"
#include "state/model/model.h"

#include <string.h>

static void put_items(const char *key, const struct strings *v)
{
	put("  %s: ", key);
	for (size_t i = 0; i < v->len; i++)
		put("%s%s", i ? ", " : "", v->items[i]);
	put(v->len ? "\n" : "none\n");
}

/* @key with its indentation. */
static void put_networks(const char *key, const struct cidrs *v)
{
	char text[ADDR_TEXT_MAX];

	if (v->len == 0)
		return;
	put("%s: ", key);
	for (size_t i = 0; i < v->len; i++)
		put("%s%s", i ? ", " : "", cidr_text(&v->items[i], text));
	put("\n");
}

/*
 * What is said; else what holds: a fact, what the mesh says for all, a
 * default.
 */
static void put_fields(const struct shown *s)
{
	const struct mesh *m = s->d.mesh;

	for (size_t i = 0; i < fields_node.len; i++) {
		const struct mesh_field *f = &fields_node.items[i];
		const struct mesh_field *all = f;
		AUTO(strings_done) struct strings said = { 0 };
		AUTO(auto_free) char *other = NULL;
		const char *fallback;

		show_said(s, f, &said);
		if (said.len) {
			put_items(f->key, &said);
			continue;
		}
		if (f->mesh_offset) {
			all = field_find(&fields_defaults, f->key);
			field_get(all, m, m, &said);
		}
		fallback = said.len ? said.items[0] :
			   all->type == FIELD_LIST ? NULL : all->fallback;
		if (f->otherwise)
			other = f->otherwise(m, s->d.node);
		if (other)
			put("  %s: %s\n", f->key, other);
		else
			put("  %s: %s%s\n", f->key,
			    fallback ? fallback : "none",
			    all != f && fallback ? " (the mesh's)" : "");
	}
}

/*
 * Each with its source: what a host says of itself is believed for itself
 * alone.
 */
static void put_facts(const struct node *n)
{
	const char *from = n->behind_nat ? "the user" : NULL;

	put("Found by deploys (" FACT_DIALLED ": what we saw; " FACT_SAID
	    ": what the host says of itself):\n");
	if (n->actual_hostname)
		put("  host name: %s (" FACT_SAID ")\n", n->actual_hostname);
	if (n->fqdn)
		put("  full name: %s (" FACT_SAID ")\n", n->fqdn);
	if (n->facts.dialled)
		put("  logged in at: %s (" FACT_DIALLED ")\n",
		    n->facts.dialled);
	if (n->facts.address)
		put("  reached at: %s (%s)\n", n->facts.address,
		    node_address_from(n));
	put_networks("  own addresses (" FACT_SAID ")", &n->facts.addresses);
	if (n->facts.nat_from)
		from = n->facts.nat_from;
	put("  behind NAT: %s%s%s%s\n", n->behind_nat ? "yes" : "no",
	    from ? " (" : "", from ? from : "", from ? ")" : "");
	put("  set up: %s\n", n->facts.deployed ? "yes" : "no");
}

/* 0 is WireGuard's own "off", which goes without saying. */
static void put_keepalive(int seconds)
{
	if (seconds)
		put("    keepalive: %d\n", seconds);
}

static void put_routes(const struct desired *d)
{
	char network[ADDR_TEXT_MAX], gateway[ADDR_TEXT_MAX];

	put("Routes:%s\n", d->routes.len ? "" : " none");
	for (size_t i = 0; i < d->routes.len; i++) {
		const struct desired_route *r = &d->routes.items[i];

		put("  %s%s%s\n", cidr_text(&r->network, network),
		    r->gateway.family ? " via " : "",
		    ip_text(&r->gateway, gateway));
	}
	for (size_t i = 0; i < d->connected.len; i++)
		put("  %s: not routed, it would cut the host off\n",
		    cidr_text(&d->connected.items[i], network));
	for (size_t i = 0; i < d->yielded.len; i++)
		put("  %s: left to an external peer\n",
		    cidr_text(&d->yielded.items[i], network));
}

static void put_externals(const struct externals *all)
{
	if (all->len)
		put("External peers, never touched:\n");
	for (size_t i = 0; i < all->len; i++) {
		const struct external *x = &all->items[i];

		put("  %s\n    public key: %s%s\n", x->name, x->public_key,
		    x->preshared_key.len ? ", with a preshared key" : "");
		put_networks("    allowed IPs", &x->allowed_ips);
		if (x->endpoint)
			put("    endpoint: %s\n", x->endpoint);
		put_keepalive(x->keepalive_s);
		put_networks("    routes", &x->routes);
	}
}

void show_text(const struct shown *s)
{
	const struct node *n = s->d.node;
	bool moves = n->private_key.len && node_key_on_host(s->d.mesh, n);

	put("%s%s\n", n->name, n->is_local ? " (local)" : "");
	put_fields(s);
	put("  public key: %s\n",
	    wgkey_is_set(n->public_key) ? n->public_key : "none yet");
	put("  private key: %s%s\n",
	    n->private_key.len ? "in the state"
	    : s->key_place     ? "on its host"
			       : "missing",
	    moves ? ", until the next deploy moves it to its host" : "");
	put_items("host keys", &s->pins);
	put_facts(n);
	put("Peers:%s\n", s->d.peers.len ? "" : " none");
	for (size_t i = 0; i < s->d.peers.len; i++) {
		const struct desired_peer *p = &s->d.peers.items[i];
		const struct strings *why = &s->reasons[i];

		put("  %s\n    why: ", p->name);
		for (size_t k = 0; k < why->len; k++)
			put("%s%s", k ? ", " : "", why->items[k]);
		put(why->len ? "\n"
			     : "no groups and no policies: a full mesh\n");
		put_networks("    allowed IPs", &p->allowed_ips);
		if (*p->endpoint)
			put("    endpoint: %s\n", p->endpoint);
		put_keepalive(p->keepalive_s);
	}
	put_routes(&s->d);
	put_externals(&n->externals);
}
