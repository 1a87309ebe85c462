/*
 * Peers that are no nodes: what is wrong with them. They come from hosts, which
 * may say anything; in a state nothing is let pass here as it is of the Go
 * tool's. And who of the nodes has what is theirs.
 */
#include "state/model/check.h"

#include "base/auto.h"

#include <string.h>

static int check_external(const struct node *n, const struct external *x,
		     struct err *e)
{
	if (check_node_name(x->name, e) < 0)
		return err_wrap(e, "name");
	if (check_key(x->public_key, e) < 0)
		return err_wrap(e, "public_key");
	if (wgkey_equal(x->public_key, n->public_key))
		return err_set(e, ERR_INPUT, "public_key: it is the node's own");
	if (x->preshared_key.len &&
	    check_key(secret_text(&x->preshared_key), e) < 0)
		return err_set(e, ERR_INPUT, "preshared_key: expected 44 "
			       "characters of base64"); /* and not shown */
	if (x->endpoint && check_endpoint(x->endpoint, e) < 0)
		return err_wrap(e, "endpoint");
	return check_keepalive(x->keepalive_s, e) < 0
		       ? err_wrap(e, "keepalive")
		       : 0;
}

/*
 * No name twice: plans and boot files show peers by it. Sorted, for a host may
 * say that it has a thousand peers of one name.
 */
static int check_external_names(const struct externals *list, struct err *e)
{
	VEC(const char *) names = { 0 };
	int ret = 0;

	for (size_t i = 0; i < list->len; i++)
		vec_push(&names, list->items[i].name);
	vec_sort(&names, strings_compare);
	for (size_t i = 1; i < names.len && ret == 0; i++)
		if (strcmp(names.items[i - 1], names.items[i]) == 0)
			ret = err_set(e, ERR_INPUT, "the name '%s' is there "
				      "twice", names.items[i]);
	vec_done(&names);
	return ret;
}

int check_externals(const struct node *n, struct err *e)
{
	const struct externals *list = &n->externals;

	if (list->len > EXTERNALS_MAX)
		return err_set(e, ERR_INPUT, "external_peers: %zu found, "
			       "expected at most %d", list->len, EXTERNALS_MAX);
	for (size_t i = 0; i < list->len; i++) {
		const struct external *x = &list->items[i];

		if (check_external(n, x, e) < 0) {
			AUTO(auto_free) char *shown = check_shown(x->name);

			return err_wrap(e, "external_peers: '%s'", shown);
		}
		if (i && wgkey_equal(list->items[i - 1].public_key,
				     x->public_key))
			return err_set(e, ERR_INPUT, "external_peers: '%s' and "
				       "'%s' have the same public key",
				       list->items[i - 1].name, x->name);
	}
	return check_external_names(list, e) < 0
		       ? err_wrap(e, "external_peers")
		       : 0;
}

/* ---- what is theirs and a node's, too ---- */

/* A network that an external peer of @node has there. */
struct held {
	struct cidr net;
	const struct node *node;
	const struct external *x;
};

struct helds { VEC_OF(struct held); };

static int compare_held(const void *a, const void *b)
{
	const struct held *l = a, *r = b;
	int order = cidr_compare(&l->net, &r->net);

	return order ? order : node_compare(l->node, r->node);
}

/* The external peers of others that have exactly @net, which is @n's. */
static void check_held(struct findings *out, const struct helds *all,
		       const struct cidr *net, const struct node *n,
		       const char *key)
{
	char text[ADDR_TEXT_MAX];
	size_t low = 0, high = all->len;
	bool host = net->plen == ip_bits(&net->ip);

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (cidr_compare(&all->items[mid].net, net) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (host)
		ip_text(&net->ip, text);
	else
		cidr_text(net, text);
	for (; low < all->len && cidr_equal(&all->items[low].net, net); low++) {
		const struct held *h = &all->items[low];

		if (h->node == n ||
		    wgkey_equal(h->x->public_key, n->public_key))
			continue;
		finding_add(out, false, "external_has_it",
			    (struct finding_place){ PART_NODE, n->name, key,
						    host ? NULL : text },
			    "%s of node '%s' is that of the external peer '%s' "
			    "of '%s': '%s' will not reach it at '%s'", text,
			    n->name, h->x->name, h->node->name, h->node->name,
			    n->name);
	}
}

static void check_held_address(struct findings *out, const struct helds *all,
			       const struct ip *ip, const struct node *n)
{
	struct cidr net;

	if (!ip->family)
		return;
	net = cidr_host(ip);
	check_held(out, all, &net, n, "address");
}

void check_taken(struct findings *out, const struct mesh *m)
{
	struct helds all = { 0 };

	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];

		for (size_t k = 0; k < n->externals.len; k++) {
			const struct external *x = &n->externals.items[k];

			for (size_t a = 0; a < x->allowed_ips.len; a++)
				vec_push(&all, ((struct held){
						x->allowed_ips.items[a], n,
						x }));
		}
	}
	vec_sort(&all, compare_held);
	for (size_t i = 0; i < m->nodes.len && all.len; i++) {
		const struct node *n = &m->nodes.items[i];

		check_held_address(out, &all, &n->mesh_ip, n);
		check_held_address(out, &all, &n->mesh_ip6, n);
		for (size_t k = 0; k < n->routable_networks.len; k++)
			check_held(out, &all, &n->routable_networks.items[k],
				   n, "routes");
	}
	vec_done(&all);
}
