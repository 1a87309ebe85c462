/* state/check: one table per rule, then the relations of a whole mesh. */
#include "state/json/json.h"
#include "state/model/model.h"

#include "base/auto.h"
#include "base/text.h"
#include "vault/wgkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

typedef int check_fn(const char *s, struct err *e);

#define X63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz1"
#define DOTTED253                                                              \
	X63 "." X63 "." X63 "."                                                \
	    "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxy"

static void accept(check_fn *check, const char *s)
{
	struct err e = { 0 };

	if (check(s, &e) < 0)
		fail_msg("'%s' refused: %s", s, e.msg);
	assert_int_equal(e.code, ERR_NONE);
}

static void refuse(check_fn *check, const char *s)
{
	struct err e = { 0 };

	if (check(s, &e) == 0)
		fail_msg("'%s' accepted", s);
	assert_int_equal(e.code, ERR_INPUT);
	assert_true(text_is_printable(e.msg));
	assert_non_null(strstr(e.msg, "expected"));
}

static void each(check_fn *check, const char *const *good,
		 const char *const *bad)
{
	for (; *good; good++)
		accept(check, *good);
	for (; *bad; bad++)
		refuse(check, *bad);
}

static void test_node_name(void **state)
{
	static const char *const good[] = { "a", "web-1", "1", "A.b_c", X63,
					    NULL };
	static const char *const bad[] = { "", "-a", ".a", "_a", "a b", "a/b",
					   "a\n", "\xc3\xa4", X63 "x", "a;b",
					   "a\x1b[2J", "a$b", NULL };

	(void)state;
	each(check_node_name, good, bad);
}

static void test_group_name(void **state)
{
	static const char *const good[] = { "a", "edge-\xc3\xbc", "a b", NULL };
	static const char *const bad[] = { "", "a\n", "\x7f", "\xff",
					   X63 X63 "abc", NULL };

	(void)state;
	each(check_group_name, good, bad);
}

static void test_interface(void **state)
{
	static const char *const good[] = { "wg0", "mesh-1", "w",
					    "a_=+.-1234567x", NULL };
	static const char *const bad[] = { "", ".", "..", "0wg", "wg 0", "wg/0",
					   "abcdefghijklmnop", "wg0; touch x",
					   "wg\n", "-x", NULL };

	(void)state;
	each(check_interface, good, bad);
}

static void test_host(void **state)
{
	static const char *const good[] = {
		"h", "host.example.org", "192.0.2.1", "fd00::1", "my_alias",
		"xn--bcher-kva", "1host", "h1", DOTTED253, NULL
	};
	static const char *const bad[] = {
		"", "-oProxyCommand=x", "h-", "a..b", ".a", "a.", "10.99.0.300",
		"1.2.3", "12", "[fd00::1]", "fe80::1%eth0", "root@h", "h:22",
		"h x", "h\n", "h;x", DOTTED253 "ab", NULL
	};

	(void)state;
	each(check_host, good, bad);
}

static void test_user(void **state)
{
	static const char *const good[] = { "root", "_apt", "a.b-c", NULL };
	static const char *const bad[] = { "", "-l", ".x", "a b", "a@b", "a;",
					   "abcdefghijklmnopqrstuvwxyz1234567",
					   NULL };

	(void)state;
	each(check_user, good, bad);
}

static void test_endpoint(void **state)
{
	static const char *const good[] = { "192.0.2.1:51820", "[fd00::1]:1",
					    "vpn.example.org:65535", NULL };
	static const char *const bad[] = { "", "h", "h:0", "h:65536", ":1",
					   "fd00::1:1", "[h]:1", "h\n:1",
					   "h:1 ", "a b:1", "[]:1", NULL };

	(void)state;
	each(check_endpoint, good, bad);
}

static void test_key(void **state)
{
	static const char *const good[] = {
		"G+lBRX3CNOJE22M6jpKBKmXat5ObUZbl6VFrAgNKaWA=", NULL
	};
	static const char *const bad[] = {
		"", "K", "G+lBRX3CNOJE22M6jpKBKmXat5ObUZbl6VFrAgNKaWA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", NULL
	};
	struct err e = { 0 };

	(void)state;
	each(check_key, good, bad);
	check_key("SECRETSECRET", &e);
	assert_null(strstr(e.msg, "SECRET"));
}

static void test_numbers(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(check_port(1, &e) | check_port(65535, &e), 0);
	assert_int_equal(check_mtu(576, &e) | check_mtu(65535, &e), 0);
	assert_int_equal(check_keepalive(0, &e) | check_keepalive(65535, &e),
			 0);
	assert_int_equal(check_port(0, &e), -1);
	assert_int_equal(check_port(-1, &e), -1);
	assert_int_equal(check_mtu(575, &e), -1);
	assert_int_equal(check_keepalive(-1, &e), -1);
	assert_int_equal(check_port(70000, &e), -1);
	assert_string_equal(e.msg, "70000 is no port, expected 1 to 65535");
}

