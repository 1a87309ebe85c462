/*
 * The MTU of each host's interface, from its ways to its peers, into the facts.
 * The way to an address is the longest prefix among the host's routes.
 */
#include "render/mtu.h"

#include "acl/access.h"
#include "base/auto.h"
#include "render/desired.h"
#include "render/owner.h"
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

/*
 * The MTU of the way that the kernel takes to @to among those of at most @plen
 * bits, see ip-route(8): the longest prefix, then the lowest metric. Several
 * that are equal in both are ways of one route, and any may be taken.
 */
static int mtu_among(const struct observed *o, const struct ip *to,
		      unsigned plen, const char *except)
{
	const struct observed_underlay *chosen = NULL;
	int smallest = 0;

	for (size_t i = 0; i < o->underlay.len; i++) {
		const struct observed_underlay *way = &o->underlay.items[i];
		bool same, better;
		int mtu = way->mtu;

		if (way->network.plen > plen ||
		    !cidr_contains(&way->network, to) ||
		    strcmp(way->ifname, except) == 0)
			continue;
		same = chosen && way->network.plen == chosen->network.plen;
		better = !chosen || (same ? way->metric < chosen->metric
					  : way->network.plen >
						    chosen->network.plen);
		if (!better && !(same && way->metric == chosen->metric))
			continue;
		for (size_t k = 0; k < o->links.len && !mtu; k++)
			if (strcmp(o->links.items[k].ifname, way->ifname) == 0)
				mtu = o->links.items[k].mtu;
		if (better || (mtu && mtu < smallest) || !smallest)
			smallest = mtu;
		chosen = way;
	}
	return smallest;
}

int mtu_of_way(const struct observed *o, const struct ip *to,
		 const char *except)
{
	return mtu_among(o, to, ip_bits(to), except);
}

int mtu_of_default_way(const struct observed *o, int family,
			 const char *except)
{
	const struct ip any = { .family = family };

	return mtu_among(o, &any, 0, except);
}

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
	take_smaller(&w->smallest, mtu_of_way(w->observed, to,
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
				     mtu_of_default_way(o, family,
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
