/* render/validate: each warning, once found and once just not. */
#include "tests/unit/findings.h"

#define EXTERNAL(endpoint)                                                    \
	",'external_peers':[{'name':'x','public_key':'" KEY_C "',"             \
	"'endpoint':'" endpoint "','allowed_ips':[]}]"

static void test_nothing(void **state)
{
	static const struct row rows[] = {
		{ "'nodes':{}", "" },
		{ THREE, "" },
		{ THREE GROUPS(GROUP("g", "'a','b','c'"))
		  POLICIES(POLICY("p", "'g'", "'g'", "true", "true")), "" },
	};

	(void)state;
	EACH(rows)
}

static void test_logins(void **state)
{
#define LOGIN(name, ip, rest)                                                 \
	"'" name "':{'mesh_ip':'10.99.0." ip "'," rest "}"
#define TWICE "W duplicate_ssh node b ssh -"
	static const struct row rows[] = {
		{ NODES(LOGIN("a", "1", "'ssh_host':'h'") ","
			LOGIN("b", "2", "'ssh_host':'H','ssh_port':22")),
		  TWICE },
		{ NODES(LOGIN("a", "1", "'ssh_host':'h'") ","
			LOGIN("b", "2", "'ssh_host':'h','ssh_user':'root'")),
		  TWICE },
		{ NODES(LOGIN("a", "1", "'ssh_host':'fd00::1'") ","
			LOGIN("b", "2", "'ssh_host':'FD00:0::1'")), TWICE },
		{ NODES(LOGIN("a", "1", "'ssh_host':'h'") ","
			LOGIN("b", "2", "'ssh_host':'h','ssh_port':2222")),
		  "" },
		{ NODES(LOGIN("a", "1", "'ssh_host':'h'") ","
			LOGIN("b", "2", "'ssh_host':'h','ssh_user':'ops'")),
		  "" },
		{ NODES(LOGIN("a", "1", "'ssh_host':'h'") ","
			LOGIN("b", "2", "'ssh_host':'h','is_local':true")),
		  "" },
	};

	(void)state;
	EACH(rows)
}

/* What an external peer of a has is not b's there. */
static void test_taken(void **state)
{
#define WITH_PEER(nets) ",'external_peers':[{'name':'x','public_key':'"         \
	"SEOaOjTrhR4do1iUrTTRRHZs6xCA3Q/H0yHW3ZpkHko=','allowed_ips':['" nets "']}]"
	static const struct row rows[] = {
		{ NODES(A WITH_PEER("10.99.0.2/32") "}," B "}"),
		  "W external_has_it node b address -" },
		{ NODES(A WITH_PEER("10.1.0.0/16") "}," B ROUTE("10.1.0.0/16")
			"}"), "W external_has_it node b routes 10.1.0.0/16" },
		/* its own, others, and a wider one, which loses to an address */
		{ NODES(A WITH_PEER("10.99.0.1/32") "}," B "}"), "" },
		{ NODES(A WITH_PEER("10.99.0.3/32") "}," B "}"), "" },
		{ NODES(A WITH_PEER("10.99.0.0/28") "}," B "}"), "" },
	};

	(void)state;
	EACH(rows)
}

/* Nested networks of two nodes; the narrower one is named, and its place. */
static void test_nested(void **state)
{
	static const struct row rows[] = {
		{ NODES(A ROUTE("10.0.0.0/12") "}," B ROUTE("10.1.0.0/16") "}"),
		  "W overlapping_routes node b routes 10.1.0.0/16" },
		{ NODES(A ROUTE("10.1.0.0/16") "}," B ROUTE("10.2.0.0/16") "}"),
		  "" },
		{ NODES(A ROUTE("10.1.0.0/16','10.1.1.0/24") "}," B "}"), "" },
		/* over a network of its own in between */
		{ NODES(A ROUTE("10.0.0.0/12") "},"
			B ROUTE("10.1.0.0/16','10.1.1.0/24") "}"),
		  "W overlapping_routes node b routes 10.1.0.0/16\n"
		  "W overlapping_routes node b routes 10.1.1.0/24" },
		/* siblings behind a nested one */
		{ NODES(A ROUTE("10.0.0.0/12") "}," B ROUTE("10.1.0.0/16") "},"
			C ROUTE("10.2.0.0/16") "}"),
		  "W overlapping_routes node b routes 10.1.0.0/16\n"
		  "W overlapping_routes node c routes 10.2.0.0/16" },
		{ NODES(A ROUTE("fd00::/16") "}," B ROUTE("fd00:1::/32") "}"),
		  "W overlapping_routes node b routes fd00:1::/32" },
		/* an exit covers everything and is not said to */
		{ NODES(A ",'exit':true" ROUTE("0.0.0.0/0','::/0") "},"
			B ROUTE("10.1.0.0/16','fd00::/16") "}"), "" },
	};

	(void)state;
	EACH(rows)
}

