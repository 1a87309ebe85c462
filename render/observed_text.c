/*
 * What was found as lines in a fixed order, for the digest of a saved plan.
 */
#include "render/observed.h"

#include "base/auto.h"

#include <inttypes.h>
#include <stdarg.h>

/* One thing that was found; lines are sorted at the end. */
__attribute__((format(printf, 2, 3)))
static void line(struct strings *v, const char *fmt, ...)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	sbuf_vprintf(&text, fmt, ap);
	va_end(ap);
	strings_add(v, sbuf_str(&text));
}

static const char *or_none(const char *s)
{
	return s ? s : "none";
}

static void put_host(struct strings *v, const struct observed *o)
{
	line(v, "tools wg %d ip %d apt %d systemd %d", o->has_wg, o->has_ip,
	     o->has_apt, o->has_systemd);
	line(v, "unit %d", o->unit_enabled);
	line(v, "forwarding %d %d file %d %d %d", o->forward4, o->forward6,
	     o->dropin, o->dropin4, o->dropin6);
	line(v, "key file %d %s", o->has_key_file, or_none(o->host_key));
}

static void put_addresses(struct strings *v, const struct observed *o)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < o->addresses.len; i++)
		if (!o->addresses.items[i].passing &&
		    !ip_is_link_local(&o->addresses.items[i].address.ip))
			line(v, "address %s on %s",
			     cidr_text(&o->addresses.items[i].address, text),
			     o->addresses.items[i].ifname);
}

static void put_boot(struct strings *v, const struct observed *o)
{
	line(v, "boot file %d mesh %s serial %" PRIu64 " hash %" PRIx64
	     " key %s", o->boot, or_none(o->boot_mesh_id), o->boot_serial,
	     o->boot_hash, or_none(o->boot_public_key));
}

static void put_interface(struct strings *v, const struct observed *o)
{
	char net[ADDR_TEXT_MAX], gateway[ADDR_TEXT_MAX];

	line(v, "interface %d wireguard %d up %d mtu %d key %s port %d mark "
	     "%" PRIu32, o->exists, o->is_wireguard, o->is_up, o->mtu,
	     o->public_key, o->listen_port, o->fwmark);
	for (size_t i = 0; i < o->routes.len; i++) {
		const struct observed_route *r = &o->routes.items[i];

		line(v, "route %s via %s kernel %d ours %d",
		     cidr_text(&r->network, net),
		     r->gateway.family ? ip_text(&r->gateway, gateway)
				       : "none", r->kernel, r->tagged);
	}
}

static void put_peers(struct strings *v, const struct observed *o)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < o->peers.len; i++) {
		const struct observed_peer *p = &o->peers.items[i];

		line(v, "peer %s keepalive %d psk %d", p->public_key,
		     p->keepalive_s, p->has_psk);
		for (size_t k = 0; k < p->allowed_ips.len; k++)
			line(v, "peer %s has %s", p->public_key,
			     cidr_text(&p->allowed_ips.items[k], text));
	}
}

void observed_text(struct sbuf *out, const struct observed *o)
{
	struct strings lines = { 0 };

	put_host(&lines, o);
	put_addresses(&lines, o);
	put_boot(&lines, o);
	put_interface(&lines, o);
	put_peers(&lines, o);
	strings_sort(&lines);
	for (size_t i = 0; i < lines.len; i++)
		sbuf_printf(out, "%s\n", lines.items[i]);
	strings_done(&lines);
}
