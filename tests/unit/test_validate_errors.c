/* render/validate: each error, once found and once just not. */
#include "state/model/model.h"
#include "tests/unit/findings.h"
#include "vault/wgkey.h"

static void test_endpoints(void **state)
{
#define AT(endpoint) ",'public_endpoint':'" endpoint "'}"
#define SAME "E duplicate_endpoint node b endpoint -"
	static const struct row rows[] = {
		{ NODES(A AT("1.1.1.1:1") "," B AT("1.1.1.1:1")), SAME },
		{ NODES(A AT("1.1.1.1:1") "," B AT("1.1.1.1:2")), "" },
		{ NODES(A AT("1.1.1.1:1") "," B AT("1.1.1.2:1")), "" },
		{ NODES(A AT("[fd00:0::1]:1") "," B AT("[FD00::1]:1")), SAME },
		{ NODES(A AT("[::ffff:1.1.1.1]:1") "," B AT("1.1.1.1:1")),
		  SAME },
		{ NODES(A AT("[fd00::1]:1") "," B AT("[fd00::2]:1")), "" },
		{ NODES(A AT("H.Example.org:1") "," B AT("h.example.ORG:1")),
		  SAME },
		{ NODES(A AT("h1.example.org:1") "," B AT("h2.example.org:1")),
		  "" },
	};

	(void)state;
	EACH(rows)
}

static void test_groups(void **state)
{
	static const struct row rows[] = {
		{ THREE GROUPS(GROUP("g", "'a','ghost'"))
		  POLICIES(POLICY("p", "'g'", "'g'", "true", "true")),
		  "E unknown_member group g members ghost\n"
		  "W node_in_no_group mesh - groups -\n" NONE },
		{ THREE GROUPS(GROUP("g", "'a','b','c','a'")),
		  "E repeated_member group g members a\n"
		  "W groups_without_policies mesh - policies -" },
		{ THREE GROUPS(XY) POLICIES(
			POLICY("p", "'x'", "", "true", "true")),
		  "E empty_side policy p to -" },
		{ THREE GROUPS(XY) POLICIES(
			POLICY("p", "'x','no'", "'y'", "true", "true")),
		  "E unknown_group policy p from no" },
		{ THREE GROUPS(XY) POLICIES(
			POLICY("p", "'x'", "'y'", "true", "true") ","
			POLICY("p", "'y'", "'x'", "true", "true")),
		  "E repeated_policy policy p name -" },
		{ THREE GROUPS(XY "," GROUP("o", "")) POLICIES(
			POLICY("p", "'x'", "'o'", "true", "true")),
		  "E policy_matches_nothing policy p - -" },
		{ THREE GROUPS(XY "," GROUP("o", "")) POLICIES(
			POLICY("p", "'x'", "'o','y'", "true", "true")), "" },
		{ THREE GROUPS(GROUP("y", "'b','c'")) POLICIES(
			POLICY("p", "'y'", "'y'", "true", "true")),
		  "W node_in_no_group mesh - groups -" },
	};

	(void)state;
	EACH(rows)
}

static void test_not_deployable(void **state)
{
	static const struct row rows[] = {
		{ NODES(A "},'b':{'ssh_host':'h'}"),
		  "E no_address node b address -" },
		{ NODES(A "},'b':{'mesh_ip':'10.99.0.2','ssh_host':'a b'}"),
		  "E bad_ssh_host node b ssh -" },
		{ NODES(A "},'b':{'mesh_ip':'10.99.0.2'}"),
		  "E bad_ssh_host node b ssh -" },
		{ NODES(A "},'b':{'mesh_ip':'10.99.0.2','is_local':true}"),
		  "" },
		{ "'nodes':{" A "}}", "E bad_key node a - -" },
		{ NODES(A ",'public_key':'x'}"), "E bad_key node a - -" },
		{ NODES(A ",'public_key':'" KEY_A "'}"), "" },
		{ NODES(A ",'public_key':'" KEY_A "'}," B ",'public_key':'"
			KEY_A "'}"), "E duplicate_key node b - -" },
		{ NODES(A ",'public_key':'" KEY_A "'}," B ",'public_key':'"
			KEY_B "'}"), "" },
		{ "'network':null," THREE, "E no_network mesh - network -" },
		{ "'network':null,'network6':'fd99::/64'," NODES(A "}"),
		  "E no_network node a address -" },
		{ "'interface_name':''," THREE,
		  "E no_interface mesh - interface -" },
	};

	(void)state;
	EACH(rows)
}

/* Names that the Go tool let pass do not reach a terminal as they are. */
static void test_escaped(void **state)
{
	AUTO(findings_done) struct findings all = { 0 };
	AUTO(mesh_done) struct mesh m;

	(void)state;
	mesh_of(&m, THREE GROUPS(XY) POLICIES(
		POLICY("p\\u001b[2J", "'x'", "'y'", "false", "false")));
	validate_mesh(&all, &m);
	assert_int_equal(all.len, 1);
	assert_string_equal(all.items[0].text, "policy 'p\\x1b[2J' allows "
			    "neither mesh addresses nor networks");
}

/* ---- what no file can hold, but a change may make ---- */

