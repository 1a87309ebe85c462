/*
 * Ansible's groups, hosts and variables, whichever file they came from.
 */
#include "state/inventory/ansible.h"

#include "base/auto.h"
#include "base/num.h"
#include "state/model/model.h"

#include <string.h>

/* Bounds: deeper groups, and more work, no inventory asks for. */
#define DEPTH_MAX 64
#define GROUPS_MAX 10000
#define STEPS_MAX 2000000

/* ---- hosts, groups, variables ---- */

void ansible_init(struct ansible *a, struct inventory *in)
{
	*a = (struct ansible){ .in = in };
	ansible_group(a, "all", 0);
	a->groups.items[0].depth = 1;
}

void ansible_vars_done(struct ansible_vars *v)
{
	for (size_t i = 0; i < ANSIBLE_VARS; i++)
		free(v->of[i].text);
	*v = (struct ansible_vars){ 0 };
}

void ansible_done(struct ansible *a)
{
	for (size_t i = 0; i < a->hosts.len; i++) {
		free(a->hosts.items[i].name);
		ansible_vars_done(&a->hosts.items[i].own);
	}
	vec_done(&a->hosts);
	for (size_t i = 0; i < a->groups.len; i++) {
		struct ansible_group *g = &a->groups.items[i];

		free(g->name);
		ansible_vars_done(&g->own);
		vec_done(&g->parents);
		vec_done(&g->children);
		vec_done(&g->hosts);
	}
	vec_done(&a->groups);
	inventory_index_done(&a->host_names);
	inventory_index_done(&a->group_names);
}

enum ansible_name ansible_name(const char *key)
{
	static const char *const names[ANSIBLE_VARS] = {
		"ansible_host", "ansible_port", "ansible_user",
		"ansible_ssh_host", "ansible_ssh_port", "ansible_ssh_user",
	};

	for (size_t i = 0; i < ANSIBLE_VARS; i++)
		if (strcmp(names[i], key) == 0)
			return (enum ansible_name)i;
	return ANSIBLE_NONE;
}

void ansible_set(struct ansible_vars *to, enum ansible_name name,
		 const char *value, size_t line)
{
	if (name == ANSIBLE_NONE)
		return;
	mem_replace(&to->of[name].text, value);
	to->of[name].line = line;
}

size_t ansible_group(struct ansible *a, const char *name, size_t line)
{
	char *copy = mem_strdup(name);
	size_t i = inventory_index(&a->group_names, copy, a->groups.len);
	struct ansible_group *g;

	if (i < a->groups.len) {
		free(copy);
		return i;
	}
	g = vec_add(&a->groups);
	g->name = copy;
	g->line = line;
	return i;
}

static size_t add_host(struct ansible *a, const char *name, size_t line)
{
	char *copy = mem_strdup(name);
	size_t i = inventory_index(&a->host_names, copy, a->hosts.len);
	struct ansible_host *h;

	if (i < a->hosts.len) {
		free(copy);
		return i;
	}
	h = vec_add(&a->hosts);
	h->name = copy;
	h->line = line;
	return i;
}

/* Cut ":PORT" off, which only a name without other colons can have. */
static char *cut_port(char *pattern)
{
	char *last = strrchr(pattern, ':');
	char *bracket = strrchr(pattern, ']');

	if (!last || (bracket && bracket > last) ||
	    strspn(last + 1, "0123456789") != strlen(last + 1))
		return NULL;
	if (!bracket && (strchr(pattern, ':') != last || strchr(pattern, '[')))
		return NULL;
	*last = '\0';
	return last + 1;
}

