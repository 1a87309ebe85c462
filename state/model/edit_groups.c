/*
 * The edits of groups and policies. The Go tool lets a group have members that
 * are no nodes: those stay, and only what a command adds must be a node.
 */
#include "state/model/edit.h"

#include "base/auto.h"
#include "base/sbuf.h"
#include "state/model/check.h"
#include "state/model/field.h"

#include <string.h>

/* ---- groups ---- */

/*
 * The group, made if it is new; a name of one that is there may be anything
 * that the Go tool let pass.
 */
static struct group *need_group(struct mesh *m, const char *name,
				struct err *e)
{
	struct group *g = mesh_group(m, name);

	if (g || check_group_name(name, e) < 0)
		return g;
	return mesh_add_group(m, name);
}

static void join_group(struct group *g, const char *node)
{
	strings_add(&g->members, node);
	g->members_null = false;
}

int edit_group_add(struct mesh *m, const char *name,
		   const struct strings *nodes, const char *description,
		   struct err *e)
{
	AUTO(strings_done) struct strings had = { 0 };
	AUTO(strings_done) struct strings wanted = { 0 };
	struct group *g = need_group(m, name, e);

	if (!g)
		return -1;
	strings_copy(&had, &g->members);
	strings_sort(&had);
	strings_copy(&wanted, nodes);
	strings_sort(&wanted);
	for (size_t i = 0; i < wanted.len; i++) {
		if (!edit_node(m, wanted.items[i], e))
			return -1;
		if (strings_has(&had, wanted.items[i]) ||
		    (i && strcmp(wanted.items[i - 1], wanted.items[i]) == 0))
			continue;
		join_group(g, wanted.items[i]);
	}
	if (!description)
		return 0;
	return field_set(field_find(&fields_group, "description"), g,
			 description, e);
}

int edit_group_leave(struct mesh *m, const char *name,
		     const struct strings *nodes, struct err *e)
{
	AUTO(strings_done) struct strings had = { 0 };
	AUTO(strings_done) struct strings gone = { 0 };
	struct group *g = edit_group(m, name, e);
	size_t kept = 0;

	if (!g)
		return -1;
	strings_copy(&had, &g->members);
	strings_sort(&had);
	strings_copy(&gone, nodes);
	strings_sort(&gone);
	for (size_t i = 0; i < gone.len; i++) {
		AUTO(auto_free) char *shown = check_shown(gone.items[i]);

		if (!strings_has(&had, gone.items[i]))
			return err_set(e, ERR_INPUT, "'%s' is no member of "
				       "group '%s'", shown, name);
	}
	for (size_t i = 0; i < g->members.len; i++) {
		if (strings_has(&gone, g->members.items[i]))
			free(g->members.items[i]);
		else
			g->members.items[kept++] = g->members.items[i];
	}
	g->members.len = kept;
	return 0;
}

int edit_group_remove(struct mesh *m, const char *name, struct err *e)
{
	AUTO(sbuf_done) struct sbuf needed = SBUF_INIT;
	struct group *g = edit_group(m, name, e);

	if (!g)
		return -1;
	for (size_t i = 0; i < m->policies.len; i++) {
		const struct policy *p = &m->policies.items[i];
		AUTO(auto_free) char *shown = check_shown(p->name);

		if (strings_find(&p->from_groups, name) >= 0 ||
		    strings_find(&p->to_groups, name) >= 0)
			sbuf_printf(&needed, "%s'%s'", needed.len ? ", " : "",
				    shown);
	}
	if (needed.len)
		return err_set(e, ERR_INPUT, "group '%s' is in use: remove "
			       "policy %s first", name, sbuf_str(&needed));
	group_done(g);
	vec_remove(&m->groups, (size_t)(g - m->groups.items));
	return 0;
}

/* A state of the Go tool may have a member twice: both go. */
int edit_groups_of(struct mesh *m, const struct node *n,
		   const struct strings *groups, struct err *e)
{
	for (size_t i = 0; i < groups->len; i++)
		if (!need_group(m, groups->items[i], e))
			return -1;
	for (size_t i = 0; i < m->groups.len; i++) {
		struct group *g = &m->groups.items[i];
		bool wanted = strings_find(groups, g->name) >= 0;
		long at = strings_find(&g->members, n->name);

		if (wanted && at < 0)
			join_group(g, n->name);
		for (; !wanted && at >= 0;
		     at = strings_find(&g->members, n->name)) {
			free(g->members.items[at]);
			vec_remove(&g->members, (size_t)at);
		}
	}
	return 0;
}

/* ---- policies ---- */

static bool same_set(const struct strings *a, const struct strings *b)
{
	for (size_t i = 0; i < a->len; i++)
		if (strings_find(b, a->items[i]) < 0)
			return false;
	for (size_t i = 0; i < b->len; i++)
		if (strings_find(a, b->items[i]) < 0)
			return false;
	return true;
}

/* The order of groups says nothing, nor does one that is named twice. */
static bool policies_equal(const struct policy *a, const struct policy *b)
{
	return same_set(&a->from_groups, &b->from_groups) &&
	       same_set(&a->to_groups, &b->to_groups) &&
	       a->allow_mesh_ips == b->allow_mesh_ips &&
	       a->allow_routable_networks == b->allow_routable_networks &&
	       strcmp(a->description ? a->description : "",
		      b->description ? b->description : "") == 0;
}

static int need_groups(const struct mesh *m, const struct strings *names,
		       struct err *e)
{
	for (size_t i = 0; i < names->len; i++)
		if (!edit_group(m, names->items[i], e))
			return -1;
	return 0;
}

static struct policy *find_policy(const struct mesh *m, const char *name)
{
	for (size_t i = 0; i < m->policies.len; i++)
		if (strcmp(m->policies.items[i].name, name) == 0)
			return &m->policies.items[i];
	return NULL;
}

static void add_once(struct strings *to, const struct strings *from)
{
	for (size_t i = 0; i < from->len; i++)
		if (strings_find(to, from->items[i]) < 0)
			strings_add(to, from->items[i]);
}

int edit_policy_add(struct mesh *m, const struct policy *p, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(p->name);
	const struct policy *old = find_policy(m, p->name);
	struct policy copy = { .allow_mesh_ips = p->allow_mesh_ips,
			       .allow_routable_networks =
				       p->allow_routable_networks };

	if (old && policies_equal(old, p))
		return 0;
	if (old) {
		err_set(e, ERR_INPUT, "there is another policy '%s' already",
			shown);
		return err_advise(e, ADVICE_POLICY_IN_THE_WAY, NULL);
	}
	if (check_group_name(p->name, e) < 0)
		return err_wrap(e, "as a policy");
	if (p->description &&
	    field_set(field_find(&fields_policy, "description"), &copy,
		      p->description, e) < 0)
		return -1;
	/* a policy about a group that is not there would allow nothing */
	if (need_groups(m, &p->from_groups, e) < 0 ||
	    need_groups(m, &p->to_groups, e) < 0) {
		policy_done(&copy);
		return -1;
	}
	copy.name = mem_strdup(p->name);
	add_once(&copy.from_groups, &p->from_groups);
	add_once(&copy.to_groups, &p->to_groups);
	vec_push(&m->policies, copy);
	return 0;
}

int edit_policy_remove(struct mesh *m, const char *name, struct err *e)
{
	struct policy *p = find_policy(m, name);

	if (!p)
		return edit_no_policy(m, name, e);
	for (; p; p = find_policy(m, name)) {
		policy_done(p);
		vec_remove(&m->policies, (size_t)(p - m->policies.items));
	}
	return 0;
}
