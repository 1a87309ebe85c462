/*
 * The words of a step: for people and for -json. Apart from plan.c, which
 * decides when a step is due.
 */
#include "render/plan.h"

#include "base/auto.h"
#include "base/text.h"
#include "render/wgquick.h"

#include <string.h>

static void put_cidrs(struct sbuf *out, const struct cidrs *v)
{
	char text[ADDR_TEXT_MAX];

	if (v->len == 0)
		sbuf_puts(out, "none");
	for (size_t i = 0; i < v->len; i++)
		sbuf_printf(out, "%s%s", i ? ", " : "",
			    cidr_text(&v->items[i], text));
}

static void put_step_keepalive(struct sbuf *out, int seconds)
{
	if (seconds)
		sbuf_printf(out, "%d s", seconds);
	else
		sbuf_puts(out, "off");
}

static const char *text_or_none(const char *s)
{
	return *s ? s : "none";
}

/* What a step stands on when it is no more than the word of hosts. */
static void put_source(struct sbuf *out, const struct desired_peer *peer,
		       bool endpoint, bool keepalive)
{
	const char *nat = peer->node ? peer->node->facts.nat_from : NULL;

	if (endpoint && *peer->endpoint && peer->node &&
	    desired_endpoint_is_said(peer))
		sbuf_printf(out, "; where it is only '%s' says", peer->name);
	if (keepalive && peer->keepalive_s && nat &&
	    strcmp(nat, FACT_DIALLED) != 0)
		sbuf_printf(out, "; that it is behind NAT is %s", nat);
}

static void put_add_peer(struct sbuf *out, const struct plan *p,
			 const struct step *s)
{
	const struct desired_peer *peer = s->peer;

	(void)p;
	sbuf_printf(out, "+ peer %s: ", peer->name);
	put_cidrs(out, &peer->allowed_ips);
	if (*peer->endpoint && !desired_endpoint_is_name(peer))
		sbuf_printf(out, " at %s", peer->endpoint);
	if (peer->keepalive_s)
		sbuf_printf(out, ", keepalive %d s", peer->keepalive_s);
	put_source(out, peer, true, true);
}

static void put_set_peer(struct sbuf *out, const struct plan *p,
			 const struct step *s)
{
	const char *comma = "";

	(void)p;
	sbuf_printf(out, "~ peer %s: ", s->peer->name);
	if (s->change & PEER_ENDPOINT) {
		sbuf_printf(out, "endpoint %s -> %s",
			    text_or_none(s->live->endpoint),
			    text_or_none(s->peer->endpoint));
		comma = "; ";
	}
	if (s->change & PEER_ALLOWED_IPS) {
		sbuf_printf(out, "%sallowed IPs ", comma);
		put_cidrs(out, &s->live->allowed_ips);
		sbuf_puts(out, " -> ");
		put_cidrs(out, &s->peer->allowed_ips);
		comma = "; ";
	}
	if (s->change & PEER_KEEPALIVE) {
		sbuf_printf(out, "%skeepalive ", comma);
		put_step_keepalive(out, s->live->keepalive_s);
		sbuf_puts(out, " -> ");
		put_step_keepalive(out, s->peer->keepalive_s);
		comma = "; ";
	}
	if (s->change & PEER_PSK)
		sbuf_printf(out, "%spreshared key set -> none", comma);
	put_source(out, s->peer, s->change & PEER_ENDPOINT,
		   s->change & PEER_KEEPALIVE);
}

/* By its name, if it is or was a node. */
static void put_remove_peer(struct sbuf *out, const struct plan *p,
			    const struct step *s)
{
	const char *key = s->live->public_key;
	const struct node *n = mesh_by_key(p->mesh, key);

	for (size_t i = 0; !n && i < p->mesh->removed.len; i++)
		if (wgkey_equal(p->mesh->removed.items[i].public_key, key))
			n = &p->mesh->removed.items[i];
	sbuf_printf(out, "- peer %s: ", n ? n->name : key);
	put_cidrs(out, &s->live->allowed_ips);
}

