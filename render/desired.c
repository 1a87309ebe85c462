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

static int pair_keepalive(const struct mesh *m, const struct node *a,
			  const struct node *b)
{
	if (a->keepalive_s >= 0)
		return a->keepalive_s;
	if (m->keepalive_s >= 0)
		return m->keepalive_s;
	return a->behind_nat || b->behind_nat ? DESIRED_NAT_KEEPALIVE : 0;
}

/* Is @peer's address in a network that @n is connected to? */
static bool shares_network(const struct node *n, const struct node *peer)
{
	struct ip ip;

	if (!peer->facts.address || !ip_parse(&ip, peer->facts.address))
		return false;
	for (size_t i = 0; i < n->facts.addresses.len; i++)
		if (cidr_contains(&n->facts.addresses.items[i], &ip))
			return true;
	return false;
}

bool desired_has_endpoint(const struct node *n, const struct node *peer)
{
	if (peer->public_endpoint)
		return true;
	if (peer->behind_nat)
		return n->behind_nat && shares_network(n, peer);
	return peer->facts.address;
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

/* Would the tunnel's own packets to this peer be routed into the tunnel? */
static bool covers_peer(const struct desired *d, const struct cidr *network,
			const struct desired_peer *peer)
{
	AUTO(auto_free) char *host = NULL;
	struct cidr at;
	struct err e;
	int port;

	if (endpoint_parse(peer->endpoint, &host, &port, &e) < 0 ||
	    !cidr_parse(&at, host) || !cidr_contains(network, &at.ip))
		return false;
	return !is_connected(d->node, &at);
}

/* Would a route of it cut the host off from its own cards or from a peer? */
static bool cuts_off(const struct desired *d, const struct cidr *network)
{
	if (is_connected(d->node, network))
		return true;
	for (size_t i = 0; i < d->peers.len; i++)
		if (*d->peers.items[i].endpoint &&
		    covers_peer(d, network, &d->peers.items[i]))
			return true;
	return false;
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
	d.mtu = node_mtu(m, node);
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
	vec_sort(&d.routes, compare_routes);
	keep_apart(&d);
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
