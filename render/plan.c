/*
 * The difference between what a host has and what it should have, as typed
 * steps in the order in which they are done: what is added comes before what is
 * taken away, so that no packet falls between. Here stands what makes a step
 * due; its words are in step.c, what runs for it in render/host/script.c.
 */
#include "render/plan.h"

#include "base/auto.h"
#include "render/owner.h"

#include <string.h>
#include <strings.h>

/**
 * A handshake younger than this says that a roamed endpoint works (seconds).
 */
#define HANDSHAKE_FRESH 180

static struct step *add_step(struct plan *p, enum step_kind kind)
{
	struct step *s = vec_add(&p->steps);

	s->kind = kind;
	return s;
}

/* ---- peers ---- */

/* The order of allowed IPs says nothing; the live ones come sorted. */
static bool same_cidrs(const struct cidrs *desired, const struct cidrs *live)
{
	struct cidrs sorted = { 0 };
	bool same = desired->len == live->len;

	for (size_t i = 0; same && i < desired->len; i++)
		vec_push(&sorted, desired->items[i]);
	cidrs_sort(&sorted);
	for (size_t i = 0; same && i < sorted.len; i++)
		same = cidr_equal(&sorted.items[i], &live->items[i]);
	vec_done(&sorted);
	return same;
}

/* Is it the same place, however the address is spelled? */
static bool same_endpoint(const char *a, const char *b)
{
	AUTO(auto_free) char *host_a = NULL, *host_b = NULL;
	struct ip ip_a, ip_b;
	int port_a, port_b;
	struct err ignored;

	if (strcmp(a, b) == 0)
		return true;
	return endpoint_parse(a, &host_a, &port_a, &ignored) == 0 &&
	       endpoint_parse(b, &host_b, &port_b, &ignored) == 0 &&
	       port_a == port_b && ip_parse(&ip_a, host_a) &&
	       ip_parse(&ip_b, host_b) && ip_equal(&ip_a, &ip_b);
}

static bool is_quiet(const struct observed_peer *l, const struct observed *o)
{
	return !l->handshake || o->now - l->handshake >= HANDSHAKE_FRESH;
}

/* Is a peer, set by name, none of what the name is now? */
static bool name_moved(const struct desired_peer *d,
		       const struct observed_peer *l)
{
	AUTO(auto_free) char *name = NULL, *host = NULL;
	int wanted, port;
	struct err ignored;
	struct ip at;

	if (!l->named.len ||
	    endpoint_parse(d->endpoint, &name, &wanted, &ignored) < 0 ||
	    endpoint_parse(l->endpoint, &host, &port, &ignored) < 0 ||
	    !ip_parse(&at, host))
		return false;
	for (size_t i = 0; i < l->named.len; i++)
		if (port == wanted && ip_equal(&l->named.items[i], &at))
			return false;
	return true;
}

/*
 * An endpoint is a hint: the peer may have roamed since it was set. What was
 * set before stands in the boot file. It differs only if another one was set,
 * or none, or if it no longer works; a name, if the peer is none of its
 * addresses besides.
 */
static bool endpoint_differs(const struct desired_peer *d,
			     const struct observed_peer *l,
			     const struct observed *o)
{
	const char *booted;

	if (!*d->endpoint || same_endpoint(d->endpoint, l->endpoint))
		return false;
	booted = observed_boot_endpoint(o, d->public_key);
	if (!booted || strcmp(booted, d->endpoint) != 0)
		return true;
	if (desired_endpoint_is_name(d))
		return !*l->endpoint || (is_quiet(l, o) && name_moved(d, l));
	return is_quiet(l, o);
}

