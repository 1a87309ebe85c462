/*
 * The MTU of a host's way to an address: the longest prefix among its routes.
 */
#include "render/underlay.h"

#include <string.h>

/*
 * The MTU of the way that the kernel takes to @to among those of at most @plen
 * bits, see ip-route(8): the longest prefix, then the lowest metric. Several
 * that are equal in both are ways of one route, and any may be taken.
 */
static int mtu_of_way(const struct observed *o, const struct ip *to,
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

int underlay_mtu(const struct observed *o, const struct ip *to,
		 const char *except)
{
	return mtu_of_way(o, to, ip_bits(to), except);
}

int underlay_default_mtu(const struct observed *o, int family,
			 const char *except)
{
	const struct ip any = { .family = family };

	return mtu_of_way(o, &any, 0, except);
}
