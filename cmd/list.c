/*
 * wgmesh list, and the lists of groups and policies, which `group list` and
 * `policy list` show alone. Apart from show.c: that speaks of what follows from
 * the state for one node, this of what the state says of all.
 */
#include "cmd/cmd.h"

#include "acl/access.h"
#include "cmd/jout.h"
#include "cmd/list.h"

#include <string.h>

/* For scripts and /etc/hosts, as the Go tool does: the hosts' own names. */
static void list_simple(const struct mesh *m)
{
	AUTO(strings_done) struct strings lines = { 0 };
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];
		const struct ip *ip = n->mesh_ip.family ? &n->mesh_ip
							: &n->mesh_ip6;
		char *line = mem_printf("%s %s",
					n->actual_hostname ? n->actual_hostname
							   : n->hostname,
					ip_text(ip, text));

		vec_push(&lines, line); /* which frees it */
	}
	strings_sort(&lines);
	for (size_t i = 0; i < lines.len; i++)
		put("%s\n", lines.items[i]);
}

static void put_words(const char *label, const struct strings *v)
{
	put("    %s: [", label);
	for (size_t i = 0; i < v->len; i++)
		put("%s%s", i ? " " : "", v->items[i]);
	put("]\n");
}

static void list_groups(const struct mesh *m)
{
	if (m->groups.len)
		put("Groups:\n");
	for (size_t i = 0; i < m->groups.len; i++) {
		const struct group *g = &m->groups.items[i];

		put("  %s:", g->name);
		if (g->description && *g->description)
			put(" (%s)", g->description);
		put("\n");
		for (size_t k = 0; k < g->members.len; k++)
			put("    - %s\n", g->members.items[k]);
	}
	put(m->groups.len ? "\n" : "");
}

static void list_policies(const struct mesh *m)
{
	if (m->policies.len)
		put("Access Policies:\n");
	for (size_t i = 0; i < m->policies.len; i++) {
		const struct policy *p = &m->policies.items[i];

		put("  %s:", p->name);
		if (p->description && *p->description)
			put(" (%s)", p->description);
		put("\n");
		put_words("From", &p->from_groups);
		put_words("To", &p->to_groups);
		put("    Allow Mesh IPs: %s\n    Allow Routable Networks: %s\n",
		    p->allow_mesh_ips ? "true" : "false",
		    p->allow_routable_networks ? "true" : "false");
	}
	put(m->policies.len ? "\n" : "");
}

static void list_node(const struct mesh *m, const struct node *n)
{
	AUTO(auto_free) char *endpoint = node_endpoint(m, n);
	AUTO(strings_done) struct strings groups = { 0 };
	char text[ADDR_TEXT_MAX];

	put("  %s%s%s:\n", n->name, n->is_local ? " (local)" : "",
	    n->behind_nat ? " [NAT]" : "");
	put("    Mesh IP: %s\n", ip_text(&n->mesh_ip, text));
	if (n->mesh_ip6.family)
		put("    Mesh IPv6: %s\n", ip_text(&n->mesh_ip6, text));
	put(strchr(n->ssh_host, ':') ? "    SSH: %s%s[%s]:%d\n"
				     : "    SSH: %s%s%s:%d\n",
	    n->ssh_user ? n->ssh_user : "", n->ssh_user ? "@" : "",
	    n->ssh_host, n->ssh_port);
	put("    Public Key: %s\n", n->public_key);
	if (*endpoint)
		put("    Endpoint: %s\n", endpoint);
	for (size_t i = 0; i < n->routable_networks.len; i++)
		put("%s%s", i ? " " : "    Routable Networks: [",
		    cidr_text(&n->routable_networks.items[i], text));
	put(n->routable_networks.len ? "]\n" : "");
	access_groups_of(m, n->name, &groups);
	if (groups.len)
		put_words("Groups", &groups);
	put("\n");
}

/*
 * The Go tool's text, line by line, so that what reads that reads this; what
 * the Go tool does not know (IPv6, removed nodes) has lines of its own.
 */
static void list_full(const struct mesh *m)
{
	char text[ADDR_TEXT_MAX];

	put("Mesh Network: %s\n",
	    m->network.ip.family ? cidr_text(&m->network, text) : "");
	if (m->network6.ip.family)
		put("Mesh IPv6 Network: %s\n", cidr_text(&m->network6, text));
	put("Interface: %s\nListen Port: %d\n\n",
	    m->interface_name ? m->interface_name : "", m->listen_port);
	list_groups(m);
	list_policies(m);
	put("Nodes:\n");
	for (size_t i = 0; i < m->nodes.len; i++)
		list_node(m, &m->nodes.items[i]);
	for (size_t i = 0; i < m->jump_host_keys.len; i++)
		put("%s%s\n", i ? "  " : "Pinned keys of jump hosts:\n  ",
		    m->jump_host_keys.items[i]);
	if (m->removed.len)
		put("Removed, still on their hosts until the next deploy:\n");
	for (size_t i = 0; i < m->removed.len; i++)
		put("  %s (%s)\n", m->removed.items[i].name,
		    m->removed.items[i].ssh_host);
}

