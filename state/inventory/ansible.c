/*
 * Ansible's groups, hosts and variables, whichever file they came from. Which
 * word counts where several are said is that of Ansible's own user guide: a
 * host's before its groups', a group's before that of the group that it is in,
 * the files beside the inventory before all that it says of groups.
 */
#include "state/inventory/ansible.h"

#include "base/auto.h"
#include "base/num.h"

#include <string.h>

/* Bounds: more groups, and deeper ones, no inventory asks for. */
#define DEPTH_MAX 64
#define GROUPS_MAX 10000

/* In the order of enum ansible_name. */
static const char *const var_names[ANSIBLE_VARS] = {
	"ansible_host", "ansible_port", "ansible_user",
	"ansible_ssh_host", "ansible_ssh_port", "ansible_ssh_user",
	"ansible_connection", "ansible_group_priority",
};

/* What leads to other keys or another way there, and what does that here. */
static const struct {
	const char *name, *instead;
} named[] = {
	{ "ansible_ssh_private_key_file", "an IdentityFile in ssh_config" },
	{ "ansible_private_key_file", "an IdentityFile in ssh_config" },
	{ "ansible_ssh_common_args", "ssh_config (ProxyJump, ProxyCommand)" },
	{ "ansible_ssh_extra_args", "ssh_config" },
	{ "ansible_ssh_args", "ssh_config" },
	{ "ansible_ssh_host_key_checking", "a pinned host key" },
	{ "ansible_ssh_pass", "a key" },
	{ "ansible_ssh_password", "a key" },
	{ "ansible_password", "a key" },
};

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
		ansible_vars_done(&a->hosts.items[i].own);
		ansible_vars_done(&a->hosts.items[i].beside);
	}
	vec_done(&a->hosts);
	for (size_t i = 0; i < a->groups.len; i++) {
		struct ansible_group *g = &a->groups.items[i];

		ansible_vars_done(&g->own);
		ansible_vars_done(&g->beside);
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
	for (size_t i = 0; i < ANSIBLE_VARS; i++)
		if (strcmp(var_names[i], key) == 0)
			return (enum ansible_name)i;
	for (size_t i = 0; i < sizeof named / sizeof *named; i++)
		if (strcmp(named[i].name, key) == 0)
			return (enum ansible_name)(ANSIBLE_NAMED + i);
	return ANSIBLE_NONE;
}

void ansible_set(struct ansible *a, struct ansible_vars *to,
		 enum ansible_name name, const char *value, size_t line)
{
	if (name < ANSIBLE_VARS) {
		mem_replace(&to->of[name].text, value);
		to->of[name].file = a->in->file->name;
		to->of[name].line = line;
	} else if (name != ANSIBLE_NONE && !a->named[name]) {
		a->named[name] = true;
		inventory_note(a->in, "line %zu: %s is not carried over: %s "
			       "does that", line,
			       named[name - ANSIBLE_NAMED].name,
			       named[name - ANSIBLE_NAMED].instead);
	}
}

size_t ansible_group(struct ansible *a, const char *name, size_t line)
{
	const struct inventory_entry *known =
		inventory_index(&a->group_names, name, a->groups.len);

	if (known->number == a->groups.len)
		*vec_add(&a->groups) = (struct ansible_group){
			.name = known->name, .line = line };
	return known->number;
}

void ansible_child(struct ansible *a, size_t parent, size_t child)
{
	vec_push(&a->groups.items[parent].children, child);
	vec_push(&a->groups.items[child].parents, parent);
}

/* ---- groups in groups ---- */

/*
 * How deep a group is: what is deeper wins. "all" is over everything. Bounded
 * on the way, as it is recursive and the text is anybody's.
 */
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

