#include "state/check.h"

#include "base/auto.h"
#include "base/text.h"
#include "vault/wgkey.h"

#include <string.h>

/* Who has what, to be sorted: equal neighbours are two owners of one thing. */
struct claim {
	struct cidr net;  /* an address with full length, or a network */
	const char *key;  /* or a public key */
	const char *name; /* the node */
};

struct claims {
	struct claim *items;
	size_t len;
	size_t cap;
};

static void claims_done(struct claims *c)
{
	vec_done(c);
}

static int compare_nets(const void *a, const void *b)
{
	const struct claim *left = a;
	const struct claim *right = b;
	int order = cidr_compare(&left->net, &right->net);

	return order ? order : strcmp(left->name, right->name);
}

static int compare_keys(const void *a, const void *b)
{
	const struct claim *left = a;
	const struct claim *right = b;
	int order = strcmp(left->key, right->key);

	return order ? order : strcmp(left->name, right->name);
}

/* Put the key of the value that is wrong before the error. */
static int at(const char *key, int ret, struct err *e)
{
	return ret < 0 ? err_wrap(e, "%s", key) : 0;
}

/* Text that needs no more than being short and printable. */
static int check_words(const char *s, size_t max, struct err *e)
{
	if (!s || (strlen(s) <= max && text_is_printable(s)))
		return 0;
	return err_set(e, ERR_INPUT, "expected at most %zu bytes of text "
		       "without control characters", max);
}

/* Where a private key lives. */
static int check_key_place(const char *s, struct err *e)
{
	AUTO(auto_free) char *shown = NULL;

	if (!s || strcmp(s, "host") == 0 || strcmp(s, "state") == 0)
		return 0;
	shown = check_shown(s);
	return err_set(e, ERR_INPUT, "'%s' is no place for a key, expected "
		       "'host' or 'state'", shown);
}

/* A host as the Go tool may have saved it: no control characters at least. */
static int check_ssh_host_text(const char *s, struct err *e)
{
	AUTO(auto_free) char *shown = NULL;

	for (const char *p = s ? s : ""; *p; p++) {
		if ((unsigned char)*p >= 0x20 && *p != 0x7f)
			continue;
		shown = check_shown(s);
		return err_set(e, ERR_INPUT, "'%s' holds a control character",
			       shown);
	}
	return 0;
}

static int check_optional_port(int port, struct err *e)
{
	return port ? check_port(port, e) : 0;
}

static int check_optional_mtu(int mtu, struct err *e)
{
	return mtu ? check_mtu(mtu, e) : 0;
}

static int check_optional_keepalive(int keepalive_s, struct err *e)
{
	return keepalive_s != -1 ? check_keepalive(keepalive_s, e) : 0;
}

static int check_node_numbers(const struct node *n, struct err *e)
{
	if (at("ssh_port", check_optional_port(n->ssh_port, e), e) < 0 ||
	    at("listen_port", check_optional_port(n->listen_port, e), e) < 0 ||
	    at("mtu", check_optional_mtu(n->mtu, e), e) < 0)
		return -1;
	return at("keepalive", check_optional_keepalive(n->keepalive_s, e), e);
}

static int check_endpoints(const struct node *n, struct err *e)
{
	struct ip ip;

	if (n->public_endpoint &&
	    at("public_endpoint", check_endpoint(n->public_endpoint, e), e) < 0)
		return -1;
	if (n->facts.address && !ip_parse(&ip, n->facts.address))
		return err_set(e, ERR_INPUT, "facts: address: expected an "
			       "IPv4 or IPv6 address");
	return at("facts: nat_seen_by",
		  check_words(n->facts.nat_seen_by, 32, e), e);
}

static int check_texts(const struct node *n, struct err *e)
{
	const char *private_key = secret_text(&n->private_key);

	if (at("key", check_key_place(n->key, e), e) < 0 ||
	    at("public_key", check_words(n->public_key, 128, e), e) < 0 ||
	    at("private_key", check_words(private_key, 128, e), e) < 0 ||
	    at("ssh_host", check_ssh_host_text(n->ssh_host, e), e) < 0)
		return -1;
	if (n->ssh_user && at("ssh_user", check_user(n->ssh_user, e), e) < 0)
		return -1;
	for (size_t i = 0; i < n->ssh_host_keys.len; i++)
		if (check_words(n->ssh_host_keys.items[i], 4096, e) < 0)
			return at("ssh_host_keys", -1, e);
	return 0;
}

/* A network that leads into the mesh cannot also lead out of it. */
static int check_not_mesh(const struct mesh *m, const struct cidr *c,
			  struct err *e)
{
	const struct cidr *own = c->ip.family == 6 ? &m->network6 : &m->network;
	char text[ADDR_TEXT_MAX];
	char network[ADDR_TEXT_MAX];

