/*
 * The words of a step: for people and for -json.
 */
#include "render/plan.h"

#include <string.h>

static const char *const names[] = {
	[STEP_INSTALL] = "install_wireguard",
	[STEP_TAKE_OVER] = "take_over",
	[STEP_STORE_KEY] = "store_key",
	[STEP_WRITE_BOOT_FIRST] = "write_boot_file",
	[STEP_ENABLE_FIRST] = "enable_unit",
	[STEP_BRING_UP] = "bring_up",
	[STEP_PRIVATE_KEY] = "set_private_key",
	[STEP_LISTEN_PORT] = "set_listen_port",
	[STEP_FWMARK] = "clear_fwmark",
	[STEP_MTU] = "set_mtu",
	[STEP_ADD_ADDRESS] = "add_address",
	[STEP_LINK_UP] = "link_up",
	[STEP_ADD_PEER] = "add_peer",
	[STEP_SET_PEER] = "set_peer",
	[STEP_REMOVE_PEER] = "remove_peer",
	[STEP_ADD_ROUTE] = "add_route",
	[STEP_REPLACE_ROUTE] = "replace_route",
	[STEP_REMOVE_ROUTE] = "remove_route",
	[STEP_REMOVE_ADDRESS] = "remove_address",
	[STEP_FORWARD_ON] = "forwarding_on",
	[STEP_FORWARD_OFF] = "forwarding_off",
	[STEP_WRITE_BOOT] = "write_boot_file",
	[STEP_ENABLE] = "enable_unit",
	[STEP_NAME_ENDPOINT] = "set_endpoint",
	[STEP_TEAR_DOWN] = "tear_down",
	[STEP_REMOVE_BOOT] = "remove_boot_file",
	[STEP_REMOVE_KEY] = "remove_key",
};
_Static_assert(sizeof names / sizeof *names == STEP_KINDS,
	       "STEP_KINDS is not behind the last kind");

const char *step_name(enum step_kind kind)
{
	return names[kind];
}

static void put_cidrs(struct sbuf *out, const struct cidrs *v)
{
	char text[ADDR_TEXT_MAX];

	if (v->len == 0)
		sbuf_puts(out, "none");
	for (size_t i = 0; i < v->len; i++)
		sbuf_printf(out, "%s%s", i ? ", " : "",
			    cidr_text(&v->items[i], text));
}

static void put_keepalive(struct sbuf *out, int seconds)
{
	if (seconds)
		sbuf_printf(out, "%d s", seconds);
	else
		sbuf_puts(out, "off");
}

static const char *or_none(const char *s)
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

static void put_new_peer(struct sbuf *out, const struct desired_peer *peer)
{
	sbuf_printf(out, "+ peer %s: ", peer->name);
	put_cidrs(out, &peer->allowed_ips);
	if (*peer->endpoint && !desired_endpoint_is_name(peer))
		sbuf_printf(out, " at %s", peer->endpoint);
	if (peer->keepalive_s)
		sbuf_printf(out, ", keepalive %d s", peer->keepalive_s);
	put_source(out, peer, true, true);
}

static void put_peer_changes(struct sbuf *out, const struct step *s)
{
	const char *comma = "";

	sbuf_printf(out, "~ peer %s: ", s->peer->name);
	if (s->change & PEER_ENDPOINT) {
		sbuf_printf(out, "endpoint %s -> %s", or_none(s->live->endpoint),
			    or_none(s->peer->endpoint));
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
		put_keepalive(out, s->live->keepalive_s);
		sbuf_puts(out, " -> ");
		put_keepalive(out, s->peer->keepalive_s);
		comma = "; ";
	}
	if (s->change & PEER_PSK)
		sbuf_printf(out, "%spreshared key set -> none", comma);
	put_source(out, s->peer, s->change & PEER_ENDPOINT,
		   s->change & PEER_KEEPALIVE);
}

static void put_old_peer(struct sbuf *out, const struct plan *p,
			 const struct observed_peer *live)
{
	const struct node *n = mesh_by_key(p->mesh, live->public_key);

	for (size_t i = 0; !n && i < p->mesh->removed.len; i++)
		if (strcmp(p->mesh->removed.items[i].public_key,
			   live->public_key) == 0)
			n = &p->mesh->removed.items[i];
	sbuf_printf(out, "- peer %s: ", n ? n->name : live->public_key);
	put_cidrs(out, &live->allowed_ips);
}

static void put_route(struct sbuf *out, char sign, const struct cidr *network,
		      const struct ip *gateway)
{
	char text[ADDR_TEXT_MAX];

	sbuf_printf(out, "%c route %s", sign, cidr_text(network, text));
	if (gateway->family)
		sbuf_printf(out, " via %s", ip_text(gateway, text));
}

