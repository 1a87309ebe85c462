/*
 * Peers of an imported host that are the mesh's own nodes, joined by their
 * keys. A host's word takes nothing from another: what it says is behind a
 * third node is kept as hearsay until somebody agrees, and no owner loses a
 * network by it.
 */
#include "state/model/link.h"

#include "base/auto.h"
#include "base/sbuf.h"
#include "state/model/check.h"

#include <stdarg.h>
#include <string.h>

__attribute__((format(printf, 2, 3)))
static void add_note(struct links *l, const char *fmt, ...)
{
	struct sbuf text = SBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	sbuf_vprintf(&text, fmt, ap);
	va_end(ap);
	strings_add(l->notes, sbuf_str(&text));
	sbuf_done(&text);
}

static int compare_node_keys(const void *a, const void *b)
{
	return wgkey_compare((*(struct node *const *)a)->public_key,
			     (*(struct node *const *)b)->public_key);
}

/*
 * Both lists are sorted, for hundreds of hosts may have hundreds of peers each.
 */
void links_open(struct links *l, struct mesh *m, struct strings *notes)
{
	*l = (struct links){ .mesh = m, .notes = notes };
	for (size_t i = 0; i < m->nodes.len; i++) {
		struct node *n = &m->nodes.items[i];

		if (wgkey_is_set(n->public_key))
			vec_push(&l->nodes, n);
		for (size_t k = 0; k < n->routable_networks.len; k++)
			vec_push(&l->owned, n->routable_networks.items[k]);
	}
	vec_sort(&l->nodes, compare_node_keys);
	cidrs_sort(&l->owned);
}

void links_done(struct links *l)
{
	vec_done(&l->hearsay);
	vec_done(&l->nodes);
	vec_done(&l->owned);
}

/* As compare_node_keys(), for a key alone. */
static int compare_to_node(const void *key, const void *item)
{
	return wgkey_compare(key, (*(struct node *const *)item)->public_key);
}

struct node *links_node(const struct links *l, const char *public_key)
{
	struct node **found = NULL;

	if (l->nodes.len)
		found = bsearch(public_key, l->nodes.items, l->nodes.len,
				sizeof *found, compare_to_node);
	return found ? *found : NULL;
}

static int compare_networks(const void *item, const void *c)
{
	return cidr_compare(item, c);
}

/* Why it can be no network of a node, or NULL. */
static const char *why_not(const struct links *l, const struct cidr *c,
			   size_t at)
{
	const struct mesh *m = l->mesh;
	const struct cidr *own = c->ip.family == 6 ? &m->network6
						   : &m->network;
	struct err ignored;

	if (cidr_is_wide(c))
		return c->plen ? "most of a default route is not taken"
			       : "a default route is not taken";
	if (own->ip.family && cidr_overlaps(own, c))
		return "it overlaps the mesh network";
	if (at < l->owned.len && cidr_equal(&l->owned.items[at], c))
		return "another node has it";
	return check_routable(c, &ignored) < 0 ? "it cannot be routed" : NULL;
}

static void take_network(struct links *l, struct node *n, const char *seen_on,
			 const struct cidr *c)
{
	size_t at = vec_place(&l->owned, c, compare_networks);
	const char *why = why_not(l, c, at);
	char text[ADDR_TEXT_MAX];

	cidr_text(c, text);
	if (why) {
		add_note(l, "'%s' sends %s to '%s': %s, so the next deploy "
			 "takes that away", seen_on, text, n->name, why);
		return;
	}
	vec_push(&n->routable_networks, *c);
	vec_push(&l->hearsay, ((struct link_hearsay){ n, seen_on, *c }));
	*vec_insert(&l->owned, at) = *c;
	add_note(l, "%s is behind '%s', as '%s' has it", text, n->name,
		 seen_on);
}

/* Another host says the same: it is hearsay no more. */
static void confirm_network(struct links *l, const struct node *n,
			    const char *seen_on, const struct cidr *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->hearsay.len; i++) {
		const struct link_hearsay h = l->hearsay.items[i];

		if (h.node != n || !cidr_equal(&h.network, c) ||
		    strcmp(h.seen_on, seen_on) == 0)
			l->hearsay.items[kept++] = h;
	}
	l->hearsay.len = kept;
}

void links_doubts(const struct links *l, struct strings *out)
{
	for (size_t i = 0; i < l->hearsay.len; i++) {
		const struct link_hearsay *h = &l->hearsay.items[i];
		AUTO(auto_free) char *doubt = NULL;
		bool own = false;
		char text[ADDR_TEXT_MAX];

		for (size_t k = 0; k < h->node->facts.addresses.len; k++) {
			struct cidr card = h->node->facts.addresses.items[k];

			cidr_mask(&card);
			own |= cidr_equal(&card, &h->network);
		}
		if (own)
			continue;
		doubt = mem_printf("%s is behind '%s', as only '%s' says",
				   cidr_text(&h->network, text),
				   h->node->name, h->seen_on);
		strings_add(out, doubt);
	}
}

void links_networks(struct links *l, struct node *n, const char *seen_on,
		    const struct cidrs *allowed_ips)
{
	for (size_t i = 0; i < allowed_ips->len; i++) {
		const struct cidr *c = &allowed_ips->items[i];

		if (c->plen == ip_bits(&c->ip) &&
		    (ip_equal(&c->ip, &n->mesh_ip) ||
		     ip_equal(&c->ip, &n->mesh_ip6)))
			continue; /* its own address */
		if (cidrs_find(&n->routable_networks, c) >= 0)
			confirm_network(l, n, seen_on, c);
		else
			take_network(l, n, seen_on, c);
	}
}

void links_externals(struct links *l)
{
	struct mesh *m = l->mesh;

	for (size_t i = 0; i < m->nodes.len; i++) {
		struct node *n = &m->nodes.items[i];
		struct externals *list = &n->externals;
		size_t kept = 0;

		for (size_t k = 0; k < list->len; k++) {
			struct external x = list->items[k];
			struct node *peer = links_node(l, x.public_key);

			if (!peer) {
				list->items[kept++] = x;
				continue;
			}
			links_networks(l, peer, n->name, &x.allowed_ips);
			add_note(l, "external peer '%s' of '%s' is the node "
				 "'%s' from now on%s", x.name, n->name,
				 peer->name, x.preshared_key.len
				 ? "; their preshared key is not kept" : "");
			external_done(&x);
		}
		list->len = kept;
	}
}
