/*
 * What hosts say and what we saw of them becomes facts of the mesh, by the rule
 * of whom to believe (SECURITY.md).
 */
#include "render/facts.h"

#include "acl/access.h"
#include "base/auto.h"
#include "render/desired.h"
#include "render/mtu.h"

#include <string.h>

/** Own addresses that are kept of one host. */
#define MAX_ADDRESSES 64
/** A handshake younger than this tells where a peer is now (seconds). */
#define HANDSHAKE_FRESH 180

/* Its names and its own addresses, the tunnel's apart. */
static void merge_own(const struct mesh *m, struct node *n,
		      const struct observed *o)
{
	struct cidrs *own = &n->facts.addresses;
	bool renamed = !n->actual_hostname || !o->hostname ||
		       strcmp(n->actual_hostname, o->hostname) != 0;

	mem_replace(&n->actual_hostname, o->hostname);
	if (o->fqdn || renamed) /* it is not asked for under a known name */
		mem_replace(&n->fqdn, o->fqdn);
	own->len = 0;
	for (size_t i = 0; i < o->addresses.len && own->len < MAX_ADDRESSES;
	     i++) {
		const struct observed_address *a = &o->addresses.items[i];

		if (!a->passing && !place_fault(m, &a->address.ip) &&
		    strcmp(a->ifname, m->interface_name) != 0)
			vec_push(own, a->address);
	}
	cidrs_sort(own);
}

/* ---- where is it reached ---- */

static bool is_global(const struct ip *a)
{
	return a->family && !ip_is_special(a) && !ip_is_private(a);
}

/* An address that can be a place outside of the mesh; family 0: it is none. */
static struct ip outside_address(const struct mesh *m, const char *text)
{
	struct ip ip = { 0 };

	if (!text || !ip_parse(&ip, text) || place_fault(m, &ip))
		return (struct ip){ 0 };
	return ip;
}

/*
 * This machine is reached by nobody's SSH, but we know from where we reach the
 * others: a global address of ours, else the one that most of them are
 * reached from.
 */
static struct ip local_address(const struct mesh *m,
			       const struct host_report *reports, size_t n)
{
	struct ip best = { 0 };
	size_t most = 0;

	for (size_t i = 0; i < n; i++) {
		struct ip ip = outside_address(m, reports[i].source);
		size_t count = 0;

		if (is_global(&ip))
			return ip;
		for (size_t k = 0; ip.family && k < n; k++) {
			struct ip other = outside_address(m, reports[k].source);

			count += ip_equal(&ip, &other);
		}
		if (count > most) {
			most = count;
			best = ip;
		}
	}
	return best;
}

/* What one report tells of the host's place. */
struct reach {
	struct ip dialled; /* what we saw; family 0: nothing */
	struct ip address; /* its own address; family 0: nothing new */
	bool translated;   /* sshd was reached on another address than ours */
	bool over_mesh;    /* the login says nothing of where it is */
};

static bool is_in_mesh(const struct mesh *m, const char *text)
{
	struct ip ip;

	return text && ip_parse(&ip, text) && place_in_mesh(m, &ip);
}

/* A global address of the host's own. */
static struct ip own_global(const struct node *n)
{
	for (size_t i = 0; i < n->facts.addresses.len; i++)
		if (is_global(&n->facts.addresses.items[i].ip))
			return n->facts.addresses.items[i].ip;
	return (struct ip){ 0 };
}

static struct reach reach_of(const struct mesh *m,
			     const struct host_report *reports, size_t n,
			     const struct host_report *r)
{
	struct ip said = outside_address(m, r->observed->ssh_server);
	struct reach reach = { .dialled = outside_address(m, r->dialled) };

	reach.over_mesh = is_in_mesh(m, r->dialled) ||
			  is_in_mesh(m, r->observed->ssh_server);
	if (reach.over_mesh) {
		reach.dialled = (struct ip){ 0 };
		if (!r->node->facts.address && !node_is_hidden(r->node))
			reach.address = own_global(r->node);
	} else if (r->local) {
		reach.dialled = reach.address = local_address(m, reports, n);
	} else if (reach.dialled.family) {
		reach.address = *r->observed->ssh_server ? said : reach.dialled;
		reach.translated = !ip_equal(&reach.dialled, &reach.address);
	} else if (!*r->dialled) { /* through a proxy: its word alone */
		reach.address = own_global(r->node);
		if (is_global(&said) || !reach.address.family)
			reach.address = said;
	}
	return reach;
}

/* ---- what others see ---- */

/* Where @peer sees @r, lately; false: it does not. */
static bool sees(const struct mesh *m, struct ip *out,
		 const struct host_report *peer, const struct host_report *r)
{
	const struct observed *o = peer->observed;
	const struct observed_peer *p =
		observed_peer_by_key(o, r->node->public_key);
	AUTO(auto_free) char *host = NULL;
	struct err e;
	int port;

	return p && p->handshake &&
	       o->now - p->handshake < HANDSHAKE_FRESH &&
	       endpoint_parse(p->endpoint, &host, &port, &e) == 0 &&
	       ip_parse(out, host) && !place_fault(m, out);
}

