/*
 * The edits of nodes: set, unset, routes, rename. What they take is one node's;
 * what a change makes of the whole mesh is validated afterwards, by who calls.
 */
#include "state/model/edit.h"

#include "base/auto.h"
#include "base/sbuf.h"
#include "base/text.h"
#include "state/model/check.h"
#include "state/model/field.h"
#include "state/model/spec.h"

#include <string.h>

/* ---- names ---- */

static int no_such(const char *what, const char *name, const char *nearest,
		   enum advice all, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(name);
	AUTO(auto_free) char *near = nearest ? check_shown(nearest) : NULL;

	if (near)
		return err_set(e, ERR_INPUT, "there is no %s '%s'; did you "
			       "mean '%s'?", what, shown, near);
	err_set(e, ERR_INPUT, "there is no %s '%s'", what, shown);
	return err_advise(e, all, NULL);
}

struct node *edit_node(const struct mesh *m, const char *name, struct err *e)
{
	struct node *n = nodes_find(&m->nodes, name);

	if (!n)
		no_such("node", name,
			nearest_name(m->nodes.items, m->nodes.len,
				     sizeof *m->nodes.items, name),
			ADVICE_SEE_NODES, e);
	return n;
}

struct group *edit_group(const struct mesh *m, const char *name,
			 struct err *e)
{
	struct group *g = mesh_group(m, name);

	if (!g)
		no_such("group", name,
			nearest_name(m->groups.items, m->groups.len,
				     sizeof *m->groups.items, name),
			ADVICE_SEE_GROUPS, e);
	return g;
}

int edit_no_policy(const struct mesh *m, const char *name, struct err *e)
{
	return no_such("policy", name,
		       nearest_name(m->policies.items, m->policies.len,
				    sizeof *m->policies.items, name),
		       ADVICE_SEE_POLICIES, e);
}

/* ---- set and unset ---- */

/* Words for an unknown key: the nearest, or all of them. */
static int no_key(const char *key, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(key);
	AUTO(sbuf_done) struct sbuf all = SBUF_INIT;
	const char *nearest = field_nearest(&fields_node, key);

	if (nearest)
		return err_set(e, ERR_INPUT, "a node has no key '%s'; did you "
			       "mean '%s'?", shown, nearest);
	for (size_t i = 0; i < fields_node.len; i++)
		sbuf_printf(&all, "%s%s", i ? ", " : "",
			    fields_node.items[i].key);
	return err_set(e, ERR_INPUT, "a node has no key '%s', expected one of "
		       "%s", shown, sbuf_str(&all));
}

/* One address: the wanted one, else the one that is there, else a free one. */
static int choose_address(const struct mesh *m, const struct cidr *network,
			  struct ip *slot, const struct ip *wanted,
			  struct err *e)
{
	if (wanted->family)
		*slot = *wanted;
	else if (!network->ip.family)
		*slot = (struct ip){ 0 };
	else if (!slot->family)
		return mesh_free_ip(m, network, slot, e);
	return 0;
}

/* As edit_set() with the values in a list; none: not said. */
static int set_values(struct mesh *m, struct node *n,
		      const struct mesh_field *f,
		      const struct strings *values, struct err *e)
{
	struct node wanted = { 0 };

	if (strcmp(f->key, "groups") == 0)
		return edit_groups_of(m, n, values, e);
	if (strcmp(f->key, "address") == 0) {
		if (field_assign(f, &wanted, values, e) < 0 ||
		    choose_address(m, &m->network, &n->mesh_ip,
				   &wanted.mesh_ip, e) < 0)
			return -1;
		return choose_address(m, &m->network6, &n->mesh_ip6,
				      &wanted.mesh_ip6, e);
	}
	if (field_assign(f, n, values, e) < 0)
		return -1;
	if (strcmp(f->key, "ssh") == 0)
		spec_drop_removed(m, n);
	return 0;
}

int edit_set(struct mesh *m, struct node *n, const char *key,
	     const char *value, struct err *e)
{
	const struct mesh_field *f = field_find(&fields_node, key);
	AUTO(strings_done) struct strings values = { 0 };
	AUTO(auto_free) char *copy = mem_strdup(value);
	char *rest = copy, *item;
	bool split;

	if (!f)
		return no_key(key, e);
	if (!*value) {
		err_set(e, ERR_INPUT, "%s: expected a value", key);
		return err_advise(e, ADVICE_TAKE_VALUE_AWAY, NULL);
	}
	split = f->type == FIELD_LIST && !f->ordered;
	if (!split)
		strings_add(&values, value);
	while (split && (item = strsep(&rest, ","))) {
		char *end = item + strlen(item);

		while (end > item && end[-1] == ' ')
			*--end = '\0';
		strings_add(&values, item + strspn(item, " "));
	}
	return set_values(m, n, f, &values, e) < 0 ? err_wrap(e, "%s", key)
						   : 0;
}