static void test_routes_over_hosts(void **state)
{
	static const struct row rows[] = {
		{ NODES(A ROUTE("192.0.2.0/30") "}," B "}"),
		  "W route_over_host node a routes 192.0.2.0/30" },
		{ NODES(A ROUTE("192.0.2.2/32") "}," B "}"),
		  "W route_over_host node a routes 192.0.2.2/32" },
		{ NODES(A ROUTE("192.0.2.4/30") "}," B "}"), "" },
		/* a gateway's own SSH address, but not its own endpoint */
		{ NODES(A ROUTE("192.0.2.0/31") "}," B "}"), "" },
		{ NODES(A ",'public_endpoint':'10.1.0.1:51820'"
			ROUTE("10.1.0.0/24") "}," B "}"),
		  "W route_over_host node a routes 10.1.0.0/24" },
		{ NODES(A ROUTE("10.1.0.0/24") "},"
			B ",'public_endpoint':'10.1.0.9:51820'}"),
		  "W route_over_host node a routes 10.1.0.0/24" },
		{ NODES(A ROUTE("10.1.0.0/24") "},"
			B ",'public_endpoint':'h.example.org:51820'}"), "" },
		/* found endpoints count unless nobody uses them */
		{ NODES(A ROUTE("10.1.0.0/24") "},"
			B ",'facts':{'address':'10.1.0.9'}}"),
		  "W route_over_host node a routes 10.1.0.0/24" },
		{ NODES(A ROUTE("10.1.0.0/24") "},"
			B ",'behind_nat':true,'facts':{'address':'10.1.0.9'}}"),
		  "" },
		{ NODES(A ",'exit':true" ROUTE("0.0.0.0/0") "}," B "}"), "" },
	};

	(void)state;
	EACH(rows)
}

static void test_routes_over_cards(void **state)
{
#define CARD "W route_over_card node a routes "
	static const struct row rows[] = {
		{ NODES(A ROUTE("10.1.0.0/24") "}," B FACTS("'10.1.0.7/24'") "}"),
		  CARD "10.1.0.0/24" },
		{ NODES(A ROUTE("10.1.0.0/25") "}," B FACTS("'10.1.0.7/24'") "}"),
		  CARD "10.1.0.0/25" },
		{ NODES(A ROUTE("10.1.0.0/16") "}," B FACTS("'10.1.0.7/24'") "}"),
		  CARD "10.1.0.0/16" },
		{ NODES(A ROUTE("10.1.1.0/24") "}," B FACTS("'10.1.0.7/24'") "}"),
		  "" },
		{ NODES(A ROUTE("10.1.0.0/24") FACTS("'10.1.0.7/24'") "},"
			B "}"), "" },
		/* an address without a network */
		{ NODES(A ROUTE("10.1.0.0/24") "}," B FACTS("'10.1.0.7/32'") "}"),
		  "" },
	};

	(void)state;
	EACH(rows)
}