	if (!own->ip.family || !cidr_overlaps(own, c))
		return 0;
	return err_set(e, ERR_INPUT, "%s overlaps the mesh network %s",
		       cidr_text(c, text), cidr_text(own, network));
}

static int check_node_networks(const struct mesh *m, const struct node *n,
			       struct err *e)
{
	for (size_t i = 0; i < n->routable_networks.len; i++) {
		const struct cidr *c = &n->routable_networks.items[i];

		if (check_routable(c, e) < 0 || check_not_mesh(m, c, e) < 0)
			return at("routable_networks", -1, e);
	}
	return 0;
}

static int check_node_addresses(const struct mesh *m, const struct node *n,
				struct err *e)
{
	if (n->mesh_ip.family &&
	    at("mesh_ip", check_mesh_ip(m, &n->mesh_ip, e), e) < 0)
		return -1;
	if (n->mesh_ip6.family &&
	    at("mesh_ip6", check_mesh_ip(m, &n->mesh_ip6, e), e) < 0)
		return -1;
	return 0;
}

/*
 * One node by itself. A tombstone's addresses may be those of a mesh network
 * of before, and no longer count.
 */
static int check_node(const struct mesh *m, const struct node *n,
		      bool tombstone, struct err *e)
{
	if (check_node_name(n->name, e) < 0)
		return -1;
	if (check_node_numbers(n, e) < 0 || check_endpoints(n, e) < 0 ||
	    check_texts(n, e) < 0)
		return -1;
	if (tombstone)
		return 0;
	if (check_node_addresses(m, n, e) < 0)
		return -1;
	return check_node_networks(m, n, e);
}

static int in_node(const char *what, const char *name, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(name);

	return err_wrap(e, "%s '%s'", what, shown);
}

static int check_nodes(const struct mesh *m, struct err *e)
{
	for (size_t i = 0; i < m->nodes.len; i++)
		if (check_node(m, &m->nodes.items[i], false, e) < 0)
			return in_node("node", m->nodes.items[i].name, e);
	for (size_t i = 0; i < m->removed.len; i++)
		if (check_node(m, &m->removed.items[i], true, e) < 0)
			return in_node("removed node",
				       m->removed.items[i].name, e);
	return 0;
}

static int check_groups(const struct mesh *m, struct err *e)
{
	for (size_t i = 0; i < m->groups.len; i++)
		if (check_group_name(m->groups.items[i].name, e) < 0)
			return err_wrap(e, "groups");
	return 0;
}

/* No mesh address with two owners. */
static int check_shared_addresses(const struct mesh *m, struct err *e)
{
	AUTO(claims_done) struct claims all = { 0 };
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];

		if (n->mesh_ip.family)
			vec_push(&all, ((struct claim){ cidr_host(&n->mesh_ip),
							NULL, n->name }));
		if (n->mesh_ip6.family)
			vec_push(&all, ((struct claim){ cidr_host(&n->mesh_ip6),
							NULL, n->name }));
	}
	vec_sort(&all, compare_nets);
	for (size_t i = 1; i < all.len; i++)
		if (cidr_equal(&all.items[i - 1].net, &all.items[i].net))
			return err_set(e, ERR_INPUT, "nodes '%s' and '%s' have "
				       "the same mesh address %s",
				       all.items[i - 1].name, all.items[i].name,
				       ip_text(&all.items[i].net.ip, text));
	return 0;
}

static int shared_network(const struct claim *a, const struct claim *b,
			  struct err *e)
{
	char text[ADDR_TEXT_MAX];

	if (a->name == b->name)
		return err_set(e, ERR_INPUT, "node '%s': routable_networks: "
			       "%s is there twice", a->name,
			       cidr_text(&a->net, text));
	return err_set(e, ERR_INPUT, "nodes '%s' and '%s' both have the "
		       "routable network %s, expected one owner", a->name,
		       b->name, cidr_text(&a->net, text));
}

/* No routable network with two owners, nor twice with one. */
static int check_shared_networks(const struct mesh *m, struct err *e)
{
	AUTO(claims_done) struct claims all = { 0 };

	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];

		for (size_t k = 0; k < n->routable_networks.len; k++)
			vec_push(&all,
				 ((struct claim){ n->routable_networks.items[k],
						  NULL, n->name }));
	}
	vec_sort(&all, compare_nets);
	for (size_t i = 1; i < all.len; i++)
		if (cidr_equal(&all.items[i - 1].net, &all.items[i].net))
			return shared_network(&all.items[i - 1], &all.items[i],
					      e);
	return 0;
}

