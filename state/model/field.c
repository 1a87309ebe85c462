/*
 * What a mesh holds, a row for each thing, and nothing else: object.c has an
 * object as a whole, field_kind.c the text of one value, find.c looks for a
 * key.
 */
#include "state/model/field.h"

#include "base/auto.h"
#include "base/text.h"
#include "state/model/check.h"

#include <string.h>

#define AT(type, member) .offset = offsetof(struct type, member)
#define FOR_ALL(member) .mesh_offset = offsetof(struct mesh, member)
#define FIELDS(table) { table, sizeof table / sizeof *table }
#define LAYOUT(type)                                                           \
	.size = sizeof(struct type), .extras = offsetof(struct type, extras)
/*
 * In the file, at @place among its object's members: the Go tool's first, in
 * its order, then ours in the order in which they came.
 */
#define FILE_KEY(name, place) .json = name, .nth = place
/* Numbers of which there are several; the same bounds as check.h has. */
#define PORT                                                                   \
	.type = FIELD_NUMBER, .form = "1-65535", .min = 1, .max = 65535,       \
	.value = VALUE_NUMBER, .check_number = check_port
#define MTU                                                                    \
	.type = FIELD_NUMBER, .form = "576-65535", .min = 576, .max = 65535,   \
	.value = VALUE_NUMBER, .check_number = check_mtu
#define KEEPALIVE                                                              \
	.type = FIELD_NUMBER, .form = "0-65535", .min = 0, .max = 65535,       \
	.value = VALUE_NUMBER, .check_number = check_keepalive
/* What runs as root: another's word for it needs a yes, for new nodes, too. */
#define HOOKS                                                                  \
	.type = FIELD_LIST, .form = "command", .value = VALUE_STRINGS,         \
	.check = check_hook, .ordered = true, .trust = TRUST | TRUST_NEW
/*
 * Where a node is logged in to, and its key pair: each is one thing to merge.
 * One side's user on the other's host, or a key without its other half, is
 * nothing that anybody wanted.
 */
#define SSH_PLACE .unit = "ssh_host", .trust = TRUST | TRUST_WAY
#define KEY_PAIR .unit = "public_key"

/* Free text: one line, for it stands in lists and in comments of files. */
static int check_line(const char *value, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(value);

	if (!*value || text_is_printable(value))
		return 0;
	return err_set(e, ERR_INPUT, "'%s' found, expected one line of text "
		       "without control characters", shown);
}

/* ---- what holds where a node does not say it ---- */

/* NULL where the mesh says it: then that is shown. */

static char *other_mtu(const struct mesh *m, const struct node *n)
{
	if (m->mtu)
		return NULL;
	if (!n->facts.mtu)
		return mem_strdup("found by the next deploy");
	return mem_printf("%d (%s)", n->facts.mtu,
			  n->facts.mtu_kept ? "as it was when taken over"
					    : "found");
}

static char *other_keepalive(const struct mesh *m, const struct node *n)
{
	(void)n;
	return m->keepalive_s ? NULL : mem_strdup("where one is behind NAT");
}

static char *other_endpoint(const struct mesh *m, const struct node *n)
{
	AUTO(auto_free) char *found = node_endpoint(m, n);

	return *found ? mem_printf("%s (found)", found) : NULL;
}

/* ---- the mesh ---- */

/* People's tables are in the order in which mesh.yaml is written. */
static const struct mesh_field mesh_table[] = {
	{ .key = "interface", .type = FIELD_TEXT, .form = "name",
	  .meaning = "the interface on every host; left out, it stays as it is "
	  "(wg0 in a new mesh)", .example = "wg0", .stays = true,
	  .value = VALUE_OPTIONAL, AT(mesh, interface_name),
	  .check = check_interface, FILE_KEY("interface_name", 1),
	  .always = true },
	{ .key = "network", .type = FIELD_TEXT, .form = "IPv4 CIDR",
	  .meaning = "the mesh's IPv4 network; left out, it stays as it is "
	  "(10.99.0.0/16 in a new mesh)", .example = "10.99.0.0/16",
	  .stays = true, .value = VALUE_NETWORK, .min = 4, AT(mesh, network),
	  FILE_KEY("network", 2), .always = true, .fits = true },
	{ .key = "network6", .type = FIELD_TEXT, .form = "IPv6 CIDR",
	  .meaning = "the mesh's IPv6 network, if it has one",
	  .example = "fd99:1:2:3::/64", .value = VALUE_NETWORK, .min = 6,
	  AT(mesh, network6), FILE_KEY("network6", 8), .fits = true },
	{ .key = "verify-signatures", .type = FIELD_BOOL,
	  .form = "true or false", .fallback = "false",
	  .meaning = "whether a pull takes the state only from commits that "
	  "`git verify-commit` accepts", .example = "true",
	  .value = VALUE_BOOL, AT(mesh, verify_signatures),
	  FILE_KEY("verify_signatures", 16), .trust = TRUST },
};
const struct mesh_fields fields_mesh = FIELDS(mesh_table);

