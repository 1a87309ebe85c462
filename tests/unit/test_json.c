/*
 * state/json: the recorded vectors byte for byte, what survives, what is
 * refused and in which words.
 */
#include "state/json/json.h"

#include "base/auto.h"
#include "base/text.h"
#include "tests/unit/vectors.h"
#include "tests/unit/words.h"

DEFINE_AUTO(struct json_object *, json_object_put)

#define HEAD                                                                   \
	"{\"interface_name\":\"wg0\",\"network\":\"10.99.0.0/16\","            \
	"\"listen_port\":51820,"

/* The whole file @path; false when there is none. */
static bool slurp(struct sbuf *out, const char *path)
{
	AUTO(auto_fclose) FILE *f = fopen(path, "re");
	char chunk[4096];
	size_t n;

	if (!f)
		return false;
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		sbuf_add(out, chunk, n);
	return true;
}

/* A file of the vectors. */
static void vector(struct sbuf *out, const char *name)
{
	AUTO(auto_free) char *path = vectors_path(name);

	if (!slurp(out, path))
		fail_msg("cannot read %s", path);
}

static int parse(struct mesh *m, const char *text, struct err *e)
{
	return state_parse(m, text, strlen(text), e);
}

/* Load and save. */
static int round_trip(struct sbuf *out, const char *text, size_t len,
		      struct err *e)
{
	AUTO(mesh_done) struct mesh m = { 0 };

	if (state_parse(&m, text, len, e) < 0)
		return -1;
	state_format(out, &m);
	return 0;
}

static void assert_saved(const char *text, const char *want)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_SECRET;
	struct err e = { 0 };

	if (round_trip(&out, text, strlen(text), &e) < 0)
		fail_msg("refused: %s", e.msg);
	assert_string_equal(sbuf_str(&out), want);
}

static void assert_refused(const char *text, const char *message)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	struct mesh before = { 0 };
	struct err e = { 0 };

	if (parse(&m, text, &e) == 0)
		fail_msg("%s accepted", text);
	assert_int_equal(e.code, ERR_INPUT);
	assert_begins(e.msg, message);
	assert_true(text_is_printable(e.msg));
	assert_memory_equal(&m, &before, sizeof m);
}

/* One vector: @in loaded and saved gives @saved, where @cut is kept besides. */
static void check_vector(const char *in, const char *saved, const char *cut[])
{
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf want = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf got = SBUF_SECRET;
	struct err e = { 0 };

	vector(&text, in);
	vector(&want, saved);
	if (round_trip(&got, text.s, text.len, &e) < 0)
		fail_msg("%s: %s", in, e.msg);
	for (; cut && *cut; cut++) {
		char *at = strstr(got.s, *cut);

		assert_non_null(at);
		memmove(at, at + strlen(*cut), strlen(at + strlen(*cut)) + 1);
		got.len -= strlen(*cut);
	}
	assert_int_equal(got.len, want.len);
	assert_memory_equal(got.s, want.s, want.len);
}

static void test_state_vectors(void **state)
{
	static const char *const plain[] = {
		"state/init-default.json", "state/init-network-24.json",
		"state/three-nodes.json", "state/five-nodes-24.json",
		"state/after-remove.json",
		"state/groups-and-policies.saved.json",
	};
	const char *kept[] = {
		",\n      \"tags\": [\n        \"x\"\n      ]",
		",\n  \"comment\": \"by hand\"", NULL
	};
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	AUTO(mesh_done) struct mesh m = { 0 };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		check_vector(plain[i], plain[i], NULL);
	check_vector("state/groups-and-policies.in.json",
		     "state/groups-and-policies.saved.json", NULL);
	check_vector("state/nulls.in.json", "state/nulls.saved.json", NULL);
	check_vector("state/nulls.saved.json", "state/nulls.saved.json", NULL);
	check_vector("state/messy.in.json", "state/messy.saved.json", kept);
	vector(&text, "state/escapes.in.json");
	assert_int_equal(state_parse(&m, text.s, text.len, &e), -1);
	assert_begins(e.msg, "node 'n\\x01\\x08\\x0c\\x0d\\x7f\"\\': "
			    "ssh_port: -5 is no port");
	print_message("state files: 11 checked, 1 differs on purpose\n");
}

