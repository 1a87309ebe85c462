/*
 * The address that our own login comes from is not routed into the tunnel: that
 * would cut the deploy off.
 */
#include "render/spare.h"

/* Does an address of the host, on a card or in the mesh, lead there? */
static bool is_near(const struct observed *o, const struct ip *client)
{
	for (size_t i = 0; i < o->addresses.len; i++)
		if (cidr_contains(&o->addresses.items[i].address, client))
			return true;
	return false;
}

static bool is_live(const struct observed *o, const struct cidr *network)
{
	for (size_t i = 0; i < o->routes.len; i++)
		if (!o->routes.items[i].kernel &&
		    cidr_equal(&o->routes.items[i].network, network))
			return true;
	return false;
}

void spare_client(struct desired *d, const struct observed *o)
{
	struct ip client;
	size_t kept = 0;

	if (!ip_parse(&client, o->ssh_client) || is_near(o, &client))
		return;
	for (size_t i = 0; i < d->routes.len; i++) {
		const struct desired_route r = d->routes.items[i];

		if (cidr_contains(&r.network, &client) &&
		    !is_live(o, &r.network))
			vec_push(&d->connected, r.network);
		else
			d->routes.items[kept++] = r;
	}
	d->routes.len = kept;
}
