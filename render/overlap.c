/*
 * Networks of the mesh that are in each other's way. Sorted by address and
 * length, networks are nested or apart, so that one sweep with a stack finds
 * all that lie over another; the number of pairs is that of the nodes squared.
 */
#include "render/overlap.h"

#include "base/auto.h"
#include "base/sbuf.h"

#include <string.h>

/** Nodes that one warning names. */
#define NAMED_MAX 3

enum thing_kind { THING_ROUTE, THING_SSH, THING_ENDPOINT, THING_CARD };

/* A network or an address that has to do with a node. */
struct thing {
	struct cidr net;
	enum thing_kind kind;
	const struct node *node;
	struct ip ip; /* a card: the node's address there */
};

struct things {
	struct thing *items;
	size_t len;
	size_t cap;
};

/* Nodes that a warning is about. */
struct roll {
	struct sbuf text;
	size_t len;
};

/* All things with one network, the route (if any) first, cards last. */
struct run {
	const struct thing *items;
	size_t len;
	struct roll hosts, cards; /* that its route lies over */
};

struct runs {
	struct run *items;
	size_t len;
	size_t cap;
};

/* ---- what there is ---- */

static void add_thing(struct things *v, enum thing_kind kind,
		      const struct node *n, const struct cidr *net)
{
	vec_push(v, ((struct thing){ *net, kind, n, net->ip }));
	cidr_mask(&v->items[v->len - 1].net);
}

/*
 * Its routes, its cards, and where it is reached: by SSH only when that is
 * another address. Default routes overlap everything, and a card with the
 * network of one address is connected to nobody.
 */
static void add_things(struct things *v, const struct mesh *m,
		       const struct node *n)
{
	AUTO(auto_free) char *endpoint = node_endpoint(m, n);
	AUTO(auto_free) char *host = NULL;
	struct ip at = { 0 }, ssh = { 0 };
	struct cidr net;
	struct err ignored;
	int port;

	for (size_t i = 0; i < n->routable_networks.len; i++)
		if (n->routable_networks.items[i].plen)
			add_thing(v, THING_ROUTE, n,
				  &n->routable_networks.items[i]);
	for (size_t i = 0; i < n->facts.addresses.len; i++) {
		const struct cidr *own = &n->facts.addresses.items[i];

		if (own->plen && own->plen < ip_bits(&own->ip))
			add_thing(v, THING_CARD, n, own);
	}
	if (*endpoint &&
	    endpoint_parse(endpoint, &host, &port, &ignored) == 0 &&
	    ip_parse(&at, host)) {
		net = cidr_host(&at);
		add_thing(v, THING_ENDPOINT, n, &net);
	}
	if (!n->is_local && n->ssh_host && ip_parse(&ssh, n->ssh_host) &&
	    !ip_equal(&ssh, &at)) {
		net = cidr_host(&ssh);
		add_thing(v, THING_SSH, n, &net);
	}
}

static int compare_overlap_things(const void *a, const void *b)
{
	const struct thing *x = a;
	const struct thing *y = b;
	int order = cidr_compare(&x->net, &y->net);

	if (!order)
		order = (int)x->kind - (int)y->kind;
	return order ? order : node_compare(x->node, y->node);
}

/* ---- what lies over what ---- */

static void enlist(struct roll *r, const struct thing *t)
{
	static const char *const what[] = { "", "SSH ", "endpoint ", "" };
	char text[ADDR_TEXT_MAX];
	struct cidr c = { t->ip, t->net.plen };

	if (r->len == NAMED_MAX)
		sbuf_puts(&r->text, " and others");
	if (r->len++ >= NAMED_MAX)
		return;
	sbuf_printf(&r->text, "%s'%s' (%s%s)", r->len > 1 ? ", " : "",
		    t->node->name, what[t->kind],
		    t->kind == THING_CARD ? cidr_text(&c, text)
					  : ip_text(&t->ip, text));
}

/* The route among the things with one network, or NULL: it sorts first. */
static const struct thing *route_of(const struct run *r)
{
	return r->items->kind == THING_ROUTE ? r->items : NULL;
}

