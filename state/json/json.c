#include "state/json/json.h"

#include "base/auto.h"
#include "state/json/syntax.h"
#include "state/json/tree.h"
#include "state/json/value.h"
#include "state/model/model.h"

#include <json-c/json.h>
#include <json-c/printbuf.h>
#include <limits.h>
#include <string.h>

/* One line of a table: the key, how to read it, and where it goes. */
#define FIELD(type, key, read, member)                                         \
	{ key, read, offsetof(type, member), false }
#define NODE(key, read, member) FIELD(struct node, key, read, member)
#define EXTERNAL(key, read, member) FIELD(struct external, key, read, member)
#define FACT(key, read, member) FIELD(struct node_facts, key, read, member)
/* As FIELD() for a map: its errors name the entry, which is enough. */
#define MAP(type, key, read, member) { key, read, offsetof(type, member), true }
#define SHAPE(table, type)                                                     \
	{ table, sizeof table / sizeof *table, offsetof(type, extras) }

DEFINE_AUTO(struct json_tokener *, json_tokener_free)

/* What one peer saw was believed once; it is a hint now. */
static int read_nat_seen_by(void *slot, struct json_object *v, struct err *e)
{
	AUTO(auto_free) char *by = NULL;
	char **from = slot;

	if (json_read_optional(&by, v, e) < 0)
		return -1;
	if (by && !*from)
		*from = mem_strdup(strcmp(by, "ssh") == 0
					   ? FACT_SAID
					   : FACT_SEEN_BY "a peer");
	return 0;
}

static int read_facts(void *slot, struct json_object *v, struct err *e)
{
	static const struct field fields[] = {
		FACT("addresses", json_read_addresses, addresses),
		FACT("address", json_read_optional, address),
		FACT("dialled", json_read_optional, dialled),
		FACT("nat_from", json_read_optional, nat_from),
		FACT("nat_seen_by", read_nat_seen_by, nat_from),
		FACT("mtu", json_read_mtu, mtu),
		FACT("mtu_kept", json_read_bool, mtu_kept),
		FACT("deployed", json_read_bool, deployed),
	};
	static const struct shape shape = SHAPE(fields, struct node_facts);

	return json_read_shape(slot, &shape, v, e);
}

static int read_external(struct external *x, struct json_object *v,
			 struct err *e)
{
	static const struct field fields[] = {
		EXTERNAL("name", json_read_text, name),
		EXTERNAL("public_key", json_read_text, public_key),
		EXTERNAL("preshared_key", json_read_secret, preshared_key),
		EXTERNAL("endpoint", json_read_optional, endpoint),
		EXTERNAL("allowed_ips", json_read_networks, allowed_ips),
		EXTERNAL("routes", json_read_networks, routes),
		EXTERNAL("keepalive", json_read_keepalive, keepalive_s),
	};
	static const struct shape shape = SHAPE(fields, struct external);

	x->name = mem_strdup("");
	x->public_key = mem_strdup("");
	return json_read_shape(x, &shape, v, e);
}

static int read_externals(void *slot, struct json_object *v, struct err *e)
{
	struct externals *list = slot;

	if (!json_object_is_type(v, json_type_array))
		return json_wrong_type(v, "a list", e);
	externals_done(list);
	for (size_t i = 0; i < json_object_array_length(v); i++)
		if (read_external(vec_add(list),
				  json_object_array_get_idx(v, i), e) < 0)
			return err_wrap(e, "item %zu", i + 1);
	vec_sort(list, external_compare);
	return 0;
}

static int read_node(struct node *n, struct json_object *v, struct err *e)
{
	static const struct field fields[] = {
		NODE("hostname", json_read_text, hostname),
		NODE("mesh_ip", json_read_ip4, mesh_ip),
		NODE("public_key", json_read_text, public_key),
		NODE("private_key", json_read_secret, private_key),
		NODE("ssh_host", json_read_text, ssh_host),
		NODE("ssh_port", json_read_port, ssh_port),
		NODE("public_endpoint", json_read_optional, public_endpoint),
		NODE("listen_port", json_read_port, listen_port),
		NODE("behind_nat", json_read_bool, behind_nat),
		NODE("routable_networks", json_read_networks,
		     routable_networks),
		NODE("is_local", json_read_bool, is_local),
		NODE("actual_hostname", json_read_optional, actual_hostname),
		NODE("fqdn", json_read_optional, fqdn),
		NODE("local_machine", json_read_optional, local_machine),
		NODE("mesh_ip6", json_read_ip6, mesh_ip6),
		NODE("key", json_read_optional, key),
		NODE("ssh_user", json_read_optional, ssh_user),
		NODE("mtu", json_read_mtu, mtu),
		NODE("keepalive", json_read_keepalive, keepalive_s),
		NODE("exit", json_read_bool, exit),
		NODE("ssh_host_keys", json_read_strings, ssh_host_keys),
		NODE("external_peers", read_externals, externals),
		NODE("facts", read_facts, facts),
	};
	static const struct shape shape = SHAPE(fields, struct node);

	return json_read_shape(n, &shape, v, e);
}

