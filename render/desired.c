/*
 * What a host should have, from the state alone, so that it does not matter who
 * deploys, which hosts answer, or in which order; and the one exception, which
 * keeps the deploy itself from being cut off.
 */
#include "render/desired.h"

#include "base/auto.h"
#include "render/observed.h"

#include <string.h>

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
 * Would the tunnel's own packets to this peer be routed into the tunnel? Where
 * they go is what we know without the peer's own word: the user's endpoint, or
 * where we dialled it. A peer of which neither is known may be anywhere.
 */
static bool covers_peer(const struct desired *d, const struct cidr *network,
			const struct desired_peer *peer)
{
	const struct node *n = peer->node;
	AUTO(auto_free) char *host = NULL;
	struct err ignored;
	struct cidr at;
	int port;
	bool known;

	if (n->public_endpoint)
		known = endpoint_parse(n->public_endpoint, &host, &port,
				       &ignored) == 0 && cidr_parse(&at, host);
	else
		known = n->facts.dialled && cidr_parse(&at, n->facts.dialled);
	if (!known)
		return network->plen == 0;
	return cidr_contains(network, &at.ip) && !is_connected(d->node, &at);
}

/* Would a route to it cut the host off from its own cards or from a peer? */
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

/* The endpoint that @n is given for @peer; the caller frees. */
static char *endpoint_for(const struct mesh *m, const struct node *n,
			  const struct node *peer)
{
	char text[ENDPOINT_TEXT_MAX];
	struct ip ip;

	if (peer->public_endpoint || !desired_has_endpoint(n, peer) ||
	    !ip_parse(&ip, peer->facts.address))
		return node_endpoint(m, peer);
	return mem_strdup(endpoint_text(&ip, node_live_port(m, peer), text));
}

static void add_desired_peer(struct desired *d, const struct node *n,
			     bool networks)
{
	struct desired_peer *p = vec_add(&d->peers);

	p->node = n;
	p->name = n->name;
	p->public_key = n->public_key;
	p->endpoint = endpoint_for(d->mesh, d->node, n);
	if (!node_keepalive(d->mesh, d->node, &p->keepalive_s) &&
	    (d->node->behind_nat || n->behind_nat || is_inside(d->node, n) ||
	     is_inside(n, d->node)))
		p->keepalive_s = DESIRED_NAT_KEEPALIVE;
	if (n->mesh_ip.family)
		vec_push(&p->allowed_ips, cidr_host(&n->mesh_ip));
	if (n->mesh_ip6.family)
		vec_push(&p->allowed_ips, cidr_host(&n->mesh_ip6));
	for (size_t i = 0; networks && i < n->routable_networks.len; i++) {
		const struct cidr net = n->routable_networks.items[i];

		vec_push(&p->allowed_ips, net);
		vec_push(&d->routes, ((struct desired_route){
					     net, net.ip.family == 4
							  ? n->mesh_ip
							  : n->mesh_ip6 }));
	}
}

/* ---- external peers ---- */

static int compare_cidrs(const void *a, const void *b)
{
	return cidr_compare(a, b);
}

static bool is_among(const struct cidrs *sorted, const struct cidr *c)
{
	return sorted->len && bsearch(c, sorted->items, sorted->len,
				      sizeof *c, compare_cidrs);
}

/*
 * Two peers of one interface can not have one allowed IP: WireGuard gives it to
 * the one that was told last. What external peers have stays theirs.
 */