/* Load cases whose outcome is not the Go tool's, with our words. */
struct differing {
	const char *name;
	const char *message; /* NULL: we load it */
};

static const struct differing differing[] = {
	{ "null node", "node 'n0': null found" },
	{ "null group", "group 'g': null found" },
	{ "invalid UTF-8 in a string",
	  "line 1, column 168: this is not UTF-8" },
	{ "port negative",
	  "node 'n1': ssh_port: -1 is no port" },
	{ "mesh IP IPv6", "node 'n1': mesh_ip: 'FD99::1' found" },
};

static const struct differing *find_differing(const char *name)
{
	for (size_t i = 0; i < sizeof differing / sizeof *differing; i++)
		if (strcmp(differing[i].name, name) == 0)
			return &differing[i];
	return NULL;
}

static const char *member(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return json_object_is_type(v, json_type_string)
		       ? json_object_get_string(v)
		       : NULL;
}

/* The bytes of a base64 text. */
static void decode64(struct sbuf *out, const char *s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0;
	unsigned have = 0;

	for (; *s && *s != '='; s++) {
		bits = bits << 6 | (unsigned)(strchr(digits, *s) - digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			sbuf_putc(out, (char)(bits >> have & 0xff));
		}
	}
}

/* The text of a load case, however it is written down. */
static void case_text(struct sbuf *out, struct json_object *c)
{
	struct json_object *text = NULL;

	json_object_object_get_ex(c, "state_text", &text);
	if (json_object_is_type(text, json_type_string)) {
		sbuf_add(out, json_object_get_string(text),
			 (size_t)json_object_get_string_len(text));
	} else if (member(c, "state_base64")) {
		decode64(out, member(c, "state_base64"));
	} else {
		sbuf_puts(out, HEAD "\"nodes\":{},\"x\":");
		for (int i = 0; i < 10001; i++)
			sbuf_putc(out, '[');
		for (int i = 0; i < 10001; i++)
			sbuf_putc(out, ']');
		sbuf_putc(out, '}');
	}
}

/* Exit status of the Go tool's -list-simple for this case. */
static int go_exit(struct json_object *c)
{
	struct json_object *run = NULL;
	struct json_object *status = NULL;

	assert_true(json_object_object_get_ex(c, "list_simple", &run));
	assert_true(json_object_object_get_ex(run, "exit", &status));
	return json_object_get_int(status);
}

/* 1 if it differs on purpose. */
static int check_case(struct json_object *c)
{
	const char *name = member(c, "name");
	const struct differing *d = find_differing(name);
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf out = SBUF_SECRET;
	struct err e = { 0 };
	int ret;

	case_text(&text, c);
	ret = round_trip(&out, sbuf_str(&text), text.len, &e);
	if (d) {
		assert_int_equal(ret, -1);
		assert_begins(e.msg, d->message);
		return 1;
	}
	if ((ret == 0) != (go_exit(c) == 0))
		fail_msg("%s: we say '%s', the Go tool exits %d", name, e.msg,
			 go_exit(c));
	return 0;
}

static void test_load_cases(void **state)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(auto_json_object_put) struct json_object *cases = NULL;
	size_t n;
	int differ = 0;

	(void)state;
	vector(&text, "state/load-cases.json");
	cases = json_tokener_parse(text.s);
	assert_non_null(cases);
	n = json_object_array_length(cases);
	for (size_t i = 0; i < n; i++)
		differ += check_case(json_object_array_get_idx(cases, i));
	assert_int_equal(differ, sizeof differing / sizeof *differing);
	print_message("state vectors: %zu checked, %d differ on purpose\n", n,
		      differ);
}

