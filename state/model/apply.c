/*
 * A mesh is brought to what another one says; what that says nothing of stays.
 * The other one is a mesh.yaml or another tool's inventory: it knows no keys,
 * pins or facts, so the state is changed field by field and never replaced.
 */
#include "state/model/apply.h"

#include "base/auto.h"
#include "state/model/field.h"
#include "state/model/spec.h"

#include <string.h>

struct slots { VEC_OF(struct ip *); };

struct apply {
	struct mesh *m;
	const struct mesh *wanted;
	enum apply_mode mode;
	struct strings *kept; /* names, sorted, for the walk goes up */
	struct nodes fresh;   /* new nodes, until they go into @m */
	struct slots empty4, empty6; /* addresses to be filled */
	bool moved4, moved6;  /* the mesh has another network now */
	struct finding_place *failed;
};

/* ---- fields ---- */

/* Do two lists say the same? They get sorted where their order says nothing. */
static bool same_items(struct strings *a, struct strings *b, bool ordered)
{
	bool same;

	if (!ordered) {
		strings_sort(a);
		strings_sort(b);
	}
	same = a->len == b->len;
	for (size_t i = 0; same && i < a->len; i++)
		same = strcmp(a->items[i], b->items[i]) == 0;
	return same;
}

/*
 * Make @to say what @from, an object of the wanted mesh, says; not of @except.
 */
static int apply_fields(const struct apply *a, const struct mesh_fields *all,
			const char *except, void *to, const void *from,
			struct err *e)
{
	for (size_t i = 0; i < all->len; i++) {
		const struct mesh_field *f = &all->items[i];
		AUTO(strings_done) struct strings has = { 0 }, wants = { 0 },
						  sorted = { 0 };

		if (!f->value || strcmp(f->key, except) == 0)
			continue;
		field_get(f, a->m, to, &has);
		field_get(f, a->wanted, from, &wants);
		strings_copy(&sorted, &wants);
		if ((f->stays && wants.len == 0) ||
		    same_items(&has, &sorted, f->ordered))
			continue;
		if (field_assign(f, to, &wants, e) < 0) {
			a->failed->key = f->key;
			return err_wrap(e, "%s", f->key);
		}
	}
	return 0;
}

/* Say which part of the description failed. */
static int fail_at(const struct apply *a, enum mesh_part part,
		   const char *name, struct err *e)
{
	a->failed->part = part;
	a->failed->name = name;
	return err_wrap(e, "%s '%s'", part_word(part), name);
}

/* ---- the mesh ---- */

/* Where only an IPv6 network is said, a mesh that is empty gets no other. */
static int apply_globals(struct apply *a, struct err *e)
{
	struct cidr network = a->m->network, network6 = a->m->network6;
	const struct mesh *w = a->wanted;

	if (w->network6.ip.family && a->m->nodes.len == 0)
		a->m->network = (struct cidr){ 0 };
	if (apply_fields(a, &fields_mesh, "", a->m, w, e) < 0)
		return -1;
	a->moved4 = !cidr_equal(&network, &a->m->network);
	a->moved6 = !cidr_equal(&network6, &a->m->network6);
	return apply_fields(a, &fields_defaults, "", a->m, w, e);
}

/* ---- nodes ---- */

/*
 * One address of a node: the wanted one; else the one it has, unless the mesh
 * has moved to another network; else (@need) a free one, later.
 */
static void apply_address(struct slots *empty, const struct cidr *network,
			  struct ip *slot, const struct ip *wanted, bool need)
{
	if (wanted->family)
		*slot = *wanted;
	else if (!network->ip.family)
		*slot = (struct ip){ 0 };
	else if (need && !cidr_contains(network, slot)) {
		*slot = (struct ip){ 0 };
		vec_push(empty, slot);
	}
}

static void apply_addresses(struct apply *a, struct node *n,
			    const struct node *wanted, bool fresh)
{
	apply_address(&a->empty4, &a->m->network, &n->mesh_ip,
		      &wanted->mesh_ip, fresh || a->moved4);
	apply_address(&a->empty6, &a->m->network6, &n->mesh_ip6,
		      &wanted->mesh_ip6, fresh || a->moved6);
}

