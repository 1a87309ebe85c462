/*
 * The peers of an imported host: nodes that we know, or external peers. Apart
 * from import.c because a host speaks of others here, which needs more doubt.
 */
#include "render/import_peers.h"

#include "base/auto.h"
#include "state/model/model.h"

#include <string.h>

/*
 * Is an external peer of @list called so? Gone ones (not on @o) do not count.
 */
static bool has_live_name(const struct externals *list, const char *name,
		     const struct observed *o)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct external *x = &list->items[i];

		if (x->name && strcmp(x->name, name) == 0 &&
		    observed_peer_by_key(o, x->public_key))
			return true;
	}
	return false;
}

/*
 * What the boot file calls it, if nobody else is called so; else "peer-" and
 * what can stand in a name of the key's beginning. @list: those who are named
 * already; @n: those who keep their names.
 */
static char *choose_peer_name(const struct links *l,
			      const struct externals *list,
			      const struct node *n,
			      const struct import_source *s, const char *key)
{
	const struct found_peer *f = found_peer(s->found, key);
	char name[16] = "peer-";
	size_t len = strlen(name);
	struct err ignored;

	if (f && f->name && check_node_name(f->name, &ignored) == 0 &&
	    !nodes_find(&l->mesh->nodes, f->name) &&
	    !has_live_name(list, f->name, s->observed) &&
	    !has_live_name(&n->externals, f->name, s->observed))
		return mem_strdup(f->name);
	for (; *key && len < 13; key++)
		if (*key != '+' && *key != '/' && *key != '=')
			name[len++] = *key;
	return mem_strdup(name);
}

/* An allowed IP, and which external peer has it; NULL: a node. */
struct target {
	struct cidr net;
	struct external *external;
};

struct targets {
	struct target *items;
	size_t len;
	size_t cap;
};

static int compare_targets(const void *a, const void *b)
{
	return cidr_compare(&((const struct target *)a)->net,
			    &((const struct target *)b)->net);
}

/*
 * Routes that nobody tagged and that lead to an external peer are its own: by
 * the longest allowed IP, as WireGuard chooses the peer for a packet.
 */
static void take_routes(struct externals *list, const struct observed *o)
{
	struct targets all = { 0 };

	for (size_t i = 0; i < o->peers.len; i++) {
		const struct observed_peer *p = &o->peers.items[i];
		struct external wanted = { .public_key = p->public_key };
		struct external *x =
			list->len ? bsearch(&wanted, list->items, list->len,
					    sizeof wanted, external_compare)
				  : NULL;

		for (size_t k = 0; k < p->allowed_ips.len; k++)
			vec_push(&all, ((struct target){
						p->allowed_ips.items[k], x }));
	}
	vec_sort(&all, compare_targets);
	for (size_t i = 0; i < o->routes.len && all.len; i++) {
		const struct observed_route *r = &o->routes.items[i];
		struct target wanted = { .net = r->network };
		const struct target *t = NULL;

		if (r->kernel || r->tagged)
			continue;
		for (unsigned bits = r->network.plen + 1; bits-- > 0 && !t;) {
			wanted.net.plen = bits;
			cidr_mask(&wanted.net);
			t = bsearch(&wanted, all.items, all.len, sizeof wanted,
				    compare_targets);
		}
		if (t && t->external)
			vec_push(&t->external->routes, r->network);
	}
	vec_done(&all);
}

/*
 * Where it is by the boot file, which tells an endpoint that was set from one
 * that was learnt; by the interface if the file does not know the peer.
 */
static const char *found_endpoint(const struct observed *o,
				  const struct observed_peer *p)
{
	struct err ignored;

	for (size_t i = 0; i < o->boot_peers.len; i++) {
		const struct observed_boot_peer *b = &o->boot_peers.items[i];

		if (strcmp(b->public_key, p->public_key) != 0)
			continue;
		if (!b->endpoint || check_endpoint(b->endpoint, &ignored) == 0)
			return b->endpoint;
	}
	return check_endpoint(p->endpoint, &ignored) == 0 ? p->endpoint : NULL;
}

/*
 * One that the state had keeps its name and what we do not know. What could get
 * all of the host's traffic the user has to agree to, once each.
 */
static void add_external(const struct links *l, struct externals *list,
			 const struct node *n, const struct import_source *s,
			 const struct observed_peer *p, struct strings *doubts)
{
	const struct found_peer *f = found_peer(s->found, p->public_key);
	struct external *before = node_external(n, p->public_key);
	struct external x = { .keepalive_s = p->keepalive_s };
	bool is_default = false;
	char text[ADDR_TEXT_MAX];

	x.name = before ? STEAL(before->name)
			: choose_peer_name(l, list, n, s, p->public_key);
	x.public_key = mem_strdup(p->public_key);
	if (f)
		secret_copy(&x.preshared_key, &f->preshared_key);
	x.endpoint = mem_strdup(found_endpoint(s->observed, p));
	for (size_t i = 0; i < p->allowed_ips.len; i++) {
		const struct cidr *c = &p->allowed_ips.items[i];

		vec_push(&x.allowed_ips, *c);
		is_default |= c->plen == 0;
		if (cidr_is_wide(c) &&
		    (!before || cidrs_find(&before->allowed_ips, c) < 0))
			strings_printf(doubts, "%s of '%s' goes to its "
				       "external peer '%s'", cidr_text(c, text),
				       n->name, x.name);
	}
	if (before) {
		x.extras = before->extras;
		memset(&before->extras, 0, sizeof before->extras);
	} else if (is_default) { /* by rules that wg-quick makes */
		strings_printf(l->notes, "external peer '%s' of '%s' has a "
			       "default route; wg-quick's rules for it are not "
			       "carried over, they end when the interface goes "
			       "down", x.name, n->name);
	}
	vec_push(list, x);
}

int import_peers(struct links *l, struct node *n,
		 const struct import_source *s, bool fresh,
		 struct strings *doubts, struct err *e)
{
	const struct observed *o = s->observed;
	struct externals list = { 0 };

	for (size_t i = 0; i < o->peers.len; i++) {
		const struct observed_peer *p = &o->peers.items[i];
		struct node *peer = links_node(l, p->public_key);

		if (peer && fresh)
			links_networks(l, peer, n->name, &p->allowed_ips);
		if (peer && fresh && p->has_psk)
			strings_printf(l->notes, "the preshared key of '%s' "
				       "and '%s' goes at the next deploy: "
				       "nodes have none", n->name, peer->name);
		if (peer)
			continue;
		if (list.len == EXTERNALS_MAX) {
			externals_done(&list);
			return err_set(e, ERR_INPUT, "more than %d of its "
				       "peers are no nodes", EXTERNALS_MAX);
		}
		add_external(l, &list, n, s, p, doubts);
	}
	take_routes(&list, o);
	externals_done(&n->externals);
	n->externals = list;
	return 0;
}