static int not_a_map(const char *key, struct json_object *v, struct err *e)
{
	json_wrong_type(v, "an object", e);
	return err_wrap(e, "%s", key);
}

/* @what ("node") is for messages. */
static int read_node_map(struct nodes *nodes, struct json_object *v,
			 const char *what, struct err *e)
{
	for (size_t i = 0; i < nodes->len; i++)
		node_done(&nodes->items[i]);
	nodes->len = 0;
	json_object_object_foreach(v, key, member) {
		struct node *n = vec_add(nodes);

		node_init(n, key);
		if (read_node(n, member, e) < 0) {
			AUTO(auto_free) char *shown = check_shown(key);

			return err_wrap(e, "%s '%s'", what, shown);
		}
	}
	vec_sort(nodes, node_compare);
	return 0;
}

static int read_nodes(void *slot, struct json_object *v, struct err *e)
{
	if (!json_object_is_type(v, json_type_object))
		return not_a_map("nodes", v, e);
	return read_node_map(slot, v, "node", e);
}

static int read_removed(void *slot, struct json_object *v, struct err *e)
{
	if (!json_object_is_type(v, json_type_object))
		return not_a_map("removed_nodes", v, e);
	return read_node_map(slot, v, "removed node", e);
}

/* null, as well as no list at all, is kept apart from an empty list. */
static int read_members(void *slot, struct json_object *v, struct err *e)
{
	struct group *g = slot;

	g->members_null = false;
	return json_read_strings(&g->members, v, e);
}

static int read_group(struct group *g, struct json_object *v, struct err *e)
{
	static const struct field fields[] = {
		FIELD(struct group, "description", json_read_optional,
		      description),
		{ "members", read_members, 0, false },
	};
	static const struct shape shape = SHAPE(fields, struct group);

	g->members_null = true;
	return json_read_shape(g, &shape, v, e);
}

static int read_groups(void *slot, struct json_object *v, struct err *e)
{
	struct groups *groups = slot;

	if (!json_object_is_type(v, json_type_object))
		return not_a_map("groups", v, e);
	for (size_t i = 0; i < groups->len; i++)
		group_done(&groups->items[i]);
	groups->len = 0;
	json_object_object_foreach(v, key, member) {
		struct group *g = vec_add(groups);

		g->name = mem_strdup(key);
		if (read_group(g, member, e) < 0) {
			AUTO(auto_free) char *shown = check_shown(key);

			return err_wrap(e, "group '%s'", shown);
		}
	}
	vec_sort(groups, group_compare);
	return 0;
}

static int read_from_groups(void *slot, struct json_object *v, struct err *e)
{
	struct policy *p = slot;

	p->from_null = false;
	return json_read_strings(&p->from_groups, v, e);
}

static int read_to_groups(void *slot, struct json_object *v, struct err *e)
{
	struct policy *p = slot;

	p->to_null = false;
	return json_read_strings(&p->to_groups, v, e);
}

static int read_policy(struct policy *p, struct json_object *v, struct err *e)
{
	static const struct field fields[] = {
		FIELD(struct policy, "name", json_read_text, name),
		FIELD(struct policy, "description", json_read_optional,
		      description),
		{ "from_groups", read_from_groups, 0, false },
		{ "to_groups", read_to_groups, 0, false },
		FIELD(struct policy, "allow_mesh_ips", json_read_bool,
		      allow_mesh_ips),
		FIELD(struct policy, "allow_routable_networks", json_read_bool,
		      allow_routable_networks),
	};
	static const struct shape shape = SHAPE(fields, struct policy);

	p->name = mem_strdup("");
	p->from_null = p->to_null = true;
	return json_read_shape(p, &shape, v, e);
}