static void put_name_endpoint(struct sbuf *out, const struct plan *p,
			      const struct step *s)
{
	(void)p;
	sbuf_printf(out, "~ peer %s: endpoint %s", s->peer->name,
		    s->peer->endpoint);
	if (s->live && *s->live->endpoint)
		sbuf_printf(out, " (was %s)", s->live->endpoint);
}

static void put_route(struct sbuf *out, const struct plan *p,
		      const struct step *s)
{
	const bool removed = s->kind == STEP_REMOVE_ROUTE;
	const struct ip *gateway = removed ? &s->old->gateway : &s->gateway;
	char text[ADDR_TEXT_MAX];

	(void)p;
	sbuf_printf(out, "%c route %s",
		    removed ? '-' : s->kind == STEP_ADD_ROUTE ? '+' : '~',
		    cidr_text(&s->network, text));
	if (gateway->family)
		sbuf_printf(out, " via %s", ip_text(gateway, text));
	if (s->kind != STEP_REPLACE_ROUTE)
		return;
	if (ip_equal(&s->old->gateway, gateway))
		sbuf_puts(out, " (tag)");
	else
		sbuf_printf(out, " (was %s%s)",
			    s->old->gateway.family ? "via " : "direct",
			    ip_text(&s->old->gateway, text));
}

static void put_address(struct sbuf *out, const struct plan *p,
			const struct step *s)
{
	char text[ADDR_TEXT_MAX];

	(void)p;
	sbuf_printf(out, "%c address %s",
		    s->kind == STEP_ADD_ADDRESS ? '+' : '-',
		    cidr_text(&s->network, text));
}

/* What `wg set` or `ip link set` changes of a live interface. */
static void put_setting(struct sbuf *out, const struct plan *p,
			const struct step *s)
{
	const struct desired *d = p->desired;
	const struct observed *o = p->observed;

	if (s->kind == STEP_PRIVATE_KEY)
		sbuf_printf(out, "~ private key (public key %s -> %s)",
			    text_or_none(o->public_key), d->node->public_key);
	else if (s->kind == STEP_LISTEN_PORT)
		sbuf_printf(out, "~ listen port %d -> %d", o->listen_port,
			    d->listen_port);
	else if (s->kind == STEP_MTU)
		sbuf_printf(out, "~ MTU %d -> %d", o->mtu, d->mtu);
	else
		sbuf_printf(out, "~ fwmark 0x%x -> off", o->fwmark);
}

static void put_bring_up(struct sbuf *out, const struct plan *p,
			 const struct step *s)
{
	size_t n = p->desired->peers.len + p->desired->externals.len;

	(void)s;
	sbuf_printf(out, "+ interface %s up, with %zu peer%s",
		    p->mesh->interface_name, n, n == 1 ? "" : "s");
}

/* Which commands there are from now on, and which no longer. */
static void put_hooks(struct sbuf *out, const struct plan *p)
{
	AUTO(strings_done) struct strings now = { 0 };
	const struct strings *then = &p->observed->boot_hooks;
	bool differ, gone = false;

	wgquick_hooks(&now, p->node);
	differ = now.len != then->len;
	for (size_t i = 0; i < now.len && !differ; i++)
		differ = strcmp(now.items[i], then->items[i]) != 0;
	if (!differ)
		return;
	sbuf_puts(out, "; hooks, from the interface's next start on: ");
	for (size_t i = 0; i < now.len; i++)
		sbuf_printf(out, "%s%s", i ? "; " : "", now.items[i]);
	sbuf_puts(out, now.len ? "" : "none");
	for (size_t i = 0; i < then->len; i++) {
		AUTO(auto_free) char *line = text_escaped(then->items[i]);

		if (strings_find(&now, then->items[i]) >= 0)
			continue;
		sbuf_printf(out, "%s%s", gone ? "; " : " (no longer: ", line);
		gone = true;
	}
	sbuf_puts(out, gone ? ")" : "");
}