static void plan_peers(struct plan *p)
{
	const struct desired *d = p->desired;
	const struct observed *o = p->observed;
	bool *wanted = mem_calloc(o->peers.len, sizeof *wanted);

	for (size_t i = 0; i < d->peers.len; i++) {
		const struct desired_peer *peer = &d->peers.items[i];
		const struct observed_peer *live =
			observed_peer_by_key(o, peer->public_key);
		unsigned change = 0;
		struct step *s;

		if (live) {
			wanted[live - o->peers.items] = true;
			if (endpoint_differs(peer, live, o))
				change |= PEER_ENDPOINT;
			if (!same_cidrs(&peer->allowed_ips, &live->allowed_ips))
				change |= PEER_ALLOWED_IPS;
			if (peer->keepalive_s != live->keepalive_s)
				change |= PEER_KEEPALIVE;
			if (live->has_psk)
				change |= PEER_PSK;
		}
		if ((!live || change & PEER_ENDPOINT) &&
		    desired_endpoint_is_name(peer)) {
			s = add_step(p, STEP_NAME_ENDPOINT);
			s->peer = peer;
			s->live = live;
			change &= ~(unsigned)PEER_ENDPOINT;
		}
		if (live && live->unasked && desired_endpoint_is_name(peer))
			strings_printf(&p->notes, "'%s' is silent, and whether "
				       "%s is elsewhere now cannot be asked "
				       "there: there is no 'getent'",
				       peer->name, peer->endpoint);
		if (live && !change)
			continue;
		s = add_step(p, live ? STEP_SET_PEER : STEP_ADD_PEER);
		s->peer = peer;
		s->live = live;
		s->change = change;
	}
	for (size_t i = 0; i < o->peers.len; i++) {
		const struct observed_peer *live = &o->peers.items[i];

		if (!wanted[i] && !desired_external(d, live->public_key))
			add_step(p, STEP_REMOVE_PEER)->live = live;
	}
	free(wanted);
}

/* ---- addresses ---- */

static void plan_addresses(struct plan *p)
{
	const struct desired *d = p->desired;
	const struct observed *o = p->observed;
	const char *ifname = d->mesh->interface_name;
	struct cidrs live = { 0 };

	for (size_t i = 0; i < o->addresses.len; i++)
		if (strcmp(o->addresses.items[i].ifname, ifname) == 0 &&
		    !ip_is_link_local(&o->addresses.items[i].address.ip))
			vec_push(&live, o->addresses.items[i].address);
	for (size_t i = 0; i < d->addresses.len; i++)
		if (cidrs_find(&live, &d->addresses.items[i]) < 0)
			add_step(p, STEP_ADD_ADDRESS)->network =
				d->addresses.items[i];
	for (size_t i = 0; i < live.len; i++)
		if (cidrs_find(&d->addresses, &live.items[i]) < 0)
			add_step(p, STEP_REMOVE_ADDRESS)->network =
				live.items[i];
	vec_done(&live);
}

/* ---- routes ---- */

/*
 * Ours to remove: tagged; or left by an older tool: through a mesh address, or
 * (as wg-quick makes them) without a gateway while the boot file is not yet
 * ours. A default route is never taken for one of those, nor is one that an
 * external peer has.
 */
static bool route_is_ours(const struct plan *p, const struct observed_route *r)
{
	const struct desired *d = p->desired;
	const struct mesh *m = p->mesh;

	if (r->kernel || r->tagged)
		return !r->kernel;
	if (r->network.plen == 0)
		return false;
	for (size_t i = 0; i < d->externals.len; i++)
		if (cidrs_find(&d->externals.items[i]->routes,
			       &r->network) >= 0)
			return false;
	for (size_t i = 0; i < p->observed->peers.len; i++) {
		const struct observed_peer *live = &p->observed->peers.items[i];

		if (desired_external(d, live->public_key) &&
		    cidrs_find(&live->allowed_ips, &r->network) >= 0)
			return false;
	}
	if (r->gateway.family)
		return (m->network.ip.family &&
			cidr_contains(&m->network, &r->gateway)) ||
		       (m->network6.ip.family &&
			cidr_contains(&m->network6, &r->gateway));
	return !owner_marked(m, p->observed) &&
	       !ip_is_link_local(&r->network.ip);
}

static void plan_routes(struct plan *p)
{
	const struct desired *d = p->desired;
	const struct observed *o = p->observed;
	bool *kept = mem_calloc(o->routes.len, sizeof *kept);

	for (size_t i = 0; i < d->routes.len; i++) {
		const struct desired_route *want = &d->routes.items[i];
		const struct observed_route *old = NULL; /* to be replaced */
		const struct observed_route *same = NULL;
		struct step *s;

		for (size_t k = 0; k < o->routes.len && !same; k++) {
			const struct observed_route *r = &o->routes.items[k];

			if (!cidr_equal(&want->network, &r->network))
				continue;
			if (r->tagged && ip_equal(&want->gateway, &r->gateway))
				same = r;
			else if (!old && !r->kernel)
				old = r;
		}
		if (same || old)
			kept[(same ? same : old) - o->routes.items] = true;
		if (same)
			continue;
		s = add_step(p, old ? STEP_REPLACE_ROUTE : STEP_ADD_ROUTE);
		s->network = want->network;
		s->gateway = want->gateway;
		s->old = old;
	}
	for (size_t i = 0; i < o->routes.len; i++) {
		const struct observed_route *r = &o->routes.items[i];
		struct step *s;

		if (kept[i] || !route_is_ours(p, r))
			continue;
		s = add_step(p, STEP_REMOVE_ROUTE);
		s->network = r->network;
		s->old = r;
	}
	free(kept);
}

