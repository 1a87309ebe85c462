/*
 * What is typed for a node: "NAME:IP:[USER@]HOST[:PORT]", and SSH places. Both
 * are cut at colons, so an IPv6 address stands in brackets, as in a URL (RFC
 * 3986).
 */
#include "state/model/spec.h"

#include "base/auto.h"
#include "base/num.h"
#include "base/sbuf.h"
#include "state/model/check.h"

#include <string.h>

#define FORM "expected NAME:MESH_IP:[USER@]HOST[:PORT]"

/*
 * Cut @s at the first colon outside brackets; returns what is behind it, NULL
 * when there is none.
 */
static char *cut_at_colon(char *s)
{
	bool inside = false;

	for (; *s; s++) {
		if (*s == '[')
			inside = true;
		else if (*s == ']')
			inside = false;
		else if (*s == ':' && !inside) {
			*s = '\0';
			return s + 1;
		}
	}
	return NULL;
}

bool spec_strip_brackets(char **s)
{
	size_t len = strlen(*s);

	if (**s != '[')
		return !strchr(*s, ']');
	if (len < 3 || (*s)[len - 1] != ']' || !strchr(*s, ':'))
		return false;
	(*s)[len - 1] = '\0';
	(*s)++;
	return true;
}

static int take_address(const struct mesh *m, struct node *n, char *text,
			struct err *e)
{
	struct ip ip, *slot;

	if (!spec_strip_brackets(&text) || !ip_parse(&ip, text))
		return err_set(e, ERR_INPUT, "'%s' is no mesh address, "
			       "expected an IPv4 address, an IPv6 address in "
			       "brackets, or auto", text);
	if (!(ip.family == 6 ? &m->network6 : &m->network)->ip.family)
		return err_set(e, ERR_INPUT, "'%s': the mesh has no IPv%d "
			       "network", text, ip.family);
	if (check_mesh_ip(m, &ip, e) < 0)
		return -1;
	slot = ip.family == 6 ? &n->mesh_ip6 : &n->mesh_ip;
	if (slot->family)
		return err_set(e, ERR_INPUT, "'%s' is a second IPv%d address, "
			       "expected one of each kind", text, ip.family);
	*slot = ip;
	return 0;
}

static int take_port(struct node *n, const char *text, struct err *e)
{
	long port = 22;

	if (text && !num_parse(&port, text, 1, 65535))
		return err_set(e, ERR_INPUT, "'%s' is no SSH port, expected 1 "
			       "to 65535 (an IPv6 address goes in brackets)",
			       text);
	n->ssh_port = (int)port;
	return 0;
}

static int take_host(struct node *n, char *text, struct err *e)
{
	char *at = strrchr(text, '@');
	char *host = at ? at + 1 : text;

	if (n->local_machine) /* what the Go tool said is asked about */
		n->is_local = false;
	mem_replace(&n->local_machine, NULL);
	if (strcmp(text, SPEC_LOCAL) == 0) {
		n->is_local = true;
		mem_replace(&n->local_machine, "");
		mem_replace(&n->ssh_user, NULL);
		mem_replace(&n->ssh_host, "localhost");
		return 0;
	}

	if (at) {
		*at = '\0';
		if (check_user(text, e) < 0)
			return -1;
		mem_replace(&n->ssh_user, text);
	}
	if (!spec_strip_brackets(&host))
		return err_set(e, ERR_INPUT, "'%s' is no SSH host, expected a "
			       "name or an address, IPv6 in brackets", host);
	if (check_host(host, e) < 0)
		return -1;
	if (n->ssh_host && strcmp(n->ssh_host, host) != 0)
		mem_replace(&n->facts.dialled, NULL); /* that was elsewhere */
	mem_replace(&n->ssh_host, host);
	return 0;
}

int spec_place(struct node *n, const char *text, struct err *e)
{
	AUTO(auto_free) char *copy = mem_strdup(text);
	char *port = cut_at_colon(copy);

	if (port && strchr(port, ':'))
		return err_set(e, ERR_INPUT, "too many colons, expected "
			       "[USER@]HOST[:PORT], an IPv6 address in "
			       "brackets");
	if (take_host(n, copy, e) < 0)
		return -1;
	if (n->is_local && n->local_machine && port)
		return err_set(e, ERR_INPUT, "'" SPEC_LOCAL "' is this machine "
			       "itself and takes no port");
	return port ? take_port(n, port, e) : 0;
}

/* A port of 22 is in every state, and left out: see node_ssh_port(). */
char *spec_place_text(const struct node *n)
{
	bool v6 = n->ssh_host && strchr(n->ssh_host, ':');
	int port = node_ssh_port(n);
	struct sbuf b = SBUF_INIT;

	if (n->is_local && n->local_machine)
		return mem_strdup(SPEC_LOCAL);
	if (n->ssh_user)
		sbuf_printf(&b, "%s@", n->ssh_user);
	sbuf_printf(&b, "%s%s%s", v6 ? "[" : "", n->ssh_host, v6 ? "]" : "");
	if (port)
		sbuf_printf(&b, ":%d", port);
	return sbuf_detach(&b);
}