int ansible_hosts(struct ansible *a, size_t group, const char *pattern,
		  const struct ansible_vars *vars, size_t line, struct err *e)
{
	AUTO(auto_free) char *copy = mem_strdup(pattern);
	AUTO(strings_done) struct strings names = { 0 };
	const char *port = cut_port(copy);

	if (inventory_range(&names, copy, INVENTORY_HOSTS_MAX, e) < 0)
		return inventory_wrap(a->in, line, e);
	for (size_t i = 0; i < names.len; i++) {
		struct ansible_vars *own;
		size_t host;

		if (check_node_name(names.items[i], e) < 0)
			return inventory_wrap(a->in, line, e);
		host = add_host(a, names.items[i], line);
		own = &a->hosts.items[host].own;
		vec_push(&a->groups.items[group].hosts, host);
		if (port)
			ansible_set(own, ANSIBLE_PORT, port, line);
		for (int v = 0; vars && v < ANSIBLE_VARS; v++)
			if (vars->of[v].text)
				ansible_set(own, (enum ansible_name)v,
					    vars->of[v].text,
					    vars->of[v].line);
	}
	a->members += names.len;
	if (a->hosts.len > INVENTORY_HOSTS_MAX)
		return inventory_error(a->in, line, e, "more than %d hosts",
				       INVENTORY_HOSTS_MAX);
	if (a->members > STEPS_MAX)
		return inventory_error(a->in, line, e, "hosts are named more "
				       "than %d times", STEPS_MAX);
	return 0;
}

void ansible_child(struct ansible *a, size_t parent, size_t child)
{
	vec_push(&a->groups.items[parent].children, child);
	vec_push(&a->groups.items[child].parents, parent);
}

/* ---- groups in groups ---- */

/* How deep a group is: what is deeper wins. "all" is over everything. */
static int find_depth(struct ansible *a, size_t at, size_t level, struct err *e)
{
	struct ansible_group *g = &a->groups.items[at];
	AUTO(auto_free) char *shown = check_shown(g->name);
	size_t depth = 2;

	if (g->depth)
		return 0;
	if (g->open)
		return inventory_error(a->in, g->line, e, "group '%s' contains "
				       "itself", shown);
	g->open = true;
	for (size_t i = 0; i < g->parents.len && level < DEPTH_MAX; i++) {
		size_t parent = g->parents.items[i];

		if (find_depth(a, parent, level + 1, e) < 0)
			return -1;
		if (a->groups.items[parent].depth >= depth)
			depth = a->groups.items[parent].depth + 1;
	}
	if (level == DEPTH_MAX || depth > DEPTH_MAX)
		return inventory_error(a->in, g->line, e, "group '%s': groups "
				       "in groups more than %d deep", shown,
				       DEPTH_MAX);
	g->open = false;
	g->depth = depth;
	return 0;
}