/* The sentences name at most three nodes, and how each is meant. */
static void test_named(void **state)
{
	AUTO(findings_done) struct findings all = { 0 };
	AUTO(mesh_done) struct mesh m;

	(void)state;
	mesh_of(&m, NODES(
		A ",'public_endpoint':'10.1.0.1:1'" FACTS("'10.2.0.1/24'") "},"
		B FACTS("'10.2.0.2/24'") "}," C FACTS("'10.2.0.3/24'") "},"
		"'d':{'mesh_ip':'10.99.0.4','ssh_host':'10.1.0.4'"
		FACTS("'10.2.0.4/24'") "},"
		"'e':{'mesh_ip':'10.99.0.5','ssh_host':'10.1.0.5'"
		FACTS("'10.2.0.5/24'") "},"
		"'f':{'mesh_ip':'10.99.0.6','ssh_host':'10.1.0.6'"
		ROUTE("10.1.0.0/29','10.2.0.0/25") FACTS("'10.2.0.6/24'")
		"}"));
	validate_mesh(&all, &m);
	assert_int_equal(all.len, 2);
	assert_string_equal(all.items[0].text, "node 'f': route 10.1.0.0/29 "
			    "covers addresses at which nodes are reached "
			    "outside of the mesh: 'a' (endpoint 10.1.0.1), "
			    "'d' (SSH 10.1.0.4), 'e' (SSH 10.1.0.5)");
	assert_string_equal(all.items[1].text, "node 'f': route 10.2.0.0/25 "
			    "lies over a network that other nodes have a card "
			    "in: 'a' (10.2.0.1/24), 'b' (10.2.0.2/24), "
			    "'c' (10.2.0.3/24) and others");
}

static void test_idle_policies(void **state)
{
#define ROUTED NODES(A "}," B ROUTE("10.1.0.0/24") "}," C "}")
	static const struct row rows[] = {
		{ THREE GROUPS(XY) POLICIES(
			POLICY("p", "'x'", "'y'", "false", "false")),
		  "W policy_without_effect policy p mesh_ips -" },
		{ THREE GROUPS(XY) POLICIES(
			POLICY("p", "'x'", "'y'", "false", "true")),
		  "W policy_without_effect policy p networks -" },
		{ ROUTED GROUPS(XY) POLICIES(
			POLICY("p", "'x'", "'y'", "false", "true")), "" },
		/* networks behind the side that starts are not given */
		{ ROUTED GROUPS(XY) POLICIES(
			POLICY("p", "'y'", "'x'", "false", "true")),
		  "W policy_without_effect policy p networks -" },
		{ THREE GROUPS(XY) POLICIES(
			POLICY("p", "'x'", "'y'", "true", "true")), "" },
		{ THREE GROUPS(XY "," GROUP("z", "'a'")) POLICIES(
			POLICY("p", "'x'", "'z','x'", "true", "true")), NONE },
		{ THREE GROUPS(XY) POLICIES(
			POLICY("p", "'y'", "'y'", "true", "true")), "" },
		{ THREE GROUPS(XY) POLICIES(
			POLICY("p", "'x'", "'x','y'", "true", "true")), "" },
		{ THREE GROUPS(XY) POLICIES(
			POLICY("p", "'x'", "'y','x'", "true", "true")), "" },
	};

	(void)state;
	EACH(rows)
}

static void test_keepalive(void **state)
{
#define KEEP ",'keepalive':25"
#define SEEN FACTS("'198.51.100.1/32'")
#define NAT ",'behind_nat':true"
#define IDLE "W keepalive_without_nat "
	static const struct row rows[] = {
		{ "'keepalive':25," NODES(A SEEN "}," B SEEN "}"),
		  IDLE "mesh - keepalive -" },
		{ NODES(A KEEP SEEN "}," B SEEN "}"),
		  IDLE "node a keepalive -" },
		/* not known of b yet */
		{ NODES(A KEEP SEEN "}," B "}"), "" },
		{ "'keepalive':25," NODES(A SEEN "}," B "}"), "" },
		{ "'keepalive':0," NODES(A ",'keepalive':0" SEEN "},"
					 B SEEN "}"), "" },
		{ "'keepalive':25," NODES(A SEEN "}," B NAT SEEN "}"), "" },
		{ NODES(A KEEP SEEN "}," B NAT SEEN "}"), "" },
		{ NODES(A KEEP NAT SEEN "}," B SEEN "}"), "" },
		/* c is behind NAT and no peer of a, but one of b */
		{ NODES(A KEEP SEEN "}," B KEEP SEEN "}," C NAT SEEN "}")
		  GROUPS(GROUP("x", "'a'") "," GROUP("y", "'b'") ","
			 GROUP("z", "'c'"))
		  POLICIES(POLICY("p", "'x'", "'y'", "true", "true") ","
			   POLICY("q", "'z'", "'y'", "true", "true")),
		  IDLE "node a keepalive -" },
		{ NODES(A KEEP SEEN "}," C NAT SEEN "}")
		  GROUPS(GROUP("x", "'a'") "," GROUP("z", "'c'"))
		  POLICIES(POLICY("p", "'x'", "'z'", "true", "true")), "" },
	};

	(void)state;
	EACH(rows)
}

