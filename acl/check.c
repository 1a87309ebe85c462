/*
 * What is wrong with groups and policies: names that are not there. These are
 * errors: such a policy grants less than it seems to, and nobody would see it.
 */
#include "acl/access.h"

#include "base/auto.h"

#include <string.h>

/* Sorted, as a hand-written state may name thousands in any order. */
static void check_members(struct findings *out, const struct mesh *m,
			  const struct group *g)
{
	AUTO(strings_done) struct strings sorted = { 0 };
	struct finding_place at = { PART_GROUP, g->name, "members", NULL };

	strings_copy(&sorted, &g->members);
	strings_sort(&sorted);
	for (size_t i = 0; i < sorted.len; i++) {
		AUTO(auto_free) char *shown = check_shown(sorted.items[i]);

		at.value = sorted.items[i];
		if (i && strcmp(sorted.items[i - 1], at.value) == 0)
			finding_add(out, true, "repeated_member", at,
				    "group '%s' has member '%s' twice", g->name,
				    shown);
		else if (!nodes_find(&m->nodes, at.value))
			finding_add(out, true, "unknown_member", at,
				    "group '%s' has member '%s', which is no "
				    "node of this mesh", g->name, shown);
	}
}

/*
 * One side of a policy: not empty, and only groups that exist. Are all of them
 * there and without a member? One that is not there is an error of its own.
 */
static bool check_side(struct findings *out, const struct mesh *m,
		       const struct policy *p, const char *side,
		       const struct strings *groups)
{
	bool nobody = groups->len > 0;
	struct finding_place at = { PART_POLICY, p->name,
				    *side == 'f' ? "from" : "to", NULL };

	if (groups->len == 0)
		finding_add(out, true, "empty_side", at,
			    "policy '%s' has no %s, expected at least one "
			    "group", p->name, side);
	for (size_t i = 0; i < groups->len; i++) {
		AUTO(auto_free) char *shown = check_shown(groups->items[i]);
		const struct group *g = mesh_group(m, groups->items[i]);

		at.value = groups->items[i];
		nobody = nobody && g && g->members.len == 0;
		if (!g)
			finding_add(out, true, "unknown_group", at,
				    "policy '%s': %s names '%s', which is no "
				    "group", p->name, side, shown);
	}
	return nobody;
}

void access_check(struct findings *out, const struct mesh *m)
{
	AUTO(strings_done) struct strings names = { 0 };

	for (size_t i = 0; i < m->groups.len; i++)
		check_members(out, m, &m->groups.items[i]);
	for (size_t i = 0; i < m->policies.len; i++)
		strings_add(&names, m->policies.items[i].name);
	strings_sort(&names);
	for (size_t i = 1; i < names.len; i++) {
		struct finding_place at = { PART_POLICY, names.items[i], "name",
					    NULL };

		if (strcmp(names.items[i - 1], at.name) == 0)
			finding_add(out, true, "repeated_policy", at,
				    "policy name '%s' is there twice", at.name);
	}
	for (size_t i = 0; i < m->policies.len; i++) {
		const struct policy *p = &m->policies.items[i];
		struct finding_place at = { PART_POLICY, p->name, NULL, NULL };
		bool nobody = check_side(out, m, p, "from_groups",
					 &p->from_groups);

		if (check_side(out, m, p, "to_groups", &p->to_groups) || nobody)
			finding_add(out, true, "policy_matches_nothing", at,
				    "policy '%s' matches no nodes: the groups "
				    "of one side are all empty", p->name);
	}
}
