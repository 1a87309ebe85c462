/*
 * The peers of a wg-quick file as nodes of a mesh of their own. Apart from
 * conf.c, which reads the file: this is done only where the user asks for it.
 */
#include "state/inventory/internal.h"

#include "base/auto.h"

#include <string.h>

/* The first address in the mesh's network is the node's, others are routes. */
static void spread_allowed_ips(struct inventory *in, struct node *n,
			       const struct external *x)
{
	char text[ADDR_TEXT_MAX];
	struct err ignored;

	for (size_t i = 0; i < x->allowed_ips.len; i++) {
		const struct cidr *c = &x->allowed_ips.items[i];
		bool v6 = c->ip.family == 6;
		const struct ip *taken = v6 ? &n->mesh_ip6 : &n->mesh_ip;
		const struct cidr *network = v6 ? &in->mesh->network6
						: &in->mesh->network;

		cidr_text(c, text);
		if (c->plen == ip_bits(&c->ip) && !taken->family &&
		    cidr_contains(network, &c->ip))
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

static void add_peer(struct inventory *in, const struct externals *peers,
		     const struct external *x)
{
	AUTO(auto_free) char *name = mem_strdup(x->name);
	AUTO(auto_free) char *host = NULL;
	struct node *n;
	struct err ignored;
	int port;

	/* another name when the node whose peers they are is called so */
	for (size_t k = 1; strcmp(name, in->mesh->nodes.items[0].name) == 0 ||
			   (k > 1 && inventory_has_peer(peers, name)); k++) {
		free(name);
		name = mem_printf("%.50s-peer%zu", x->name, k);
	}
	n = vec_add(&in->mesh->nodes);
	node_init(n, name);
	spread_allowed_ips(in, n, x);
	if (x->endpoint &&
	    endpoint_parse(x->endpoint, &host, &port, &ignored) == 0) {
		mem_replace(&n->public_endpoint, x->endpoint);
		mem_replace(&n->ssh_host, host);
		return;
	}
	mem_replace(&n->ssh_host, name);
	inventory_note(in, "peer '%s' has no Endpoint: its name is taken as "
		       "its SSH host", name);
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