static void assert_after(void (*change)(struct mesh *m), const char *expected)
{
	AUTO(mesh_done) struct mesh m;
	struct err e;

	mesh_of(&m, "'network6':'fd99::/64'," THREE);
	assert_int_equal(check_mesh(&m, &e), 0);
	change(&m);
	assert_findings(&m, expected);
	assert_int_equal(check_mesh(&m, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
}

static struct node *node_a(struct mesh *m)
{
	return nodes_find(&m->nodes, "a");
}

static void set_ip(struct mesh *m, const char *ip)
{
	assert_true(ip_parse(&node_a(m)->mesh_ip, ip));
}

static void ip_of_b(struct mesh *m) { set_ip(m, "10.99.0.2"); }
static void ip_outside(struct mesh *m) { set_ip(m, "10.98.0.1"); }
static void ip_first(struct mesh *m) { set_ip(m, "10.99.0.0"); }
static void ip_last(struct mesh *m) { set_ip(m, "10.99.255.255"); }
static void ip_loop(struct mesh *m) { set_ip(m, "127.0.0.1"); }

static void ip6_twice(struct mesh *m)
{
	for (size_t i = 0; i < m->nodes.len; i++)
		ip_parse(&m->nodes.items[i].mesh_ip6, "fd99::1");
}

static void net_twice(struct mesh *m)
{
	add_net(node_a(m), "10.1.0.0/16");
	add_net(node_a(m), "10.1.0.0/16");
}

static void net_of_two(struct mesh *m)
{
	for (size_t i = 0; i < m->nodes.len; i++)
		add_net(&m->nodes.items[i], "10.1.0.0/16");
}

static void net_over_mesh(struct mesh *m) { add_net(node_a(m), "10.0.0.0/8"); }
static void net_in_mesh(struct mesh *m) { add_net(node_a(m), "fd99::/80"); }
static void net_default(struct mesh *m) { add_net(node_a(m), "0.0.0.0/0"); }
static void net_default6(struct mesh *m) { add_net(node_a(m), "::/0"); }
static void net_unmasked(struct mesh *m) { add_net(node_a(m), "10.1.0.1/16"); }
static void net_loop(struct mesh *m) { add_net(node_a(m), "127.0.0.0/8"); }

static void two_exits(struct mesh *m)
{
	for (size_t i = 0; i < 2; i++) {
		m->nodes.items[i].exit = true;
		add_net(&m->nodes.items[i], "0.0.0.0/0");
	}
}

static void bad_interface(struct mesh *m)
{
	mem_replace(&m->interface_name, "abcdefghijklmnop");
}

static void bad_network(struct mesh *m)
{
	m->network6.plen = 127;
}

static void bad_numbers(struct mesh *m)
{
	node_a(m)->listen_port = 65536;
	node_a(m)->mtu = 100;
	node_a(m)->keepalive_s = 65536;
	m->mtu = 100;
}

static void bad_endpoint(struct mesh *m)
{
	node_a(m)->public_endpoint = mem_strdup("h");
}

static void all_at_once(struct mesh *m)
{
	bad_interface(m);
	bad_endpoint(m);
	ip_of_b(m);
	net_default(m);
	node_a(m)->public_key[0] = '\0';
	mem_replace(&node_a(m)->ssh_host, "-oProxyCommand=x");
}

static void test_changes(void **state)
{
	(void)state;
	assert_after(ip_of_b, "E duplicate_address node b address -");
	assert_after(ip_outside, "E bad_address node a address 10.98.0.1");
	assert_after(ip_first, "E bad_address node a address 10.99.0.0");
	assert_after(ip_last, "E bad_address node a address 10.99.255.255");
	assert_after(ip_loop, "E bad_address node a address 127.0.0.1");
	assert_after(ip6_twice, "E duplicate_address node b address -\n"
				"E duplicate_address node c address -");
	assert_after(net_twice, "E repeated_route node a routes 10.1.0.0/16");
	assert_after(net_of_two, "E duplicate_route node b routes 10.1.0.0/16\n"
				 "E duplicate_route node c routes 10.1.0.0/16");
	assert_after(net_over_mesh, "E route_over_mesh node a routes 10.0.0.0/8");
	assert_after(net_in_mesh, "E route_over_mesh node a routes fd99::/80");
	assert_after(net_default, "E default_route node a routes 0.0.0.0/0");
	assert_after(net_default6, "E default_route node a routes ::/0");
	assert_after(net_unmasked, "E bad_route node a routes 10.1.0.1/16");
	assert_after(net_loop, "E bad_route node a routes 127.0.0.0/8");
	assert_after(two_exits, "E duplicate_route node b routes 0.0.0.0/0");
	assert_after(bad_interface, "E bad_interface mesh - interface -");
	assert_after(bad_network, "E bad_network mesh - network6 -");
	assert_after(bad_numbers, "E bad_value mesh - mtu -\n"
				  "E bad_value node a port -\n"
				  "E bad_value node a mtu -\n"
				  "E bad_value node a keepalive -");
	assert_after(bad_endpoint, "E bad_value node a endpoint -");
	assert_after(all_at_once, "E bad_interface mesh - interface -\n"
				  "E bad_value node a endpoint -\n"
				  "E default_route node a routes 0.0.0.0/0\n"
				  "E duplicate_address node b address -\n"
				  "E bad_ssh_host node a ssh -");
}

/* A key pair that does not belong together. */
static void test_key_pair(void **state)
{
	char public_key[WGKEY_TEXT + 1];
	AUTO(mesh_done) struct mesh m;
	struct err e;

	(void)state;
	mesh_of(&m, "'nodes':{" A "}}");
	assert_int_equal(wgkey_generate(&node_a(&m)->private_key, public_key,
					&e), 0);
	mem_replace(&node_a(&m)->public_key, public_key);
	assert_findings(&m, "");
	mem_replace(&node_a(&m)->public_key, KEY_B);
	assert_findings(&m, "E bad_key node a - -");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_not_deployable),
		cmocka_unit_test(test_escaped),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_key_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
