/*
 * The difference between what a host has and what it should have, as typed steps in
 * the order in which they are done: what is added comes before what is taken away, so
 * that no packet falls between.
 */
#include "render/plan.h"

#include "base/auto.h"
#include "render/owner.h"
#include "render/peer_change.h"

#include <stdarg.h>
#include <string.h>

/* A sentence for the user. */
__attribute__((format(printf, 2, 3)))
static void add_note(struct plan *p, const char *fmt, ...)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	sbuf_vprintf(&text, fmt, ap);
	va_end(ap);
	strings_add(&p->notes, sbuf_str(&text));
}

static struct step *add_step(struct plan *p, enum step_kind kind)
{
	struct step *s = vec_add(&p->steps);

	s->kind = kind;
	return s;
}

/* ---- peers ---- */

static void plan_peers(struct plan *p)
{
	const struct desired *d = p->desired;
	const struct observed *o = p->observed;
	bool *wanted = mem_calloc(o->peers.len, sizeof *wanted);

	for (size_t i = 0; i < d->peers.len; i++) {
		const struct desired_peer *peer = &d->peers.items[i];
		const struct observed_peer *live =
			observed_peer_by_key(o, peer->public_key);
		unsigned change = live ? peer_changes(peer, live, o) : 0;
		struct step *s;

		if (live)
			wanted[live - o->peers.items] = true;
		if ((!live || change & PEER_ENDPOINT) &&
		    desired_endpoint_is_name(peer)) {
			add_step(p, STEP_NAME_ENDPOINT)->peer = peer;
			change &= ~(unsigned)PEER_ENDPOINT;
		}
		if (live && !change)
			continue;
		s = add_step(p, live ? STEP_SET_PEER : STEP_ADD_PEER);
		s->peer = peer;
		s->live = live;
		s->change = change;
	}
	for (size_t i = 0; i < o->peers.len; i++)
		if (!wanted[i] && !desired_external(d, o->peers.items[i].public_key))
			add_step(p, STEP_REMOVE_PEER)->live =
				&o->peers.items[i];
	free(wanted);
}

/* ---- addresses ---- */

static bool has_cidr(const struct cidrs *v, const struct cidr *c)
{
	for (size_t i = 0; i < v->len; i++)
		if (cidr_equal(&v->items[i], c))
			return true;
	return false;
}

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
		if (!has_cidr(&live, &d->addresses.items[i]))
			add_step(p, STEP_ADD_ADDRESS)->network =
				d->addresses.items[i];
	for (size_t i = 0; i < live.len; i++)
		if (!has_cidr(&d->addresses, &live.items[i]))
			add_step(p, STEP_REMOVE_ADDRESS)->network =
				live.items[i];
	vec_done(&live);
}

/* ---- routes ---- */

/* Is @a an address that the mesh gives out? */
static bool in_mesh(const struct mesh *m, const struct ip *a)
{
	return (m->network.ip.family && cidr_contains(&m->network, a)) ||
	       (m->network6.ip.family && cidr_contains(&m->network6, a));
}

/* Does an external peer have it? */
static bool is_external(const struct plan *p, const struct observed_route *r)
{
	const struct desired *d = p->desired;

	for (size_t i = 0; i < d->externals.len; i++)
		if (has_cidr(&d->externals.items[i]->routes, &r->network))
			return true;
	for (size_t i = 0; i < p->observed->peers.len; i++) {
		const struct observed_peer *live = &p->observed->peers.items[i];

		if (desired_external(d, live->public_key) &&
		    has_cidr(&live->allowed_ips, &r->network))
			return true;
	}
	return false;
}

/*
 * Ours to remove: tagged; or left by an older tool: through a mesh address, or
 * (as wg-quick makes them) without a gateway while the boot file is not yet
 * ours. A default route is never taken for one of those.
 */
static bool route_is_ours(const struct plan *p, const struct observed_route *r)
{
	if (r->kernel)
		return false;
	if (r->tagged)
		return true;
	if (r->network.plen == 0 || is_external(p, r))
		return false;
	if (r->gateway.family)
		return in_mesh(p->mesh, &r->gateway);
	return !owner_marked(p->mesh, p->observed) &&
	       !ip_is_link_local(&r->network.ip);
}

static bool same_route(const struct desired_route *d,
		       const struct observed_route *r)
{
	return cidr_equal(&d->network, &r->network) &&
	       ip_equal(&d->gateway, &r->gateway) && r->tagged;
}

/* The observed route that @d is, or that it can take the place of. */
static const struct observed_route *
counterpart(const struct plan *p, const struct desired_route *d)
{
	const struct observed *o = p->observed;
	const struct observed_route *other = NULL;

	for (size_t i = 0; i < o->routes.len; i++) {
		const struct observed_route *r = &o->routes.items[i];

		if (same_route(d, r))
			return r;
		if (!r->kernel && cidr_equal(&d->network, &r->network) && !other)
			other = r;
	}
	return other;
}

