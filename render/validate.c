/*
 * All findings about a mesh, from all who have some. Here are those that no
 * room above has: they compare nodes with each other, and with what was seen of
 * them.
 */
#include "render/validate.h"

#include "acl/access.h"
#include "base/auto.h"
#include "render/overlap.h"
#include "state/merge/merge.h"
#include "state/model/model.h"

#include <ctype.h>
#include <string.h>

/* "host:port" in the one way in which equal places are spelled alike. */
static char *place_text(const char *host, int port)
{
	char text[ENDPOINT_TEXT_MAX];
	struct ip ip;
	char *s;

	if (ip_parse(&ip, host))
		return mem_strdup(endpoint_text(&ip, port, text));
	s = mem_printf("%s:%d", host, port);
	for (char *p = s; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return s;
}

/* Is a member of @groups behind NAT? Marks them all, unless @marks is NULL. */
static bool has_nat_member(const struct mesh *m, const struct strings *groups,
			   bool *marks)
{
	bool nat = false;

	for (size_t g = 0; g < groups->len; g++) {
		const struct group *group = mesh_group(m, groups->items[g]);

		for (size_t i = 0; group && i < group->members.len; i++) {
			const struct node *n = nodes_find(
				&m->nodes, group->members.items[i]);

			nat = nat || (n && n->behind_nat);
			if (n && marks)
				marks[n - m->nodes.items] = true;
		}
	}
	return nat;
}

/* Mark who is behind NAT or has a peer that is; are there any? */
static bool mark_nat(const struct mesh *m, bool *marks)
{
	bool any = false;

	for (size_t i = 0; i < m->nodes.len; i++) {
		marks[i] = m->nodes.items[i].behind_nat;
		any = any || marks[i];
	}
	for (size_t i = 0; any && i < m->policies.len; i++) {
		const struct policy *p = &m->policies.items[i];

		if (has_nat_member(m, &p->from_groups, NULL))
			has_nat_member(m, &p->to_groups, marks);
		if (has_nat_member(m, &p->to_groups, NULL))
			has_nat_member(m, &p->from_groups, marks);
	}
	if (any && !access_enabled(m))
		memset(marks, true, m->nodes.len);
	return any;
}

/* Keepalives are for NAT; nothing is said unless all nodes were looked at. */
static void add_idle_keepalives(struct findings *out, const struct mesh *m)
{
	AUTO(auto_free) bool *marks = mem_calloc(m->nodes.len, sizeof *marks);
	struct finding_place at = { PART_MESH, NULL, "keepalive", NULL };

	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];

		if (!n->facts.deployed && !n->facts.address &&
		    !n->facts.addresses.len && !n->behind_nat)
			return;
	}
	if (m->nodes.len == 0)
		return;
	if (!mark_nat(m, marks) && m->keepalive_s > 0)
		finding_add(out, false, "keepalive_without_nat", at,
			    "keepalive %d is set for the mesh, but no node is "
			    "behind NAT", m->keepalive_s);
	at.part = PART_NODE;
	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];

		at.name = n->name;
		if (n->keepalive_s > 0 && !marks[i])
			finding_add(out, false, "keepalive_without_nat", at,
				    "node '%s' has keepalive %d, but neither "
				    "it nor any of its peers is behind NAT",
				    n->name, n->keepalive_s);
	}
}

void validate_errors(struct findings *out, const struct mesh *m)
{
	static const struct claim_words words = {
		true, "duplicate_endpoint", "endpoint", "have the same endpoint"
	};
	AUTO(claims_done) struct claims endpoints = { 0 };

	conflicts_check(out, m);
	check_loadable(out, m);
	check_deployable(out, m);
	access_check(out, m);
	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];
		AUTO(auto_free) char *host = NULL;
		AUTO(auto_free) char *text = NULL;
		struct err ignored;
		int port;

		if (!n->public_endpoint ||
		    endpoint_parse(n->public_endpoint, &host, &port,
				   &ignored) < 0)
			continue;
		text = place_text(host, port);
		claims_text(&endpoints, text, n);
	}
	claims_report(&endpoints, &words, out);
}

/*
 * They are left alone as they are, so no deploy stops for them; and a wrapper of
 * UDP on the host itself may well be where one is reached.
 */
static void warn_of_externals(struct findings *out, const struct mesh *m,
			      const struct node *n)
{
	struct finding_place at = { PART_NODE, n->name, NULL, NULL };

	for (size_t i = 0; i < n->externals.len; i++) {
		const struct external *x = &n->externals.items[i];
		AUTO(auto_free) char *host = NULL;
		const char *fault;
		struct err ignored;
		int port;

		if (!x->endpoint ||
		    endpoint_parse(x->endpoint, &host, &port, &ignored) < 0 ||
		    place_is_loopback(host))
			continue;
		fault = place_host_fault(m, host);
		at.value = x->name;
		if (fault)
			finding_add(out, false, "external_endpoint", at,
				    "node '%s': external peer '%s': endpoint: "
				    "%s %s", n->name, x->name, host, fault);
	}
}

void validate_warnings(struct findings *out, const struct mesh *m)
{
	static const struct claim_words words = { false, "duplicate_ssh",
						  "ssh", "both log in to" };
	AUTO(claims_done) struct claims logins = { 0 };

	access_advise(out, m);
	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];
		AUTO(auto_free) char *place = NULL;
		AUTO(auto_free) char *text = NULL;
		int port = node_ssh_port(n);

		warn_of_externals(out, m, n);
		if (n->is_local || !n->ssh_host || !*n->ssh_host)
			continue;
		place = place_text(n->ssh_host, port ? port : 22);
		text = mem_printf("%s@%s", n->ssh_user ? n->ssh_user : "root",
				  place);
		claims_text(&logins, text, n);
	}
	claims_report(&logins, &words, out);
	overlap_check(out, m);
	check_taken(out, m);
	add_idle_keepalives(out, m);
}

void validate_mesh(struct findings *out, const struct mesh *m)
{
	validate_errors(out, m);
	validate_warnings(out, m);
}
