/*
 * What a host should have, from the state alone.
 */
#include "render/desired.h"

#include "base/auto.h"

#include <string.h>

/* The node's own mesh addresses, each with the length of its network. */
static void add_own_addresses(struct desired *d)
{
	const struct node *n = d->node;

	if (n->mesh_ip.family)
		vec_push(&d->addresses,
			 ((struct cidr){ n->mesh_ip, d->mesh->network.plen }));
	if (n->mesh_ip6.family)
		vec_push(&d->addresses,
			 ((struct cidr){ n->mesh_ip6,
					 d->mesh->network6.plen }));
}

/* Where the node itself is; family 0: not known. */
static struct ip address_of(const struct node *n)
{
	struct ip ip = { 0 };

	if (n->facts.address)
		ip_parse(&ip, n->facts.address);
	return ip;
}

/* Is @peer's address in a network that @n is connected to? */
static bool shares_network(const struct node *n, const struct node *peer)
{
	const struct ip ip = address_of(peer);

	if (!ip.family)
		return false;
	for (size_t i = 0; i < n->facts.addresses.len; i++)
		if (cidr_contains(&n->facts.addresses.items[i], &ip))
			return true;
	return false;
}

/* Is @a in a private network that @b, on the Internet, is not connected to? */
static bool is_inside(const struct node *a, const struct node *b)
{
	const struct ip in = address_of(a), out = address_of(b);

	return in.family && out.family && ip_is_private(&in) &&
	       !ip_is_private(&out) && !shares_network(b, a);
}

bool desired_has_endpoint(const struct node *n, const struct node *peer)
{
	if (peer->public_endpoint)
		return true;
	if (node_is_hidden(peer))
		return node_is_hidden(n) && shares_network(n, peer);
	return peer->facts.address && !is_inside(peer, n);
}

static int pair_keepalive(const struct mesh *m, const struct node *a,
			  const struct node *b)
{
	int said;

	if (node_keepalive(m, a, &said))
		return said;
	return a->behind_nat || b->behind_nat || is_inside(a, b) ||
	       is_inside(b, a) ? DESIRED_NAT_KEEPALIVE : 0;
}

/* The endpoint that @n is given for @peer; the caller frees. */
static char *pair_endpoint(const struct mesh *m, const struct node *n,
			   const struct node *peer)
{
	char text[ENDPOINT_TEXT_MAX];
	struct ip ip;

	if (peer->public_endpoint || !desired_has_endpoint(n, peer) ||
	    !ip_parse(&ip, peer->facts.address))
		return node_endpoint(m, peer);
	return mem_strdup(endpoint_text(&ip, node_port(m, peer), text));
}

/* Is @network, or a wider one, on a card of the host, by what was last seen? */
static bool is_connected(const struct node *n, const struct cidr *network)
{
	for (size_t i = 0; i < n->facts.addresses.len; i++) {
		const struct cidr *own = &n->facts.addresses.items[i];

		if (network->plen >= own->plen &&
		    cidr_contains(own, &network->ip))
			return true;
	}
	return false;
}

bool desired_endpoint_is_said(const struct desired_peer *peer)
{
	const char *from = node_address_from(peer->node);

	return !peer->node->public_endpoint && from &&
	       strcmp(from, FACT_SAID) == 0;
}

/*
 * Where packets of the tunnel go to, for all that we know without the peer's own
 * word: the user's endpoint, or where we dialled it. False: it may be anywhere.
 */
static bool known_place(struct cidr *out, const struct desired_peer *peer)
{
	const struct node *n = peer->node;
	AUTO(auto_free) char *host = NULL;
	struct err e;
	int port;

	if (!n->public_endpoint)
		return n->facts.dialled && cidr_parse(out, n->facts.dialled);
	return endpoint_parse(n->public_endpoint, &host, &port, &e) == 0 &&
	       cidr_parse(out, host);
}