static const struct mesh_field defaults_table[] = {
	{ .key = "port", PORT, .fallback = "51820",
	  .meaning = "UDP port that nodes listen on", .example = "51820",
	  AT(mesh, listen_port), .unsaid = MESH_DEFAULT_PORT,
	  FILE_KEY("listen_port", 3), .always = true },
	{ .key = "mtu", MTU, .meaning = "MTU of the interface; left out, "
	  "deploys find each host's", .example = "1420", AT(mesh, mtu),
	  FILE_KEY("mtu", 9) },
	{ .key = "keepalive", KEEPALIVE, .meaning = "seconds between "
	  "keepalives, 0 for none; left out, 25 where one side is behind NAT",
	  .example = "25", AT(mesh, keepalive_s), .zero = KEEPALIVE_OFF,
	  FILE_KEY("keepalive", 10) },
	{ .key = "key", .type = FIELD_TEXT, .form = "host or state",
	  .fallback = "state", .meaning = "where private keys live",
	  .example = "host", .value = VALUE_KEY_PLACE, AT(mesh, key),
	  FILE_KEY("key", 11), .trust = TRUST },
};
const struct mesh_fields fields_defaults = FIELDS(defaults_table);

/* What mesh.yaml has as sections, or nobody writes by hand. */
static const struct mesh_field mesh_rest[] = {
	{ .form = "node", .value = VALUE_MAP, AT(mesh, nodes),
	  .of = &object_node, FILE_KEY("nodes", 4), .always = true,
	  .how = MERGE_ENTRIES, .each = MERGE_FIELDS },
	{ .value = VALUE_TEXT, AT(mesh, local_hostname),
	  FILE_KEY("local_hostname", 5), .always = true, .trust = TRUST },
	{ .form = "group", .value = VALUE_MAP, AT(mesh, groups),
	  .of = &object_group, FILE_KEY("groups", 6), .how = MERGE_ENTRIES,
	  .each = MERGE_FIELDS },
	{ .value = VALUE_LIST, AT(mesh, policies), .of = &object_policy,
	  FILE_KEY("access_policies", 7), .how = MERGE_ENTRIES,
	  .each = MERGE_FIELDS },
	{ .value = VALUE_OPTIONAL, AT(mesh, mesh_id), FILE_KEY("mesh_id", 12) },
	{ .value = VALUE_SERIAL, AT(mesh, serial), FILE_KEY("serial", 13),
	  .how = MERGE_APART },
	{ .key = "removed", .form = "removed node", .value = VALUE_MAP,
	  AT(mesh, removed), .of = &object_node, FILE_KEY("removed_nodes", 14),
	  .how = MERGE_ENTRIES, .each = MERGE_NEWEST },
	{ .key = "recipients", .value = VALUE_STRINGS, AT(mesh, recipients),
	  FILE_KEY("recipients", 15), .how = MERGE_SET,
	  .trust = TRUST | TRUST_LEARNT },
	{ .value = VALUE_STRINGS, AT(mesh, jump_host_keys),
	  FILE_KEY("jump_host_keys", 19), .how = MERGE_SET, .trust = TRUST },
	{ .key = "secret", .value = VALUE_SECRET, AT(mesh, mesh_secret),
	  FILE_KEY("mesh_secret", 17), .how = MERGE_APART },
	{ .value = VALUE_SECRETS, AT(mesh, former_secrets),
	  FILE_KEY("former_secrets", 18), .how = MERGE_APART },
};
#define ROWS(table) (sizeof(table) / sizeof *(table))
_Static_assert(ROWS(mesh_table) + ROWS(defaults_table) + ROWS(mesh_rest) <=
		       OBJECT_MEMBERS, "OBJECT_MEMBERS is too few");

