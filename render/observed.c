/*
 * What a host has: freed, asked about, and as text for the digest of a saved
 * plan. It is filled in render/host/, from the host's answer.
 */
#include "render/observed.h"

#include "base/auto.h"
#include "state/model/model.h"

#include <inttypes.h>
#include <string.h>

void observed_done(struct observed *o)
{
	for (size_t i = 0; i < o->peers.len; i++) {
		free(o->peers.items[i].public_key);
		free(o->peers.items[i].endpoint);
		vec_done(&o->peers.items[i].allowed_ips);
	}
	for (size_t i = 0; i < o->peers.len; i++)
		vec_done(&o->peers.items[i].named);
	for (size_t i = 0; i < o->boot_peers.len; i++) {
		free(o->boot_peers.items[i].public_key);
		free(o->boot_peers.items[i].endpoint);
	}
	vec_done(&o->peers);
	vec_done(&o->boot_peers);
	strings_done(&o->boot_hooks);
	strings_done(&o->boot_lost);
	vec_done(&o->routes);
	vec_done(&o->addresses);
	vec_done(&o->links);
	vec_done(&o->underlay);
	free(o->drops4);
	free(o->drops6);
	free(o->busy);
	free(o->port_holder);
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
		int order = wgkey_compare(public_key,
					  o->peers.items[mid].public_key);

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
		if (wgkey_equal(o->boot_peers.items[i].public_key, public_key))
			return o->boot_peers.items[i].endpoint;
	return NULL;
}

static const char *word_or_none(const char *s)
{
	return s ? s : "none";
}

static void add_interface_lines(struct strings *v, const struct observed *o)
{
	char net[ADDR_TEXT_MAX], gateway[ADDR_TEXT_MAX];

	strings_printf(v, "interface %d wireguard %d up %d mtu %d key %s port "
		       "%d mark %" PRIu32, o->exists, o->is_wireguard, o->is_up,
		       o->mtu, o->public_key, o->listen_port, o->fwmark);
	if (o->no_ipv6)
		strings_add(v, "no IPv6");
	if (o->port_holder)
		strings_printf(v, "port of %s", o->port_holder);
	for (size_t i = 0; i < o->routes.len; i++) {
		const struct observed_route *r = &o->routes.items[i];

		strings_printf(v, "route %s via %s kernel %d ours %d",
			       cidr_text(&r->network, net),
			       r->gateway.family ? ip_text(&r->gateway, gateway)
						 : "none",
			       r->kernel, r->tagged);
	}
	for (size_t i = 0; i < o->peers.len; i++) {
		const struct observed_peer *p = &o->peers.items[i];

		strings_printf(v, "peer %s keepalive %d psk %d", p->public_key,
			       p->keepalive_s, p->has_psk);
		for (size_t k = 0; k < p->allowed_ips.len; k++)
			strings_printf(v, "peer %s has %s", p->public_key,
				       cidr_text(&p->allowed_ips.items[k],
						 net));
	}
}

void observed_text(struct sbuf *out, const struct observed *o)
{
	AUTO(strings_done) struct strings lines = { 0 };
	char text[ADDR_TEXT_MAX];

	strings_printf(&lines, "tools wg %d ip %d apt %d systemd %d", o->has_wg,
		       o->has_ip, o->has_apt, o->has_systemd);
	strings_printf(&lines, "unit %d", o->unit_enabled);
	strings_printf(&lines, "forwarding %d %d file %d %d %d", o->forward4,
		       o->forward6, o->dropin, o->dropin4, o->dropin6);
	strings_printf(&lines, "key file %d %s", o->has_key_file,
		       word_or_none(o->host_key));
	for (size_t i = 0; i < o->addresses.len; i++) {
		const struct observed_address *a = &o->addresses.items[i];

		if (!a->passing && !ip_is_link_local(&a->address.ip))
			strings_printf(&lines, "address %s on %s",
				       cidr_text(&a->address, text), a->ifname);
	}
	strings_printf(&lines, "boot file %d mesh %s serial %" PRIu64 " hash %"
		       PRIx64 " key %s", o->boot, word_or_none(o->boot_mesh_id),
		       o->boot_serial, o->boot_hash,
		       word_or_none(o->boot_public_key));
	add_interface_lines(&lines, o);
	strings_sort(&lines);
	for (size_t i = 0; i < lines.len; i++)
		sbuf_printf(out, "%s\n", lines.items[i]);
}
