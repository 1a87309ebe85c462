/*
 * What hosts say and what we saw of them becomes facts of the mesh, by the rule of
 * whom to believe (SECURITY.md).
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

/* An address that can be a place outside of the mesh; family 0: it is none. */
static struct ip place(const struct mesh *m, const char *text)
{
	struct ip ip = { 0 };

	if (!text || !ip_parse(&ip, text) || ip_is_special(&ip) ||
	    (m->network.ip.family && cidr_contains(&m->network, &ip)) ||
	    (m->network6.ip.family && cidr_contains(&m->network6, &ip)))
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
		struct ip ip = place(m, reports[i].source);
		size_t count = 0;

		if (is_global(&ip))
			return ip;
		for (size_t k = 0; ip.family && k < n; k++) {
			struct ip other = place(m, reports[k].source);

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
};

static struct reach reach_of(const struct mesh *m,
			     const struct host_report *reports, size_t n,
			     const struct host_report *r)
{
	struct reach reach = { .dialled = place(m, r->dialled) };
	const struct ip *global = own_global(r->node);
	struct ip said = place(m, r->observed->ssh_server);

	if (r->local) {
		reach.dialled = reach.address = local_address(m, reports, n);
	} else if (reach.dialled.family) {
		reach.address = *r->observed->ssh_server ? said : reach.dialled;
		reach.translated = !ip_equal(&reach.dialled, &reach.address);
	} else if (!*r->dialled) { /* through a proxy: its word alone */
		reach.address = global && !is_global(&said) ? *global : said;
	}
	return reach;
}

/* Was another node reached at a global address, with our own eyes? */
static bool others_global(const struct mesh *m, const struct node *n)
{
	for (size_t i = 0; i < m->nodes.len; i++) {
		struct ip ip = place(m, m->nodes.items[i].facts.dialled);

		if (&m->nodes.items[i] != n && is_global(&ip))
			return true;
	}
	return false;
}

/* ---- what others see ---- */

/* Where @peer sees @r, lately; false: it does not. */
static bool sees(struct ip *out, const struct host_report *peer,
		 const struct host_report *r)
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
	       ip_parse(out, host);
}

/* Two nodes at one address may be one machine. */
static bool independent(const struct node *a, const struct node *b)
{
	return a != b && !(a->facts.dialled && b->facts.dialled &&
			   strcmp(a->facts.dialled, b->facts.dialled) == 0);
}

/* What two independent peers that are not behind NAT agree to see. */
struct sighting {
	struct ip at; /* family 0: nothing */
	const struct node *by[2];
};

static struct sighting sighted(const struct host_report *reports, size_t n,
			       const struct host_report *r)
{
	for (size_t i = 0; i < n; i++) {
		struct ip at, also;

		if (&reports[i] == r || node_is_hidden(reports[i].node) ||
		    !sees(&at, &reports[i], r))
			continue;
		for (size_t k = i + 1; k < n; k++)
			if (&reports[k] != r &&
			    !node_is_hidden(reports[k].node) &&
			    independent(reports[i].node, reports[k].node) &&
			    sees(&also, &reports[k], r) && ip_equal(&at, &also))
				return (struct sighting){
					at,
					{ reports[i].node, reports[k].node } };
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
	if (n->behind_nat && !n->facts.nat_from)
		return; /* the user says so */
	if (reach->translated)
		set_nat(n, FACT_SAID);
	else if (reach->address.family && !is_global(&reach->address) &&
		 others_global(m, n))
		set_nat(n, FACT_DIALLED);
	else if (is_global(&reach->dialled) ||
		 (reach->address.family && node_is_hidden(n)))
		set_nat(n, NULL); /* what spoke for it does so no more */
}

/* By others' word, where what we saw leaves it open. */
static void hear_others(const struct mesh *m, const struct host_report *reports,
			size_t n, const struct host_report *r,
			const struct reach *reach)
{
	const struct sighting s = sighted(reports, n, r);
	AUTO(auto_free) char *from = NULL;

	if (!s.at.family || node_is_hidden(r->node) ||
	    is_global(&reach->dialled))
		return;
	if (!observed_owns(r->observed, &s.at, m->interface_name))
		from = mem_printf(FACT_SEEN_BY "%s and %s", s.by[0]->name,
				  s.by[1]->name);
	set_nat(r->node, from);
}

static void merge_place(struct node *n, const struct reach *reach)
{
	char text[ADDR_TEXT_MAX];

	if (reach->dialled.family)
		mem_replace(&n->facts.dialled, ip_text(&reach->dialled, text));
	if (reach->address.family)
		mem_replace(&n->facts.address, ip_text(&reach->address, text));
}

void facts_merge(struct mesh *m, const struct host_report *reports, size_t n)
{
	struct reach *all = mem_calloc(n + 1, sizeof *all);

	for (size_t i = 0; i < n; i++) {
		merge_names(reports[i].node, reports[i].observed);
		merge_addresses(m, reports[i].node, reports[i].observed);
		all[i] = reach_of(m, reports, n, &reports[i]);
		merge_place(reports[i].node, &all[i]);
	}
	for (size_t i = 0; i < n; i++)
		judge_nat(m, reports[i].node, &all[i]);
	for (size_t i = 0; i < n; i++)
		hear_others(m, reports, n, &reports[i], &all[i]);
	free(all);
	mtu_merge(m, reports, n);
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

		if ((flags[k] & ACCESS_PEER) && node_is_hidden(peer) &&
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
		size_t lonely = node_is_hidden(n) ? lonely_peers(m, a, i, flags)
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
