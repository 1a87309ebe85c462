/*
 * mesh.yaml: what is read, what is written, where things are, and that what was
 * written reads and writes the same again.
 */
#include "state/yaml/yaml.h"

#include "base/auto.h"
#include "state/json/json.h"
#include "vectors.h"

#include <dirent.h>
#include <string.h>

static void parse(struct mesh *m, struct yaml_marks **marks, const char *text)
{
	struct err e;

	if (yaml_parse(m, marks, text, strlen(text), "m.yaml", &e) < 0)
		fail_msg("refused: %s\n%s", e.msg, text);
}

/* @text reads, and writes as @want. */
static void writes(const char *text, const char *want)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	AUTO(mesh_done) struct mesh m = { 0 };

	parse(&m, NULL, text);
	yaml_write(&out, &m);
	assert_string_equal(sbuf_str(&out), want);
}

#define HEAD "# a wgmesh mesh; docs/mesh-yaml.md explains the keys\n"

/* Every key, in canonical form. */
static const char whole[] = HEAD
	"interface: mesh0\n"
	"network: 10.50.0.0/24\n"
	"network6: \"fd50::/64\"\n"
	"defaults:\n"
	"  port: 51821\n"
	"  mtu: 1400\n"
	"  keepalive: 0\n"
	"  key: host\n"
	"nodes:\n"
	"  db1:\n"
	"    ssh: \"root@[2001:db8::7]:2222\"\n"
	"    address: [10.50.0.7, \"fd50::7\"]\n"
	"    routes: [192.168.10.0/24, \"2001:db8:1::/48\"]\n"
	"    groups: [db, production]\n"
	"  gw:\n"
	"    ssh: gw.example.org\n"
	"    address: 10.50.0.1\n"
	"    routes: [0.0.0.0/0, \"::/0\"]\n"
	"    exit: true\n"
	"    endpoint: \"gw.example.org:51999\"\n"
	"    port: 51820\n"
	"    mtu: 1380\n"
	"    keepalive: 25\n"
	"    key: state\n"
	"  laptop: {}\n"
	"groups:\n"
	"  db:\n"
	"    description: databases, all of them\n"
	"    members: [later]\n"
	"  empty: {}\n"
	"policies:\n"
	"  - name: db-to-db\n"
	"    description: they copy to each other\n"
	"    from: [db]\n"
	"    to: [db, production]\n"
	"    mesh_ips: false\n"
	"    networks: true\n"
	"  - name: second\n";

static void test_read(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	const struct node *n;
	const struct policy *p;
	char text[ADDR_TEXT_MAX];

	(void)state;
	parse(&m, NULL, whole);
	assert_string_equal(m.interface_name, "mesh0");
	assert_string_equal(cidr_text(&m.network, text), "10.50.0.0/24");
	assert_string_equal(cidr_text(&m.network6, text), "fd50::/64");
	assert_int_equal(m.listen_port, 51821);
	assert_int_equal(m.mtu, 1400);
	assert_int_equal(m.keepalive_s, KEEPALIVE_OFF);
	assert_int_equal(m.key, KEY_ON_HOST);
	assert_int_equal(m.nodes.len, 3);
	n = nodes_find(&m.nodes, "db1");
	assert_string_equal(n->ssh_user, "root");
	assert_string_equal(n->ssh_host, "2001:db8::7");
	assert_int_equal(n->ssh_port, 2222);
	assert_string_equal(ip_text(&n->mesh_ip, text), "10.50.0.7");
	assert_string_equal(ip_text(&n->mesh_ip6, text), "fd50::7");
	assert_int_equal(n->routable_networks.len, 2);
	assert_int_equal(n->keepalive_s, 0);
	assert_false(n->exit);
	n = nodes_find(&m.nodes, "gw");
	assert_true(n->exit);
	assert_string_equal(n->public_endpoint, "gw.example.org:51999");
	assert_int_equal(n->listen_port, 51820);
	assert_int_equal(n->mtu, 1380);
	assert_int_equal(n->keepalive_s, 25);
	assert_int_equal(n->key, KEY_IN_STATE);
	assert_int_equal(nodes_find(&m.nodes, "laptop")->mesh_ip.family, 0);
	assert_int_equal(m.groups.len, 3);
	assert_string_equal(mesh_group(&m, "db")->members.items[0], "db1");
	assert_string_equal(mesh_group(&m, "db")->members.items[1], "later");
	assert_int_equal(mesh_group(&m, "production")->members.len, 1);
	p = &m.policies.items[0];
	assert_string_equal(p->name, "db-to-db");
	assert_string_equal(p->to_groups.items[1], "production");
	assert_false(p->allow_mesh_ips);
	assert_true(p->allow_routable_networks);
	assert_true(m.policies.items[1].allow_mesh_ips);
}