/* The things of @inner lie in the network of the route of @outer. */
static void cover(struct run *outer, const struct run *inner)
{
	const struct thing *route = route_of(outer);

	for (size_t i = 0; route && i < inner->len; i++) {
		const struct thing *t = &inner->items[i];

		if (t->kind == THING_CARD && t->node != route->node)
			enlist(&outer->cards, t);
		if (t->kind == THING_ENDPOINT ||
		    (t->kind == THING_SSH && t->node != route->node))
			enlist(&outer->hosts, t);
	}
}

/* The route of @inner lies in a network that nodes have a card in. */
static void cut_into(struct run *inner, const struct run *outer)
{
	const struct thing *route = route_of(inner);

	for (size_t i = 0; route && i < outer->len; i++) {
		const struct thing *t = &outer->items[i];

		if (inner->cards.len > NAMED_MAX)
			return;
		if (t->kind == THING_CARD && t->node != route->node)
			enlist(&inner->cards, t);
	}
}

/*
 * Finds what lies over what; tells of routes inside of others' at once. The
 * runs around the present one are a stack of numbers, the widest first.
 */
static void sweep_runs(struct findings *out, struct runs *all)
{
	char narrow[ADDR_TEXT_MAX], wide[ADDR_TEXT_MAX];
	VEC(size_t) around = { 0 };

	for (size_t i = 0; i < all->len; i++) {
		struct run *r = &all->items[i];
		const struct thing *route = route_of(r);
		const struct thing *wider = NULL; /* another node's route */

		while (around.len) {
			const struct cidr *last = &all->items[
				around.items[around.len - 1]].items->net;

			if (last->plen <= r->items->net.plen &&
			    cidr_contains(last, &r->items->net.ip))
				break;
			around.len--;
		}
		for (size_t k = 0; k < around.len; k++) {
			struct run *outer = &all->items[around.items[k]];
			const struct thing *t = route_of(outer);

			if (route && t && t->node != route->node)
				wider = t; /* the last is the narrowest */
			cover(outer, r);
			cut_into(r, outer);
		}
		if (wider)
			finding_add(out, false, "overlapping_routes",
				    (struct finding_place){
					    PART_NODE, route->node->name,
					    "routes",
					    cidr_text(&route->net, narrow) },
				    "node '%s': route %s lies inside of route "
				    "%s of node '%s'; the narrower one wins",
				    route->node->name, narrow,
				    cidr_text(&wider->net, wide),
				    wider->node->name);
		cover(r, r);
		vec_push(&around, i);
	}
	vec_done(&around);
}

void overlap_check(struct findings *out, const struct mesh *m)
{
	struct things things = { 0 };
	struct runs runs = { 0 };

	for (size_t i = 0; i < m->nodes.len; i++)
		add_things(&things, m, &m->nodes.items[i]);
	vec_sort(&things, compare_overlap_things);
	for (size_t i = 0; i < things.len; i++) {
		const struct thing *t = &things.items[i];

		if (!i || !cidr_equal(&t[-1].net, &t->net))
			vec_add(&runs)->items = t;
		runs.items[runs.len - 1].len++;
	}
	sweep_runs(out, &runs);
	for (size_t i = 0; i < runs.len; i++) {
		struct run *r = &runs.items[i];
		char text[ADDR_TEXT_MAX];
		struct finding_place at = { PART_NODE, r->items->node->name,
					    "routes",
					    cidr_text(&r->items->net, text) };

		/* only where there is a route are hosts or cards enlisted */
		if (r->hosts.len)
			finding_add(out, false, "route_over_host", at,
				    "node '%s': route %s covers addresses at "
				    "which nodes are reached outside of the "
				    "mesh: %s", at.name, text,
				    sbuf_str(&r->hosts.text));
		if (r->cards.len)
			finding_add(out, false, "route_over_card", at,
				    "node '%s': route %s lies over a network "
				    "that other nodes have a card in: %s",
				    at.name, text, sbuf_str(&r->cards.text));
		sbuf_done(&r->hosts.text);
		sbuf_done(&r->cards.text);
	}
	vec_done(&things);
	vec_done(&runs);
}
