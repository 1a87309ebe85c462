/*
 * The wg-quick file of a host, its hash, and its body.
 */
#include "render/wgquick.h"

#include "base/auto.h"
#include "base/text.h"
#include "render/observed.h"

#include <inttypes.h>
#include <string.h>

static void add_interface(struct sbuf *out, const struct desired *d,
			  bool secrets)
{
	char text[ADDR_TEXT_MAX];

	sbuf_printf(out, "[Interface]\n# %s\n", d->node->name);
	if (node_key_on_host(d->mesh, d->node))
		sbuf_puts(out, "PostUp = wg set %i private-key "
			       "/etc/wireguard/%i.key\n");
	else
		sbuf_printf(out, "PrivateKey = %s\n",
			    secrets ? secret_text(&d->node->private_key)
				    : "(hidden)");
	for (size_t i = 0; i < d->addresses.len; i++)
		sbuf_printf(out, "Address = %s\n",
			    cidr_text(&d->addresses.items[i], text));
	sbuf_printf(out, "ListenPort = %d\n", d->listen_port);
	if (d->mtu)
		sbuf_printf(out, "MTU = %d\n", d->mtu);
	sbuf_puts(out, "Table = off\n");
}

void wgquick_route(struct sbuf *out, const struct cidr *network,
		   const struct ip *gateway)
{
	char text[ADDR_TEXT_MAX];

	sbuf_puts(out, cidr_text(network, text));
	if (gateway->family)
		sbuf_printf(out, " via %s", ip_text(gateway, text));
}

/* Routes to external peers, as they are live: without our tag. */
static void add_external_routes(struct sbuf *out, const struct external *x)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < x->routes.len; i++)
		sbuf_printf(out, "PostUp = ip -%d route add %s dev %%i || "
				 "true\n", x->routes.items[i].ip.family,
			    cidr_text(&x->routes.items[i], text));
}

/* A route that somebody else has already must not keep the tunnel down. */
static void add_routes(struct sbuf *out, const struct desired *d)
{
	for (size_t i = 0; i < d->externals.len; i++)
		add_external_routes(out, d->externals.items[i]);
	for (size_t i = 0; i < d->routes.len; i++) {
		const struct desired_route *r = &d->routes.items[i];

		sbuf_printf(out, "PostUp = ip -%d route add ",
			    r->network.ip.family);
		wgquick_route(out, &r->network, &r->gateway);
		sbuf_puts(out, " dev %i proto " OBSERVED_ROUTE_PROTO
			       " || true\n");
	}
}

/* What follows a peer's key. */
static void add_tunnel(struct sbuf *out, const char *endpoint,
		       const struct cidrs *allowed_ips, int keepalive_s)
{
	char text[ADDR_TEXT_MAX];

	if (*endpoint)
		sbuf_printf(out, "Endpoint = %s\n", endpoint);
	for (size_t i = 0; i < allowed_ips->len; i++)
		sbuf_printf(out, "%s%s", i ? ", " : "AllowedIPs = ",
			    cidr_text(&allowed_ips->items[i], text));
	sbuf_puts(out, allowed_ips->len ? "\n" : "");
	if (keepalive_s)
		sbuf_printf(out, "PersistentKeepalive = %d\n", keepalive_s);
}

static void add_peer(struct sbuf *out, const struct desired_peer *p)
{
	sbuf_printf(out, "\n[Peer]\n# %s\nPublicKey = %s\n", p->name,
		    p->public_key);
	add_tunnel(out, p->endpoint, &p->allowed_ips, p->keepalive_s);
}

static void add_external(struct sbuf *out, const struct external *x,
			 bool secrets)
{
	sbuf_printf(out, "\n[Peer]\n# %s (external)\nPublicKey = %s\n",
		    x->name, x->public_key);
	if (x->preshared_key.len)
		sbuf_printf(out, "PresharedKey = %s\n",
			    secrets ? secret_text(&x->preshared_key)
				    : "(hidden)");
	add_tunnel(out, x->endpoint ? x->endpoint : "", &x->allowed_ips,
		   x->keepalive_s);
}

void wgquick_file(struct sbuf *out, const struct desired *d, uint64_t serial,
		  bool secrets)
{
	sbuf_printf(out, "# managed by wgmesh, mesh %s, serial %" PRIu64 "%s%s\n",
		    d->mesh->mesh_id ? d->mesh->mesh_id : "none", serial,
		    *d->proof ? ", proof " : "", d->proof);
	sbuf_puts(out, "# 'wgmesh deploy' undoes what is changed here by hand\n");
	add_interface(out, d, secrets);
	add_routes(out, d);
	for (size_t i = 0; i < d->peers.len; i++)
		add_peer(out, &d->peers.items[i]);
	for (size_t i = 0; i < d->externals.len; i++)
		add_external(out, d->externals.items[i], secrets);
}

const char *wgquick_body(const char *file)
{
	const char *newline = strchr(file, '\n');

	return newline ? newline + 1 : "";
}

uint64_t wgquick_hash(const struct desired *d)
{
	AUTO(sbuf_done) struct sbuf file = SBUF_INIT;
	const char *body;

	wgquick_file(&file, d, 0, false);
	body = wgquick_body(sbuf_str(&file));
	return text_hash(TEXT_HASH_START, body, strlen(body));
}