/* ---- the rest ---- */

/* Must forwarding change? */
static bool forwarding_differs(const struct plan *p)
{
	const struct desired *d = p->desired;
	const struct observed *o = p->observed;

	if (!d->forward4 && !d->forward6)
		return o->dropin;
	return d->forward4 != o->dropin4 || d->forward6 != o->dropin6 ||
	       (d->forward4 && !o->forward4) || (d->forward6 && !o->forward6);
}

/*
 * A boot file is replaced for the first time: what goes with it. Of commands
 * that the state says it is known what is to be kept.
 */
static void note_lost(struct plan *p)
{
	const struct strings *there = &p->observed->boot_lost;
	const char *interface = p->mesh->interface_name;
	AUTO(strings_done) struct strings lost = { 0 };
	AUTO(auto_free) char *list = NULL;

	for (size_t i = 0; i < there->len; i++) {
		const char *s = there->items[i];

		if (!(p->node->post_up.len && !strncasecmp(s, "PostUp ", 7)) &&
		    !(p->node->pre_down.len && !strncasecmp(s, "PreDown ", 8)))
			strings_add(&lost, s);
	}
	list = strings_line(&lost, lost.len);

	if (list && !owner_marked(p->mesh, p->observed))
		strings_printf(&p->notes, "the boot file there has settings "
			       "that the new one does not: %s. What they did "
			       "lasts until %s goes down; the old file stays "
			       "as %s.conf.before-wgmesh", list, interface,
			       interface);
}

/*
 * The boot file and its unit; before the interface if that is to come up. It is
 * wrong when its text or its key is; of the marker alone when the deploy is to
 * go back to an older serial, or when forwarding changes, the one thing that a
 * state says and the file does not: a host that got nothing else from a newer
 * state need not know of it.
 */
static void plan_boot(struct plan *p, uint64_t boot_hash,
		      const struct plan_options *options)
{
	const struct observed *o = p->observed;
	const char *key = o->boot_public_key ? o->boot_public_key
					     : o->public_key;
	uint64_t there = o->boot_serial, here = p->mesh->serial;
	bool wrong = !owner_marked(p->mesh, o) || o->boot_hash != boot_hash ||
		     (!node_key_on_host(p->mesh, p->node) &&
		      !wgkey_equal(key, p->node->public_key)) ||
		     (there > here ? options->force_serial
				   : there < here && forwarding_differs(p));

	note_lost(p);
	if (wrong || options->prove)
		add_step(p, o->exists ? STEP_WRITE_BOOT
				      : STEP_WRITE_BOOT_FIRST)->marker = !wrong;
	if (o->has_systemd && !o->unit_enabled)
		add_step(p, o->exists ? STEP_ENABLE : STEP_ENABLE_FIRST);
	if (!o->has_systemd)
		strings_add(&p->notes, "no systemd: the boot file is written, "
			    "but nothing starts it at boot");
}

/* The key file is there if, and only if, the key is to live on the host. */
static void plan_key_file(struct plan *p)
{
	const struct node *n = p->node;
	const struct observed *o = p->observed;
	bool live = wgkey_is_set(n->public_key) &&
		    wgkey_equal(o->public_key, n->public_key);

	if (!node_key_on_host(p->mesh, n)) {
		if (o->has_key_file)
			add_step(p, STEP_REMOVE_KEY);
	} else if (n->private_key.len) {
		add_step(p, STEP_STORE_KEY);
	} else if (!o->host_key) {
		strings_printf(&p->notes, "deploy first %s",
			       live ? "puts the interface's private key into "
				      "its file"
				    : "makes its private key there; then the "
				      "others get it as a peer");
	}
}