static int network4(const char *s, struct err *e)
{
	struct cidr c;

	assert_true(cidr_parse(&c, s));
	return check_network(&c, 4, e);
}

static int network6(const char *s, struct err *e)
{
	struct cidr c;

	assert_true(cidr_parse(&c, s));
	return check_network(&c, 6, e);
}

static int routable(const char *s, struct err *e)
{
	struct cidr c;

	assert_true(cidr_parse(&c, s));
	return check_routable(&c, e);
}

static void refuse_for(check_fn *check, const char *s, const char *why)
{
	struct err e = { 0 };

	assert_int_equal(check(s, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	if (!strstr(e.msg, why))
		fail_msg("'%s': '%s' does not say '%s'", s, e.msg, why);
}

static void test_networks(void **state)
{
	(void)state;
	accept(network4, "10.0.0.0/8");
	accept(network4, "10.0.0.0/30");
	accept(network6, "fd99::/64");
	accept(network6, "fd00::/16");
	accept(network6, "fd00::/126");
	refuse_for(network4, "10.0.0.0/7", "a prefix length of 8 to 30");
	refuse_for(network4, "10.0.0.1/32", "a prefix length of 8 to 30");
	refuse_for(network4, "fd99::/64", "no IPv4 network");
	refuse_for(network6, "10.0.0.0/8", "no IPv6 network");
	refuse_for(network6, "fd99::/127", "a prefix length of 16 to 126");
	refuse_for(network4, "127.0.0.0/8", "reserved");
	refuse_for(network4, "224.0.0.0/8", "reserved");
	refuse_for(network6, "fe80::/64", "reserved");
	accept(routable, "192.168.10.0/24");
	accept(routable, "192.168.10.7/32");
	accept(routable, "2000::/3");
	accept(routable, "0.0.0.0/0");
	accept(routable, "::/0");
	refuse_for(routable, "1.0.0.0/0", "host bits");
	refuse_for(routable, "0.0.0.0/1", "reserved");
	refuse_for(routable, "192.168.10.1/24", "host bits");
	refuse_for(routable, "127.0.0.1/32", "reserved");
}

/* A mesh from @nodes ("a": {...}, ...) with 10.99.0.0/16 and fd99::/64. */
static int whole(struct mesh *m, const char *nodes, struct err *e)
{
	AUTO(auto_free) char *text = mem_printf(
		"{\"interface_name\":\"wg0\",\"network\":\"10.99.0.0/16\","
		"\"network6\":\"fd99::/64\",\"nodes\":{%s}}", nodes);

	return state_parse(m, text, strlen(text), e);
}

static void whole_good(const char *nodes)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	struct err e = { 0 };

	if (whole(&m, nodes, &e) < 0)
		fail_msg("%s refused: %s", nodes, e.msg);
}

static void whole_bad(const char *nodes, const char *message)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	struct err e = { 0 };

	assert_int_equal(whole(&m, nodes, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_string_equal(e.msg, message);
}

static void test_mesh_addresses(void **state)
{
	(void)state;
	whole_good("\"a\":{\"mesh_ip\":\"10.99.0.1\"},"
		   "\"b\":{\"mesh_ip\":\"10.99.255.254\"}");
	whole_good("\"a\":{\"mesh_ip6\":\"fd99::1\"}");
	whole_bad("\"a\":{\"mesh_ip\":\"192.168.1.1\"}",
		  "node 'a': mesh_ip: 192.168.1.1 is outside of the mesh "
		  "network 10.99.0.0/16");
	whole_bad("\"a\":{\"mesh_ip\":\"10.99.0.0\"}",
		  "node 'a': mesh_ip: 10.99.0.0 is the first address of the "
		  "mesh network 10.99.0.0/16, no host can have it");
	whole_bad("\"a\":{\"mesh_ip\":\"10.99.255.255\"}",
		  "node 'a': mesh_ip: 10.99.255.255 is the last address of the "
		  "mesh network 10.99.0.0/16, no host can have it");
	whole_bad("\"a\":{\"mesh_ip\":\"127.0.0.1\"}",
		  "node 'a': mesh_ip: 127.0.0.1 cannot be a mesh address, it "
		  "is reserved for other uses");
	whole_bad("\"a\":{\"mesh_ip\":\"10.99.0.1\"},"
		  "\"b\":{\"mesh_ip\":\"::ffff:10.99.0.1\"}",
		  "nodes 'a' and 'b' have the same mesh address 10.99.0.1");
	whole_bad("\"a\":{\"mesh_ip6\":\"fd99::1\"},"
		  "\"b\":{\"mesh_ip6\":\"fd99:0::1\"}",
		  "nodes 'a' and 'b' have the same mesh address fd99::1");
	whole_bad("\"a\":{\"mesh_ip6\":\"fd98::1\"}",
		  "node 'a': mesh_ip6: fd98::1 is outside of the mesh network "
		  "fd99::/64");
}

#define NETS(list) "{\"routable_networks\":[" list "]}"

static void test_routable_networks(void **state)
{
	(void)state;
	whole_good("\"a\":" NETS("\"192.168.1.0/24\",\"192.168.0.0/16\""));
	whole_good("\"a\":" NETS("\"192.168.0.0/16\"") ","
		   "\"b\":" NETS("\"192.168.1.0/24\""));
	whole_bad("\"a\":" NETS("\"192.168.1.7/24\",\"192.168.1.0/24\""),
		  "node 'a': routable_networks: 192.168.1.0/24 is there twice");
	whole_bad("\"a\":" NETS("\"192.168.1.0/24\"") ","
		  "\"b\":" NETS("\"192.168.1.9/24\""),
		  "nodes 'a' and 'b' both have the routable network "
		  "192.168.1.0/24, expected one owner");
	whole_bad("\"a\":" NETS("\"10.99.0.0/16\""),
		  "node 'a': routable_networks: 10.99.0.0/16 overlaps the mesh "
		  "network 10.99.0.0/16");
	whole_bad("\"a\":" NETS("\"10.99.7.0/24\""),
		  "node 'a': routable_networks: 10.99.7.0/24 overlaps the mesh "
		  "network 10.99.0.0/16");
	whole_bad("\"a\":" NETS("\"10.0.0.0/8\""),
		  "node 'a': routable_networks: 10.0.0.0/8 overlaps the mesh "
		  "network 10.99.0.0/16");
	whole_bad("\"a\":" NETS("\"0.0.0.0/0\""),
		  "node 'a': routable_networks: 0.0.0.0/0 is a default route, "
		  "expected 'exit' to be set for this node");
	whole_bad("\"a\":{\"exit\":false,\"routable_networks\":[\"::/0\"]}",
		  "node 'a': routable_networks: ::/0 is a default route, "
		  "expected 'exit' to be set for this node");
	whole_good("\"a\":{\"exit\":true,\"routable_networks\":"
		   "[\"0.0.0.0/0\",\"::/0\"]}");
	whole_bad("\"a\":" NETS("\"10.0.0.0/8; touch /x\""),
		  "node 'a': routable_networks: '10.0.0.0/8; touch /x' found, "
		  "expected a network such as 192.168.10.0/24");
}

static void test_names_in_messages(void **state)
{
	(void)state;
	whole_bad("\"a\\u001b[2J\":{\"ssh_port\":70000}",
		  "node 'a\\x1b[2J': ssh_port: 70000 is no port, expected 1 to "
		  "65535");
	whole_bad("\"a\":{\"ssh_host\":\"h\\n\"}",
		  "node 'a': ssh_host: 'h\\x0a' holds a control character");
	whole_bad("\"a\":null",
		  "node 'a': null found, expected an object");
}

/* A mesh of two nodes that could be deployed. */
static void make_pair(struct mesh *m)
{
	char public_key[WGKEY_TEXT + 1];
	struct err e = { 0 };

	assert_int_equal(whole(m, "\"a\":{\"mesh_ip\":\"10.99.0.1\","
			       "\"ssh_host\":\"h1\"},"
			       "\"b\":{\"mesh_ip\":\"10.99.0.2\","
			       "\"ssh_host\":\"h2\"}", &e), 0);
	for (size_t i = 0; i < 2; i++) {
		struct node *n = &m->nodes.items[i];

		assert_int_equal(wgkey_generate(&n->private_key, public_key,
						&e), 0);
		mem_replace(&n->public_key, public_key);
	}
}

/* 0, or -1 with the first thing that is in the way of a deploy. */
static int deployable(const struct mesh *m, struct err *e)
{
	AUTO(findings_done) struct findings all = { 0 };

	check_deployable(&all, m);
	return findings_refuse(&all, e);
}

static void not_deployable(const struct mesh *m, const char *message)
{
	struct err e = { 0 };

	assert_int_equal(check_mesh(m, &e), 0);
	assert_int_equal(deployable(m, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	if (strncmp(e.msg, message, strlen(message)) != 0)
		fail_msg("'%s' is not '%s'", e.msg, message);
}

static void test_deployable(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	struct err e = { 0 };

	(void)state;
	make_pair(&m);
	assert_int_equal(deployable(&m, &e), 0);
	secret_done(&m.nodes.items[0].private_key);
	not_deployable(&m, "node 'a': private_key is missing");
	mem_replace(&m.interface_name, NULL);
	not_deployable(&m, "the mesh has no interface name");
}

static void test_deployable_keys(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	struct node *a;
	struct node *b;

	(void)state;
	make_pair(&m);
	a = &m.nodes.items[0];
	b = &m.nodes.items[1];
	secret_copy(&b->private_key, &a->private_key);
	not_deployable(&m, "node 'b': public_key does not belong to private_"
		       "key, which gives '");
	mem_replace(&b->public_key, a->public_key);
	not_deployable(&m, "nodes 'a' and 'b' have the same key");
	secret_set(&b->private_key, "K", 1);
	not_deployable(&m, "node 'b': private_key: private key is not 44 ");
	mem_replace(&b->public_key, "K");
	not_deployable(&m, "node 'b': public_key: not a WireGuard key");
	mem_replace(&b->public_key, "");
	not_deployable(&m, "node 'b': has no public key");
}

static void test_deployable_places(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	struct err e = { 0 };
	struct node *b;

	(void)state;
	make_pair(&m);
	b = &m.nodes.items[1];
	mem_replace(&b->ssh_host, "h\xe2\x80\xa8x");
	not_deployable(&m, "node 'b': ssh_host: 'h\\u{2028}x' is no host");
	mem_replace(&b->ssh_host, NULL);
	not_deployable(&m, "node 'b': ssh_host: '' is no host");
	b->is_local = true;
	assert_int_equal(deployable(&m, &e), 0);
	b->mesh_ip.family = 0;
	not_deployable(&m, "node 'b': has no mesh address");
	memset(&m.network, 0, sizeof m.network);
	not_deployable(&m, "node 'a' has an address of a kind that the mesh");
	memset(&m.network6, 0, sizeof m.network6);
	not_deployable(&m, "the mesh has no network");
}

/* Where no peer can reach a node, in whatever form it is written. */
static void test_places(void **state)
{
	static const struct {
		const char *host, *why; /* NULL: it can be */
	} rows[] = {
		{ "10.99.7.7", "mesh" }, { "::ffff:10.99.0.2", "mesh" },
		{ "0x0a630002", "mesh" }, { "fd99::2", "mesh" },
		{ "fd99:0:0:0::ffff", "mesh" },
		{ "127.0.0.1", "loopback" }, { "127.9.9.9", "loopback" },
		{ "0x7f000001", "loopback" }, { "::1", "loopback" },
		{ "::ffff:127.0.0.1", "loopback" }, { "localhost", "itself" },
		{ "LocalHost", "itself" }, { "a.localhost", "itself" },
		{ "ip6-loopback", "itself" },
		{ "0.0.0.0", "unspecified" }, { "0.1.2.3", "unspecified" },
		{ "::", "unspecified" }, { "::ffff:0.0.0.0", "unspecified" },
		{ "224.0.0.1", "multicast" }, { "239.255.255.250", "multicast" },
		{ "ff02::1", "multicast" }, { "::ffff:224.0.0.1", "multicast" },
		{ "169.254.1.1", "link-local" }, { "fe80::1", "link-local" },
		{ "255.255.255.255", "broadcast" },
		{ "::ffff:255.255.255.255", "broadcast" },
		{ "240.0.0.1", "reserved" },
		{ "10.98.0.2", NULL }, { "192.0.2.1", NULL },
		{ "2001:db8::1", NULL }, { "fd98::2", NULL },
		{ "vpn.example.org", NULL }, { "localhost.example.org", NULL },
		{ "mylocalhost", NULL },
	};
	struct mesh m;

	(void)state;
	mesh_init(&m);
	cidr_parse(&m.network, "10.99.0.0/16");
	cidr_parse(&m.network6, "fd99::/64");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *fault = place_host_fault(&m, rows[i].host);

		if (!fault != !rows[i].why ||
		    (fault && !strstr(fault, rows[i].why)))
			fail_msg("%s: %s", rows[i].host, fault ? fault : "-");
	}
	mesh_done(&m);
}

/* A mesh without a network still knows its nodes' addresses. */
static void test_places_of_nodes(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };

	(void)state;
	make_pair(&m);
	ip_parse(&m.nodes.items[0].mesh_ip, "10.50.0.1");
	memset(&m.network, 0, sizeof m.network);
	assert_non_null(place_host_fault(&m, "10.50.0.1"));
	assert_null(place_host_fault(&m, "10.50.0.9"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_node_name),
		cmocka_unit_test(test_group_name),
		cmocka_unit_test(test_interface),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_mesh_addresses),
		cmocka_unit_test(test_routable_networks),
		cmocka_unit_test(test_names_in_messages),
		cmocka_unit_test(test_deployable),
		cmocka_unit_test(test_deployable_keys),
		cmocka_unit_test(test_deployable_places),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_places_of_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