/* Would the tunnel's own packets to this peer be routed into the tunnel? */
static bool covers_peer(const struct desired *d, const struct cidr *network,
			const struct desired_peer *peer)
{
	struct cidr at;

	if (!known_place(&at, peer))
		return network->plen == 0;
	return cidr_contains(network, &at.ip) && !is_connected(d->node, &at);
}

/* Would a route of it cut the host off from its own cards or from a peer? */
static bool cuts_off(const struct desired *d, const struct cidr *network)
{
	if (is_connected(d->node, network))
		return true;
	for (size_t i = 0; i < d->peers.len; i++)
		if (covers_peer(d, network, &d->peers.items[i]))
			return true;
	return false;
}

/*
 * A peer's own word for where it is takes no route from another node: in a
 * network that is routed into the mesh it has no place.
 */
static void doubt_places(struct desired *d)
{
	for (size_t i = 0; i < d->peers.len; i++) {
		struct desired_peer *p = &d->peers.items[i];
		const struct ip ip = address_of(p->node);
		const struct cidr at = cidr_host(&ip);

		if (!*p->endpoint || !desired_endpoint_is_said(p) ||
		    is_connected(d->node, &at))
			continue;
		for (size_t k = 0; k < d->routes.len && !p->doubted; k++)
			p->doubted = d->routes.items[k].network.plen &&
				     cidr_contains(&d->routes.items[k].network,
						   &ip);
		if (p->doubted)
			*p->endpoint = '\0';
	}
}

/* Routes that the host must not have are kept apart. */
static void keep_apart(struct desired *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->routes.len; i++) {
		const struct desired_route r = d->routes.items[i];

		if (cuts_off(d, &r.network))
			vec_push(&d->connected, r.network);
		else
			d->routes.items[kept++] = r;
	}
	d->routes.len = kept;
}

static void add_route(struct desired *d, const struct node *owner,
		      const struct cidr *network)
{
	struct desired_route *r = vec_add(&d->routes);

	r->network = *network;
	r->gateway = network->ip.family == 4 ? owner->mesh_ip
					     : owner->mesh_ip6;
}

static void add_peer(struct desired *d, const struct node *n, uint8_t access)
{
	struct desired_peer *p = vec_add(&d->peers);

	p->node = n;
	p->name = n->name;
	p->public_key = n->public_key;
	p->endpoint = pair_endpoint(d->mesh, d->node, n);
	p->keepalive_s = pair_keepalive(d->mesh, d->node, n);
	if (n->mesh_ip.family)
		vec_push(&p->allowed_ips, cidr_host(&n->mesh_ip));
	if (n->mesh_ip6.family)
		vec_push(&p->allowed_ips, cidr_host(&n->mesh_ip6));
	if (!(access & ACCESS_NETWORKS))
		return;
	for (size_t i = 0; i < n->routable_networks.len; i++) {
		vec_push(&p->allowed_ips, n->routable_networks.items[i]);
		add_route(d, n, &n->routable_networks.items[i]);
	}
}

/* ---- external peers ---- */

/* What external peers have stays theirs. Sorted. */
static void claimed(struct cidrs *out, const struct desired *d)
{
	for (size_t i = 0; i < d->externals.len; i++) {
		const struct external *x = d->externals.items[i];

		for (size_t k = 0; k < x->allowed_ips.len; k++)
			vec_push(out, x->allowed_ips.items[k]);
		for (size_t k = 0; k < x->routes.len; k++)
			vec_push(out, x->routes.items[k]);
	}
	cidrs_sort(out);
}

static int compare_cidrs(const void *a, const void *b)
{
	return cidr_compare(a, b);
}

static bool is_among(const struct cidrs *sorted, const struct cidr *c)
{
	return sorted->len && bsearch(c, sorted->items, sorted->len,
				      sizeof *c, compare_cidrs);
}

static void yield_peer(struct desired *d, struct desired_peer *p,
		       const struct cidrs *claims)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->allowed_ips.len; i++) {
		const struct cidr c = p->allowed_ips.items[i];

		if (is_among(claims, &c))
			vec_push(&d->yielded, c);
		else
			p->allowed_ips.items[kept++] = c;
	}
	p->allowed_ips.len = kept;
}

