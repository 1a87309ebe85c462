/*
 * render/: what a host should have, and its wg-quick file.
 */
#include "render/wgquick.h"
#include "tests/unit/fixture.h"

/* Three nodes: a and b public, c behind NAT with networks behind it. */
#define THREE                                                                 \
	"'network6':'fd99::/64','mesh_id':'" MESH_ID "','nodes':{"            \
	"'a':{'mesh_ip':'10.99.0.1','mesh_ip6':'fd99::1','public_key':'" KEY_A \
	"','private_key':'" KEY_C "','facts':{'address':'192.0.2.1'}},"       \
	"'b':{'mesh_ip':'10.99.0.2','public_key':'" KEY_B "',"                \
	"'public_endpoint':'b.example.org:4000','listen_port':4001},"        \
	"'c':{'mesh_ip':'10.99.0.3','mesh_ip6':'fd99::3','public_key':'" KEY_C \
	"','behind_nat':true,'facts':{'address':'192.168.1.7'},"              \
	"'routable_networks':['192.168.20.0/24','fd55::/48','172.16.0.0/12']}}"

static void test_desired(void **state)
{
	AUTO(desired_done) struct desired d = { 0 };
	AUTO(mesh_done) struct mesh m;
	char text[ADDR_TEXT_MAX];

	(void)state;
	mesh_of(&m, THREE);
	desired_of(&d, &m, "a");
	assert_string_equal(cidrs_text(&d.addresses), "10.99.0.1/16,fd99::1/64");
	assert_int_equal(d.listen_port, 51820);
	assert_int_equal(d.mtu, 0);
	assert_false(d.forward4 || d.forward6);
	assert_int_equal(d.peers.len, 2);
	assert_string_equal(d.peers.items[0].name, "b");
	assert_string_equal(d.peers.items[0].endpoint, "b.example.org:4000");
	assert_true(desired_endpoint_is_name(&d.peers.items[0]));
	assert_int_equal(d.peers.items[0].keepalive_s, 0);
	assert_string_equal(cidrs_text(&d.peers.items[0].allowed_ips),
			    "10.99.0.2/32");
	assert_string_equal(d.peers.items[1].endpoint, "");
	assert_false(desired_endpoint_is_name(&d.peers.items[1]));
	assert_int_equal(d.peers.items[1].keepalive_s, 25);
	assert_string_equal(cidrs_text(&d.peers.items[1].allowed_ips),
			    "10.99.0.3/32,fd99::3/128,192.168.20.0/24,fd55::/48,"
			    "172.16.0.0/12");
	/* routes by network, each over the address of its own kind */
	assert_int_equal(d.routes.len, 3);
	assert_string_equal(cidr_text(&d.routes.items[0].network, text),
			    "172.16.0.0/12");
	assert_string_equal(ip_text(&d.routes.items[2].gateway, text),
			    "fd99::3");
}

/* The owner forwards for its networks and does not route them to itself. */
static void test_owner(void **state)
{
	AUTO(desired_done) struct desired d = { 0 };
	AUTO(mesh_done) struct mesh m;

	(void)state;
	mesh_of(&m, THREE);
	desired_of(&d, &m, "c");
	assert_int_equal(d.routes.len, 0);
	assert_true(d.forward4);
	assert_true(d.forward6);
	assert_string_equal(d.peers.items[0].endpoint, "192.0.2.1:51820");
	assert_int_equal(d.peers.items[0].keepalive_s, 25);
	assert_int_equal(d.peers.items[1].keepalive_s, 25);
}

/* A gateway without an address of the network's kind. */
static void test_route_without_gateway(void **state)
{
	AUTO(desired_done) struct desired d = { 0 };
	AUTO(mesh_done) struct mesh m;

	(void)state;
	mesh_of(&m, "'network6':'fd99::/64','nodes':{'a':{'mesh_ip':'10.99.0.1'},"
		    "'b':{'mesh_ip':'10.99.0.2','routable_networks':['fd55::/48']}}");
	desired_of(&d, &m, "a");
	assert_int_equal(d.routes.len, 1);
	assert_int_equal(d.routes.items[0].gateway.family, 0);
}