static void test_write(void **state)
{
	(void)state;
	writes(whole, whole);
	/* nothing said */
	writes("{}", HEAD "{}\n");
	writes("%YAML 1.2\n---\n{}\n...\n", HEAD "{}\n");
	/* sorted, each once, members at the nodes */
	writes("nodes: {b: {groups: [z, a, z]}, a: {address: auto, routes: []}}"
	       "\ngroups: {a: {members: [b, x, a, x, c]}}\n",
	       HEAD "nodes:\n  a:\n    groups: [a]\n  b:\n    groups: [a, z]"
	       "\ngroups:\n  a:\n    members: [c, x]\n");
	/* what only says what holds anyway */
	writes("defaults: {port: 51820, key: state}\nnodes:\n  a:\n"
	       "    port: 51820\n    exit: false\n    key: state\n"
	       "policies:\n- {}\n- name: p\n  mesh_ips: true\n",
	       HEAD "nodes:\n  a: {}\npolicies:\n  - {}\n  - name: p\n");
}

/* Every line end, every style of the same. */
static void test_styles(void **state)
{
	static const char want[] = HEAD "network: 10.1.0.0/16\nnodes:\n"
		"  \"1\":\n    ssh: h\n    routes: [10.8.0.0/16]\n";

	(void)state;
	writes("network: 10.1.0.0/16\r\nnodes:\r\n  \"1\":\r\n    ssh: h\r\n"
	       "    routes:\r\n    - 10.8.0.0/16\r\n", want);
	writes("{network: 10.1.0.0/16, nodes: {'1': {ssh: \"\\x68\",\n"
	       "\"routes\": [10.8.0.0/16,]}}}", want);
	writes("# c\n---\nnetwork:\t10.1.0.0/16\t# such tabs may be\n"
	       "? nodes\n: \"1\":\n    \"ssh\": >-\n      h\n"
	       "    routes: ['10.8.0.0/16']", want);
}

/* Texts that some reader would take for something else are quoted. */
static void test_quoting(void **state)
{
	static const char *const quoted[] = {
		"no", "Yes", "ON", "off", "y", "N", "null", "True", "FALSE",
		"1", "010", "0o10", "0x1F", "0b1", "1_000", "1,5", "1e3",
		"1.5", "12:30:45", "1:2:3:4:5:6:7:8", "2024-01-31",
		"2024-1-1 10:00", "a:b", "a#b", "a, b", "-a", ".a", "/a", "@a",
		"a ", " a", "a'b", "[a", "{a", "*a", "&a", "!a", "%a", "~",
		"=", "<<", ".inf", "-.INF", ".nan", "f\xc3\xbc", "+1", "a|b",
	};
	static const char *const plain[] = {
		"a", "no1", "yes-man", "1a", "a b", "a/b", "a.b-c_d+e",
		"192.0.2.1", "10.0.0.0/8", "0x", "1-2-3", "nullify",
	};

	(void)state;
	for (size_t i = 0; i < sizeof quoted / sizeof *quoted; i++) {
		AUTO(auto_free) char *text = mem_printf(
			HEAD "groups:\n  \"%s\": {}\n", quoted[i]);

		writes(text, text);
	}
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		AUTO(auto_free) char *text = mem_printf(
			HEAD "groups:\n  %s: {}\n", plain[i]);

		writes(text, text);
	}
}

/* The whole file; the caller frees. */
static char *read_file(const char *path)
{
	AUTO(auto_fclose) FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!f || getdelim(&text, &size, '\0', f) < 0)
		fail_msg("cannot read %s", path);
	return text;
}

static int count;