/* Every state that the vectors hold elsewhere, but for one that is no mesh. */
static void check_states_in(const char *file, const char *key, size_t *n)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(auto_json_object_put) struct json_object *cases = NULL;

	vector(&text, file);
	cases = json_tokener_parse(text.s);
	for (size_t i = 0; i < json_object_array_length(cases); i++) {
		struct json_object *c = json_object_array_get_idx(cases, i);
		const char *outcome = member(c, "outcome");
		bool crash = outcome && strcmp(outcome, "crash") == 0;
		AUTO(mesh_done) struct mesh m = { 0 };
		struct json_object *s = NULL;
		struct err e = { 0 };

		json_object_object_get_ex(c, key, &s);
		if ((parse(&m, json_object_to_json_string(s), &e) < 0) != crash)
			fail_msg("%s: %s: %s", file, member(c, "name"), e.msg);
		++*n;
	}
}

static void test_other_vectors(void **state)
{
	size_t n = 0;

	(void)state;
	check_states_in("validation/validate.json", "state", &n);
	check_states_in("validation/allowed-peers.json", "state", &n);
	check_states_in("validation/access-control-enabled.json", "state", &n);
	print_message("states of validation/: %zu checked\n", n);
}

static void check_topology(const char *name, const char *message)
{
	AUTO(auto_free) char *path = mem_printf("topologies/%s.json", name);
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(auto_json_object_put) struct json_object *root = NULL;
	AUTO(mesh_done) struct mesh m = { 0 };
	struct json_object *s = NULL;
	struct err e = { 0 };

	vector(&text, path);
	root = json_tokener_parse(text.s);
	assert_true(json_object_object_get_ex(root, "state", &s));
	parse(&m, json_object_to_json_string(s), &e);
	assert_begins(e.msg, message);
}

