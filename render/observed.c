/*
 * What a host has: freed, and asked about.
 */
#include "render/observed.h"

#include <string.h>

void observed_done(struct observed *o)
{
	for (size_t i = 0; i < o->peers.len; i++) {
		free(o->peers.items[i].public_key);
		free(o->peers.items[i].endpoint);
		vec_done(&o->peers.items[i].allowed_ips);
	}
	for (size_t i = 0; i < o->boot_peers.len; i++) {
		free(o->boot_peers.items[i].public_key);
		free(o->boot_peers.items[i].endpoint);
	}
	vec_done(&o->peers);
	vec_done(&o->boot_peers);
	vec_done(&o->routes);
	vec_done(&o->addresses);
	vec_done(&o->links);
	vec_done(&o->underlay);
	free(o->busy);
	free(o->lock_token);
	free(o->hostname);
	free(o->fqdn);
	free(o->ssh_client);
	free(o->ssh_server);
	free(o->public_key);
	free(o->boot_mesh_id);
	free(o->boot_proof);
	free(o->host_key);
	free(o->boot_public_key);
	memset(o, 0, sizeof *o);
}

const struct observed_peer *observed_peer_by_key(const struct observed *o,
						 const char *public_key)
{
	size_t low = 0, high = o->peers.len;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strcmp(public_key, o->peers.items[mid].public_key);

		if (order == 0)
			return &o->peers.items[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

bool observed_owns(const struct observed *o, const struct ip *a,
		   const char *except)
{
	for (size_t i = 0; i < o->addresses.len; i++)
		if (ip_equal(&o->addresses.items[i].address.ip, a) &&
		    strcmp(o->addresses.items[i].ifname, except) != 0)
			return true;
	return false;
}

const char *observed_boot_endpoint(const struct observed *o,
				   const char *public_key)
{
	for (size_t i = 0; i < o->boot_peers.len; i++)
		if (strcmp(o->boot_peers.items[i].public_key, public_key) == 0)
			return o->boot_peers.items[i].endpoint;
	return NULL;
}