static void leave_to_externals(struct desired *d)
{
	struct cidrs theirs = { 0 };
	size_t kept = 0;

	for (size_t i = 0; i < d->externals.len; i++) {
		const struct external *x = d->externals.items[i];

		for (size_t k = 0; k < x->allowed_ips.len; k++)
			vec_push(&theirs, x->allowed_ips.items[k]);
		for (size_t k = 0; k < x->routes.len; k++)
			vec_push(&theirs, x->routes.items[k]);
	}
	cidrs_sort(&theirs);
	for (size_t i = 0; i < d->peers.len && theirs.len; i++) {
		struct cidrs *ours = &d->peers.items[i].allowed_ips;
		size_t stay = 0;

		for (size_t k = 0; k < ours->len; k++)
			if (is_among(&theirs, &ours->items[k]))
				vec_push(&d->yielded, ours->items[k]);
			else
				ours->items[stay++] = ours->items[k];
		ours->len = stay;
	}
	for (size_t i = 0; i < d->routes.len; i++)
		if (!is_among(&theirs, &d->routes.items[i].network))
			d->routes.items[kept++] = d->routes.items[i];
	d->routes.len = kept;
	vec_done(&theirs);
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
	return wgkey_compare(
		key, (*(const struct external *const *)item)->public_key);
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

void desired_compute(struct desired *out, const struct mesh *m,
		     const struct access *a, const struct node *node)
{
	uint8_t *flags = mem_calloc(m->nodes.len, 1);
	struct desired d = { .mesh = m, .node = node };
	size_t kept = 0;

	d.listen_port = node_port(m, node);
	d.mtu = node_mtu(m, node) ? node_mtu(m, node) : node->facts.mtu;
	if (node->mesh_ip.family)
		vec_push(&d.addresses,
			 ((struct cidr){ node->mesh_ip, m->network.plen }));
	if (node->mesh_ip6.family)
		vec_push(&d.addresses,
			 ((struct cidr){ node->mesh_ip6, m->network6.plen }));
	for (size_t i = 0; i < node->routable_networks.len; i++) {
		if (node->routable_networks.items[i].ip.family == 4)
			d.forward4 = true;
		else
			d.forward6 = true;
	}
	access_of(a, (size_t)(node - m->nodes.items), flags);
	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];

		/* whose host has yet to make its key is nobody's peer yet */
		if ((flags[i] & ACCESS_PEER) &&
		    (wgkey_is_set(n->public_key) ||
		     !node_key_on_host(m, n)))
			add_desired_peer(&d, n, flags[i] & ACCESS_NETWORKS);
	}
	free(flags);
	add_externals(&d);
	leave_to_externals(&d);
	vec_sort(&d.routes, compare_routes);
	for (size_t i = 0; i < d.routes.len; i++)
		if (cuts_off(&d, &d.routes.items[i].network))
			vec_push(&d.connected, d.routes.items[i].network);
		else
			d.routes.items[kept++] = d.routes.items[i];
	d.routes.len = kept;
	doubt_places(&d);
	*out = d;
}

void desired_spare_client(struct desired *d, const struct observed *o)
{
	struct ip client;
	size_t kept = 0;

	if (!ip_parse(&client, o->ssh_client))
		return;
	/* an address of the host, on a card or in the mesh, that leads there */
	for (size_t i = 0; i < o->addresses.len; i++)
		if (cidr_contains(&o->addresses.items[i].address, &client))
			return;
	for (size_t i = 0; i < d->routes.len; i++) {
		const struct desired_route r = d->routes.items[i];
		bool stays = !cidr_contains(&r.network, &client);

		for (size_t k = 0; k < o->routes.len && !stays; k++)
			stays = !o->routes.items[k].kernel &&
				cidr_equal(&o->routes.items[k].network,
					   &r.network);
		if (stays)
			d->routes.items[kept++] = r;
		else
			vec_push(&d->connected, r.network);
	}
	d->routes.len = kept;
}

/* A host without IPv6 works with the rest, at each boot, too. */
static void drop_version6(struct desired *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->addresses.len; i++)
		if (d->addresses.items[i].ip.family == 6)
			vec_push(&d->lacking, d->addresses.items[i]);
		else
			d->addresses.items[kept++] = d->addresses.items[i];
	d->addresses.len = kept;
	kept = 0;
	for (size_t i = 0; i < d->routes.len; i++)
		if (d->routes.items[i].network.ip.family == 6)
			vec_push(&d->lacking, d->routes.items[i].network);
		else
			d->routes.items[kept++] = d->routes.items[i];
	d->routes.len = kept;
	d->forward6 = false;
}

void desired_fit_host(struct desired *d, const struct observed *o)
{
	if (o->no_ipv6)
		drop_version6(d);
	if (o->port_holder && o->exists && o->listen_port)
		d->listen_port = o->listen_port;
}

void desired_done(struct desired *d)
{
	for (size_t i = 0; i < d->peers.len; i++) {
		free(d->peers.items[i].endpoint);
		vec_done(&d->peers.items[i].allowed_ips);
	}
	vec_done(&d->peers);
	vec_done(&d->routes);
	vec_done(&d->connected);
	vec_done(&d->externals);
	vec_done(&d->yielded);
	vec_done(&d->lacking);
	vec_done(&d->addresses);
}

bool desired_endpoint_is_name(const struct desired_peer *peer)
{
	AUTO(auto_free) char *host = NULL;
	struct ip ip;
	struct err e;
	int port;

	return endpoint_parse(peer->endpoint, &host, &port, &e) == 0 &&
	       !ip_parse(&ip, host);
}
