#include "acl/access.h"

#include "base/sbuf.h"

#include <string.h>

/* The first string that stands in @v twice, or NULL. */
static const char *first_repeated(const struct strings *v)
{
	struct strings sorted = { 0 };
	const char *found = NULL;

	strings_copy(&sorted, v);
	strings_sort(&sorted);
	for (size_t i = 1; i < sorted.len && !found; i++)
		if (strcmp(sorted.items[i - 1], sorted.items[i]) == 0)
			found = v->items[strings_find(v, sorted.items[i])];
	strings_done(&sorted);
	return found;
}

static int check_group(const struct mesh *m, const struct group *g,
		       struct err *e)
{
	const char *twice = first_repeated(&g->members);

	if (twice)
		return err_set(e, ERR_INPUT, "group '%s' has member '%s' twice",
			       g->name, twice);
	for (size_t i = 0; i < g->members.len; i++)
		if (!nodes_find(&m->nodes, g->members.items[i]))
			return err_set(e, ERR_INPUT, "group '%s' has member "
				       "'%s', which is no node of this mesh",
				       g->name, g->members.items[i]);
	return 0;
}

/* One side of a policy: not empty, and only groups that exist. */
static int check_side(const struct mesh *m, const struct policy *p,
		      const char *side, const struct strings *groups,
		      struct err *e)
{
	if (groups->len == 0)
		return err_set(e, ERR_INPUT, "policy '%s' has no %s, expected "
			       "at least one group", p->name, side);
	for (size_t i = 0; i < groups->len; i++)
		if (!mesh_group(m, groups->items[i]))
			return err_set(e, ERR_INPUT, "policy '%s': %s names "
				       "'%s', which is no group", p->name,
				       side, groups->items[i]);
	return 0;
}

static bool any_member(const struct mesh *m, const struct strings *groups)
{
	for (size_t i = 0; i < groups->len; i++)
		if (mesh_group(m, groups->items[i])->members.len)
			return true;
	return false;
}

static int check_policy(const struct mesh *m, size_t i, struct err *e)
{
	const struct policy *p = &m->policies.items[i];

	for (size_t k = 0; k < i; k++)
		if (strcmp(m->policies.items[k].name, p->name) == 0)
			return err_set(e, ERR_INPUT, "policy name '%s' is "
				       "there twice", p->name);
	if (check_side(m, p, "from_groups", &p->from_groups, e) < 0 ||
	    check_side(m, p, "to_groups", &p->to_groups, e) < 0)
		return -1;
	if (!any_member(m, &p->from_groups) || !any_member(m, &p->to_groups))
		return err_set(e, ERR_INPUT, "policy '%s' matches no nodes: "
			       "the groups of one side are all empty", p->name);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The nodes that no group has, in one sentence. */
static void warn_ungrouped(const struct mesh *m, struct strings *warnings)
{
	VEC(const char *) grouped = { 0 };
	struct sbuf names = SBUF_INIT;
	size_t count = 0;

	for (size_t g = 0; g < m->groups.len; g++)
		for (size_t i = 0; i < m->groups.items[g].members.len; i++)
			vec_push(&grouped, m->groups.items[g].members.items[i]);
	vec_sort(&grouped, compare_names);
	for (size_t i = 0; i < m->nodes.len; i++) {
		const char *name = m->nodes.items[i].name;

		if (grouped.len &&
		    bsearch(&name, grouped.items, grouped.len, sizeof name,
			    compare_names))
			continue;
		if (count++ < 5)
			sbuf_printf(&names, "%s%s", count > 1 ? ", " : "",
				    name);
	}
	if (count > 5)
		sbuf_printf(&names, " and %zu more", count - 5);
	if (count) {
		char *text = mem_printf("in no group, so without any peer: %s",
					sbuf_str(&names));
		strings_add(warnings, text);
		free(text);
	}
	sbuf_done(&names);
	vec_done(&grouped);
}

int access_check(const struct mesh *m, struct strings *warnings,
		 struct err *e)
{
	for (size_t i = 0; i < m->groups.len; i++)
		if (check_group(m, &m->groups.items[i], e) < 0)
			return -1;
	for (size_t i = 0; i < m->policies.len; i++)
		if (check_policy(m, i, e) < 0)
			return -1;
	if (!warnings || m->groups.len == 0)
		return 0;
	if (m->policies.len == 0)
		strings_add(warnings, "groups are defined but no access "
			    "policies: no node has any peer");
	else
		warn_ungrouped(m, warnings);
	return 0;
}