static int check_mesh_id(const char *s, struct err *e)
{
	if (!s || (strlen(s) == 32 && strspn(s, "0123456789abcdef") == 32))
		return 0;
	return err_set(e, ERR_INPUT, "expected 32 hexadecimal digits");
}

/* What the mesh says for all nodes. */
static int check_globals(const struct mesh *m, struct err *e)
{
	if (m->interface_name && *m->interface_name &&
	    at("interface_name", check_interface(m->interface_name, e), e) < 0)
		return -1;
	if (m->network.ip.family &&
	    at("network", check_network(&m->network, 4, e), e) < 0)
		return -1;
	if (m->network6.ip.family &&
	    at("network6", check_network(&m->network6, 6, e), e) < 0)
		return -1;
	if (at("listen_port", check_optional_port(m->listen_port, e), e) < 0 ||
	    at("mtu", check_optional_mtu(m->mtu, e), e) < 0 ||
	    at("mesh_id", check_mesh_id(m->mesh_id, e), e) < 0 ||
	    at("key", check_key_place(m->key, e), e) < 0)
		return -1;
	return at("keepalive", check_optional_keepalive(m->keepalive_s, e), e);
}

int check_mesh(const struct mesh *m, struct err *e)
{
	if (check_globals(m, e) < 0 || check_nodes(m, e) < 0 ||
	    check_groups(m, e) < 0 || check_shared_addresses(m, e) < 0)
		return -1;
	return check_shared_networks(m, e);
}

/* A key pair that belongs together. */
static int check_pair(const struct mesh *m, const struct node *n,
		      struct err *e)
{
	char public_key[WGKEY_TEXT + 1];
	bool on_host = node_key_on_host(m, n);

	if (!n->public_key || !*n->public_key)
		return on_host && !n->private_key.len
			       ? 0
			       : err_set(e, ERR_INPUT, "has no public key");
	if (at("public_key", check_key(n->public_key, e), e) < 0)
		return -1;
	if (!n->private_key.len && on_host)
		return 0;
	if (!n->private_key.len)
		return err_set(e, ERR_INPUT, "private_key is missing, expected "
			       "44 characters of base64");
	if (at("private_key", wgkey_public(&n->private_key, public_key, e),
	       e) < 0)
		return -1;
	if (strcmp(public_key, n->public_key) != 0)
		return err_set(e, ERR_INPUT, "public_key does not belong to "
			       "private_key, which gives '%s'", public_key);
	return 0;
}

static int check_node_deployable(const struct mesh *m, const struct node *n,
				 struct err *e)
{
	if (!n->mesh_ip.family && !n->mesh_ip6.family)
		return err_set(e, ERR_INPUT, "has no mesh address, expected "
			       "mesh_ip or mesh_ip6");
	if (!n->is_local &&
	    at("ssh_host", check_host(n->ssh_host ? n->ssh_host : "", e),
	       e) < 0)
		return -1;
	return check_pair(m, n, e);
}

static int check_shared_keys(const struct mesh *m, struct err *e)
{
	AUTO(claims_done) struct claims all = { 0 };

	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];

		if (*n->public_key)
			vec_push(&all, ((struct claim){ .key = n->public_key,
							.name = n->name }));
	}
	vec_sort(&all, compare_keys);
	for (size_t i = 1; i < all.len; i++)
		if (strcmp(all.items[i - 1].key, all.items[i].key) == 0)
			return err_set(e, ERR_INPUT, "nodes '%s' and '%s' have "
				       "the same key", all.items[i - 1].name,
				       all.items[i].name);
	return 0;
}

/* Each family that a node uses needs its network. */
static int check_has_network(const struct mesh *m, struct err *e)
{
	if (!m->network.ip.family && !m->network6.ip.family)
		return err_set(e, ERR_INPUT, "the mesh has no network");
	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];

		if ((n->mesh_ip.family && !m->network.ip.family) ||
		    (n->mesh_ip6.family && !m->network6.ip.family))
			return err_set(e, ERR_INPUT, "node '%s' has an address "
				       "of a kind that the mesh has no network "
				       "for", n->name);
	}
	return 0;
}

int check_deployable(const struct mesh *m, struct err *e)
{
	if (!m->interface_name || !*m->interface_name)
		return err_set(e, ERR_INPUT, "the mesh has no interface name");
	if (check_has_network(m, e) < 0)
		return -1;
	for (size_t i = 0; i < m->nodes.len; i++)
		if (check_node_deployable(m, &m->nodes.items[i], e) < 0)
			return in_node("node", m->nodes.items[i].name, e);
	return check_shared_keys(m, e);
}
