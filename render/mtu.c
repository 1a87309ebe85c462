/*
 * The MTU of each host's interface, from its ways to its peers, into the facts.
 */
#include "render/mtu.h"

#include "acl/access.h"
#include "base/auto.h"
#include "render/desired.h"
#include "render/owner.h"
#include "render/underlay.h"
#include "state/model/model.h"

#include <string.h>

/** What WireGuard adds to a packet at most, over IPv6 (bytes). */
#define OVERHEAD 80
/** What is taken where no way says anything, as wg-quick does. */
#define USUAL_UNDERLAY 1500
/** The least that IPv6 needs, and the least that can be said. */
#define LEAST_IPV6 1280
#define LEAST 576
#define MOST 65535

/* The smallest of what is known; 0 is not known. */
static void take_smaller(int *smallest, int mtu)
{
	if (mtu && (!*smallest || mtu < *smallest))
		*smallest = mtu;
}

/* One way out of the host whose report it is. */
struct ways {
	const struct mesh *mesh;
	const struct observed *observed;
	int smallest;
	bool somewhere; /* a peer may be anywhere: the default route counts */
};

static void add_way(struct ways *w, const struct ip *to)
{
	take_smaller(&w->smallest, underlay_mtu(w->observed, to,
						w->mesh->interface_name));
}

/* The way to an endpoint "host:port", which may be a name; "" for none. */
static void add_way_to_endpoint(struct ways *w, const char *endpoint)
{
	AUTO(auto_free) char *host = NULL;
	struct err ignored;
	struct ip ip;
	int port;

	if (endpoint_parse(endpoint, &host, &port, &ignored) == 0 &&
	    ip_parse(&ip, host))
		add_way(w, &ip);
	else
		w->somewhere = true;
}

/*
 * What the ways to the peers of node @i leave to its tunnel. Where a peer only
 * says itself that it is, it may not make our packets small.
 */
static int mtu_by_ways(const struct mesh *m, const struct access *a, size_t i,
		       const struct observed *o, uint8_t *flags)
{
	const struct node *n = &m->nodes.items[i];
	struct ways w = { .mesh = m, .observed = o };
	int least = m->network6.ip.family ? LEAST_IPV6 : LEAST;
	int mtu;

	access_of(a, i, flags);
	for (size_t k = 0; k < m->nodes.len; k++) {
		const struct node *peer = &m->nodes.items[k];
		struct ip ip;

		if (!(flags[k] & ACCESS_PEER))
			continue;
		if (peer->public_endpoint)
			add_way_to_endpoint(&w, peer->public_endpoint);
		else if (desired_has_endpoint(n, peer) &&
			 strcmp(node_address_from(peer), FACT_DIALLED) == 0 &&
			 ip_parse(&ip, peer->facts.address))
			add_way(&w, &ip);
		else
			w.somewhere = true;
	}
	for (size_t k = 0; k < n->externals.len; k++) {
		const char *endpoint = n->externals.items[k].endpoint;

		add_way_to_endpoint(&w, endpoint ? endpoint : "");
	}
	for (int family = 4; family <= 6; family += 2)
		if (w.somewhere || !w.smallest)
			take_smaller(&w.smallest,
				     underlay_default_mtu(o, family,
							  m->interface_name));
	mtu = (w.smallest ? w.smallest : USUAL_UNDERLAY) - OVERHEAD;
	if (mtu > MOST)
		return MOST;
	return mtu < least ? least : mtu;
}

void mtu_merge(struct mesh *m, const struct host_report *reports, size_t n)
{
	struct access *a = access_new(m);
	uint8_t *flags = mem_calloc(m->nodes.len, 1);
	struct err ignored;

	for (size_t i = 0; i < n; i++) {
		struct node *node = reports[i].node;
		const struct observed *o = reports[i].observed;
		bool ours = owner_marked(m, o);
		bool said = node_mtu(m, node) != 0;

		if (!o->links.len)
			continue;
		if (!said && node->facts.mtu_kept && node->facts.mtu &&
		    (o->exists || ours))
			continue; /* it goes on keeping what it has */
		/* live with an MTU that no boot file of ours says? */
		node->facts.mtu_kept = !said && o->exists && o->is_wireguard &&
				       !(ours && o->boot_mtu) &&
				       check_mtu(o->mtu, &ignored) == 0;
		node->facts.mtu =
			node->facts.mtu_kept
				? o->mtu
				: mtu_by_ways(m, a,
					      (size_t)(node - m->nodes.items),
					      o, flags);
	}
	free(flags);
	access_free(a);
}