static int make_node(struct apply *a, const struct node *wanted,
		     struct err *e)
{
	struct node *n = vec_add(&a->fresh);

	node_init(n, wanted->name);
	mem_replace(&n->hostname, wanted->name);
	n->ssh_port = 22; /* as in every state file: ssh_config's */
	n->listen_port = a->m->listen_port;
	if (apply_fields(a, &fields_node, "address", n, wanted, e) < 0 ||
	    spec_check_removed(a->m, n, e) < 0)
		return fail_at(a, PART_NODE, wanted->name, e);
	/* what an import from hosts knows besides */
	mem_replace(&n->public_key, wanted->public_key);
	secret_copy(&n->private_key, &wanted->private_key);
	strings_copy(&n->ssh_host_keys, &wanted->ssh_host_keys);
	for (size_t i = 0; i < wanted->externals.len; i++)
		external_copy(vec_add(&n->externals),
			      &wanted->externals.items[i]);
	spec_drop_removed(a->m, n);
	return 0;
}

static int change_node(struct apply *a, struct node *n,
		       const struct node *wanted, struct err *e)
{
	if (a->mode == APPLY_ADD) {
		strings_add(a->kept, n->name);
		return 0;
	}
	if (apply_fields(a, &fields_node, "address", n, wanted, e) < 0)
		return fail_at(a, PART_NODE, wanted->name, e);
	spec_drop_removed(a->m, n);
	apply_addresses(a, n, wanted, false);
	return 0;
}

/*
 * Go through both sorted lists. New nodes are put aside: the list may not move
 * while addresses of its nodes are pointed to, to be filled in later.
 */
static int walk_nodes(struct apply *a, struct err *e)
{
	struct nodes *has = &a->m->nodes;
	const struct nodes *wants = &a->wanted->nodes;
	size_t i = 0, k = 0;

	while (i < has->len || k < wants->len) {
		int order = i == has->len     ? 1
			    : k == wants->len ? -1
					      : node_compare(&has->items[i],
							     &wants->items[k]);
		int ret = 0;

		if (order < 0 && a->mode != APPLY_ADD)
			strings_add(a->kept, has->items[i].name);
		else if (order > 0)
			ret = make_node(a, &wants->items[k], e);
		else if (order == 0)
			ret = change_node(a, &has->items[i], &wants->items[k],
					  e);
		if (ret < 0)
			return -1;
		i += order <= 0;
		k += order >= 0;
	}
	return 0;
}

static int apply_nodes(struct apply *a, struct err *e)
{
	if (walk_nodes(a, e) < 0)
		return -1;
	/* the list of new nodes grows no more: what is in it has its place */
	for (size_t i = 0; i < a->fresh.len; i++) {
		struct node *n = &a->fresh.items[i];

		apply_addresses(a, n, nodes_find(&a->wanted->nodes, n->name),
				true);
	}
	if (mesh_free_ips(a->m, &a->fresh, &a->m->network, a->empty4.items,
			  a->empty4.len, e) < 0 ||
	    mesh_free_ips(a->m, &a->fresh, &a->m->network6, a->empty6.items,
			  a->empty6.len, e) < 0)
		return -1;
	for (size_t i = 0; i < a->fresh.len; i++)
		vec_push(&a->m->nodes, a->fresh.items[i]);
	a->fresh.len = 0;
	vec_sort(&a->m->nodes, node_compare);
	return 0;
}

/* ---- groups ---- */

/* Those who stay keep their order, those who come are behind them. */
static void apply_members(const struct apply *a, struct group *g,
			  const struct group *wanted)
{
	AUTO(strings_done) struct strings wants = { 0 }, had = { 0 };
	size_t left = 0;

	strings_copy(&had, &g->members);
	strings_copy(&wants, &wanted->members);
	for (size_t i = 0; i < had.len; i++)
		if (a->mode == APPLY_ADD || strings_has(a->kept, had.items[i]))
			strings_add(&wants, had.items[i]);
	strings_make_set(&wants);
	strings_sort(&had);
	for (size_t i = 0; i < g->members.len; i++) {
		if (strings_has(&wants, g->members.items[i]))
			g->members.items[left++] = g->members.items[i];
		else
			free(g->members.items[i]);
	}
	g->members.len = left;
	for (size_t i = 0; i < wants.len; i++)
		if (!strings_has(&had, wants.items[i]))
			strings_add(&g->members, wants.items[i]);
	if (g->members.len)
		g->members_null = false;
}