const struct mesh_object object_mesh = {
	.tables = { FIELDS(mesh_table), FIELDS(defaults_table),
		    FIELDS(mesh_rest) },
	LAYOUT(mesh),
};

/* ---- a node ---- */

static const struct mesh_field node_table[] = {
	{ .key = "ssh", .type = FIELD_TEXT, .form = "[user@]host[:port]",
	  .meaning = "where to log in; an IPv6 address in brackets; local: the "
	  "very machine on which that is said",
	  .example = "\"admin@web1.example.org:2222\"", .value = VALUE_SSH },
	{ .key = "address", .type = FIELD_LIST, .form = "auto or IP address",
	  .fallback = "auto", .meaning = "its address in the mesh, one of each "
	  "network; auto: the one it has, or the lowest free one",
	  .example = "[10.99.0.1, \"fd99:1:2:3::1\"]",
	  .value = VALUE_ADDRESS },
	{ .key = "routes", .type = FIELD_LIST, .form = "CIDR",
	  .meaning = "networks behind it, which others reach through it",
	  .example = "[192.168.10.0/24]", .value = VALUE_NETWORKS,
	  AT(node, routable_networks), FILE_KEY("routable_networks", 10),
	  .how = MERGE_SET, .fits = true },
	{ .key = "exit", .type = FIELD_BOOL, .form = "true or false",
	  .fallback = "false", .meaning = "whether its routes may hold the "
	  "default routes 0.0.0.0/0 and ::/0", .example = "true",
	  .value = VALUE_BOOL, AT(node, exit), FILE_KEY("exit", 20),
	  .fits = true, .trust = TRUST | TRUST_NEW },
	{ .key = "groups", .type = FIELD_LIST, .form = "group name",
	  .meaning = "the groups that it is in",
	  .example = "[web, production]" },
	{ .key = "endpoint", .type = FIELD_TEXT, .form = "host:port",
	  .meaning = "where peers reach it; left out, deploys find it",
	  .example = "\"203.0.113.10:51820\"", .otherwise = other_endpoint,
	  .value = VALUE_OPTIONAL, AT(node, public_endpoint),
	  .check = check_endpoint, FILE_KEY("public_endpoint", 7) },
	{ .key = "port", PORT, .meaning = "UDP port that it listens on; left "
	  "out, the default's", .example = "51821", AT(node, listen_port),
	  FOR_ALL(listen_port), FILE_KEY("listen_port", 8), .always = true },
	{ .key = "mtu", MTU, .meaning = "MTU of its interface; left out, the "
	  "default's", .example = "1380", .otherwise = other_mtu,
	  AT(node, mtu), FOR_ALL(mtu), FILE_KEY("mtu", 18) },
	{ .key = "keepalive", KEEPALIVE, .meaning = "seconds between its "
	  "keepalives, 0 for none; left out, the default's", .example = "15",
	  .otherwise = other_keepalive, AT(node, keepalive_s),
	  FOR_ALL(keepalive_s), .zero = KEEPALIVE_OFF,
	  FILE_KEY("keepalive", 19) },
	{ .key = "key", .type = FIELD_TEXT, .form = "host or state",
	  .meaning = "where its private key lives; left out, the default's",
	  .example = "host", .value = VALUE_KEY_PLACE, AT(node, key),
	  FOR_ALL(key), FILE_KEY("key", 16), KEY_PAIR, .trust = TRUST },
	{ .key = "post_up", HOOKS, .meaning = "commands that wg-quick runs "
	  "as root, in order, whenever it has started the interface",
	  .example = "[\"nft -f /etc/nftables.d/%i.nft\"]",
	  AT(node, post_up), FILE_KEY("post_up", 24) },
	{ .key = "pre_down", HOOKS, .meaning = "the same, before it stops "
	  "the interface", .example = "[\"nft delete table ip %i\"]",
	  AT(node, pre_down), FILE_KEY("pre_down", 25) },
};
const struct mesh_fields fields_node = FIELDS(node_table);

/*
 * What only the file has: what deploys find, keys and pins, and the members
 * behind people's "ssh" and "address". What a host alone can know merges by the
 * newest.
 */
