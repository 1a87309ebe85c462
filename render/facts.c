#include "render/facts.h"

#include "acl/access.h"
#include "render/desired.h"

#include <string.h>

/** Own addresses that are kept of one host. */
#define MAX_ADDRESSES 64
/** A handshake younger than this tells where a peer is now (seconds). */
#define HANDSHAKE_FRESH 180

static void merge_names(struct node *n, const struct observed *o)
{
	bool renamed = !n->actual_hostname || !o->hostname ||
		       strcmp(n->actual_hostname, o->hostname) != 0;

	mem_replace(&n->actual_hostname, o->hostname);
	if (o->fqdn || renamed)
		mem_replace(&n->fqdn, o->fqdn);
}

static void merge_addresses(const struct mesh *m, struct node *n,
			    const struct observed *o)
{
	struct cidrs *out = &n->facts.addresses;

	out->len = 0;
	for (size_t i = 0; i < o->addresses.len && out->len < MAX_ADDRESSES;
	     i++) {
		const struct observed_address *a = &o->addresses.items[i];

		if (!a->passing && !ip_is_special(&a->address.ip) &&
		    strcmp(a->ifname, m->interface_name) != 0)
			vec_push(out, a->address);
	}
	cidrs_sort(out);
}

/* ---- where is it reached ---- */

static bool is_global(const struct ip *a)
{
	return a->family && !ip_is_special(a) && !ip_is_private(a);
}

static const struct ip *own_global(const struct node *n)
{
	for (size_t i = 0; i < n->facts.addresses.len; i++)
		if (is_global(&n->facts.addresses.items[i].ip))
			return &n->facts.addresses.items[i].ip;
	return NULL;
}

/* Has another node of the mesh a global address? */
static bool others_global(const struct mesh *m, const struct node *n)
{
	for (size_t i = 0; i < m->nodes.len; i++)
		if (&m->nodes.items[i] != n && own_global(&m->nodes.items[i]))
			return true;
	return false;
}

/* What the public peers that heard from @r lately say of its address. */
enum sighting { UNSEEN, SEEN_OWN, SEEN_OTHER };

static enum sighting sighted_by(const struct mesh *m,
				const struct host_report *peer,
				const struct host_report *r)
{
	const struct observed *o = peer->observed;
	const struct observed_peer *p =
		observed_peer_by_key(o, r->node->public_key);
	enum sighting seen = UNSEEN;
	char *host = NULL;
	struct ip ip;
	struct err e;
	int port;

	if (!p || !p->handshake || o->now - p->handshake >= HANDSHAKE_FRESH)
		return UNSEEN;
	if (endpoint_parse(p->endpoint, &host, &port, &e) == 0 &&
	    ip_parse(&ip, host))
		seen = observed_owns(r->observed, &ip, m->interface_name)
			       ? SEEN_OWN
			       : SEEN_OTHER;
	free(host);
	return seen;
}

static enum sighting sighted(const struct mesh *m,
			     const struct host_report *reports, size_t n,
			     const struct host_report *r)
{
	enum sighting all = UNSEEN;

	for (size_t i = 0; i < n && all != SEEN_OTHER; i++) {
		enum sighting one = UNSEEN;

		if (&reports[i] != r && !reports[i].node->behind_nat)
			one = sighted_by(m, &reports[i], r);
		if (one != UNSEEN)
			all = one;
	}
	return all;
}

/*
 * This machine is reached by nobody's SSH: the others see where it comes from.
 * Its own address among those, or unset.
 */
static struct ip local_address(const struct mesh *m,
			       const struct host_report *reports, size_t n,
			       const struct host_report *r, bool *asked)
{
	struct ip ip = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (!*reports[i].observed->ssh_client ||
		    !ip_parse(&ip, reports[i].observed->ssh_client))
			continue;
		*asked = true;
		if (observed_owns(r->observed, &ip, m->interface_name) &&
		    !ip_is_special(&ip))
			return ip;
	}
	return (struct ip){ 0 };
}

struct reach {
	struct ip address; /* own address under which others may reach it */
	bool natted;       /* by what SSH shows */
	bool known;
};

static struct reach reach_of(const struct mesh *m,
			     const struct host_report *reports, size_t n,
			     const struct host_report *r)
{
	struct reach reach = { 0 };
	const struct ip *global = own_global(r->node);
	struct ip dialled = { 0 };

	if (!*r->observed->ssh_server) { /* this very machine */
		reach.address = local_address(m, reports, n, r, &reach.known);
		reach.natted = reach.known && !reach.address.family;
		return reach;
	}
	reach.known = ip_parse(&reach.address, r->observed->ssh_server);
	if (ip_parse(&dialled, r->dialled))
		reach.natted = !ip_equal(&dialled, &reach.address);
	if (reach.natted || !reach.known || is_global(&reach.address))
		return reach;
	if (global && !dialled.family)
		reach.address = *global;
	else if (!global)
		reach.natted = others_global(m, r->node);
	return reach;
}

static void set_nat(struct node *n, bool behind, const char *seen_by)
{
	n->behind_nat = behind;
	mem_replace(&n->facts.nat_seen_by, seen_by);
}

static void merge_reach(struct mesh *m, const struct host_report *reports,
			size_t n, const struct host_report *r)
{
	struct reach reach = reach_of(m, reports, n, r);
	struct node *node = r->node;
	const char *before = node->facts.nat_seen_by;
	char text[ADDR_TEXT_MAX];

	if (reach.known && reach.address.family)
		mem_replace(&node->facts.address,
			    ip_text(&reach.address, text));
	switch (sighted(m, reports, n, r)) {
	case SEEN_OTHER:
		set_nat(node, true, "peer");
		return;
	case SEEN_OWN:
		set_nat(node, false, NULL);
		return;
	case UNSEEN:
		break;
	}
	if (!reach.known)
		return;
	if (reach.natted)
		set_nat(node, true, "ssh");
	else if (!node->behind_nat || (before && strcmp(before, "ssh") == 0))
		set_nat(node, false, NULL);
}

void facts_merge(struct mesh *m, const struct host_report *reports, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		merge_names(reports[i].node, reports[i].observed);
		merge_addresses(m, reports[i].node, reports[i].observed);
	}
	for (size_t i = 0; i < n; i++)
		merge_reach(m, reports, n, &reports[i]);
}

/* ---- pairs without a way ---- */

static size_t lonely_peers(const struct mesh *m, const struct access *a,
			   size_t i, uint8_t *flags)
{
	const struct node *n = &m->nodes.items[i];
	size_t lonely = 0;

	access_of(a, i, flags);
	for (size_t k = 0; k < m->nodes.len; k++) {
		const struct node *peer = &m->nodes.items[k];

		if ((flags[k] & ACCESS_PEER) && peer->behind_nat &&
		    !desired_has_endpoint(n, peer) &&
		    !desired_has_endpoint(peer, n))
			lonely++;
	}
	return lonely;
}

void facts_warnings(const struct mesh *m, struct strings *out)
{
	struct access *a = access_new(m);
	uint8_t *flags = mem_calloc(m->nodes.len, 1);

	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];
		size_t lonely = n->behind_nat ? lonely_peers(m, a, i, flags)
					      : 0;
		char *text;

		if (!lonely)
			continue;
		text = mem_printf("'%s' is behind NAT and so are %zu of its "
				  "peers: neither side has an endpoint; if UDP "
				  "is forwarded to it, set its public_endpoint",
				  n->name, lonely);
		strings_add(out, text);
		free(text);
	}
	free(flags);
	access_free(a);
}