static int apply_groups(const struct apply *a, struct err *e)
{
	static const struct group none;

	for (size_t i = a->m->groups.len; a->mode != APPLY_ADD && i-- > 0;) {
		struct group *g = &a->m->groups.items[i];

		if (mesh_group(a->wanted, g->name))
			continue;
		apply_members(a, g, &none);
		if (g->members.len) /* nodes that stay are in it */
			continue;
		group_done(g);
		vec_remove(&a->m->groups, i);
	}
	for (size_t i = 0; i < a->wanted->groups.len; i++) {
		const struct group *wanted = &a->wanted->groups.items[i];
		struct group *g = mesh_group(a->m, wanted->name);
		bool fresh = !g;

		if (fresh)
			g = mesh_add_group(a->m, wanted->name);
		apply_members(a, g, wanted);
		if ((fresh || a->mode != APPLY_ADD) &&
		    apply_fields(a, &fields_group, "members", g, wanted, e) < 0)
			return fail_at(a, PART_GROUP, wanted->name, e);
	}
	return 0;
}

/* ---- policies ---- */

static int apply_policies(const struct apply *a, struct err *e)
{
	struct policies *has = &a->m->policies;
	const struct policies *wants = &a->wanted->policies;

	/*
	 * from the end: those that are left keep their number among their name
	 */
	for (size_t i = has->len; a->mode != APPLY_ADD && i-- > 0;) {
		if (policies_same(wants, has, i))
			continue;
		policy_done(&has->items[i]);
		vec_remove(has, i);
	}
	for (size_t i = 0; i < wants->len; i++) {
		const struct policy *wanted = &wants->items[i];
		struct policy *p = policies_same(has, wants, i);

		if (p && a->mode == APPLY_ADD)
			continue;
		if (!p) {
			p = vec_add(has);
			p->name = mem_strdup(wanted->name);
			p->allow_mesh_ips = true;
		}
		if (apply_fields(a, &fields_policy, "name", p, wanted, e) < 0)
			return fail_at(a, PART_POLICY, wanted->name, e);
	}
	return 0;
}

/* ---- all ---- */

/* Nodes that were made and went nowhere, after an error, too. */
static void apply_done(struct apply *a)
{
	for (size_t i = 0; i < a->fresh.len; i++)
		node_done(&a->fresh.items[i]);
	vec_done(&a->fresh);
	vec_done(&a->empty4);
	vec_done(&a->empty6);
}

int mesh_apply(struct mesh *m, const struct mesh *wanted, enum apply_mode mode,
	       struct strings *kept, struct finding_place *failed,
	       struct err *e)
{
	AUTO(apply_done) struct apply a = { .m = m, .wanted = wanted,
					    .mode = mode, .kept = kept,
					    .failed = failed };
	AUTO(strings_done) struct strings left = { 0 };

	if (mode != APPLY_ADD && apply_globals(&a, e) < 0)
		return -1;
	if (apply_nodes(&a, e) < 0)
		return -1;
	if (mode == APPLY_PRUNE) {
		for (size_t i = 0; i < kept->len; i++)
			mesh_remove(m, kept->items[i], &left);
		strings_done(kept);
	}
	if (apply_groups(&a, e) < 0)
		return -1;
	return apply_policies(&a, e);
}

/* ---- removing ---- */

bool mesh_remove(struct mesh *m, const char *name, struct strings *left)
{
	const struct node *n = nodes_find(&m->nodes, name);

	if (!n)
		return false;
	for (size_t i = 0; i < m->groups.len; i++) {
		struct strings *members = &m->groups.items[i].members;
		long at;

		while ((at = strings_find(members, name)) >= 0) {
			free(members->items[at]);
			vec_remove(members, (size_t)at);
			strings_add(left, m->groups.items[i].name);
		}
	}
	/* the Go tool, which gives no id, did not note what it has deployed */
	if (n->facts.deployed || !m->mesh_id)
		nodes_move(&m->nodes, &m->removed, name);
	else
		nodes_drop(&m->nodes, name);
	return true;
}