static const struct mesh_field node_rest[] = {
	{ .value = VALUE_TEXT, AT(node, hostname), FILE_KEY("hostname", 1),
	  .always = true },
	{ .key = "address", .value = VALUE_IP, .min = 4, AT(node, mesh_ip),
	  FILE_KEY("mesh_ip", 2), .always = true, .fits = true },
	{ .key = "keys", .value = VALUE_TEXT, AT(node, public_key),
	  FILE_KEY("public_key", 3), .always = true, KEY_PAIR,
	  .trust = TRUST | TRUST_LEARNT },
	{ .value = VALUE_SECRET, AT(node, private_key),
	  FILE_KEY("private_key", 4), KEY_PAIR },
	{ .key = "ssh", .value = VALUE_TEXT, AT(node, ssh_host),
	  FILE_KEY("ssh_host", 5), .always = true, SSH_PLACE },
	{ .key = "ssh_port", .value = VALUE_NUMBER,
	  .check_number = check_port, AT(node, ssh_port),
	  FILE_KEY("ssh_port", 6), .always = true, SSH_PLACE },
	{ .value = VALUE_BOOL, AT(node, behind_nat), FILE_KEY("behind_nat", 9),
	  .always = true, .how = MERGE_NEWEST },
	{ .key = "is_local", .value = VALUE_BOOL, AT(node, is_local),
	  FILE_KEY("is_local", 11), .always = true, SSH_PLACE | TRUST_NEW },
	{ .value = VALUE_OPTIONAL, AT(node, actual_hostname),
	  FILE_KEY("actual_hostname", 12), .how = MERGE_NEWEST },
	{ .value = VALUE_OPTIONAL, AT(node, fqdn), FILE_KEY("fqdn", 13),
	  .how = MERGE_NEWEST },
	{ .key = "address6", .value = VALUE_IP, .min = 6, AT(node, mesh_ip6),
	  FILE_KEY("mesh_ip6", 14), .fits = true },
	{ .key = "local_machine", .value = VALUE_OPTIONAL,
	  AT(node, local_machine), FILE_KEY("local_machine", 15), SSH_PLACE },
	{ .key = "ssh_user", .value = VALUE_OPTIONAL, AT(node, ssh_user),
	  FILE_KEY("ssh_user", 17), SSH_PLACE },
	{ .key = "host-keys", .value = VALUE_STRINGS, AT(node, ssh_host_keys),
	  FILE_KEY("ssh_host_keys", 21), .how = MERGE_SET,
	  .trust = TRUST | TRUST_WAY },
	{ .key = "external", .value = VALUE_LIST, AT(node, externals),
	  .of = &object_external, FILE_KEY("external_peers", 22),
	  .how = MERGE_ENTRIES, .each = MERGE_LEAF, .fits = true },
	{ .value = VALUE_OBJECT, AT(node, facts), .of = &object_facts,
	  FILE_KEY("facts", 23), .how = MERGE_ENTRIES, .each = MERGE_NEWEST },
};
_Static_assert(ROWS(node_table) + ROWS(node_rest) <= OBJECT_MEMBERS,
	       "OBJECT_MEMBERS is too few");

const struct mesh_object object_node = {
	.tables = { FIELDS(node_table), FIELDS(node_rest) },
	.part = PART_NODE, LAYOUT(node), .named = true, .compare = node_compare,
};

/* A keepalive of 0 is off and not said alike: there is no rule for these. */
static const struct mesh_field external_table[] = {
	{ .key = "name", .value = VALUE_TEXT, AT(external, name),
	  FILE_KEY("name", 1), .always = true },
	{ .key = "keys", .value = VALUE_TEXT, AT(external, public_key),
	  FILE_KEY("public_key", 2), .always = true },
	{ .value = VALUE_SECRET, AT(external, preshared_key),
	  FILE_KEY("preshared_key", 3) },
	{ .key = "endpoint", .value = VALUE_OPTIONAL, AT(external, endpoint),
	  FILE_KEY("endpoint", 4) },
	{ .key = "allowed_ips", .value = VALUE_NETWORKS,
	  AT(external, allowed_ips), FILE_KEY("allowed_ips", 5) },
	{ .key = "routes", .value = VALUE_NETWORKS, AT(external, routes),
	  FILE_KEY("routes", 6) },
	{ .key = "keepalive", KEEPALIVE, AT(external, keepalive_s),
	  FILE_KEY("keepalive", 7) },
};
const struct mesh_object object_external = {
	.tables = { FIELDS(external_table) }, LAYOUT(external),
	.by = "public_key", .compare = external_compare,
};

