/*
 * Who is whose peer, and which networks each may reach there: computed once for
 * all nodes, so that a mesh of thousands costs one walk over its policies.
 */
#include "acl/access.h"

#include <string.h>

/* Nodes by their place in the mesh, sorted. */
struct indexes {
	size_t *items;
	size_t len;
	size_t cap;
};

struct side_pair {
	struct indexes from, to;
	uint8_t grant; /* what the from side gets towards the to side */
};

struct access {
	const struct mesh *m; /* borrowed */
	VEC(struct side_pair) policies;
};

bool access_enabled(const struct mesh *m)
{
	return m->groups.len > 0 || m->policies.len > 0;
}

static int compare_indexes(const void *a, const void *b)
{
	size_t x = *(const size_t *)a;
	size_t y = *(const size_t *)b;

	return x < y ? -1 : x > y;
}

/* The nodes that are in one of @groups: sorted, each once. */
static void members_of(const struct mesh *m, const struct strings *groups,
		       struct indexes *out)
{
	size_t kept = 0;

	for (size_t g = 0; g < groups->len; g++) {
		const struct group *group = mesh_group(m, groups->items[g]);

		for (size_t i = 0; group && i < group->members.len; i++) {
			const struct node *n = nodes_find(
				&m->nodes, group->members.items[i]);

			if (n)
				vec_push(out, (size_t)(n - m->nodes.items));
		}
	}
	vec_sort(out, compare_indexes);
	for (size_t i = 0; i < out->len; i++)
		if (i == 0 || out->items[i] != out->items[i - 1])
			out->items[kept++] = out->items[i];
	out->len = kept;
}

struct access *access_new(const struct mesh *m)
{
	struct access *a = mem_calloc(1, sizeof *a);

	a->m = m;
	for (size_t i = 0; i < m->policies.len; i++) {
		const struct policy *p = &m->policies.items[i];
		struct side_pair *sides = vec_add(&a->policies);

		members_of(m, &p->from_groups, &sides->from);
		members_of(m, &p->to_groups, &sides->to);
		sides->grant = ACCESS_PEER;
		if (p->allow_mesh_ips)
			sides->grant |= ACCESS_MESH_IP;
		if (p->allow_routable_networks)
			sides->grant |= ACCESS_NETWORKS;
	}
	return a;
}

void access_free(struct access *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->policies.len; i++) {
		vec_done(&a->policies.items[i].from);
		vec_done(&a->policies.items[i].to);
	}
	vec_done(&a->policies);
	free(a);
}

/* If node @i is in @own, it gets @flags towards all nodes in @others. */
static void grant(const struct indexes *own, size_t i,
		  const struct indexes *others, uint8_t flags, uint8_t *out)
{
	if (!own->len || !bsearch(&i, own->items, own->len, sizeof i,
				  compare_indexes))
		return;
	for (size_t k = 0; k < others->len; k++)
		out[others->items[k]] |= flags;
}

/* WireGuard knows no direction: the side that may not start is a peer, too. */
static void add_policy(const struct side_pair *sides, size_t i, uint8_t *out)
{
	grant(&sides->from, i, &sides->to, sides->grant, out);
	grant(&sides->to, i, &sides->from, ACCESS_PEER, out);
}

void access_of(const struct access *a, size_t i, uint8_t *out)
{
	memset(out, access_enabled(a->m) ? 0 : ACCESS_PEER | ACCESS_MESH_IP |
						 ACCESS_NETWORKS,
	       a->m->nodes.len);
	for (size_t p = 0; p < a->policies.len; p++)
		add_policy(&a->policies.items[p], i, out);
	out[i] = 0; /* also where a node is on both sides of a policy */
}

void access_by_policy(const struct access *a, size_t policy, size_t i,
		      uint8_t *out)
{
	memset(out, 0, a->m->nodes.len);
	add_policy(&a->policies.items[policy], i, out);
	out[i] = 0;
}

void access_groups_of(const struct mesh *m, const char *node,
		      struct strings *out)
{
	for (size_t i = 0; i < m->groups.len; i++)
		if (strings_find(&m->groups.items[i].members, node) >= 0)
			strings_add(out, m->groups.items[i].name);
}
