/*
 * The same for people.
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

/* What holds for a field that the node does not say. */
static void put_unsaid(const struct shown *s, const struct mesh_field *f)
{
	const struct mesh *m = s->d.mesh;
	AUTO(auto_free) char *other =
		f->otherwise ? f->otherwise(m, s->d.node) : NULL;
	AUTO(strings_done) struct strings said = { 0 };
	const struct mesh_field *all =
		f->mesh_offset ? field_find(&fields_defaults, f->key) : f;
	const char *fallback = all->type == FIELD_LIST ? NULL : all->fallback;

	if (all != f)
		field_get(all, m, m, &said);
	if (said.len)
		fallback = said.items[0];
	if (other)
		put("  %s: %s\n", f->key, other);
	else
		put("  %s: %s%s\n", f->key, fallback ? fallback : "none",
		    all != f && fallback ? " (the mesh's)" : "");
}

static void put_fields(const struct shown *s)
{
	for (size_t i = 0; i < fields_node.len; i++) {
		const struct mesh_field *f = &fields_node.items[i];
		struct strings said = { 0 };

		if (strcmp(f->key, "groups") == 0)
			strings_copy(&said, &s->groups);
		else
			field_get(f, s->d.mesh, s->d.node, &said);
		if (said.len)
			put_items(f->key, &said);
		else
			put_unsaid(s, f);
		strings_done(&said);
	}
}

const char *show_key_place(const struct shown *s)
{
	if (s->d.node->private_key.len)
		return "state";
	return node_key_on_host(s->d.mesh, s->d.node) ? "host" : NULL;
}

static void put_keys(const struct shown *s)
{
	const struct node *n = s->d.node;
	const char *place = show_key_place(s);
	bool moves = n->private_key.len && node_key_on_host(s->d.mesh, n);

	put("  public key: %s\n", *n->public_key ? n->public_key : "none yet");
	put("  private key: %s%s\n",
	    !place			 ? "missing"
	    : strcmp(place, "host") == 0 ? "on its host"
					 : "in the state",
	    moves ? ", until the next deploy moves it to its host" : "");
	put_items("host keys", &s->pins);
}

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

static void put_keepalive(int seconds)
{
	if (seconds)
		put("    keepalive: %d\n", seconds);
}

static void put_peer(const struct shown *s, size_t i)
{
	const struct desired_peer *p = &s->d.peers.items[i];
	const struct strings *why = &s->reasons[i];

	put("  %s\n    why: ", p->name);
	for (size_t k = 0; k < why->len; k++)
		put("%s%s", k ? ", " : "", why->items[k]);
	put(why->len ? "\n" : "no groups and no policies: a full mesh\n");
	put_networks("    allowed IPs", &p->allowed_ips);
	if (*p->endpoint)
		put("    endpoint: %s\n", p->endpoint);
	put_keepalive(p->keepalive_s);
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

	put("%s%s\n", n->name, n->is_local ? " (local)" : "");
	put_fields(s);
	put_keys(s);
	put_facts(n);
	put("Peers:%s\n", s->d.peers.len ? "" : " none");
	for (size_t i = 0; i < s->d.peers.len; i++)
		put_peer(s, i);
	put_routes(&s->d);
	put_externals(&n->externals);
}