static void plan_routes(struct plan *p)
{
	const struct desired *d = p->desired;
	const struct observed *o = p->observed;
	bool *kept = mem_calloc(o->routes.len, sizeof *kept);

	for (size_t i = 0; i < d->routes.len; i++) {
		const struct desired_route *want = &d->routes.items[i];
		const struct observed_route *old = counterpart(p, want);
		struct step *s;

		if (old)
			kept[old - o->routes.items] = true;
		if (old && same_route(want, old))
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

static void plan_forwarding(struct plan *p)
{
	const struct desired *d = p->desired;

	if (forwarding_differs(p))
		add_step(p, d->forward4 || d->forward6 ? STEP_FORWARD_ON
						       : STEP_FORWARD_OFF);
}

static void plan_interface(struct plan *p)
{
	const struct desired *d = p->desired;
	const struct observed *o = p->observed;

	if (strcmp(o->public_key, d->node->public_key) != 0)
		add_step(p, STEP_PRIVATE_KEY);
	if (o->listen_port != d->listen_port)
		add_step(p, STEP_LISTEN_PORT);
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

/* Is the boot file as it should be? */
static bool boot_is_right(const struct plan *p, uint64_t boot_hash)
{
	const struct observed *o = p->observed;
	const char *key = o->boot_public_key ? o->boot_public_key
					     : o->public_key;

	return owner_marked(p->mesh, o) && o->boot_hash == boot_hash &&
	       (node_key_on_host(p->mesh, p->node) ||
		strcmp(key, p->node->public_key) == 0);
}

/*
 * Must the marker alone change? A host that got nothing from a newer state need
 * not know of it. All that a state says is in the boot file, save forwarding.
 */
static bool marker_is_wrong(const struct plan *p, bool force_serial)
{
	uint64_t there = p->observed->boot_serial, here = p->mesh->serial;

	return there > here ? force_serial
			    : there < here && forwarding_differs(p);
}

/* The boot file and its unit; before the interface if that is to come up. */
static void plan_boot(struct plan *p, uint64_t boot_hash,
		      const struct plan_options *options)
{
	const struct observed *o = p->observed;
	bool wrong = !boot_is_right(p, boot_hash) ||
		     marker_is_wrong(p, options->force_serial);

	if (wrong || options->prove)
		add_step(p, o->exists ? STEP_WRITE_BOOT
				      : STEP_WRITE_BOOT_FIRST)->marker = !wrong;
	if (o->has_systemd && !o->unit_enabled)
		add_step(p, o->exists ? STEP_ENABLE : STEP_ENABLE_FIRST);
	if (!o->has_systemd)
		strings_add(&p->notes, "no systemd: the boot file is written, "
			    "but nothing starts it at boot");
}

static bool has_live_key(const struct plan *p)
{
	const char *key = p->node->public_key;

	return *key && strcmp(p->observed->public_key, key) == 0;
}

/* The key file is there if, and only if, the key is to live on the host. */
static void plan_key_file(struct plan *p)
{
	const struct node *n = p->node;
	const struct observed *o = p->observed;

	if (!node_key_on_host(p->mesh, n)) {
		if (o->has_key_file)
			add_step(p, STEP_REMOVE_KEY);
	} else if (n->private_key.len) {
		add_step(p, STEP_STORE_KEY);
	} else if (!o->host_key) {
		add_note(p, "deploy first %s", has_live_key(p)
			 ? "puts the interface's private key into its file"
			 : "makes its private key there; then the others get "
			   "it as a peer");
	}
}

/* Networks that the host reaches, or needs, outside the mesh. */
static void note_connected(struct plan *p)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < p->desired->connected.len; i++)
		add_note(p, "%s is not routed into the mesh here: this host has "
			 "a card in it, or a peer or the control node is in it",
			 cidr_text(&p->desired->connected.items[i], text));
}

/* A word that was not believed. */
static void note_doubted(struct plan *p)
{
	const struct desired *d = p->desired;

	for (size_t i = 0; i < d->peers.len; i++)
		if (d->peers.items[i].doubted)
			add_note(p, "'%s' says that it is at %s, which is "
				 "routed into the mesh here: it gets no "
				 "endpoint", d->peers.items[i].name,
				 d->peers.items[i].node->facts.address);
}

/* External peers: they are there, and that is all we say to them. */
static void note_externals(struct plan *p)
{
	const struct desired *d = p->desired;
	size_t n = d->externals.len;

	if (n)
		add_note(p, "%zu external peer%s, left alone", n,
			 n == 1 ? "" : "s");
	for (size_t i = 0; i < n && p->observed->exists; i++)
		if (!observed_peer_by_key(p->observed,
					  d->externals.items[i]->public_key))
			add_note(p, "external peer '%s' is not on the "
				 "interface any more; an import reads it "
				 "anew", d->externals.items[i]->name);
	for (size_t i = 0; i < d->yielded.len; i++) {
		char text[ADDR_TEXT_MAX];

		add_note(p, "%s is an external peer's here, and stays so",
			 cidr_text(&d->yielded.items[i], text));
	}
}

static int plan_install(struct plan *p, const struct plan_options *options,
			struct err *e)
{
	if (p->observed->has_wg)
		return 0;
	if (!options->install) {
		err_set(e, ERR_REMOTE, "WireGuard is not installed there (no "
			"'wg')");
		return err_advise(e, ADVICE_NO_WIREGUARD, NULL);
	}
	if (!p->observed->has_apt)
		return err_set(e, ERR_REMOTE, "WireGuard is not installed "
			       "there (no 'wg') and there is no apt-get; "
			       "install wireguard-tools by hand");
	add_step(p, STEP_INSTALL);
	return 0;
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
	if (owner_check(d->mesh, d->node, o, options->adopt, e) < 0 ||
	    plan_install(&p, options, e) < 0)
		return -1;
	if (!owner_is(d->mesh, d->node, o))
		add_step(&p, STEP_TAKE_OVER);
	plan_boot(&p, boot_hash, options);
	plan_key_file(&p);
	note_connected(&p);
	note_doubted(&p);
	note_externals(&p);
	if (o->exists)
		plan_interface(&p);
	else
		add_step(&p, STEP_BRING_UP);
	plan_forwarding(&p);
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
