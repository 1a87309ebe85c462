/*
 * What is wrong with groups and policies: names that are not there.
 */
#include "acl/access.h"

#include "base/auto.h"
#include "state/model/model.h"

#include <string.h>

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Borrowed names. */
struct names {
	const char **items;
	size_t len;
	size_t cap;
};

static void names_done(struct names *v)
{
	vec_done(v);
}

static void check_members(struct findings *out, const struct mesh *m,
			  const struct group *g)
{
	AUTO(names_done) struct names sorted = { 0 };
	struct finding_place at = { PART_GROUP, g->name, "members", NULL };

	for (size_t i = 0; i < g->members.len; i++)
		vec_push(&sorted, g->members.items[i]);
	vec_sort(&sorted, compare_names);
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

/* One side of a policy: not empty, and only groups that exist. */
static void check_side(struct findings *out, const struct mesh *m,
		       const struct policy *p, const char *side,
		       const struct strings *groups)
{
	struct finding_place at = { PART_POLICY, p->name,
				    *side == 'f' ? "from" : "to", NULL };

	if (groups->len == 0)
		finding_add(out, true, "empty_side", at,
			    "policy '%s' has no %s, expected at least one "
			    "group", p->name, side);
	for (size_t i = 0; i < groups->len; i++) {
		AUTO(auto_free) char *shown = check_shown(groups->items[i]);

		at.value = groups->items[i];
		if (!mesh_group(m, at.value))
			finding_add(out, true, "unknown_group", at,
				    "policy '%s': %s names '%s', which is no "
				    "group", p->name, side, shown);
	}
}

/* Groups that do not exist are an error of their own. */
static bool all_empty(const struct mesh *m, const struct strings *groups)
{
	for (size_t i = 0; i < groups->len; i++) {
		const struct group *g = mesh_group(m, groups->items[i]);

		if (!g || g->members.len)
			return false;
	}
	return groups->len > 0;
}

static void check_policy(struct findings *out, const struct mesh *m,
			 const struct policy *p)
{
	struct finding_place at = { PART_POLICY, p->name, NULL, NULL };

	check_side(out, m, p, "from_groups", &p->from_groups);
	check_side(out, m, p, "to_groups", &p->to_groups);
	if (all_empty(m, &p->from_groups) || all_empty(m, &p->to_groups))
		finding_add(out, true, "policy_matches_nothing", at,
			    "policy '%s' matches no nodes: the groups of one "
			    "side are all empty", p->name);
}

static void check_policy_names(struct findings *out, const struct mesh *m)
{
	AUTO(names_done) struct names sorted = { 0 };

	for (size_t i = 0; i < m->policies.len; i++)
		vec_push(&sorted, m->policies.items[i].name);
	vec_sort(&sorted, compare_names);
	for (size_t i = 1; i < sorted.len; i++)
		if (strcmp(sorted.items[i - 1], sorted.items[i]) == 0)
			finding_add(out, true, "repeated_policy",
				    (struct finding_place){ PART_POLICY,
							    sorted.items[i],
							    "name", NULL },
				    "policy name '%s' is there twice",
				    sorted.items[i]);
}

void access_check(struct findings *out, const struct mesh *m)
{
	for (size_t i = 0; i < m->groups.len; i++)
		check_members(out, m, &m->groups.items[i]);
	check_policy_names(out, m);
	for (size_t i = 0; i < m->policies.len; i++)
		check_policy(out, m, &m->policies.items[i]);
}
