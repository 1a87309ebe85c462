/*
 * Addresses of an inventory's nodes: their own, what is behind them, and the
 * networks that hold them all. No file says the mesh's network: it is guessed
 * from the addresses, and the notes say where that was more than a guess.
 */
#include "state/inventory/internal.h"

#include "base/auto.h"

int inventory_address(struct inventory *in, struct node *n, const char *text,
		      struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(text);
	struct cidr c;
	struct ip *slot;

	if (!cidr_parse(&c, text))
		return err_set(e, ERR_INPUT, "'%s' found, expected an address "
			       "like 10.0.0.1/24", shown);
	slot = c.ip.family == 6 ? &n->mesh_ip6 : &n->mesh_ip;
	if (slot->family || ip_is_special(&c.ip)) {
		inventory_note(in, "address %s of '%s' is not carried over: a "
			       "node has one IPv4 and one IPv6 address in the "
			       "mesh", shown, n->name);
		return 0;
	}
	*slot = c.ip;
	vec_push(&in->spans, c);
	return 0;
}

void inventory_route(struct inventory *in, struct node *n, struct cidr c)
{
	char text[ADDR_TEXT_MAX];
	struct err ignored;

	cidr_mask(&c);
	if (c.plen == 0 && !n->exit) {
		inventory_note(in, "'%s' offers a default route: it becomes an "
			       "exit", n->name);
		n->exit = true;
	} else if (c.plen && check_routable(&c, &ignored) < 0) {
		inventory_note(in, "network %s of '%s' is left out: it is "
			       "reserved for other uses", cidr_text(&c, text),
			       n->name);
		return;
	}
	vec_push(&n->routable_networks, c);
}

void inventory_sort_routes(struct mesh *m)
{
	for (size_t i = 0; i < m->nodes.len; i++) {
		struct cidrs *v = &m->nodes.items[i].routable_networks;
		size_t kept = 0;

		cidrs_sort(v);
		for (size_t k = 0; k < v->len; k++)
			if (!kept || !cidr_equal(&v->items[kept - 1],
						 &v->items[k]))
				v->items[kept++] = v->items[k];
		v->len = kept;
	}
}

/* Is an address of a node one that no host can have in @c? */
static bool at_edge(const struct inventory *in, const struct cidr *c)
{
	struct ip last = cidr_last(c);

	for (size_t i = 0; i < in->spans.len; i++) {
		const struct ip *a = &in->spans.items[i].ip;

		if (ip_equal(a, &c->ip) || ip_equal(a, &last))
			return true;
	}
	return false;
}

/* The smallest network that can be a mesh's and holds the spans of a family. */
static int find_network(struct cidr *out, const struct inventory *in,
			int family, struct err *e)
{
	unsigned longest = family == 4 ? 30 : 126;
	struct cidr c = { 0 };

	for (size_t i = 0; i < in->spans.len; i++) {
		const struct cidr *span = &in->spans.items[i];

		if (span->ip.family != family)
			continue;
		if (!c.ip.family)
			c = *span;
		if (c.plen > span->plen)
			c.plen = span->plen;
		cidr_mask(&c);
		while (!cidr_contains(&c, &span->ip)) {
			c.plen--;
			cidr_mask(&c);
		}
	}
	if (c.ip.family && c.plen > longest)
		c.plen = family == 4 ? 24 : 64; /* room to grow */
	cidr_mask(&c);
	while (c.ip.family && c.plen && at_edge(in, &c)) {
		c.plen--;
		cidr_mask(&c);
	}
	if (c.ip.family && check_network(&c, family, e) < 0)
		return err_wrap(e, "%s: the network that holds all addresses",
				in->file->name);
	*out = c;
	return 0;
}

int inventory_networks(struct inventory *in, struct err *e)
{
	struct cidr *const networks[] = { &in->mesh->network,
					  &in->mesh->network6 };
	char text[ADDR_TEXT_MAX], whole[ADDR_TEXT_MAX];

	if (find_network(networks[0], in, 4, e) < 0 ||
	    find_network(networks[1], in, 6, e) < 0)
		return -1;
	/* a prefix length other than the network's was meant somehow */
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < in->spans.len; i++) {
			struct cidr c = in->spans.items[i];

			if (c.ip.family != networks[k]->ip.family ||
			    c.plen == networks[k]->plen ||
			    c.plen == ip_bits(&c.ip))
				continue;
			inventory_note(in, "the addresses are of several "
				       "networks (%s); %s holds them all",
				       cidr_text(&c, text),
				       cidr_text(networks[k], whole));
			break;
		}
	return 0;
}