/* A removed node has the same members; what it lacks is null or empty. */
static void list_nodes_json(struct jout *j, const char *key,
			    const struct mesh *m, const struct nodes *nodes)
{
	jout_list(j, key);
	for (size_t i = 0; i < nodes->len; i++) {
		const struct node *n = &nodes->items[i];
		AUTO(auto_free) char *endpoint = node_endpoint(m, n);
		AUTO(strings_done) struct strings groups = { 0 };

		jout_open(j, NULL);
		jout_text(j, "name", n->name);
		jout_ip(j, "mesh_ip", &n->mesh_ip);
		jout_ip(j, "mesh_ip6", &n->mesh_ip6);
		jout_text(j, "ssh_host", n->ssh_host);
		jout_text(j, "ssh_user", n->ssh_user);
		jout_number(j, "ssh_port", n->ssh_port ? n->ssh_port : 22);
		jout_bool(j, "host_key_pinned", n->ssh_host_keys.len > 0);
		jout_text(j, "public_key", n->public_key);
		jout_number(j, "listen_port", node_port(m, n));
		jout_text(j, "endpoint", *endpoint ? endpoint : NULL);
		jout_bool(j, "behind_nat", n->behind_nat);
		jout_bool(j, "is_local", n->is_local);
		jout_cidrs(j, "routable_networks", &n->routable_networks);
		access_groups_of(m, n->name, &groups);
		jout_strings(j, "groups", &groups);
		jout_text(j, "actual_hostname", n->actual_hostname);
		jout_text(j, "fqdn", n->fqdn);
		jout_end(j);
	}
	jout_end(j);
}

static void list_groups_json(struct jout *j, const struct mesh *m)
{
	jout_list(j, "groups");
	for (size_t i = 0; i < m->groups.len; i++) {
		const struct group *g = &m->groups.items[i];

		jout_open(j, NULL);
		jout_text(j, "name", g->name);
		jout_text(j, "description", g->description);
		jout_strings(j, "members", &g->members);
		jout_end(j);
	}
	jout_end(j);
}

static void list_policies_json(struct jout *j, const struct mesh *m)
{
	jout_list(j, "access_policies");
	for (size_t i = 0; i < m->policies.len; i++) {
		const struct policy *p = &m->policies.items[i];

		jout_open(j, NULL);
		jout_text(j, "name", p->name);
		jout_text(j, "description", p->description);
		jout_strings(j, "from_groups", &p->from_groups);
		jout_strings(j, "to_groups", &p->to_groups);
		jout_bool(j, "allow_mesh_ips", p->allow_mesh_ips);
		jout_bool(j, "allow_routable_networks",
			  p->allow_routable_networks);
		jout_end(j);
	}
	jout_end(j);
}

static void list_json(const struct mesh *m)
{
	struct jout *j = jout_new();
	char text[ADDR_TEXT_MAX];

	jout_text(j, "mesh_id", m->mesh_id);
	jout_number(j, "serial", (long)m->serial);
	jout_text(j, "interface", m->interface_name);
	jout_text(j, "network",
		  m->network.ip.family ? cidr_text(&m->network, text) : NULL);
	jout_text(j, "network6",
		  m->network6.ip.family ? cidr_text(&m->network6, text) : NULL);
	jout_number(j, "listen_port", m->listen_port);
	list_nodes_json(j, "nodes", m, &m->nodes);
	list_nodes_json(j, "removed", m, &m->removed);
	list_groups_json(j, m);
	list_policies_json(j, m);
	jout_strings(j, "jump_host_keys", &m->jump_host_keys);
	jout_print(j);
}

int cmd_list(struct cmd_env *env)
{
	AUTO(auto_store_close) struct store *s = NULL;
	struct err e;

	if (env_open(&s, env, false, &e) < 0)
		return fail(&e);
	if (env->options.json)
		list_json(store_mesh(s));
	else if (env->options.simple)
		list_simple(store_mesh(s));
	else
		list_full(store_mesh(s));
	return EXIT_DONE;
}

int list_part(const struct cmd_env *env, enum mesh_part part)
{
	AUTO(auto_store_close) struct store *s = NULL;
	bool groups = part == PART_GROUP;
	const struct mesh *m;
	struct jout *j;
	struct err e;

	if (env_open(&s, env, false, &e) < 0)
		return fail(&e);
	m = store_mesh(s);
	if (env->options.json) {
		j = jout_new();
		(groups ? list_groups_json : list_policies_json)(j, m);
		jout_print(j);
	} else if (groups ? m->groups.len : m->policies.len) {
		(groups ? list_groups : list_policies)(m);
	} else {
		put(groups ? "no groups\n" : "no policies\n");
	}
	return EXIT_DONE;
}