static void put_replaced_route(struct sbuf *out, const struct step *s)
{
	char text[ADDR_TEXT_MAX];

	put_route(out, '~', &s->network, &s->gateway);
	if (!ip_equal(&s->old->gateway, &s->gateway))
		sbuf_printf(out, " (was %s%s)",
			    s->old->gateway.family ? "via " : "direct",
			    ip_text(&s->old->gateway, text));
	else
		sbuf_puts(out, " (tag)");
}

static void put_address(struct sbuf *out, const struct step *s)
{
	char text[ADDR_TEXT_MAX];

	sbuf_printf(out, "%c address %s",
		    s->kind == STEP_ADD_ADDRESS ? '+' : '-',
		    cidr_text(&s->network, text));
}

static void put_interface(struct sbuf *out, const struct plan *p,
			  const struct step *s)
{
	const struct desired *d = p->desired;
	const struct observed *o = p->observed;

	switch (s->kind) {
	case STEP_PRIVATE_KEY:
		sbuf_printf(out, "~ private key (public key %s -> %s)",
			    or_none(o->public_key), d->node->public_key);
		break;
	case STEP_LISTEN_PORT:
		sbuf_printf(out, "~ listen port %d -> %d", o->listen_port,
			    d->listen_port);
		break;
	case STEP_MTU:
		sbuf_printf(out, "~ MTU %d -> %d", o->mtu, d->mtu);
		break;
	case STEP_FWMARK:
		sbuf_printf(out, "~ fwmark 0x%x -> off", o->fwmark);
		break;
	default:
		sbuf_printf(out, "~ interface %s down -> up",
			    d->mesh->interface_name);
	}
}

static void put_whole(struct sbuf *out, const struct plan *p,
		      const struct step *s)
{
	const char *ifname = p->mesh->interface_name;
	bool new = p->observed->boot == BOOT_NONE;
	size_t n;

	switch (s->kind) {
	case STEP_INSTALL:
		sbuf_puts(out, "+ package wireguard-tools");
		break;
	case STEP_TAKE_OVER:
		sbuf_printf(out, "! take over %s, which is not ours", ifname);
		break;
	case STEP_BRING_UP:
		n = p->desired->peers.len + p->desired->externals.len;
		sbuf_printf(out, "+ interface %s up, with %zu peer%s", ifname,
			    n, n == 1 ? "" : "s");
		break;
	case STEP_FORWARD_ON:
		sbuf_puts(out, "~ forwarding on");
		break;
	case STEP_FORWARD_OFF:
		sbuf_puts(out, "~ forwarding as it was before");
		break;
	case STEP_ENABLE_FIRST:
	case STEP_ENABLE:
		sbuf_printf(out, "+ unit wg-quick@%s enabled", ifname);
		break;
	case STEP_TEAR_DOWN:
		sbuf_printf(out, "- interface %s and its unit", ifname);
		break;
	case STEP_STORE_KEY:
		sbuf_printf(out, "+ private key into /etc/wireguard/%s.key, "
			    "out of the state", ifname);
		break;
	case STEP_REMOVE_KEY:
		sbuf_printf(out, "- private key /etc/wireguard/%s.key", ifname);
		break;
	case STEP_REMOVE_BOOT:
		sbuf_printf(out, "- boot file /etc/wireguard/%s.conf", ifname);
		break;
	default:
		sbuf_printf(out, "%c boot file /etc/wireguard/%s.conf%s",
			    new ? '+' : '~', ifname,
			    s->marker ? ": its marker gets the proof of the "
					"mesh's present secret" : "");
	}
}

void step_text(struct sbuf *out, const struct plan *p, const struct step *s)
{
	switch (s->kind) {
	case STEP_ADD_PEER:
		put_new_peer(out, s->peer);
		break;
	case STEP_SET_PEER:
		put_peer_changes(out, s);
		break;
	case STEP_NAME_ENDPOINT:
		sbuf_printf(out, "~ peer %s: endpoint %s", s->peer->name,
			    s->peer->endpoint);
		break;
	case STEP_REMOVE_PEER:
		put_old_peer(out, p, s->live);
		break;
	case STEP_ADD_ROUTE:
		put_route(out, '+', &s->network, &s->gateway);
		break;
	case STEP_REMOVE_ROUTE:
		put_route(out, '-', &s->network, &s->old->gateway);
		break;
	case STEP_REPLACE_ROUTE:
		put_replaced_route(out, s);
		break;
	case STEP_ADD_ADDRESS:
	case STEP_REMOVE_ADDRESS:
		put_address(out, s);
		break;
	case STEP_PRIVATE_KEY:
	case STEP_LISTEN_PORT:
	case STEP_FWMARK:
	case STEP_MTU:
	case STEP_LINK_UP:
		put_interface(out, p, s);
		break;
	default:
		put_whole(out, p, s);
	}
}