/* A host with a card in another's network reaches it there. */
static void test_connected(void **state)
{
	AUTO(desired_done) struct desired d = { 0 };
	AUTO(mesh_done) struct mesh m;

	(void)state;
	mesh_of(&m, "'nodes':{'a':{'mesh_ip':'10.99.0.1','facts':{'addresses':"
		    "['192.168.20.7/24','172.16.0.9/16']}},"
		    "'b':{'mesh_ip':'10.99.0.2','routable_networks':"
		    "['192.168.20.0/24','172.16.0.0/12']}}");
	desired_of(&d, &m, "a");
	assert_int_equal(d.routes.len, 1);
	assert_string_equal(cidrs_text(&d.connected), "192.168.20.0/24");
	assert_string_equal(cidrs_text(&d.peers.items[0].allowed_ips),
			    "10.99.0.2/32,192.168.20.0/24,172.16.0.0/12");
}

/* A part of the host's own network, and the way to a peer's endpoint. */
static void test_cut_off(void **state)
{
	AUTO(desired_done) struct desired d = { 0 };
	AUTO(mesh_done) struct mesh m;

	(void)state;
	mesh_of(&m, "'nodes':{'a':{'mesh_ip':'10.99.0.1','facts':{'addresses':"
		    "['10.30.0.7/24']}},"
		    "'b':{'mesh_ip':'10.99.0.2','public_endpoint':"
		    "'10.20.0.5:51820','routable_networks':['10.20.0.0/24',"
		    "'10.30.0.0/25','10.40.0.0/24']},"
		    "'c':{'mesh_ip':'10.99.0.3','public_endpoint':"
		    "'10.30.0.9:51820','routable_networks':['10.30.0.0/16']}}");
	desired_of(&d, &m, "a");
	assert_string_equal(cidrs_text(&d.connected),
			    "10.20.0.0/24,10.30.0.0/25");
	assert_int_equal(d.routes.len, 2);
}

/* Own words come before the mesh's, and those before the rule. */
static void test_numbers(void **state)
{
	AUTO(desired_done) struct desired a = { 0 }, b = { 0 }, c = { 0 };
	AUTO(mesh_done) struct mesh m;

	(void)state;
	mesh_of(&m, "'mtu':1400,'keepalive':40,'nodes':{"
		    "'a':{'mesh_ip':'10.99.0.1','mtu':1280,'keepalive':0,"
		    "'listen_port':7000},"
		    "'b':{'mesh_ip':'10.99.0.2','behind_nat':true},"
		    "'c':{'mesh_ip':'10.99.0.3','keepalive':10}}");
	desired_of(&a, &m, "a");
	desired_of(&b, &m, "b");
	desired_of(&c, &m, "c");
	assert_int_equal(a.mtu, 1280);
	assert_int_equal(a.listen_port, 7000);
	assert_int_equal(a.peers.items[0].keepalive_s, 0);
	assert_int_equal(b.mtu, 1400);
	assert_int_equal(b.listen_port, 51820);
	assert_int_equal(b.peers.items[0].keepalive_s, 40);
	assert_int_equal(c.peers.items[1].keepalive_s, 10);
}

/* The endpoint that @who is given for @of. */
static void assert_endpoint(const struct mesh *m, const char *who,
			    const char *of, const char *want)
{
	AUTO(desired_done) struct desired d = { 0 };

	desired_of(&d, m, who);
	for (size_t i = 0; i < d.peers.len; i++)
		if (strcmp(d.peers.items[i].name, of) == 0) {
			assert_string_equal(d.peers.items[i].endpoint, want);
			return;
		}
	fail_msg("%s is no peer of %s", of, who);
}

/* Behind NAT: none, but for the user's word and for neighbours. */
static void test_endpoints(void **state)
{
	AUTO(mesh_done) struct mesh m;

	(void)state;
	mesh_of(&m,
		"'nodes':{"
		"'pub':{'mesh_ip':'10.99.0.1','facts':{'address':'192.0.2.1'}},"
		"'six':{'mesh_ip':'10.99.0.2','facts':{'address':'2001:db8::2'},"
		"'listen_port':99},"
		"'x':{'mesh_ip':'10.99.0.3','behind_nat':true,'facts':{'address':"
		"'192.168.1.3','addresses':['192.168.1.3/24']}},"
		"'y':{'mesh_ip':'10.99.0.4','behind_nat':true,'facts':{'address':"
		"'192.168.1.4','addresses':['192.168.1.4/24']}},"
		"'z':{'mesh_ip':'10.99.0.5','behind_nat':true,'facts':{'address':"
		"'192.168.9.5','addresses':['192.168.9.5/24']}},"
		"'said':{'mesh_ip':'10.99.0.6','behind_nat':true,"
		"'public_endpoint':'[2001:db8::6]:443'},"
		"'unknown':{'mesh_ip':'10.99.0.7'}}");
	assert_endpoint(&m, "x", "pub", "192.0.2.1:51820");
	assert_endpoint(&m, "pub", "six", "[2001:db8::2]:99");
	assert_endpoint(&m, "pub", "x", "");
	assert_endpoint(&m, "x", "y", "192.168.1.4:51820");
	assert_endpoint(&m, "y", "x", "192.168.1.3:51820");
	assert_endpoint(&m, "x", "z", "");
	assert_endpoint(&m, "z", "x", "");
	assert_endpoint(&m, "pub", "said", "[2001:db8::6]:443");
	assert_endpoint(&m, "pub", "unknown", "");
}