/* nat_seen_by is read in old files, and written as nat_from. */
static const struct mesh_field facts_table[] = {
	{ .value = VALUE_ADDRESSES, AT(node_facts, addresses),
	  FILE_KEY("addresses", 1) },
	{ .value = VALUE_OPTIONAL, AT(node_facts, address),
	  FILE_KEY("address", 2) },
	{ .value = VALUE_OPTIONAL, AT(node_facts, dialled),
	  FILE_KEY("dialled", 3) },
	{ .value = VALUE_OPTIONAL, AT(node_facts, nat_from),
	  FILE_KEY("nat_from", 4) },
	{ .value = VALUE_NAT_SEEN, AT(node_facts, nat_from),
	  FILE_KEY("nat_seen_by", 5) },
	{ MTU, AT(node_facts, mtu), FILE_KEY("mtu", 6) },
	{ .value = VALUE_BOOL, AT(node_facts, mtu_kept),
	  FILE_KEY("mtu_kept", 7) },
	{ .value = VALUE_NUMBER, .check_number = check_port,
	  AT(node_facts, listen_port), FILE_KEY("listen_port", 8) },
	{ .value = VALUE_BOOL, AT(node_facts, deployed),
	  FILE_KEY("deployed", 9) },
};
const struct mesh_object object_facts = {
	.tables = { FIELDS(facts_table) }, LAYOUT(node_facts),
};

/* ---- groups and policies ---- */

static const struct mesh_field group_table[] = {
	{ .key = "description", .type = FIELD_TEXT, .form = "text",
	  .meaning = "a sentence for people", .example = "\"the web servers\"",
	  .value = VALUE_OPTIONAL, AT(group, description), .check = check_line,
	  FILE_KEY("description", 1) },
	{ .key = "members", .type = FIELD_LIST, .form = "node name",
	  .meaning = "members besides the nodes that name the group",
	  .example = "[web1, web2]", .value = VALUE_STRINGS,
	  AT(group, members), .check = check_line, FILE_KEY("members", 2),
	  .always = true, .null_at = offsetof(struct group, members_null),
	  .how = MERGE_SET },
};
const struct mesh_fields fields_group = FIELDS(group_table);
const struct mesh_object object_group = {
	.tables = { FIELDS(group_table) }, .part = PART_GROUP, LAYOUT(group),
	.named = true, .compare = group_compare,
};

static const struct mesh_field policy_table[] = {
	{ .key = "name", .type = FIELD_TEXT, .form = "text",
	  .meaning = "what it is called; each name once",
	  .example = "web-to-db", .value = VALUE_TEXT, AT(policy, name),
	  .check = check_line, FILE_KEY("name", 1), .always = true },
	{ .key = "description", .type = FIELD_TEXT, .form = "text",
	  .meaning = "a sentence for people",
	  .example = "\"web servers use the database\"",
	  .value = VALUE_OPTIONAL, AT(policy, description),
	  .check = check_line, FILE_KEY("description", 2) },
	{ .key = "from", .type = FIELD_LIST, .form = "group name",
	  .meaning = "the groups whose nodes start", .example = "[web]",
	  .value = VALUE_STRINGS, AT(policy, from_groups),
	  .check = check_line, FILE_KEY("from_groups", 3), .always = true,
	  .null_at = offsetof(struct policy, from_null) },
	{ .key = "to", .type = FIELD_LIST, .form = "group name",
	  .meaning = "the groups whose nodes are reached", .example = "[db]",
	  .value = VALUE_STRINGS, AT(policy, to_groups), .check = check_line,
	  FILE_KEY("to_groups", 4), .always = true,
	  .null_at = offsetof(struct policy, to_null) },
	{ .key = "mesh_ips", .type = FIELD_BOOL, .form = "true or false",
	  .fallback = "true", .meaning = "whether it gives the mesh addresses",
	  .example = "true", .value = VALUE_BOOL, AT(policy, allow_mesh_ips),
	  .unsaid = true, FILE_KEY("allow_mesh_ips", 5), .always = true },
	{ .key = "networks", .type = FIELD_BOOL, .form = "true or false",
	  .fallback = "false", .meaning = "whether it gives the networks behind "
	  "the reached nodes", .example = "true", .value = VALUE_BOOL,
	  AT(policy, allow_routable_networks),
	  FILE_KEY("allow_routable_networks", 6), .always = true },
};
const struct mesh_fields fields_policy = FIELDS(policy_table);
const struct mesh_object object_policy = {
	.tables = { FIELDS(policy_table) }, .part = PART_POLICY,
	LAYOUT(policy), .by = "name",
};