/*
 * The parts of a spec; the name comes last, so that a node with one is whole.
 */
static int parse_spec(const struct mesh *m, struct node *n, char *name,
		      struct err *e)
{
	char *address = cut_at_colon(name);
	char *host = address ? cut_at_colon(address) : NULL;
	char *port = host ? cut_at_colon(host) : NULL;
	char *second;

	if (!host)
		return err_set(e, ERR_INPUT, FORM);
	if (port && strchr(port, ':'))
		return err_set(e, ERR_INPUT, "too many fields, " FORM "; an "
			       "IPv6 address goes in brackets");
	if (check_node_name(name, e) < 0 || take_host(n, host, e) < 0 ||
	    take_port(n, port, e) < 0)
		return -1;
	second = strchr(address, ',');
	if (second)
		*second++ = '\0';
	if ((strcmp(address, "auto") != 0 &&
	     take_address(m, n, address, e) < 0) ||
	    (second && take_address(m, n, second, e) < 0) ||
	    (m->network.ip.family && !n->mesh_ip.family &&
	     mesh_free_ip(m, &m->network, &n->mesh_ip, e) < 0) ||
	    (m->network6.ip.family && !n->mesh_ip6.family &&
	     mesh_free_ip(m, &m->network6, &n->mesh_ip6, e) < 0))
		return -1;
	if (!n->mesh_ip.family && !n->mesh_ip6.family)
		return err_set(e, ERR_INPUT, "the mesh has no network to "
			       "take an address from");
	n->name = mem_strdup(name);
	return 0;
}

/* Do both log in to the same host? As far as can be told without asking DNS. */
static bool same_place(const struct node *a, const struct node *b)
{
	return strcmp(a->ssh_host, b->ssh_host) == 0 &&
	       (a->ssh_port ? a->ssh_port : 22) ==
		       (b->ssh_port ? b->ssh_port : 22);
}

int spec_check_removed(const struct mesh *m, const struct node *n,
		       struct err *e)
{
	const struct node *old = nodes_find(&m->removed, n->name);

	if (!old || same_place(old, n))
		return 0;
	err_set(e, ERR_INPUT, "the removed node '%s' is still set up on %s: "
		"deploy first", n->name, old->ssh_host);
	return err_advise(e, ADVICE_REMOVED_IS_GONE, NULL);
}

void spec_drop_removed(struct mesh *m, struct node *n)
{
	/* from the end, for the list gets shorter on the way */
	for (size_t i = m->removed.len; i-- > 0;) {
		const struct node *old = &m->removed.items[i];

		if (!same_place(old, n))
			continue;
		if (n->ssh_host_keys.len == 0)
			strings_copy(&n->ssh_host_keys, &old->ssh_host_keys);
		nodes_drop(&m->removed, old->name);
	}
}

/* Neither its name nor an address may be another's. */
static int check_free(const struct mesh *m, const struct node *n,
		      struct err *e)
{
	char text[ADDR_TEXT_MAX];

	if (nodes_find(&m->nodes, n->name))
		return err_set(e, ERR_INPUT, "there is a node '%s' already",
			       n->name);
	if (spec_check_removed(m, n, e) < 0)
		return -1;
	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *other = &m->nodes.items[i];
		bool same4 = n->mesh_ip.family &&
			     ip_equal(&other->mesh_ip, &n->mesh_ip);

		if (same4 || (n->mesh_ip6.family &&
			      ip_equal(&other->mesh_ip6, &n->mesh_ip6)))
			return err_set(e, ERR_INPUT, "node '%s' has %s "
				       "already", other->name,
				       ip_text(same4 ? &n->mesh_ip
						     : &n->mesh_ip6, text));
	}
	return 0;
}

struct node *spec_add(struct mesh *m, const char *spec, struct err *e)
{
	AUTO(auto_free) char *copy = mem_strdup(spec);
	AUTO(auto_free) char *shown = check_shown(spec);
	struct node parsed = { 0 };
	struct node *n;

	if (parse_spec(m, &parsed, copy, e) < 0 ||
	    check_free(m, &parsed, e) < 0) {
		node_done(&parsed);
		err_wrap(e, "node spec '%s'", shown);
		return NULL;
	}
	spec_drop_removed(m, &parsed);
	n = nodes_insert(&m->nodes, parsed.name);
	parsed.hostname = mem_strdup(parsed.name);
	parsed.public_key = mem_strdup("");
	parsed.listen_port = m->listen_port;
	node_done(n);
	*n = parsed;
	return n;
}