/* What two independent peers that are not behind NAT agree to see. */
struct sighting {
	struct ip at; /* family 0: nothing */
	const struct node *by[2];
};

/* Two nodes at one address may be one machine, and are no two witnesses. */
static struct sighting sighted(const struct mesh *m,
			       const struct host_report *reports, size_t n,
			       const struct host_report *r)
{
	for (size_t i = 0; i < n; i++) {
		const struct node *a = reports[i].node;
		struct ip at, also;

		if (&reports[i] == r || node_is_hidden(a) ||
		    !sees(m, &at, &reports[i], r))
			continue;
		for (size_t k = i + 1; k < n; k++) {
			const struct node *b = reports[k].node;
			bool one = a == b ||
				   (a->facts.dialled && b->facts.dialled &&
				    strcmp(a->facts.dialled,
					   b->facts.dialled) == 0);

			if (!one && &reports[k] != r && !node_is_hidden(b) &&
			    sees(m, &also, &reports[k], r) &&
			    ip_equal(&at, &also))
				return (struct sighting){ at, { a, b } };
		}
	}
	return (struct sighting){ 0 };
}

/* ---- who is behind NAT ---- */

static void set_nat(struct node *n, const char *from)
{
	n->behind_nat = from;
	mem_replace(&n->facts.nat_from, from);
}

/* By what we saw, and what the host says of itself. */
static void judge_nat(const struct mesh *m, struct node *n,
		      const struct reach *reach)
{
	bool apart = reach->address.family && !is_global(&reach->address);
	bool others_global = false; /* is another one, for our own eyes? */

	if (n->behind_nat && !n->facts.nat_from)
		return; /* the user says so */
	for (size_t i = 0; apart && i < m->nodes.len && !others_global; i++) {
		struct ip ip = outside_address(m,
					       m->nodes.items[i].facts.dialled);

		others_global = &m->nodes.items[i] != n && is_global(&ip);
	}
	if (reach->translated)
		set_nat(n, FACT_SAID);
	else if (others_global)
		set_nat(n, FACT_DIALLED);
	else if (is_global(&reach->dialled) ||
		 (reach->address.family && node_is_hidden(n)))
		set_nat(n, NULL); /* what spoke for it does so no more */
}

void facts_merge(struct mesh *m, const struct host_report *reports, size_t n)
{
	struct reach *all = mem_calloc(n + 1, sizeof *all);
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < n; i++) {
		struct node *node = reports[i].node;

		merge_own(m, node, reports[i].observed);
		all[i] = reach_of(m, reports, n, &reports[i]);
		if (all[i].dialled.family)
			mem_replace(&node->facts.dialled,
				    ip_text(&all[i].dialled, text));
		if (all[i].address.family)
			mem_replace(&node->facts.address,
				    ip_text(&all[i].address, text));
	}
	for (size_t i = 0; i < n; i++)
		if (!all[i].over_mesh)
			judge_nat(m, reports[i].node, &all[i]);
	/* others' word, where what we saw leaves it open */
	for (size_t i = 0; i < n; i++) {
		struct node *node = reports[i].node;
		const struct sighting s = sighted(m, reports, n,
						  &reports[i]);
		AUTO(auto_free) char *from = NULL;

		if (!s.at.family || node_is_hidden(node) ||
		    all[i].over_mesh || is_global(&all[i].dialled))
			continue;
		if (!observed_owns(reports[i].observed, &s.at,
				   m->interface_name))
			from = mem_printf(FACT_SEEN_BY "%s and %s",
					  s.by[0]->name, s.by[1]->name);
		set_nat(node, from);
	}
	free(all);
	mtu_merge(m, reports, n);
}

/* ---- pairs without a way ---- */

void facts_warnings(const struct mesh *m, struct strings *out)
{
	struct access *a = access_new(m);
	uint8_t *flags = mem_calloc(m->nodes.len, 1);

	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];
		AUTO(auto_free) char *text = NULL;
		size_t lonely = 0;

		if (!node_is_hidden(n))
			continue;
		access_of(a, i, flags);
		for (size_t k = 0; k < m->nodes.len; k++) {
			const struct node *peer = &m->nodes.items[k];

			lonely += (flags[k] & ACCESS_PEER) &&
				  node_is_hidden(peer) &&
				  !desired_has_endpoint(n, peer) &&
				  !desired_has_endpoint(peer, n);
		}
		if (!lonely)
			continue;
		text = mem_printf("'%s' is behind NAT and so are %zu of its "
				  "peers: neither side has an endpoint; if UDP "
				  "is forwarded to it, set its endpoint",
				  n->name, lonely);
		strings_add(out, text);
	}
	free(flags);
	access_free(a);
}
