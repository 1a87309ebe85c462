#include "state/model/field.h"

#include "base/auto.h"
#include "base/text.h"
#include "state/model/check.h"
#include "state/model/field_kind.h"

#include <string.h>

/** A key that takes more edits than this is not near. */
#define NEAR_EDITS 2
/** Longer words are no mistyped keys. */
#define WORD_MAX 24

#define AT(type, member) .offset = offsetof(struct type, member)
#define FOR_ALL(member) .mesh_offset = offsetof(struct mesh, member)
#define FIELDS(table) { table, sizeof table / sizeof *table }

static int check_key_place(const char *value, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(value);

	if (strcmp(value, "host") == 0 || strcmp(value, "state") == 0)
		return 0;
	return err_set(e, ERR_INPUT, "'%s' found, expected host or state",
		       shown);
}

static int check_line(const char *value, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(value);

	if (!*value || text_is_printable(value))
		return 0;
	return err_set(e, ERR_INPUT, "'%s' found, expected one line of text "
		       "without control characters", shown);
}

static const struct mesh_field mesh_table[] = {
	{ .key = "interface", .type = FIELD_TEXT, .form = "name",
	  .fallback = NULL, .meaning = "the interface on every host; left out, "
	  "it stays as it is (wg0 in a new mesh)", .example = "wg0",
	  .kind = &field_text, AT(mesh, interface_name),
	  .check = check_interface },
	{ .key = "network", .type = FIELD_TEXT, .form = "IPv4 CIDR",
	  .fallback = NULL, .meaning = "the mesh's IPv4 network; left out, it "
	  "stays as it is (10.99.0.0/16 in a new mesh)",
	  .example = "10.99.0.0/16", .min = 4, .kind = &field_network,
	  AT(mesh, network) },
	{ .key = "network6", .type = FIELD_TEXT, .form = "IPv6 CIDR",
	  .fallback = NULL, .meaning = "the mesh's IPv6 network, if it has one",
	  .example = "fd99:1:2:3::/64", .min = 6, .kind = &field_network,
	  AT(mesh, network6) },
	{ .key = "verify-signatures", .type = FIELD_BOOL,
	  .form = "true or false", .fallback = "false",
	  .meaning = "whether a pull takes the state only from commits that "
	  "`git verify-commit` accepts", .example = "true",
	  .kind = &field_bool, AT(mesh, verify_signatures) },
};
const struct mesh_fields fields_mesh = FIELDS(mesh_table);

static const struct mesh_field defaults_table[] = {
	{ .key = "port", .type = FIELD_NUMBER, .form = "1-65535",
	  .fallback = "51820", .meaning = "UDP port that nodes listen on",
	  .example = "51820", .min = 1, .max = 65535, .kind = &field_number,
	  AT(mesh, listen_port), .unsaid = MESH_DEFAULT_PORT },
	{ .key = "mtu", .type = FIELD_NUMBER, .form = "576-65535",
	  .fallback = NULL, .meaning = "MTU of the interface; left out, "
	  "deploys find each host's", .example = "1420", .min = 576, .max = 65535,
	  .kind = &field_number, AT(mesh, mtu) },
	{ .key = "keepalive", .type = FIELD_NUMBER, .form = "0-65535",
	  .fallback = NULL, .meaning = "seconds between keepalives, 0 for none; "
	  "left out, 25 where one side is behind NAT", .example = "25",
	  .min = 0, .max = 65535, .kind = &field_number, AT(mesh, keepalive_s),
	  .unsaid = -1 },
	{ .key = "key", .type = FIELD_TEXT, .form = "host or state",
	  .fallback = "state", .meaning = "where private keys live",
	  .example = "host", .kind = &field_text, AT(mesh, key),
	  .check = check_key_place },
};
const struct mesh_fields fields_defaults = FIELDS(defaults_table);

static const struct mesh_field node_table[] = {
	{ .key = "ssh", .type = FIELD_TEXT, .form = "[user@]host[:port]",
	  .fallback = NULL, .meaning = "where to log in; an IPv6 address in "
	  "brackets; local: the very machine on which that is said", .example = "\"admin@web1.example.org:2222\"",
	  .kind = &field_ssh },
	{ .key = "address", .type = FIELD_LIST, .form = "auto or IP address",
	  .fallback = "auto", .meaning = "its address in the mesh, one of each "
	  "network; auto: the one it has, or the lowest free one",
	  .example = "[10.99.0.1, \"fd99:1:2:3::1\"]", .kind = &field_address },
	{ .key = "routes", .type = FIELD_LIST, .form = "CIDR",
	  .fallback = NULL, .meaning = "networks behind it, which others reach "
	  "through it", .example = "[192.168.10.0/24]", .kind = &field_routes,
	  AT(node, routable_networks) },
	{ .key = "exit", .type = FIELD_BOOL, .form = "true or false",
	  .fallback = "false", .meaning = "whether its routes may hold the "
	  "default routes 0.0.0.0/0 and ::/0", .example = "true",
	  .kind = &field_bool, AT(node, exit) },
	{ .key = "groups", .type = FIELD_LIST, .form = "group name",
	  .fallback = NULL, .meaning = "the groups that it is in",
	  .example = "[web, production]" },
	{ .key = "endpoint", .type = FIELD_TEXT, .form = "host:port",
	  .fallback = NULL, .meaning = "where peers reach it; left out, "
	  "deploys find it", .example = "\"203.0.113.10:51820\"",
	  .kind = &field_text, AT(node, public_endpoint),
	  .check = check_endpoint },
	{ .key = "port", .type = FIELD_NUMBER, .form = "1-65535",
	  .fallback = NULL, .meaning = "UDP port that it listens on; left out, "
	  "the default's", .example = "51821", .min = 1, .max = 65535,
	  .kind = &field_number, AT(node, listen_port), FOR_ALL(listen_port) },
	{ .key = "mtu", .type = FIELD_NUMBER, .form = "576-65535",
	  .fallback = NULL, .meaning = "MTU of its interface; left out, the "
	  "default's", .example = "1380", .min = 576, .max = 65535,
	  .kind = &field_number, AT(node, mtu), FOR_ALL(mtu) },
	{ .key = "keepalive", .type = FIELD_NUMBER, .form = "0-65535",
	  .fallback = NULL, .meaning = "seconds between its keepalives, 0 for "
	  "none; left out, the default's", .example = "15", .min = 0,
	  .max = 65535, .kind = &field_number, AT(node, keepalive_s),
	  FOR_ALL(keepalive_s), .unsaid = -1 },
	{ .key = "key", .type = FIELD_TEXT, .form = "host or state",
	  .fallback = NULL, .meaning = "where its private key lives; left out, "
	  "the default's", .example = "host", .kind = &field_text,
	  AT(node, key), FOR_ALL(key), .check = check_key_place },
};
const struct mesh_fields fields_node = FIELDS(node_table);