/* What @m exports reads and exports the same, and says the same. */
static void stable(const struct mesh *m, const char *name)
{
	AUTO(sbuf_done) struct sbuf once = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf twice = SBUF_INIT;
	AUTO(mesh_done) struct mesh again = { 0 };
	struct err e;

	yaml_write(&once, m);
	if (yaml_parse(&again, NULL, sbuf_str(&once), once.len, name, &e) < 0)
		fail_msg("%s\n%s", e.msg, sbuf_str(&once));
	yaml_write(&twice, &again);
	assert_string_equal(sbuf_str(&once), sbuf_str(&twice));
	assert_int_equal(again.nodes.len, m->nodes.len);
	assert_int_equal(again.groups.len, m->groups.len);
	assert_int_equal(again.policies.len, m->policies.len);
	count++;
}

/* The states in the JSON files of @folder, alone or as a member "state". */
static void stable_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (!dir)
		fail_msg("there is no folder %s", folder);
	while ((entry = readdir(dir))) {
		AUTO(auto_free) char *path =
			mem_printf("%s/%s", folder, entry->d_name);
		AUTO(mesh_done) struct mesh m = { 0 };
		json *v = strstr(path, ".json") ? json_object_from_file(path)
						: NULL;
		json *inner = json_object_is_type(v, json_type_object)
				      ? vectors_get(v, "state") : NULL;
		const char *text = json_object_to_json_string(inner ? inner
								    : v);
		struct err e;

		if (v && state_parse(&m, text, strlen(text), &e) == 0)
			stable(&m, path);
		json_object_put(v);
	}
	closedir(dir);
}

/* The samples are in canonical form. */
static void test_samples(void **state)
{
	static const char *const names[] = { "small-team", "three-tier",
					     "hub-and-branches",
					     "isolated-staging" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		AUTO(auto_free) char *path =
			mem_printf("samples/%s.yaml", names[i]);
		AUTO(auto_free) char *text = read_file(path);

		writes(text, text);
	}
}

static void test_vectors(void **state)
{
	AUTO(auto_free) char *states = NULL;
	AUTO(auto_free) char *topologies = NULL;

	(void)state;
	states = vectors_path("state");
	topologies = vectors_path("topologies");
	count = 0;
	stable_folder(states);
	stable_folder(topologies);
	print_message("states to YAML and back: %d\n", count);
	assert_true(count >= 21);
}

/* Texts that JSON states may hold and nobody would write. */
static void test_odd_states(void **state)
{
	static const char text[] =
		"{\"nodes\":{\"a\":{\"ssh_host\":\"fe80::1%eth0\","
		"\"ssh_port\":2222},\"b\":{\"ssh_host\":\"h\xc3\xa9\\u2028/x\""
		",\"ssh_user\":\"u\"},\"c\":{\"ssh_port\":2222},"
		"\"d\":{\"ssh_host\":\"a b:7\",\"ssh_port\":2200}},"
		"\"groups\":{\"no\":{\"description\":\"two\\nlines\\t\\u0007"
		"\\ufeff\\uffff\xf0\x9f\x94\x91\",\"members\":[\"\",\"a\\nb\","
		"\"a\",\"a\",\"~\"]},\"1\":{\"members\":null},"
		"\"\xc3\xbc: #\":{}},\"access_policies\":[{\"name\":\"\\u0001\""
		",\"from_groups\":[\"\\r\",\"gone\"],\"to_groups\":null},{}]}";
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(mesh_done) struct mesh again = { 0 };
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	const struct node *n;
	struct err e;

	(void)state;
	if (state_parse(&m, text, strlen(text), &e) < 0)
		fail_msg("%s", e.msg);
	stable(&m, "odd");
	yaml_write(&out, &m);
	parse(&again, NULL, sbuf_str(&out));
	n = nodes_find(&again.nodes, "a");
	assert_string_equal(n->ssh_host, "fe80::1%eth0");
	assert_int_equal(n->ssh_port, 2222);
	n = nodes_find(&again.nodes, "b");
	assert_string_equal(n->ssh_host, "h\xc3\xa9\xe2\x80\xa8/x");
	assert_string_equal(n->ssh_user, "u");
	n = nodes_find(&again.nodes, "d");
	assert_string_equal(n->ssh_host, "a b:7");
	assert_int_equal(n->ssh_port, 2200);
	assert_string_equal(mesh_group(&again, "no")->description,
			    mesh_group(&m, "no")->description);
	assert_int_equal(mesh_group(&again, "no")->members.len, 4);
	assert_string_equal(again.policies.items[0].name, "\001");
	assert_string_equal(again.policies.items[0].from_groups.items[0], "\r");
}