/* ---- the wg-quick file ---- */

static void test_file(void **state)
{
	AUTO(sbuf_done) struct sbuf file = SBUF_SECRET;
	AUTO(desired_done) struct desired d = { 0 };
	AUTO(mesh_done) struct mesh m;

	(void)state;
	mesh_of(&m, THREE ",'mtu':1380");
	strings_add(&nodes_find(&m.nodes, "a")->post_up, "b %i, c");
	strings_add(&nodes_find(&m.nodes, "a")->post_up, "a");
	strings_add(&nodes_find(&m.nodes, "a")->pre_down, "d");
	desired_of(&d, &m, "a");
	wgquick_file(&file, &d, 42, true);
	assert_string_equal(
		sbuf_str(&file),
		"# managed by wgmesh, mesh " MESH_ID ", serial 42\n"
		"# 'wgmesh deploy' undoes what is changed here by hand\n"
		"[Interface]\n# a\nPrivateKey = " KEY_C "\n"
		"Address = 10.99.0.1/16\nAddress = fd99::1/64\n"
		"ListenPort = 51820\nMTU = 1380\nTable = off\n"
		"PostUp = ip -4 route add 172.16.0.0/12 via 10.99.0.3 dev %i "
		"proto 119 || true\n"
		"PostUp = ip -4 route add 192.168.20.0/24 via 10.99.0.3 dev %i "
		"proto 119 || true\n"
		"PostUp = ip -6 route add fd55::/48 via fd99::3 dev %i "
		"proto 119 || true\n"
		"# hooks of this node\nPostUp = b %i, c\nPostUp = a\n"
		"PreDown = d\n"
		"\n[Peer]\n# b\nPublicKey = " KEY_B "\n"
		"Endpoint = b.example.org:4000\nAllowedIPs = 10.99.0.2/32\n"
		"\n[Peer]\n# c\nPublicKey = " KEY_C "\n"
		"AllowedIPs = 10.99.0.3/32, fd99::3/128, 192.168.20.0/24, "
		"fd55::/48, 172.16.0.0/12\nPersistentKeepalive = 25\n");
}

static void test_file_masked(void **state)
{
	AUTO(sbuf_done) struct sbuf file = SBUF_INIT;
	AUTO(desired_done) struct desired d = { 0 };
	AUTO(mesh_done) struct mesh m;

	(void)state;
	mesh_of(&m, "'nodes':{'a':{'mesh_ip':'10.99.0.1','private_key':'" KEY_A
		    "'}}");
	desired_of(&d, &m, "a");
	snprintf(d.proof, sizeof d.proof, "%032x", 0xc0ffee);
	wgquick_file(&file, &d, 0, false);
	assert_non_null(strstr(sbuf_str(&file), "PrivateKey = (hidden)\n"));
	assert_null(strstr(sbuf_str(&file), KEY_A));
	assert_non_null(strstr(sbuf_str(&file), ", serial 0, proof (hidden)\n"));
	assert_null(strstr(sbuf_str(&file), "c0ffee"));
	sbuf_clear(&file);
	wgquick_file(&file, &d, 0, true);
	assert_non_null(strstr(sbuf_str(&file), "c0ffee\n"));
}

/* Only the first line depends on the serial. */
static void test_file_body(void **state)
{
	AUTO(sbuf_done) struct sbuf one = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf two = SBUF_INIT;
	AUTO(desired_done) struct desired d = { 0 };
	AUTO(mesh_done) struct mesh m;

	(void)state;
	mesh_of(&m, THREE);
	desired_of(&d, &m, "b");
	wgquick_file(&one, &d, 1, true);
	wgquick_file(&two, &d, 18446744073709551615u, true);
	assert_string_not_equal(sbuf_str(&one), sbuf_str(&two));
	assert_string_equal(strchr(sbuf_str(&one), '\n'),
			    strchr(sbuf_str(&two), '\n'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_desired),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_route_without_gateway),
		cmocka_unit_test(test_connected),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_masked),
		cmocka_unit_test(test_file_body),
	};

	return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