size_t edit_drop_jump(struct mesh *m, const char *place)
{
	struct strings *pins = &m->jump_host_keys;
	size_t dropped = 0;

	for (size_t i = pins->len; i-- > 0;) {
		if (!text_behind(pins->items[i], place))
			continue;
		free(pins->items[i]);
		vec_remove(pins, i);
		dropped++;
	}
	return dropped;
}

int edit_unset(struct mesh *m, struct node *n, const char *key, struct err *e)
{
	const struct mesh_field *f = field_find(&fields_node, key);
	const struct strings none = { 0 };

	if (strcmp(key, EDIT_HOST_KEYS) == 0) {
		strings_done(&n->ssh_host_keys);
		return 0;
	}
	if (!f)
		return no_key(key, e);
	return set_values(m, n, f, &none, e);
}

/* ---- routes ---- */

/* By the rule of the key: `route add` takes just what `set routes=` takes. */
static int parse_route(struct cidr *out, const char *text, struct err *e)
{
	struct node one = { 0 };

	if (field_set(field_find(&fields_node, "routes"), &one, text, e) < 0)
		return -1;
	*out = one.routable_networks.items[0];
	vec_done(&one.routable_networks);
	return 0;
}

int edit_route_add(struct node *n, const char *cidr, struct err *e)
{
	struct cidr c;

	if (parse_route(&c, cidr, e) < 0)
		return -1;
	if (cidrs_find(&n->routable_networks, &c) < 0)
		vec_push(&n->routable_networks, c);
	return 0;
}

int edit_route_remove(struct node *n, const char *cidr, struct err *e)
{
	char text[ADDR_TEXT_MAX];
	struct cidr c;
	long at;

	if (parse_route(&c, cidr, e) < 0)
		return -1;
	at = cidrs_find(&n->routable_networks, &c);
	if (at < 0) {
		err_set(e, ERR_INPUT, "node '%s' has no route %s", n->name,
			cidr_text(&c, text));
		return err_advise(e, ADVICE_SEE_NODE, n->name);
	}
	vec_remove(&n->routable_networks, (size_t)at);
	return 0;
}

/* ---- the name ---- */

static int check_free_name(const struct mesh *m, const char *name,
			   struct err *e)
{
	const struct node *removed = nodes_find(&m->removed, name);

	if (check_node_name(name, e) < 0)
		return -1;
	if (nodes_find(&m->nodes, name))
		return err_set(e, ERR_INPUT, "there is a node '%s' already",
			       name);
	if (removed) {
		err_set(e, ERR_INPUT, "the removed node '%s' is still set up "
			"on %s: deploy first", name, removed->ssh_host);
		return err_advise(e, ADVICE_REMOVED_IS_GONE, NULL);
	}
	for (size_t i = 0; i < m->groups.len; i++) {
		const struct group *g = &m->groups.items[i];

		/* the node would get what a policy gives to that group */
		if (strings_find(&g->members, name) >= 0)
			return err_set(e, ERR_INPUT, "group '%s' has a member "
				       "'%s' that is no node: take it out "
				       "first", g->name, name);
	}
	return 0;
}

/* Policies name groups, not nodes: they stay as they are. */
int edit_rename(struct mesh *m, const char *from, const char *to,
		struct err *e)
{
	struct node *n = edit_node(m, from, e);
	struct node moved;

	if (!n)
		return -1;
	if (strcmp(from, to) == 0)
		return 0;
	if (check_free_name(m, to, e) < 0)
		return -1;
	if (n->hostname && strcmp(n->hostname, from) == 0)
		mem_replace(&n->hostname, to);
	for (size_t i = 0; i < m->groups.len; i++) {
		struct strings *members = &m->groups.items[i].members;

		for (size_t k = 0; k < members->len; k++)
			if (strcmp(members->items[k], from) == 0)
				mem_replace(&members->items[k], to);
	}
	moved = *n; /* to the place of its new name */
	mem_replace(&moved.name, to);
	vec_remove(&m->nodes, (size_t)(n - m->nodes.items));
	n = nodes_insert(&m->nodes, to);
	node_done(n);
	*n = moved;
	return 0;
}
