/*
 * The wg-quick file of a host, and its hash. The form is that of wg-quick(8),
 * which reads the file by lines and leaves whole lines that begin with '#'
 * alone.
 */
#include "render/wgquick.h"

#include "base/auto.h"
#include "base/text.h"
#include "render/observed.h"

#include <inttypes.h>
#include <string.h>

static void put_boot_interface(struct sbuf *out, const struct desired *d,
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

/*
 * A route that somebody else has already must not keep the tunnel down. Those
 * to external peers are as they are live: without our tag.
 */
static void put_boot_routes(struct sbuf *out, const struct desired *d)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < d->externals.len; i++) {
		const struct cidrs *routes = &d->externals.items[i]->routes;

		for (size_t k = 0; k < routes->len; k++)
			sbuf_printf(out, "PostUp = ip -%d route add %s dev %%i "
				    "|| true\n", routes->items[k].ip.family,
				    cidr_text(&routes->items[k], text));
	}
	for (size_t i = 0; i < d->routes.len; i++) {
		const struct desired_route *r = &d->routes.items[i];

		sbuf_printf(out, "PostUp = ip -%d route add ",
			    r->network.ip.family);
		wgquick_route(out, &r->network, &r->gateway);
		sbuf_puts(out, " dev %i proto " OBSERVED_ROUTE_PROTO
			       " || true\n");
	}
}

void wgquick_hooks(struct strings *out, const struct node *n)
{
	for (size_t i = 0; i < n->post_up.len; i++)
		strings_printf(out, "PostUp = %s", n->post_up.items[i]);
	for (size_t i = 0; i < n->pre_down.len; i++)
		strings_printf(out, "PreDown = %s", n->pre_down.items[i]);
}

/* Last, when routes and key are there for them. */
static void put_boot_hooks(struct sbuf *out, const struct desired *d)
{
	AUTO(strings_done) struct strings lines = { 0 };

	wgquick_hooks(&lines, d->node);
	for (size_t i = 0; i < lines.len; i++)
		sbuf_printf(out, "%s%s\n", i ? "" : WGQUICK_HOOKS "\n",
			    lines.items[i]);
}

/* What follows a peer's key. */
static void put_boot_tunnel(struct sbuf *out, const char *endpoint,
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

void wgquick_file(struct sbuf *out, const struct desired *d, uint64_t serial,
		  bool secrets)
{
	sbuf_printf(out, "# managed by wgmesh, mesh %s, serial %" PRIu64 "%s%s\n",
		    d->mesh->mesh_id ? d->mesh->mesh_id : "none", serial,
		    *d->proof ? ", proof " : "",
		    *d->proof && !secrets ? "(hidden)" : d->proof);
	sbuf_puts(out, "# 'wgmesh deploy' undoes what is changed here by hand\n");
	put_boot_interface(out, d, secrets);
	put_boot_routes(out, d);
	put_boot_hooks(out, d);
	for (size_t i = 0; i < d->peers.len; i++) {
		const struct desired_peer *p = &d->peers.items[i];

		sbuf_printf(out, "\n[Peer]\n# %s\nPublicKey = %s\n", p->name,
			    p->public_key);
		put_boot_tunnel(out, p->endpoint, &p->allowed_ips,
				p->keepalive_s);
	}
	for (size_t i = 0; i < d->externals.len; i++) {
		const struct external *x = d->externals.items[i];

		sbuf_printf(out, "\n[Peer]\n# %s (external)\nPublicKey = %s\n",
			    x->name, x->public_key);
		if (x->preshared_key.len)
			sbuf_printf(out, "PresharedKey = %s\n",
				    secrets ? secret_text(&x->preshared_key)
					    : "(hidden)");
		put_boot_tunnel(out, x->endpoint ? x->endpoint : "",
				&x->allowed_ips, x->keepalive_s);
	}
}

uint64_t wgquick_hash(const struct desired *d)
{
	AUTO(sbuf_done) struct sbuf file = SBUF_INIT;
	const char *body;

	wgquick_file(&file, d, 0, false);
	body = strchr(sbuf_str(&file), '\n') + 1;
	return text_hash(TEXT_HASH_START, body, strlen(body));
}