static void yield_to_externals(struct desired *d)
{
	struct cidrs claims = { 0 };
	size_t kept = 0;

	claimed(&claims, d);
	for (size_t i = 0; i < d->peers.len && claims.len; i++)
		yield_peer(d, &d->peers.items[i], &claims);
	for (size_t i = 0; i < d->routes.len; i++)
		if (!is_among(&claims, &d->routes.items[i].network))
			d->routes.items[kept++] = d->routes.items[i];
	d->routes.len = kept;
	vec_done(&claims);
}

/* The external peers of the node that are no nodes of the mesh. */
static void add_externals(struct desired *d)
{
	const struct externals *list = &d->node->externals;
	const struct mesh *m = d->mesh;
	bool *is_node = mem_calloc(list->len + 1, sizeof *is_node);

	for (size_t i = 0; i < m->nodes.len && list->len; i++) {
		const struct external *x =
			node_external(d->node, m->nodes.items[i].public_key);

		if (x)
			is_node[x - list->items] = true;
	}
	for (size_t i = 0; i < list->len; i++)
		if (!is_node[i])
			vec_push(&d->externals, &list->items[i]);
	free(is_node);
}

static int compare_to_external(const void *key, const void *item)
{
	return strcmp(key, (*(const struct external *const *)item)->public_key);
}

const struct external *desired_external(const struct desired *d,
					const char *public_key)
{
	const struct external **found = NULL;

	if (d->externals.len)
		found = bsearch(public_key, d->externals.items,
				d->externals.len, sizeof *found,
				compare_to_external);
	return found ? *found : NULL;
}

static int compare_routes(const void *a, const void *b)
{
	const struct desired_route *x = a;
	const struct desired_route *y = b;

	return cidr_compare(&x->network, &y->network);
}

/* A key that the host has yet to make makes it nobody's peer yet. */
static bool has_key(const struct mesh *m, const struct node *n)
{
	return *n->public_key || !node_key_on_host(m, n);
}

void desired_compute(struct desired *out, const struct mesh *m,
		     const struct access *a, const struct node *node)
{
	uint8_t *flags = mem_calloc(m->nodes.len, 1);
	struct desired d = { .mesh = m, .node = node };

	d.listen_port = node_port(m, node);
	d.mtu = node_mtu(m, node) ? node_mtu(m, node) : node->facts.mtu;
	add_own_addresses(&d);
	for (size_t i = 0; i < node->routable_networks.len; i++) {
		if (node->routable_networks.items[i].ip.family == 4)
			d.forward4 = true;
		else
			d.forward6 = true;
	}
	access_of(a, (size_t)(node - m->nodes.items), flags);
	for (size_t i = 0; i < m->nodes.len; i++)
		if ((flags[i] & ACCESS_PEER) && has_key(m, &m->nodes.items[i]))
			add_peer(&d, &m->nodes.items[i], flags[i]);
	add_externals(&d);
	yield_to_externals(&d);
	vec_sort(&d.routes, compare_routes);
	keep_apart(&d);
	doubt_places(&d);
	free(flags);
	*out = d;
}

static void peer_done(struct desired_peer *p)
{
	free(p->endpoint);
	vec_done(&p->allowed_ips);
}

void desired_done(struct desired *d)
{
	for (size_t i = 0; i < d->peers.len; i++)
		peer_done(&d->peers.items[i]);
	vec_done(&d->peers);
	vec_done(&d->routes);
	vec_done(&d->connected);
	vec_done(&d->externals);
	vec_done(&d->yielded);
	vec_done(&d->addresses);
}

bool desired_endpoint_is_name(const struct desired_peer *peer)
{
	char *host = NULL;
	struct ip ip;
	struct err e;
	int port;
	bool name = endpoint_parse(peer->endpoint, &host, &port, &e) == 0 &&
		    !ip_parse(&ip, host);

	free(host);
	return name;
}