static void put_boot_file(struct sbuf *out, const struct plan *p,
			  const struct step *s)
{
	sbuf_printf(out, "%c boot file /etc/wireguard/%s.conf%s",
		    p->observed->boot == BOOT_NONE ? '+' : '~',
		    p->mesh->interface_name,
		    s->marker ? ": its marker gets the proof of the mesh's "
				"present secret" : "");
	put_hooks(out, p);
}

/*
 * A row for each kind: its word for -json, and what people read. That begins
 * with the sign; where there are two words, the interface's name goes between
 * them. What takes more than that has a function.
 */
static const struct {
	const char *name, *words[2];
	void (*put)(struct sbuf *out, const struct plan *p,
		    const struct step *s);
} kinds[] = {
	[STEP_INSTALL] = { "install_wireguard",
		.words = { "+ package wireguard-tools" } },
	[STEP_TAKE_OVER] = { "take_over",
		.words = { "! take over ", ", which is not ours" } },
	[STEP_STORE_KEY] = { "store_key",
		.words = { "+ private key into /etc/wireguard/",
			   ".key, out of the state" } },
	[STEP_WRITE_BOOT_FIRST] = { "write_boot_file", .put = put_boot_file },
	[STEP_ENABLE_FIRST] = { "enable_unit",
		.words = { "+ unit wg-quick@", " enabled" } },
	[STEP_BRING_UP] = { "bring_up", .put = put_bring_up },
	[STEP_PRIVATE_KEY] = { "set_private_key", .put = put_setting },
	[STEP_LISTEN_PORT] = { "set_listen_port", .put = put_setting },
	[STEP_FWMARK] = { "clear_fwmark", .put = put_setting },
	[STEP_MTU] = { "set_mtu", .put = put_setting },
	[STEP_ADD_ADDRESS] = { "add_address", .put = put_address },
	[STEP_LINK_UP] = { "link_up",
		.words = { "~ interface ", " down -> up" } },
	[STEP_ADD_PEER] = { "add_peer", .put = put_add_peer },
	[STEP_SET_PEER] = { "set_peer", .put = put_set_peer },
	[STEP_REMOVE_PEER] = { "remove_peer", .put = put_remove_peer },
	[STEP_ADD_ROUTE] = { "add_route", .put = put_route },
	[STEP_REPLACE_ROUTE] = { "replace_route", .put = put_route },
	[STEP_REMOVE_ROUTE] = { "remove_route", .put = put_route },
	[STEP_REMOVE_ADDRESS] = { "remove_address", .put = put_address },
	[STEP_FORWARD_ON] = { "forwarding_on", .words = { "~ forwarding on" } },
	[STEP_FORWARD_OFF] = { "forwarding_off",
		.words = { "~ forwarding as it was before" } },
	[STEP_WRITE_BOOT] = { "write_boot_file", .put = put_boot_file },
	[STEP_ENABLE] = { "enable_unit",
		.words = { "+ unit wg-quick@", " enabled" } },
	[STEP_NAME_ENDPOINT] = { "set_endpoint", .put = put_name_endpoint },
	[STEP_TEAR_DOWN] = { "tear_down",
		.words = { "- interface ", " and its unit" } },
	[STEP_REMOVE_BOOT] = { "remove_boot_file",
		.words = { "- boot file /etc/wireguard/", ".conf" } },
	[STEP_REMOVE_KEY] = { "remove_key",
		.words = { "- private key /etc/wireguard/", ".key" } },
};
_Static_assert(sizeof kinds / sizeof *kinds == STEP_KINDS,
	       "STEP_KINDS is not behind the last kind");

const char *step_name(enum step_kind kind)
{
	return kinds[kind].name;
}

void step_text(struct sbuf *out, const struct plan *p, const struct step *s)
{
	const char *const *words = kinds[s->kind].words;

	if (kinds[s->kind].put)
		kinds[s->kind].put(out, p, s);
	else
		sbuf_printf(out, "%s%s%s", words[0],
			    words[1] ? p->mesh->interface_name : "",
			    words[1] ? words[1] : "");
}
