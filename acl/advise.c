/*
 * What is odd about groups and policies and still works: a group that nobody is
 * in, a policy that grants nothing. Apart from check.c, which finds errors.
 */
#include "acl/access.h"

#include "base/auto.h"
#include "base/sbuf.h"

#include <string.h>

/*
 * What counts of the nodes of a group, or of one side of a policy. No list: one
 * look at each member, however many policies name the group.
 */
struct crowd {
	const struct node *one;   /* of them; NULL: nobody */
	bool many;                /* and others */
	bool routes;              /* somebody has networks behind it */
};

static void crowd_add(struct crowd *c, const struct node *n)
{
	if (c->one && c->one != n)
		c->many = true;
	c->one = n;
	c->routes |= n->routable_networks.len > 0;
}

/* @of_groups: by the number of the group. */
static struct crowd side_crowd(const struct mesh *m,
			       const struct strings *groups,
			       const struct crowd *of_groups)
{
	struct crowd c = { 0 };

	for (size_t i = 0; i < groups->len; i++) {
		const struct group *g = mesh_group(m, groups->items[i]);
		const struct crowd *part =
			g ? &of_groups[g - m->groups.items] : NULL;

		if (!part || !part->one)
			continue;
		crowd_add(&c, part->one);
		c.many |= part->many;
		c.routes |= part->routes;
	}
	return c;
}

static void advise_policy(struct findings *out, const struct mesh *m,
			  const struct policy *p, const struct crowd *of_groups)
{
	struct crowd from = side_crowd(m, &p->from_groups, of_groups);
	struct crowd to = side_crowd(m, &p->to_groups, of_groups);
	struct finding_place at = { PART_POLICY, p->name, NULL, NULL };
	static const char code[] = "policy_without_effect";

	if (!from.one || !to.one)
		return;
	if (from.one == to.one && !from.many && !to.many) {
		finding_add(out, false, code, at,
			    "policy '%s' relates no two nodes: both sides are "
			    "'%s' alone", p->name, to.one->name);
	} else if (!p->allow_mesh_ips && !p->allow_routable_networks) {
		at.key = "mesh_ips";
		finding_add(out, false, code, at,
			    "policy '%s' allows neither mesh addresses nor "
			    "networks", p->name);
	} else if (!p->allow_mesh_ips && !to.routes) {
		at.key = "networks";
		finding_add(out, false, code, at,
			    "policy '%s' allows only networks, and no node of "
			    "its to_groups has any", p->name);
	}
}

/* The nodes that no group has, in one sentence; at most five by name. */
static void advise_ungrouped(struct findings *out, const struct mesh *m,
			     const bool *grouped)
{
	AUTO(sbuf_done) struct sbuf names = SBUF_INIT;
	size_t count = 0;

	for (size_t i = 0; i < m->nodes.len; i++)
		if (!grouped[i] && count++ < 5)
			sbuf_printf(&names, "%s%s", count > 1 ? ", " : "",
				    m->nodes.items[i].name);
	if (count > 5)
		sbuf_printf(&names, " and %zu more", count - 5);
	if (count)
		finding_add(out, false, "node_in_no_group",
			    (struct finding_place){ .key = "groups" },
			    "in no group, so without any peer: %s",
			    sbuf_str(&names));
}

void access_advise(struct findings *out, const struct mesh *m)
{
	AUTO(auto_free) struct crowd *of_groups =
		mem_calloc(m->groups.len, sizeof *of_groups);
	AUTO(auto_free) bool *grouped =
		mem_calloc(m->nodes.len, sizeof *grouped);

	for (size_t g = 0; g < m->groups.len; g++) {
		const struct strings *members = &m->groups.items[g].members;

		for (size_t i = 0; i < members->len; i++) {
			const struct node *n = nodes_find(&m->nodes,
							  members->items[i]);

			if (!n)
				continue; /* acl/check.c says so */
			crowd_add(&of_groups[g], n);
			grouped[n - m->nodes.items] = true;
		}
	}
	if (m->groups.len && m->policies.len == 0)
		finding_add(out, false, "groups_without_policies",
			    (struct finding_place){ .key = "policies" },
			    "groups are defined but no access policies: no "
			    "node has any peer");
	else if (m->groups.len)
		advise_ungrouped(out, m, grouped);
	for (size_t i = 0; i < m->policies.len; i++)
		advise_policy(out, m, &m->policies.items[i], of_groups);
}
