/*
 * The peers of a wg-quick file as nodes of a mesh of their own.
 */
#include "state/inventory/internal.h"

#include "base/auto.h"
#include "state/model/model.h"

#include <string.h>

/* Is @c one address that @n can have in the mesh? */
static bool is_address(const struct node *n, const struct cidr *c,
		       const struct cidr *network)
{
	const struct ip *taken = c->ip.family == 6 ? &n->mesh_ip6 : &n->mesh_ip;

	return c->plen == ip_bits(&c->ip) && !taken->family &&
	       cidr_contains(network, &c->ip);
}

static void take_allowed_ips(struct inventory *in, struct node *n,
			     const struct external *x)
{
	char text[ADDR_TEXT_MAX];
	struct err ignored;

	for (size_t i = 0; i < x->allowed_ips.len; i++) {
		const struct cidr *c = &x->allowed_ips.items[i];
		const struct cidr *network = c->ip.family == 6
						     ? &in->mesh->network6
						     : &in->mesh->network;

		cidr_text(c, text);
		if (is_address(n, c, network))
			inventory_address(in, n, text, &ignored);
		else if (c->plen && network->ip.family &&
			 cidr_overlaps(c, network))
			inventory_note(in, "allowed IPs %s of '%s' are left "
				       "out: they are in the mesh network",
				       text, n->name);
		else
			inventory_route(in, n, *c);
	}
}

static void take_endpoint(const struct inventory *in, struct node *n,
			  const struct external *x)
{
	AUTO(auto_free) char *host = NULL;
	struct err ignored;
	int port;

	if (x->endpoint && endpoint_parse(x->endpoint, &host, &port,
					  &ignored) == 0) {
		mem_replace(&n->public_endpoint, x->endpoint);
		mem_replace(&n->ssh_host, host);
		return;
	}
	mem_replace(&n->ssh_host, n->name);
	inventory_note(in, "peer '%s' has no Endpoint: its name is taken as "
		       "its SSH host", n->name);
}

static bool has_peer(const struct externals *peers, const char *name)
{
	for (size_t i = 0; i < peers->len; i++)
		if (strcmp(peers->items[i].name, name) == 0)
			return true;
	return false;
}

/* @name, or another one when the node whose peers they are is called so. */
static char *free_name(const struct inventory *in, const struct externals *peers,
		       const char *name)
{
	char *other = mem_strdup(name);

	for (size_t k = 1; strcmp(other, in->mesh->nodes.items[0].name) == 0 ||
			   (k > 1 && has_peer(peers, other)); k++) {
		free(other);
		other = mem_printf("%.50s-peer%zu", name, k);
	}
	return other;
}

static void add_peer(struct inventory *in, const struct externals *peers,
		     const struct external *x)
{
	AUTO(auto_free) char *name = free_name(in, peers, x->name);
	struct node *n = vec_add(&in->mesh->nodes);

	node_init(n, name);
	take_allowed_ips(in, n, x);
	take_endpoint(in, n, x);
}

void inventory_peers_to_nodes(struct mesh *m, const char *file,
			      struct strings *notes)
{
	struct inventory_file f = { .name = file };
	struct inventory in = { .file = &f, .mesh = m, .notes = notes };
	struct externals peers = m->nodes.items[0].externals;

	m->nodes.items[0].externals = (struct externals){ 0 };
	for (size_t i = 0; i < peers.len; i++)
		add_peer(&in, &peers, &peers.items[i]);
	vec_sort(&m->nodes, node_compare);
	inventory_sort_routes(m);
	externals_done(&peers);
	vec_done(&in.spans);
}
