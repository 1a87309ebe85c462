/*
 * The MTU of a host's way to an address: the longest prefix among its routes.
 */
#include "render/underlay.h"

#include <string.h>

static int link_mtu(const struct observed *o, const char *ifname)
{
	for (size_t i = 0; i < o->links.len; i++)
		if (strcmp(o->links.items[i].ifname, ifname) == 0)
			return o->links.items[i].mtu;
	return 0;
}

/* Does the kernel take @a rather than @b? <0 yes, 0 both are ways of one. */
static int compare_ways(const struct observed_underlay *a,
			const struct observed_underlay *b)
{
	if (a->network.plen != b->network.plen)
		return a->network.plen > b->network.plen ? -1 : 1;
	return (a->metric > b->metric) - (a->metric < b->metric);
}

/* Among the ways to @to of at most @plen bits. */
static int best(const struct observed *o, const struct ip *to, unsigned plen,
		const char *except)
{
	const struct observed_underlay *chosen = NULL;
	int smallest = 0;

	for (size_t i = 0; i < o->underlay.len; i++) {
		const struct observed_underlay *way = &o->underlay.items[i];
		int order, mtu;

		if (way->network.plen > plen ||
		    !cidr_contains(&way->network, to) ||
		    strcmp(way->ifname, except) == 0)
			continue;
		order = chosen ? compare_ways(way, chosen) : -1;
		if (order > 0)
			continue;
		mtu = way->mtu ? way->mtu : link_mtu(o, way->ifname);
		if (order < 0 || (mtu && mtu < smallest) || !smallest)
			smallest = mtu;
		chosen = way;
	}
	return smallest;
}

int underlay_mtu(const struct observed *o, const struct ip *to,
		 const char *except)
{
	return best(o, to, ip_bits(to), except);
}

int underlay_default_mtu(const struct observed *o, int family,
			 const char *except)
{
	const struct ip any = { .family = family };

	return best(o, &any, 0, except);
}