static int compare_depths(const void *a, const void *b, void *arg)
{
	const struct ansible_group *all = arg;
	const struct ansible_group *x = &all[*(const size_t *)a];
	const struct ansible_group *y = &all[*(const size_t *)b];

	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Append the hosts of group @at and of all below it, each once. */
static int collect_hosts(struct ansible *a, size_t at, size_t mark,
			 struct ansible_refs *out, struct err *e)
{
	struct ansible_group *g = &a->groups.items[at];

	if (g->mark == mark)
		return 0;
	g->mark = mark;
	a->members += 1 + g->hosts.len + g->children.len;
	if (a->members > ANSIBLE_STEPS_MAX)
		return err_set(e, ERR_INPUT, "%s: too many groups in groups",
			       a->in->file->name);
	for (size_t i = 0; i < g->hosts.len; i++) {
		size_t host = g->hosts.items[i];

		if (a->hosts.items[host].mark != mark)
			vec_push(out, host);
		a->hosts.items[host].mark = mark;
	}
	for (size_t i = 0; i < g->children.len; i++)
		if (collect_hosts(a, g->children.items[i], mark, out, e) < 0)
			return -1;
	return 0;
}

static void refs_done(struct ansible_refs *refs)
{
	vec_done(refs);
}

/* The hosts of group @at; of "all", whoever is there. */
static int hosts_of(struct ansible *a, size_t at, size_t mark,
		    struct ansible_refs *hosts, struct err *e)
{
	if (at != 0)
		return collect_hosts(a, at, mark, hosts, e);
	for (size_t i = 0; i < a->hosts.len; i++)
		vec_push(hosts, i);
	return 0;
}

static void tell(struct ansible *a, const struct ansible_refs *hosts,
		 const struct ansible_vars *vars)
{
	for (size_t i = 0; i < hosts->len; i++)
		for (int v = 0; v < ANSIBLE_VARS; v++)
			if (vars->of[v].text)
				a->hosts.items[hosts->items[i]].got[v] =
					&vars->of[v];
}

/*
 * Groups from the outermost to the innermost, so that the last word counts: all
 * that the inventory says of them, then all that the files beside it say.
 */
static int spread_groups(struct ansible *a, const size_t *order, struct err *e)
{
	size_t n = a->groups.len;

	for (size_t i = 0; i < 2 * n; i++) {
		size_t at = order[i % n];
		const struct ansible_group *g = &a->groups.items[at];
		AUTO(refs_done) struct ansible_refs hosts = { 0 };

		if (i % n == 0)
			a->members = 0;
		if (hosts_of(a, at, i + 1, &hosts, e) < 0)
			return -1;
		tell(a, &hosts, i < n ? &g->own : &g->beside);
	}
	return 0;
}

/* Group @at as one of the mesh, with the hosts that are nodes. */
static int make_group(struct ansible *a, size_t at, size_t mark, struct err *e)
{
	const struct ansible_group *g = &a->groups.items[at];
	AUTO(refs_done) struct ansible_refs hosts = { 0 };
	AUTO(strings_done) struct strings members = { 0 };
	struct group *group;

	if (at == 0 || strcmp(g->name, "ungrouped") == 0)
		return 0;
	if (hosts_of(a, at, mark, &hosts, e) < 0)
		return -1;
	for (size_t i = 0; i < hosts.len; i++)
		if (!a->hosts.items[hosts.items[i]].left)
			strings_add(&members,
				    a->hosts.items[hosts.items[i]].name);
	if (members.len == 0)
		return 0;
	if (check_group_name(g->name, e) < 0)
		return inventory_wrap(a->in, g->line, e);
	group = vec_add(&a->in->mesh->groups);
	group->name = mem_strdup(g->name);
	group->members = members;
	members = (struct strings){ 0 };
	strings_sort(&group->members);
	return 0;
}

static int find_priority(struct ansible *a, struct ansible_group *g,
			 struct err *e)
{
	const struct ansible_var *v = &g->own.of[ANSIBLE_PRIORITY];

	g->priority = 1;
	if (!v->text || num_parse(&g->priority, v->text, 0, 1000000))
		return 0;
	return inventory_error(a->in, v->line, e, "ansible_group_priority: "
			       "expected a number");
}

/* ---- nodes ---- */

/* What holds for a host, or NULL. */
static const struct ansible_var *var_of(const struct ansible_host *h, int name)
{
	for (int v = name + ANSIBLE_OLD; v >= 0; v -= ANSIBLE_OLD) {
		if (h->beside.of[v].text)
			return &h->beside.of[v];
		if (h->own.of[v].text)
			return &h->own.of[v];
		if (h->got[v])
			return h->got[v];
	}
	return NULL;
}

static int take_var_of_host(struct node *n, int name, const char *text,
			    struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(text);
	long port;

	if (strstr(text, "{{") || strstr(text, "{%")) {
		err_set(e, ERR_INPUT, "an expression found, expected a plain "
			"value: Ansible alone can work it out");
		return err_advise(e, ADVICE_ANSIBLE_EXPRESSION, NULL);
	}
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
		return inventory_host(n, text, e);
	}
}