static void add_forward_note(struct plan *p)
{
	const struct desired *d = p->desired;
	const struct observed *o = p->observed;
	const char *table = d->forward4 && o->drops4   ? o->drops4
			    : d->forward6 && o->drops6 ? o->drops6
						       : NULL;

	if (table)
		strings_printf(&p->notes, "its firewall drops what is forwarded "
			       "to the networks behind it (table '%s'): let in "
			       "there what comes from %s", table,
			       p->mesh->interface_name);
}

/* A login over the mesh says nothing of where the host is (render/facts.c). */
static void add_place_note(struct plan *p)
{
	AUTO(auto_free) char *place = node_endpoint(p->mesh, p->node);
	const char *server = p->observed->ssh_server;
	struct ip ip;

	if (!server || !ip_parse(&ip, server) ||
	    !place_in_mesh(p->mesh, &ip))
		return;
	if (*place)
		strings_printf(&p->notes, "logged in over the mesh: its peers "
			       "go on reaching it at %s", place);
	else if (!node_is_hidden(p->node))
		strings_add(&p->notes, "logged in over the mesh: where its "
			    "peers reach it is not known, set its endpoint");
}

/*
 * What is as it is on purpose: networks that stay outside, words that were not
 * believed, and external peers, which are there, and that is all we say to
 * them.
 */
static void add_desired_notes(struct plan *p)
{
	const struct desired *d = p->desired;
	size_t n = d->externals.len;
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < d->connected.len; i++)
		strings_printf(&p->notes, "%s is not routed into the mesh "
			       "here: this host has a card in it, or a peer or "
			       "the control node is in it",
			       cidr_text(&d->connected.items[i], text));
	for (size_t i = 0; i < d->peers.len; i++)
		if (d->peers.items[i].doubted)
			strings_printf(&p->notes, "'%s' says that it is at %s, "
				       "which is routed into the mesh here: it "
				       "gets no endpoint",
				       d->peers.items[i].name,
				       d->peers.items[i].node->facts.address);
	if (n)
		strings_printf(&p->notes, "%zu external peer%s, left alone", n,
			       n == 1 ? "" : "s");
	for (size_t i = 0; i < n && p->observed->exists; i++)
		if (!observed_peer_by_key(p->observed,
					  d->externals.items[i]->public_key))
			strings_printf(&p->notes, "external peer '%s' is not "
				       "on the interface any more; an import "
				       "reads it anew",
				       d->externals.items[i]->name);
	for (size_t i = 0; i < d->yielded.len; i++)
		strings_printf(&p->notes, "%s is an external peer's here, and "
			       "stays so",
			       cidr_text(&d->yielded.items[i], text));
	for (size_t i = 0; i < d->lacking.len; i++)
		strings_printf(&p->notes, "this host has no IPv6: it goes "
			       "without %s",
			       cidr_text(&d->lacking.items[i], text));
	for (size_t i = 0; i < d->peers.len; i++) {
		const struct node *peer = d->peers.items[i].node;

		if (peer && peer->facts.listen_port)
			strings_printf(&p->notes, "'%s' is reached at port %d "
				       "until its own host has %d", peer->name,
				       peer->facts.listen_port,
				       node_port(d->mesh, peer));
	}
}

/* An interface that is there, changed as it runs. */
static void plan_interface(struct plan *p)
{
	const struct desired *d = p->desired;
	const struct observed *o = p->observed;

	if (!wgkey_equal(o->public_key, d->node->public_key))
		add_step(p, STEP_PRIVATE_KEY);
	if (o->listen_port != d->listen_port) {
		add_step(p, STEP_LISTEN_PORT);
		strings_add(&p->notes, "this host is first: the others learn "
			    "its new port when it has it");
	}
	if (o->fwmark && !d->externals.len) /* one may need it */
		add_step(p, STEP_FWMARK);
	if (d->mtu && o->mtu != d->mtu)
		add_step(p, STEP_MTU);
	if (!o->is_up)
		add_step(p, STEP_LINK_UP);
	plan_addresses(p);
	plan_peers(p);
	plan_routes(p);
}

/* A stable sort by kind: each kind's steps keep their order. */
static void sort_steps(struct plan *p)
{
	struct step *sorted = mem_calloc(p->steps.len, sizeof *sorted);
	size_t n = 0;

	for (int kind = 0; kind < STEP_KINDS; kind++)
		for (size_t i = 0; i < p->steps.len; i++)
			if ((int)p->steps.items[i].kind == kind)
				sorted[n++] = p->steps.items[i];
	free(p->steps.items);
	p->steps.items = sorted;
	p->steps.cap = p->steps.len ? p->steps.len : 1;
}