static void found(const struct yaml_marks *marks, struct finding_place p,
		  size_t line, size_t column)
{
	struct yaml_mark at = yaml_find(marks, &p);

	assert_int_equal(at.line, line);
	assert_int_equal(at.column, column);
}

static void test_find(void **state)
{
	static const char text[] =
		"network: 10.0.0.0/8\n"                         /* 1 */
		"defaults: {\"mtu\": 1400}\n"                   /* 2 */
		"nodes:\n"                                      /* 3 */
		"  b: {ssh: h, routes: [fd00:0::/64,\n"         /* 4 */
		"      192.168.0.0/16]}\n"                      /* 5 */
		"  \"\\u0061\": {address: 10.0.0.1, groups: [g, only]}\n"
		"groups:\n"                                     /* 7 */
		"  g: {members: [\"\\xfc\", x]}\n"              /* 8 */
		"policies:\n"                                   /* 9 */
		"  - from: [g]\n"                               /* 10 */
		"    name: p\n";                                /* 11 */
	struct yaml_marks *marks = NULL;
	AUTO(mesh_done) struct mesh m = { 0 };
	struct finding_place p = { PART_MESH, NULL, "network", NULL };

	(void)state;
	parse(&m, &marks, text);
#define FOUND(line, column, ...) \
	found(marks, (struct finding_place){ __VA_ARGS__ }, line, column)
	found(marks, p, 1, 1);
	FOUND(2, 12, PART_MESH, NULL, "mtu", NULL);
	FOUND(0, 0, PART_MESH, NULL, "interface", NULL);
	FOUND(4, 3, PART_NODE, "b", NULL, NULL);
	FOUND(4, 15, PART_NODE, "b", "routes", NULL);
	FOUND(4, 24, PART_NODE, "b", "routes", "fd00::/64");
	FOUND(5, 7, PART_NODE, "b", "routes", "192.168.0.0/16");
	FOUND(4, 15, PART_NODE, "b", "routes", "10.1.0.0/16");
	FOUND(4, 3, PART_NODE, "b", "endpoint", NULL);
	FOUND(6, 14, PART_NODE, "a", "address", NULL);
	FOUND(6, 23, PART_NODE, "a", "address", "10.0.0.1");
	FOUND(3, 1, PART_NODE, "none", "address", "10.0.0.1");
	FOUND(8, 3, PART_GROUP, "g", NULL, NULL);
	FOUND(8, 25, PART_GROUP, "g", "members", "x");
	FOUND(6, 42, PART_GROUP, "g", "members", "a");
	FOUND(6, 45, PART_GROUP, "only", NULL, NULL);
	FOUND(10, 5, PART_POLICY, "p", NULL, NULL);
	FOUND(10, 12, PART_POLICY, "p", "from", "g");
	FOUND(10, 5, PART_POLICY, "p", "to", "g");
	FOUND(9, 1, PART_POLICY, NULL, NULL, NULL);
	yaml_marks_free(marks);
	yaml_marks_free(NULL);
}

/* As long as it may be, and a byte longer. */
static void test_size(void **state)
{
	size_t len = YAML_SIZE_MAX + 1;
	AUTO(auto_free) char *text = mem_calloc(len + 1, 1);
	AUTO(mesh_done) struct mesh m = { 0 };
	struct err e = { 0 };

	(void)state;
	memset(text, '\n', len);
	memcpy(text, "{}", 2);
	assert_int_equal(yaml_parse(&m, NULL, text, len, "a\033b", &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_string_equal(e.msg, "a\\x1bb:1:1: 16777217 bytes found, expected "
			    "at most 16777216");
	assert_int_equal(yaml_parse(&m, NULL, text, len - 1, "f", &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_styles),
		cmocka_unit_test(test_quoting),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_odd_states),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