static int read_policies(void *slot, struct json_object *v, struct err *e)
{
	struct policies *list = slot;

	if (!json_object_is_type(v, json_type_array))
		return json_wrong_type(v, "a list", e);
	for (size_t i = 0; i < list->len; i++)
		policy_done(&list->items[i]);
	list->len = 0;
	for (size_t i = 0; i < json_object_array_length(v); i++)
		if (read_policy(vec_add(list), json_object_array_get_idx(v, i),
				e) < 0)
			return err_wrap(e, "item %zu", i + 1);
	return 0;
}

static int read_former(void *slot, struct json_object *v, struct err *e)
{
	struct secrets *list = slot;

	if (!json_object_is_type(v, json_type_array))
		return json_wrong_type(v, "a list", e);
	for (size_t i = 0; i < list->len; i++)
		secret_done(&list->items[i]);
	list->len = 0;
	for (size_t i = 0; i < json_object_array_length(v); i++)
		if (json_read_secret(vec_add(list),
				     json_object_array_get_idx(v, i), e) < 0)
			return err_wrap(e, "item %zu", i + 1);
	return 0;
}

static int read_mesh(struct mesh *m, struct json_object *v, struct err *e)
{
	static const struct field fields[] = {
		FIELD(struct mesh, "interface_name", json_read_optional,
		      interface_name),
		FIELD(struct mesh, "network", json_read_network4, network),
		FIELD(struct mesh, "listen_port", json_read_port, listen_port),
		MAP(struct mesh, "nodes", read_nodes, nodes),
		FIELD(struct mesh, "local_hostname", json_read_text,
		      local_hostname),
		MAP(struct mesh, "groups", read_groups, groups),
		FIELD(struct mesh, "access_policies", read_policies, policies),
		FIELD(struct mesh, "network6", json_read_network6, network6),
		FIELD(struct mesh, "mtu", json_read_mtu, mtu),
		FIELD(struct mesh, "keepalive", json_read_keepalive,
		      keepalive_s),
		FIELD(struct mesh, "key", json_read_optional, key),
		FIELD(struct mesh, "mesh_id", json_read_optional, mesh_id),
		FIELD(struct mesh, "serial", json_read_serial, serial),
		MAP(struct mesh, "removed_nodes", read_removed, removed),
		FIELD(struct mesh, "recipients", json_read_strings, recipients),
		FIELD(struct mesh, "verify_signatures", json_read_bool,
		      verify_signatures),
		FIELD(struct mesh, "mesh_secret", json_read_secret,
		      mesh_secret),
		FIELD(struct mesh, "former_secrets", read_former,
		      former_secrets),
	};
	static const struct shape shape = SHAPE(fields, struct mesh);

	m->keepalive_s = -1;
	return json_read_shape(m, &shape, v, e);
}

/*
 * The text has passed json_check_syntax(), so json-c has nothing to object to.
 * Its buffer is made large at once: growing leaves copies of keys behind.
 */
static int parse_tree(struct json_object **out, const char *text, size_t len,
		      struct err *e)
{
	AUTO(auto_json_tokener_free) struct json_tokener *tok = NULL;
	enum json_tokener_error why;

	tok = json_tokener_new_ex(JSON_DEPTH_MAX + 2);
	if (!tok || printbuf_memset(tok->pb, -1, 0, 4096) < 0)
		return err_set(e, ERR_SYSTEM, "out of memory");
	printbuf_reset(tok->pb);
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT |
				    JSON_TOKENER_VALIDATE_UTF8);
	*out = json_tokener_parse_ex(tok, text, (int)len);
	why = json_tokener_get_error(tok);
	explicit_bzero(tok->pb->buf, (size_t)tok->pb->size);
	if (why != json_tokener_success || !*out)
		return err_set(e, ERR_INPUT, "json-c: %s",
			       json_tokener_error_desc(why));
	return 0;
}

int state_parse(struct mesh *out, const char *text, size_t len, struct err *e)
{
	AUTO(auto_tree_free) struct json_object *tree = NULL;
	AUTO(mesh_done) struct mesh m = { 0 };

	if (len > STATE_SIZE_MAX)
		return err_set(e, ERR_INPUT, "too large, expected at most "
			       "%d MiB", STATE_SIZE_MAX >> 20);
	if (json_check_syntax(text, len, e) < 0 ||
	    parse_tree(&tree, text, len, e) < 0 || read_mesh(&m, tree, e) < 0 ||
	    check_mesh(&m, e) < 0)
		return -1;
	*out = m;
	memset(&m, 0, sizeof m);
	return 0;
}
