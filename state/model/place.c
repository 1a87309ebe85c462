/*
 * Places: where a node can be reached by its peers. An address of the mesh is
 * never one, for packets of the tunnel would go into the tunnel. A network
 * behind a node may be one: for a peer that is in it, too, or that has another
 * way there (render/desired.c sees to it that none is routed over itself).
 */
#include "state/model/place.h"

#include "base/auto.h"
#include "state/model/check.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

bool place_in_mesh(const struct mesh *m, const struct ip *a)
{
	const struct cidr *own = a->family == 6 ? &m->network6 : &m->network;

	if (!a->family)
		return false;
	if (own->ip.family)
		return cidr_contains(own, a);
	for (size_t i = 0; i < m->nodes.len; i++)
		if (ip_equal(&m->nodes.items[i].mesh_ip, a) ||
		    ip_equal(&m->nodes.items[i].mesh_ip6, a))
			return true;
	return false;
}

const char *place_fault(const struct mesh *m, const struct ip *a)
{
	static const struct {
		const char *net, *fault;
	} none[] = {
		{ "127.0.0.0/8", "is the loopback address of each host itself" },
		{ "::1/128", "is the loopback address of each host itself" },
		{ "0.0.0.0/8", "is no host's address (unspecified)" },
		{ "::/128", "is no host's address (unspecified)" },
		{ "224.0.0.0/4", "is a multicast address" },
		{ "ff00::/8", "is a multicast address" },
		{ "169.254.0.0/16", "is link-local: it has no meaning elsewhere" },
		{ "fe80::/10", "is link-local: it has no meaning elsewhere" },
		{ "255.255.255.255/32", "is the broadcast address" },
		{ "240.0.0.0/4", "is reserved, no host has it" },
	};
	struct cidr c;

	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		if (cidr_parse(&c, none[i].net) && cidr_contains(&c, a))
			return none[i].fault;
	if (m && place_in_mesh(m, a))
		return "is an address of the mesh itself: the tunnel would go "
		       "into the tunnel";
	return NULL;
}

/* An address, as getaddrinfo() would take it without asking anybody. */
static bool parse_host(struct ip *out, const char *host)
{
	struct in_addr a;

	if (ip_parse(out, host))
		return true;
	if (!inet_aton(host, &a))
		return false;
	*out = (struct ip){ .family = 4 };
	memcpy(out->b, &a, sizeof a);
	return true;
}

bool place_is_loopback(const char *host)
{
	static const char *const names[] = { "localhost",
					     "localhost.localdomain",
					     "ip6-localhost", "ip6-loopback" };
	size_t n = strlen(host), end = strlen(".localhost");
	struct cidr c;
	struct ip ip;

	if (parse_host(&ip, host))
		return (cidr_parse(&c, "127.0.0.0/8") &&
			cidr_contains(&c, &ip)) ||
		       (cidr_parse(&c, "::1/128") && cidr_contains(&c, &ip));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcasecmp(host, names[i]) == 0)
			return true;
	return n > end && strcasecmp(host + n - end, ".localhost") == 0;
}

const char *place_host_fault(const struct mesh *m, const char *host)
{
	struct ip ip;

	if (parse_host(&ip, host))
		return place_fault(m, &ip);
	return place_is_loopback(host) ? "is each host itself" : NULL;
}

static void forget_place(const struct mesh *m, char **fact)
{
	struct ip ip;

	if (*fact && ip_parse(&ip, *fact) && place_fault(m, &ip))
		mem_replace(fact, NULL);
}

void places_forget(struct mesh *m)
{
	for (size_t i = 0; i < m->nodes.len; i++) {
		forget_place(m, &m->nodes.items[i].facts.address);
		forget_place(m, &m->nodes.items[i].facts.dialled);
	}
}

/* Packets to these are taken by this machine, or by nobody. */
static const char *ssh_fault(const char *host)
{
	struct ip ip;

	if (!parse_host(&ip, host) || place_is_loopback(host) ||
	    (ip.family == 4 && ip.b[0] == 169))
		return NULL;
	return place_fault(NULL, &ip);
}

static void check_endpoint_place(struct findings *out, const struct mesh *m,
				 const struct node *n)
{
	struct finding_place at = { PART_NODE, n->name, "endpoint",
				    n->public_endpoint };
	AUTO(auto_free) char *host = NULL;
	const char *fault;
	struct err ignored;
	int port;

	if (!n->public_endpoint ||
	    endpoint_parse(n->public_endpoint, &host, &port, &ignored) < 0)
		return;
	fault = place_host_fault(m, host);
	if (fault)
		finding_add(out, true, "bad_endpoint", at,
			    "node '%s': endpoint: %s %s", n->name, host, fault);
}

void places_check(struct findings *out, const struct mesh *m)
{
	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];
		struct finding_place at = { PART_NODE, n->name, "ssh",
					    n->ssh_host };
		const char *fault = n->is_local || !n->ssh_host
					    ? NULL : ssh_fault(n->ssh_host);

		check_endpoint_place(out, m, n);
		if (fault)
			finding_add(out, true, "bad_ssh_host", at,
				    "node '%s': ssh_host: %s %s", n->name,
				    n->ssh_host, fault);
	}
}