/*
 * 10,000 nodes in one network, each with routes in those of the next: what is
 * found grows with the mesh, not with its square.
 */
static void make_crowd(struct mesh *m, size_t n)
{
	struct cidr card;

	mesh_init(m);
	m->key = KEY_ON_HOST;
	assert_true(cidr_parse(&card, "172.16.0.0/12"));
	for (size_t i = 0; i < n; i++) {
		struct node *node = vec_add(&m->nodes);
		char name[16], text[64];

		snprintf(name, sizeof name, "n%05zu", i);
		node_init(node, name);
		snprintf(text, sizeof text, "10.99.%zu.%zu", i / 250,
			 1 + i % 250);
		ip_parse(&node->mesh_ip, text);
		mem_replace(&node->ssh_host, name);
		node->facts.address = mem_strdup("172.16.0.1");
		vec_push(&node->facts.addresses, card);
		for (unsigned k = 0; k < 3; k++) {
			snprintf(text, sizeof text, "172.16.%zu.%zu/%u",
				 i / 64, i % 64 * 4 & (k ? 0xff : 0xf8),
				 k ? 29 + k : 29);
			if (k || i % 2 == 0)
				add_net(node, text);
		}
	}
}

static void test_crowd(void **state)
{
	AUTO(findings_done) struct findings all = { 0 };
	AUTO(mesh_done) struct mesh m = { 0 };
	const size_t n = 10000;

	(void)state;
	make_crowd(&m, n);
	validate_mesh(&all, &m);
	assert_int_equal(findings_errors(&all), 0);
	assert_in_range(all.len, n, 10 * n);
}

/* Endpoints and SSH places that can't be. */
static void test_places(void **state)
{
	static const struct row rows[] = {
		{ NODES(A ",'public_endpoint':'10.99.0.1:1'}," B "}"),
		  "E bad_endpoint node a endpoint 10.99.0.1:1" },
		{ NODES(A ",'public_endpoint':'localhost:1'}"),
		  "E bad_endpoint node a endpoint localhost:1" },
		{ NODES(A ",'public_endpoint':'[::ffff:10.99.0.7]:1'}"),
		  "E bad_endpoint node a endpoint [::ffff:10.99.0.7]:1" },
		{ NODES("'a':{'mesh_ip':'10.99.0.1','ssh_host':'0.0.0.0'}"),
		  "E bad_ssh_host node a ssh 0.0.0.0" },
		{ NODES("'a':{'mesh_ip':'10.99.0.1','ssh_host':'ff02::1'}"),
		  "E bad_ssh_host node a ssh ff02::1" },
		/* to log in over the mesh or on this machine is fine */
		{ NODES("'a':{'mesh_ip':'10.99.0.1','ssh_host':'10.99.0.1'},"
			"'b':{'mesh_ip':'10.99.0.2','ssh_host':'127.0.0.1'}"),
		  "" },
		{ NODES(A EXTERNAL("10.99.0.9:1") "}"),
		  "W external_endpoint node a - x" },
		{ NODES(A EXTERNAL("127.0.0.1:1") "}"), "" },
	};

	(void)state;
	EACH(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_logins),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_routes_over_hosts),
		cmocka_unit_test(test_routes_over_cards),
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_idle_policies),
		cmocka_unit_test(test_keepalive),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