/* Is it reached by SSH? Else it is left out, and @left names it. */
static bool is_by_ssh(const struct ansible_host *h, struct strings *left)
{
	static const char *const ways[] = {
		"ssh", "smart", "paramiko", "paramiko_ssh", "ansible.builtin.ssh",
		"ansible.builtin.paramiko_ssh",
	};
	const struct ansible_var *v =
		h->beside.of[ANSIBLE_CONNECTION].text
			? &h->beside.of[ANSIBLE_CONNECTION]
		: h->own.of[ANSIBLE_CONNECTION].text
			? &h->own.of[ANSIBLE_CONNECTION]
			: h->got[ANSIBLE_CONNECTION];
	AUTO(auto_free) char *shown = check_shown(v ? v->text : "");

	for (size_t i = 0; v && i < sizeof ways / sizeof *ways; i++)
		if (strcmp(v->text, ways[i]) == 0)
			return true;
	if (!v)
		return true;
	strings_printf(left, "'%s' (ansible_connection=%s, %s:%zu)", h->name,
		       shown, v->file, v->line);
	return false;
}

/* So many of them are named. */
#define LEFT_MAX 10

static int make_node(struct ansible *a, const struct ansible_host *h,
		     struct err *e)
{
	struct node *n = vec_add(&a->in->mesh->nodes);

	node_init(n, h->name);
	for (int k = 0; k < ANSIBLE_OLD; k++) {
		const struct ansible_var *v = var_of(h, k);

		if (v && take_var_of_host(n, k, v->text, e) < 0)
			return err_wrap(e, "%s:%zu: host '%s': %s", v->file,
					v->line, h->name, var_names[k]);
	}
	if (!*n->ssh_host &&
	    take_var_of_host(n, ANSIBLE_HOST, h->name, e) < 0)
		return inventory_wrap(a->in, h->line, e);
	return 0;
}

int ansible_finish(struct ansible *a, struct err *e)
{
	AUTO(auto_free) size_t *order =
		mem_calloc(a->groups.len, sizeof *order);
	AUTO(strings_done) struct strings left = { 0 };
	AUTO(auto_free) char *names = NULL;

	if (a->groups.len > GROUPS_MAX)
		return err_set(e, ERR_INPUT, "%s: more than %d groups",
			       a->in->file->name, GROUPS_MAX);
	if (ansible_beside(a, e) < 0)
		return -1;
	for (size_t i = 0; i < a->groups.len; i++) {
		order[i] = i;
		if (find_depth(a, i, 0, e) < 0 ||
		    find_priority(a, &a->groups.items[i], e) < 0)
			return -1;
	}
	qsort_r(order, a->groups.len, sizeof *order, compare_depths,
		a->groups.items);
	if (spread_groups(a, order, e) < 0)
		return -1;
	for (size_t i = 0; i < a->hosts.len; i++) {
		struct ansible_host *h = &a->hosts.items[i];

		h->left = !is_by_ssh(h, &left);
		if (!h->left && make_node(a, h, e) < 0)
			return -1;
	}
	a->members = 0;
	for (size_t i = 0; i < a->groups.len; i++)
		if (make_group(a, order[i], 2 * a->groups.len + i + 1, e) < 0)
			return -1;
	names = strings_line(&left, LEFT_MAX);
	if (names)
		inventory_note(a->in, "left out, not reached by SSH: %s",
			       names);
	return 0;
}