static void test_topologies(void **state)
{
	static const char *const names[] = {
		"01-full-mesh", "02-three-tier", "03-hub-and-spoke",
		"04-staging-isolated", "05-no-mesh-ips",
		"06-routable-networks", "08-node-in-no-group",
		"09-groups-without-policies", "10-custom-network-24",
		"13-empty-and-single",
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		check_topology(names[i], "");
	check_topology("15-bad-network-falls-back-to-16",
		       "network: 'not-a-cidr' found");
}

/* Everything that we add, and something unknown at every level. */
static const char full[] =
	"{\n"
	"  \"interface_name\": \"wg0\",\n"
	"  \"network\": \"10.99.0.0/16\",\n"
	"  \"listen_port\": 51820,\n"
	"  \"nodes\": {\n"
	"    \"a\": {\n"
	"      \"hostname\": \"a\",\n"
	"      \"mesh_ip\": \"10.99.0.1\",\n"
	"      \"public_key\": \"K\",\n"
	"      \"private_key\": \"S\",\n"
	"      \"ssh_host\": \"h\",\n"
	"      \"ssh_port\": 22,\n"
	"      \"public_endpoint\": \"192.0.2.1:51820\",\n"
	"      \"listen_port\": 0,\n"
	"      \"behind_nat\": true,\n"
	"      \"routable_networks\": [\n"
	"        \"192.168.1.0/24\"\n"
	"      ],\n"
	"      \"is_local\": false,\n"
	"      \"actual_hostname\": \"srv\",\n"
	"      \"fqdn\": \"srv.example.org\",\n"
	"      \"mesh_ip6\": \"fd99::1\",\n"
	"      \"ssh_user\": \"ops\",\n"
	"      \"mtu\": 1380,\n"
	"      \"keepalive\": 0,\n"
	"      \"ssh_host_keys\": [\n"
	"        \"ssh-ed25519 AAAA\"\n"
	"      ],\n"
	"      \"facts\": {\n"
	"        \"addresses\": [\n"
	"          \"198.51.100.11/24\",\n"
	"          \"fd00::5/64\"\n"
	"        ],\n"
	"        \"address\": \"198.51.100.11\",\n"
	"        \"nat_from\": \"said\",\n"
	"        \"mtu\": 1412,\n"
	"        \"mtu_kept\": true,\n"
	"        \"deployed\": true,\n"
	"        \"kernel\": \"6.1\"\n"
	"      },\n"
	"      \"Tags\": [\n"
	"        \"x\",\n"
	"        {},\n"
	"        [],\n"
	"        1.50,\n"
	"        1e400,\n"
	"        18446744073709551615,\n"
	"        -9223372036854775808,\n"
	"        {\n"
	"          \"a \\\"\\u003c\\u2028\\\\\": null,\n"
	"          \"b\": [\n"
	"            true,\n"
	"            [\n"
	"              false\n"
	"            ]\n"
	"          ]\n"
	"        }\n"
	"      ]\n"
	"    }\n"
	"  },\n"
	"  \"local_hostname\": \"control\",\n"
	"  \"groups\": {\n"
	"    \"g\": {\n"
	"      \"description\": \"d\",\n"
	"      \"members\": [],\n"
	"      \"color\": \"red\"\n"
	"    }\n"
	"  },\n"
	"  \"access_policies\": [\n"
	"    {\n"
	"      \"name\": \"p\",\n"
	"      \"description\": \"d\",\n"
	"      \"from_groups\": [],\n"
	"      \"to_groups\": null,\n"
	"      \"allow_mesh_ips\": true,\n"
	"      \"allow_routable_networks\": false,\n"
	"      \"ports\": [\n"
	"        22\n"
	"      ]\n"
	"    }\n"
	"  ],\n"
	"  \"network6\": \"fd99::/64\",\n"
	"  \"mtu\": 1400,\n"
	"  \"keepalive\": 25,\n"
	"  \"mesh_id\": \"0123456789abcdef0123456789abcdef\",\n"
	"  \"serial\": 9000000000,\n"
	"  \"removed_nodes\": {\n"
	"    \"old\": {\n"
	"      \"hostname\": \"\",\n"
	"      \"mesh_ip\": \"172.16.0.1\",\n"
	"      \"public_key\": \"\",\n"
	"      \"ssh_host\": \"\",\n"
	"      \"ssh_port\": 0,\n"
	"      \"listen_port\": 0,\n"
	"      \"behind_nat\": false,\n"
	"      \"is_local\": false,\n"
	"      \"since\": 1\n"
	"    }\n"
	"  },\n"
	"  \"z\": null,\n"
	"  \"y\": {\n"
	"    \"deep\": \"\xc3\xa4\\ud83d\"\n"
	"  }\n"
	"}";

static void test_everything_survives(void **state)
{
	AUTO(sbuf_done) struct sbuf once = SBUF_SECRET;
	struct err e = { 0 };
	char *at;

	(void)state;
	if (round_trip(&once, full, strlen(full), &e) < 0)
		fail_msg("%s", e.msg);
	at = strstr(once.s, "\xef\xbf\xbd");
	assert_non_null(at); /* a lone surrogate becomes U+FFFD */
	assert_int_equal(once.len, strlen(full) - 3);
	assert_memory_equal(once.s, full, (size_t)(at - once.s));
	assert_saved(once.s, once.s);
}

static void test_read_values(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	struct err e = { 0 };
	const struct node *a;

	(void)state;
	assert_int_equal(parse(&m, full, &e), 0);
	a = nodes_find(&m.nodes, "a");
	assert_int_equal(a->keepalive_s, KEEPALIVE_OFF);
	assert_int_equal(a->mtu, 1380);
	assert_string_equal(a->ssh_user, "ops");
	assert_string_equal(secret_text(&a->private_key), "S");
	assert_int_equal(a->facts.addresses.len, 2);
	assert_int_equal(a->facts.addresses.items[0].ip.b[3], 11);
	assert_int_equal(a->facts.mtu, 1412);
	assert_true(a->facts.mtu_kept);
	assert_true(a->facts.deployed);
	assert_int_equal(m.keepalive_s, 25);
	assert_int_equal(m.serial, 9000000000);
	assert_true(m.policies.items[0].to_null);
	assert_false(m.policies.items[0].from_null);
	assert_false(m.groups.items[0].members_null);
	assert_string_equal(m.removed.items[0].name, "old");
	assert_int_equal(m.removed.items[0].keepalive_s, 0);
}

static void test_little(void **state)
{
	static const char empty[] = "{\n  \"interface_name\": \"\",\n"
				    "  \"network\": \"\",\n"
				    "  \"listen_port\": 0,\n"
				    "  \"nodes\": {},\n"
				    "  \"local_hostname\": \"\"\n}";

	(void)state;
	assert_saved("{}", empty);
	assert_saved(" \r\n\t{\"nodes\":null,\"network\":\"\","
		     "\"keepalive\":null,"
		     "\"mtu\":null,\"listen_port\":null} \n\n", empty);
	assert_saved("{\"network\":\"10.1.2.3/24\"}",
		     "{\n  \"interface_name\": \"\",\n"
		     "  \"network\": \"10.1.2.0/24\",\n"
		     "  \"listen_port\": 0,\n  \"nodes\": {},\n"
		     "  \"local_hostname\": \"\"\n}");
	assert_saved("{\"listen_port\":7,\"LISTEN_PORT\":8,"
		     "\"nodes\":{\"a\":{}},\"nodes\":{}}",
		     "{\n  \"interface_name\": \"\",\n  \"network\": \"\",\n"
		     "  \"listen_port\": 8,\n  \"nodes\": {},\n"
		     "  \"local_hostname\": \"\"\n}");
}

/* No beginning of a state is a state. */
static void test_truncated(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof full - 1; n++) {
		AUTO(auto_free) char *part = mem_strndup(full, n);
		AUTO(mesh_done) struct mesh m = { 0 };
		struct err e = { 0 };

		assert_int_equal(state_parse(&m, part, n, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
	}
}

/* Put @value in the place of the value of @key at @level; must be refused. */
static void refuse_value(const char *level, const char *key, const char *value)
{
	AUTO(auto_free) char *inner = mem_printf("\"%s\":%s", key, value);
	AUTO(auto_free) char *text = NULL;
	AUTO(mesh_done) struct mesh m = { 0 };
	struct err e = { 0 };

	if (strcmp(level, "mesh") == 0)
		text = mem_printf("{%s}", inner);
	else if (strcmp(level, "node") == 0)
		text = mem_printf("{\"nodes\":{\"a\":{%s}}}", inner);
	else if (strcmp(level, "facts") == 0)
		text = mem_printf("{\"nodes\":{\"a\":{\"facts\":{%s}}}}",
				  inner);
	else if (strcmp(level, "group") == 0)
		text = mem_printf("{\"groups\":{\"a\":{%s}}}", inner);
	else
		text = mem_printf("{\"access_policies\":[{%s}]}", inner);
	if (parse(&m, text, &e) == 0)
		fail_msg("%s accepted", text);
	assert_int_equal(e.code, ERR_INPUT);
	if (!strstr(e.msg, key) || !strstr(e.msg, "expected"))
		fail_msg("%s: '%s' does not say what and why", text, e.msg);
}

/* A key, where it stands, and the letter of its type. */
struct typed {
	const char *level;
	const char *key;
	char type; /* s text, i integer, b truth, l list, o object */
};

static const struct typed typed[] = {
	{ "mesh", "interface_name", 's' }, { "mesh", "network", 's' },
	{ "mesh", "listen_port", 'i' },    { "mesh", "nodes", 'o' },
	{ "mesh", "local_hostname", 's' }, { "mesh", "groups", 'o' },
	{ "mesh", "access_policies", 'l' }, { "mesh", "network6", 's' },
	{ "mesh", "mtu", 'i' },            { "mesh", "keepalive", 'i' },
	{ "mesh", "mesh_id", 's' },        { "mesh", "serial", 'i' },
	{ "mesh", "removed_nodes", 'o' },  { "node", "hostname", 's' },
	{ "node", "mesh_ip", 's' },        { "node", "public_key", 's' },
	{ "node", "private_key", 's' },    { "node", "ssh_host", 's' },
	{ "node", "ssh_port", 'i' },       { "node", "public_endpoint", 's' },
	{ "node", "listen_port", 'i' },    { "node", "behind_nat", 'b' },
	{ "node", "routable_networks", 'l' }, { "node", "is_local", 'b' },
	{ "node", "actual_hostname", 's' }, { "node", "fqdn", 's' },
	{ "node", "mesh_ip6", 's' },       { "node", "ssh_user", 's' },
	{ "node", "mtu", 'i' },            { "node", "keepalive", 'i' },
	{ "node", "ssh_host_keys", 'l' },  { "node", "facts", 'o' },
	{ "node", "exit", 'b' },           { "node", "external_peers", 'l' },
	{ "facts", "addresses", 'l' },     { "facts", "address", 's' },
	{ "facts", "dialled", 's' },       { "facts", "nat_from", 's' },
	{ "facts", "nat_seen_by", 's' },   { "facts", "deployed", 'b' },
	{ "node", "local_machine", 's' },
	{ "facts", "mtu", 'i' },           { "facts", "mtu_kept", 'b' },
	{ "group", "description", 's' },   { "group", "members", 'l' },
	{ "policy", "name", 's' },         { "policy", "description", 's' },
	{ "policy", "from_groups", 'l' },  { "policy", "to_groups", 'l' },
	{ "policy", "allow_mesh_ips", 'b' },
	{ "policy", "allow_routable_networks", 'b' },
};

static void test_wrong_types(void **state)
{
	static const struct {
		char type;
		const char *json;
	} values[] = {
		{ 's', "\"x\"" }, { 'i', "22" },  { 'f', "2.2e1" },
		{ 'b', "true" },  { 'l', "[7]" }, { 'o', "{\"a\":7}" },
		{ 'l', "[null]" }, { 'l', "[[]]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof typed / sizeof *typed; i++)
		for (size_t k = 0; k < sizeof values / sizeof *values; k++)
			if (values[k].type != typed[i].type ||
			    values[k].type == 'l')
				refuse_value(typed[i].level, typed[i].key,
					     values[k].json);
}

static void test_wrong_values(void **state)
{
	(void)state;
	assert_refused("{\"nodes\":{\"web1\":{\"ssh_port\":70000}}}",
		       "node 'web1': ssh_port: 70000 is no port");
	assert_refused("{\"nodes\":{\"web1\":{\"ssh_port\":5000000000}}}",
		       "node 'web1': ssh_port: 5000000000 is no port");
	assert_refused("{\"nodes\":{\"web1\":{\"ssh_port\":\"22\"}}}",
		       "node 'web1': ssh_port: a string found");
	assert_refused("{\"keepalive\":-1}", "keepalive: -1 is no keepalive");
	assert_refused("{\"mtu\":0}",
		       "mtu: 0 is no MTU");
	assert_refused("{\"network\":\"10.0.0.0\"}", "network: '10.0.0.0' "
		       "found");
	assert_refused("{\"network\":\"fd00::/64\"}",
		       "network: 'fd00::/64' is no IPv4 network");
	assert_refused("{\"key\":\"x\"}", "key: 'x' is no place for a key, "
		       "expected 'host' or 'state'");
	assert_refused("{\"nodes\":{\"web1\":{\"key\":\"new\"}}}",
		       "node 'web1': key: 'new' is no place for a key");
	assert_refused("{\"removed_nodes\":{\"web1\":{\"key\":\"Host\"}}}",
		       "removed node 'web1': key: 'Host' is no place for a key");
	assert_refused("{\"mesh_id\":\"x\"}",
		       "mesh_id: expected 32 hexadecimal digits");
	assert_refused("{\"serial\":-1}",
		       "serial: -1 found");
	assert_refused("{\"interface_name\":\"wg0; touch x\"}",
		       "interface_name: 'wg0; touch x' is no interface name");
	assert_refused("{\"nodes\":{\"\":{}}}", "node '': '' is no node "
		       "name");
	assert_refused("{\"access_policies\":[{},null]}", "access_policies: "
		       "item 2: null found");
}

static void test_syntax(void **state)
{
	(void)state;
	assert_refused("", "empty");
	assert_refused(" \n", "empty");
	assert_refused("\"x\"", "line 1, column 1: '\"' found");
	assert_refused("\xef\xbb\xbf{}", "line 1, column 1: byte 0xef found");
	assert_refused("{} x", "line 1, column 4: 'x' found");
	assert_refused("{\n \"a\": 1,\n}", "line 3, column 1: '}' found");
	assert_refused("{\"\xc3\xa4\" 1}", "line 1, column 6: '1' found");
	assert_refused("{\"a\":1", "line 1, column 7: ends here");
	assert_refused("{\"a\":\"x\ny\"}", "line 1, column 8: byte 0x0a "
		       "found");
	assert_refused("{\"a\":\"\\x\"}", "line 1, column 8: 'x' found");
	assert_refused("{\"a\":\"\\u0000\"}", "line 1, column 13: text cannot "
		       "hold the character \\u0000");
	assert_refused("{\"a\":99999999999999999999}", "line 1, column 6: this "
		       "number has more than 64 bits");
	assert_refused("{\"a\":-9223372036854775809}", "line 1, column 7: this "
		       "number has more than 64 bits");
}

/* What RFC 8259 does not have, whatever json-c thinks of it. */
static void test_not_json(void **state)
{
	static const char *const bad[] = {
		"01", "1.", ".5", "+1", "-", "1e", "1e+", "0x10", "NaN",
		"Infinity", "-Infinity", "nan", "True", "nul", "'x'", "[1,]",
		"[,1]", "[1 2]", "{a:1}", "{\"a\":1,}", "\"\\u12g4\"",
		"\"\x01\"", "\"\t\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"",
		"\"\xf5\x80\x80\x80\"", "/* */1", "1//", "[", "]", "\"", "",
	};
	static const char *const good[] = {
		"0", "-0", "1.5e-3", "1E+2", "\"\\ud83d\\udd11\"", "[[],{}]",
		"\"\x7f\"", "18446744073709551615", "true", "null", " 1 ",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		AUTO(auto_free) char *text = mem_printf("{\"x\":%s}", bad[i]);
		struct err e = { 0 };

		if (json_check_syntax(text, strlen(text), &e) == 0)
			fail_msg("%s accepted", text);
	}
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		AUTO(auto_free) char *text = mem_printf("{\"x\":%s}", good[i]);
		AUTO(mesh_done) struct mesh m = { 0 };
		struct err e = { 0 };

		if (parse(&m, text, &e) < 0)
			fail_msg("%s: %s", text, e.msg);
	}
}

static void test_depth(void **state)
{
	for (int depth = 99; depth <= 100; depth++) {
		AUTO(sbuf_done) struct sbuf b = SBUF_INIT;
		AUTO(mesh_done) struct mesh m = { 0 };
		struct err e = { 0 };

		sbuf_puts(&b, "{\"x\":");
		for (int i = 0; i < depth; i++)
			sbuf_putc(&b, '[');
		for (int i = 0; i < depth; i++)
			sbuf_putc(&b, ']');
		sbuf_putc(&b, '}');
		assert_int_equal(parse(&m, b.s, &e), depth == 99 ? 0 : -1);
	}
	(void)state;
}

static void test_nul(void **state)
{
	static const char text[] = "{}\0";
	AUTO(mesh_done) struct mesh m = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(state_parse(&m, text, 3, &e), -1);
	assert_begins(e.msg, "line 1, column 3: byte 0x00 found");
}

static void test_ten_thousand(void **state)
{
	AUTO(sbuf_done) struct sbuf in = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf out = SBUF_SECRET;
	AUTO(mesh_done) struct mesh m = { 0 };
	struct err e = { 0 };

	(void)state;
	sbuf_puts(&in, HEAD "\"nodes\":{");
	for (int i = 9999; i >= 0; i--)
		sbuf_printf(&in, "\"n%d\":{\"mesh_ip\":\"10.99.%d.%d\","
			    "\"routable_networks\":[\"172.%d.%d.%d/32\"]}%s", i,
			    i / 250, i % 250 + 1, 16 + i / 2500,
			    i / 250 % 256, i % 250, i ? "," : "");
	sbuf_puts(&in, "}}");
	if (parse(&m, in.s, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(m.nodes.len, 10000);
	assert_non_null(nodes_find(&m.nodes, "n7777"));
	state_format(&out, &m);
	assert_false(out.failed);
	assert_saved(out.s, out.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_vectors),
		cmocka_unit_test(test_load_cases),
		cmocka_unit_test(test_other_vectors),
		cmocka_unit_test(test_topologies),
		cmocka_unit_test(test_everything_survives),
		cmocka_unit_test(test_read_values),
		cmocka_unit_test(test_little),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_wrong_values),
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_not_json),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_ten_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