static const struct mesh_field group_table[] = {
	{ .key = "description", .type = FIELD_TEXT, .form = "text",
	  .fallback = NULL, .meaning = "a sentence for people",
	  .example = "\"the web servers\"", .kind = &field_text,
	  AT(group, description), .check = check_line },
	{ .key = "members", .type = FIELD_LIST, .form = "node name",
	  .fallback = NULL, .meaning = "members besides the nodes that name the "
	  "group", .example = "[web1, web2]", .kind = &field_strings,
	  AT(group, members), .check = check_line },
};
const struct mesh_fields fields_group = FIELDS(group_table);

static const struct mesh_field policy_table[] = {
	{ .key = "name", .type = FIELD_TEXT, .form = "text", .fallback = NULL,
	  .meaning = "what it is called; each name once",
	  .example = "web-to-db", .kind = &field_text, AT(policy, name),
	  .check = check_line },
	{ .key = "description", .type = FIELD_TEXT, .form = "text",
	  .fallback = NULL, .meaning = "a sentence for people",
	  .example = "\"web servers use the database\"", .kind = &field_text,
	  AT(policy, description), .check = check_line },
	{ .key = "from", .type = FIELD_LIST, .form = "group name",
	  .fallback = NULL, .meaning = "the groups whose nodes start",
	  .example = "[web]", .kind = &field_strings, AT(policy, from_groups),
	  .check = check_line },
	{ .key = "to", .type = FIELD_LIST, .form = "group name",
	  .fallback = NULL, .meaning = "the groups whose nodes are reached",
	  .example = "[db]", .kind = &field_strings, AT(policy, to_groups),
	  .check = check_line },
	{ .key = "mesh_ips", .type = FIELD_BOOL, .form = "true or false",
	  .fallback = "true", .meaning = "whether it gives the mesh addresses",
	  .example = "true", .kind = &field_bool, AT(policy, allow_mesh_ips),
	  .unsaid = true },
	{ .key = "networks", .type = FIELD_BOOL, .form = "true or false",
	  .fallback = "false", .meaning = "whether it gives the networks behind "
	  "the reached nodes", .example = "true", .kind = &field_bool,
	  AT(policy, allow_routable_networks) },
};
const struct mesh_fields fields_policy = FIELDS(policy_table);

int field_set(const struct mesh_field *f, void *object, const char *value,
	      struct err *e)
{
	return f->kind->set(f, object, value, e);
}

void field_clear(const struct mesh_field *f, void *object)
{
	if (f->kind)
		f->kind->clear(f, object);
}

void field_get(const struct mesh_field *f, const struct mesh *m,
	       const void *object, struct strings *out)
{
	if (f->kind)
		f->kind->get(f, m, object, out);
}

int field_assign(const struct mesh_field *f, void *to,
		 const struct strings *values, struct err *e)
{
	field_clear(f, to);
	for (size_t i = 0; i < values->len; i++)
		if (field_set(f, to, values->items[i], e) < 0)
			return -1;
	return 0;
}

const struct mesh_field *field_find(const struct mesh_fields *fields,
				    const char *key)
{
	for (size_t i = 0; i < fields->len; i++)
		if (strcmp(fields->items[i].key, key) == 0)
			return &fields->items[i];
	return NULL;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t field_distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1], n = strlen(b), i, k;

	if (strlen(a) > WORD_MAX || n > WORD_MAX)
		return WORD_MAX;
	for (k = 0; k <= n; k++)
		rows[0][k] = k;
	for (i = 1; a[i - 1]; i++) {
		const size_t *last = rows[(i - 1) % 3];
		size_t *row = rows[i % 3];

		row[0] = i;
		for (k = 1; k <= n; k++) {
			row[k] = least(last[k - 1] + (a[i - 1] != b[k - 1]),
				       least(last[k], row[k - 1]) + 1);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] &&
			    a[i - 2] == b[k - 1])
				row[k] = least(row[k],
					       rows[(i - 2) % 3][k - 2] + 1);
		}
	}
	return rows[(i - 1) % 3][n];
}

const char *field_nearest(const struct mesh_fields *fields, const char *key)
{
	const char *nearest = NULL;
	size_t best = NEAR_EDITS + 1;

	for (size_t i = 0; i < fields->len; i++) {
		size_t d = field_distance(fields->items[i].key, key);

		if (d < best && 2 * d <= strlen(key)) {
			best = d;
			nearest = fields->items[i].key;
		}
	}
	return nearest;
}