/* "UDP 51821 is used on n3 by wg1" */
static int port_is_taken(const struct plan *p, const char *more, struct err *e)
{
	return err_set(e, ERR_REMOTE, "UDP %d is used on %s by %s%s",
		       node_port(p->mesh, p->node), p->node->name,
		       p->observed->port_holder, more);
}

int plan_unmet(const struct plan *p, struct err *e)
{
	char more[40];

	if (!p->desired ||
	    p->desired->listen_port == node_port(p->mesh, p->node))
		return 0;
	snprintf(more, sizeof more, "; it keeps port %d",
		 p->desired->listen_port);
	return port_is_taken(p, more, e);
}

/* Does nothing come of it, or all but a part? The latter is noted. */
static int check_can(struct plan *p, struct err *e)
{
	struct err unmet;

	if (!p->desired->addresses.len && p->desired->lacking.len)
		return err_set(e, ERR_REMOTE, "there is no IPv6 on this host, "
			       "and '%s' has no other address",
			       p->node->name);
	if (plan_unmet(p, &unmet) < 0)
		strings_add(&p->notes, unmet.msg);
	else if (p->observed->port_holder)
		return port_is_taken(p, "", e);
	return 0;
}

int plan_make(struct plan *out, const struct desired *d,
	      const struct observed *o, uint64_t boot_hash,
	      const struct plan_options *options, struct err *e)
{
	struct plan p = { .desired = d, .observed = o, .node = d->node,
			  .mesh = d->mesh };

	if (o->exists && o->has_wg && !o->is_wireguard)
		return err_set(e, ERR_REMOTE, "'%s' there is no WireGuard "
			       "interface; rename one of the two",
			       d->mesh->interface_name);
	if (owner_check(d->mesh, d->node, o, options->adopt, e) < 0)
		return -1;
	if (!o->has_wg && !options->install) {
		err_set(e, ERR_REMOTE, "WireGuard is not installed there (no "
			"'wg')");
		return err_advise(e, ADVICE_NO_WIREGUARD, NULL);
	}
	if (!o->has_wg && !o->has_apt)
		return err_set(e, ERR_REMOTE, "WireGuard is not installed "
			       "there (no 'wg') and there is no apt-get; "
			       "install wireguard-tools by hand");
	if (check_can(&p, e) < 0)
		return -1;
	if (!o->has_wg)
		add_step(&p, STEP_INSTALL);
	if (!owner_is(d->mesh, d->node, o))
		add_step(&p, STEP_TAKE_OVER);
	plan_boot(&p, boot_hash, options);
	plan_key_file(&p);
	add_place_note(&p);
	add_forward_note(&p);
	add_desired_notes(&p);
	if (o->exists)
		plan_interface(&p);
	else
		add_step(&p, STEP_BRING_UP);
	if (forwarding_differs(&p))
		add_step(&p, d->forward4 || d->forward6 ? STEP_FORWARD_ON
							: STEP_FORWARD_OFF);
	sort_steps(&p);
	*out = p;
	return 0;
}

void plan_teardown(struct plan *out, const struct mesh *m,
		   const struct node *removed, const struct observed *o)
{
	struct plan p = { .observed = o, .node = removed, .mesh = m };
	bool ours = owner_is(m, removed, o) && !owner_taken(m, removed, o);

	if (ours && (o->exists || o->unit_enabled)) {
		add_step(&p, STEP_TEAR_DOWN);
		p.tears_down = true;
		if (removed->externals.len)
			strings_add(&p.notes, "its external peers lose the "
				    "interface, too");
	}
	if (ours && o->dropin)
		add_step(&p, STEP_FORWARD_OFF);
	if (ours && o->boot != BOOT_NONE)
		add_step(&p, STEP_REMOVE_BOOT);
	if (ours && o->has_key_file)
		add_step(&p, STEP_REMOVE_KEY);
	if (!ours)
		strings_add(&p.notes, "the interface there is not this "
			    "node's any more: left alone");
	sort_steps(&p);
	*out = p;
}

void plan_done(struct plan *p)
{
	vec_done(&p->steps);
	strings_done(&p->notes);
}