static int compare_groups(const void *a, const void *b, void *arg)
{
	const struct ansible_group *all = arg;
	const struct ansible_group *x = &all[*(const size_t *)a];
	const struct ansible_group *y = &all[*(const size_t *)b];

	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Append the hosts of group @at and of all below it, each once. */
static int collect(struct ansible *a, size_t at, size_t mark,
		   struct ansible_refs *out, struct err *e)
{
	struct ansible_group *g = &a->groups.items[at];

	if (g->mark == mark)
		return 0;
	g->mark = mark;
	a->members += 1 + g->hosts.len + g->children.len;
	if (a->members > STEPS_MAX)
		return err_set(e, ERR_INPUT, "%s: too many groups in groups",
			       a->in->file->name);
	for (size_t i = 0; i < g->hosts.len; i++) {
		size_t host = g->hosts.items[i];

		if (a->hosts.items[host].mark != mark)
			vec_push(out, host);
		a->hosts.items[host].mark = mark;
	}
	for (size_t i = 0; i < g->children.len; i++)
		if (collect(a, g->children.items[i], mark, out, e) < 0)
			return -1;
	return 0;
}

/* What @g says about hosts that did not say it themselves. */
static void inherit(struct ansible_host *h, const struct ansible_group *g)
{
	for (int v = 0; v < ANSIBLE_VARS; v++)
		if (g->own.of[v].text)
			h->got[v] = &g->own.of[v];
}

static int add_group(struct ansible *a, const struct ansible_group *g,
		     const struct ansible_refs *hosts, struct err *e)
{
	struct group *group;

	if (strcmp(g->name, "all") == 0 || strcmp(g->name, "ungrouped") == 0 ||
	    hosts->len == 0)
		return 0;
	if (check_group_name(g->name, e) < 0)
		return inventory_wrap(a->in, g->line, e);
	group = vec_add(&a->in->mesh->groups);
	group->name = mem_strdup(g->name);
	for (size_t i = 0; i < hosts->len; i++)
		strings_add(&group->members,
			    a->hosts.items[hosts->items[i]].name);
	strings_sort(&group->members);
	return 0;
}

static int spread(struct ansible *a, size_t at, size_t mark, struct err *e)
{
	const struct ansible_group *g = &a->groups.items[at];
	struct ansible_refs hosts = { 0 };
	int ret = 0;

	if (at == 0) /* "all": whoever is there */
		for (size_t i = 0; i < a->hosts.len; i++)
			vec_push(&hosts, i);
	else
		ret = collect(a, at, mark, &hosts, e);
	for (size_t i = 0; i < hosts.len; i++)
		inherit(&a->hosts.items[hosts.items[i]], g);
	if (ret == 0)
		ret = add_group(a, g, &hosts, e);
	vec_done(&hosts);
	return ret;
}

/* Groups from the outermost to the innermost, so that the last word counts. */
static int spread_groups(struct ansible *a, struct err *e)
{
	AUTO(auto_free) size_t *order =
		mem_calloc(a->groups.len, sizeof *order);

	if (a->groups.len > GROUPS_MAX)
		return err_set(e, ERR_INPUT, "%s: more than %d groups",
			       a->in->file->name, GROUPS_MAX);
	for (size_t i = 0; i < a->groups.len; i++) {
		order[i] = i;
		if (find_depth(a, i, 0, e) < 0)
			return -1;
	}
	qsort_r(order, a->groups.len, sizeof *order, compare_groups,
		a->groups.items);
	a->members = 0;
	for (size_t i = 0; i < a->groups.len; i++)
		if (spread(a, order[i], i + 1, e) < 0)
			return -1;
	return 0;
}

/* ---- nodes ---- */

/* What holds for a host, or NULL. */
static const struct ansible_var *value(const struct ansible_host *h,
				       enum ansible_name name)
{
	for (int v = name + ANSIBLE_OLD; v >= 0; v -= ANSIBLE_OLD) {
		if (h->own.of[v].text)
			return &h->own.of[v];
		if (h->got[v])
			return h->got[v];
	}
	return NULL;
}

static int take(struct node *n, enum ansible_name name, const char *text,
		struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(text);
	long port;

	if (strstr(text, "{{") || strstr(text, "{%"))
		return err_set(e, ERR_INPUT, "an expression found, expected a "
			       "plain value: Ansible alone can work it out");
	switch (name) {
	case ANSIBLE_PORT:
		if (!num_parse(&port, text, 1, 65535))
			return err_set(e, ERR_INPUT, "'%s' found, expected 1 "
				       "to 65535", shown);
		n->ssh_port = (int)port;
		return 0;
	case ANSIBLE_USER:
		mem_replace(&n->ssh_user, text);
		return check_user(text, e);
	default:
		mem_replace(&n->ssh_host, text);
		return check_host(text, e);
	}
}

static int add_node(struct ansible *a, const struct ansible_host *h,
		    struct err *e)
{
	static const char *const names[] = { "ansible_host", "ansible_port",
					     "ansible_user" };
	struct node *n = vec_add(&a->in->mesh->nodes);

	node_init(n, h->name);
	for (int i = 0; i < ANSIBLE_OLD; i++) {
		const struct ansible_var *v = value(h, (enum ansible_name)i);

		if (v && take(n, (enum ansible_name)i, v->text, e) < 0)
			return err_wrap(e, "%s:%zu: host '%s': %s",
					a->in->file->name, v->line, h->name,
					names[i]);
	}
	if (!*n->ssh_host && take(n, ANSIBLE_HOST, h->name, e) < 0)
		return inventory_wrap(a->in, h->line, e);
	return 0;
}

int ansible_finish(struct ansible *a, struct err *e)
{
	if (spread_groups(a, e) < 0)
		return -1;
	for (size_t i = 0; i < a->hosts.len; i++)
		if (add_node(a, &a->hosts.items[i], e) < 0)
			return -1;
	return 0;
}
