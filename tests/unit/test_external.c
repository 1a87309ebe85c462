/*
 * External peers: in the state file, in the boot file, and left alone by plans.
 */
#include "render/plan.h"
#include "render/wgquick.h"
#include "state/model/model.h"
#include "tests/unit/fixture.h"

#define PSK "ppppppppppppppppppppppppppppppppppppppppppA="
#define KEY_D "ddddddddddddddddddddddddddddddddddddddddddA="
#define NONCE "0123456789abcdef"
#define HEAD(section) "\n=" NONCE "= " section "\n"

/* Nodes a and b; what b says besides, and the external peers of a. */
#define MESH(more, externals)                                                 \
	"'mesh_id':'" MESH_ID "','nodes':{'a':{'mesh_ip':'10.99.0.1',"        \
	"'public_key':'" KEY_A "','external_peers':[" externals "]},"         \
	"'b':{'mesh_ip':'10.99.0.2','public_key':'" KEY_B "'" more "}}"
#define LAPTOP                                                                \
	"{'name':'laptop','public_key':'" KEY_C "','preshared_key':'" PSK     \
	"','endpoint':'192.0.2.9:7','allowed_ips':['10.99.0.9/32',"           \
	"'10.7.0.0/16'],'routes':['10.7.0.0/16'],'keepalive':15}"
#define PRINTER "{'name':'printer','public_key':'" KEY_D "'}"

/* ---- the state file ---- */

/* As state_format() writes it; two, sorted by key, with what we do not know. */
static const char list[] =
	"      \"external_peers\": [\n"
	"        {\n"
	"          \"name\": \"laptop\",\n"
	"          \"public_key\": \"" KEY_C "\",\n"
	"          \"preshared_key\": \"" PSK "\",\n"
	"          \"endpoint\": \"192.0.2.9:7\",\n"
	"          \"allowed_ips\": [\n"
	"            \"10.7.0.0/16\",\n"
	"            \"fd07::/64\"\n"
	"          ],\n"
	"          \"routes\": [\n"
	"            \"10.7.0.0/16\"\n"
	"          ],\n"
	"          \"keepalive\": 15,\n"
	"          \"owner\": {\n"
	"            \"mail\": \"b@example.org\"\n"
	"          }\n"
	"        },\n"
	"        {\n"
	"          \"name\": \"printer\",\n"
	"          \"public_key\": \"" KEY_D "\"\n"
	"        }\n"
	"      ]\n";

static void test_survives(void **state)
{
	AUTO(sbuf_done) struct sbuf once = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf twice = SBUF_SECRET;
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(mesh_done) struct mesh again = { 0 };
	struct err e = { 0 };

	(void)state;
	mesh_of(&m, MESH(",'exit':true", PRINTER ",{'name':'laptop',"
		"'public_key':'" KEY_C "','preshared_key':'" PSK "',"
		"'endpoint':'192.0.2.9:7','allowed_ips':['10.7.0.9/16',"
		"'fd07::/64'],'routes':['10.7.0.0/16'],'keepalive':15,"
		"'owner':{'mail':'b@example.org'}}"));
	state_format(&once, &m);
	assert_non_null(strstr(sbuf_str(&once), list));
	assert_non_null(strstr(sbuf_str(&once), "\"exit\": true\n"));
	assert_int_equal(state_parse(&again, once.s, once.len, &e), 0);
	state_format(&twice, &again);
	assert_string_equal(sbuf_str(&once), sbuf_str(&twice));
}

/* The mesh with these external peers of a is refused in these words. */
static void refuse(const char *externals, const char *words)
{
	AUTO(auto_free) char *text = mem_printf(
		"{'nodes':{'a':{'public_key':'" KEY_A
		"','external_peers':%s}}}", externals);
	struct mesh m = { 0 };
	struct err e = { 0 };

	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	if (state_parse(&m, text, strlen(text), &e) == 0)
		fail_msg("not refused: %s", text);
	assert_int_equal(e.code, ERR_INPUT);
	assert_string_equal(e.msg, words);
}

#define AT "node 'a': external_peers: "

static void test_refused(void **state)
{
	(void)state;
	refuse("{}", AT "an object found, expected a list");
	refuse("[7]", AT "item 1: a number found, expected an object");
	refuse("[{'name':'x','public_key':'" KEY_C "','keepalive':'5'}]",
	       AT "item 1: keepalive: a string found, expected an integer");
	refuse("[{'name':'x','public_key':'" KEY_C "','allowed_ips':['ten']}]",
	       AT "item 1: allowed_ips: 'ten' found, expected a network such "
	       "as 192.168.10.0/24");
	refuse("[{'name':'a b','public_key':'" KEY_C "'}]",
	       AT "'a b': name: 'a b' is no node name, expected 1 to 63 "
	       "letters, digits, '.', '_' or '-', starting with a letter or "
	       "digit");
	refuse("[{'name':'x'}]", AT "'x': public_key: not a WireGuard key, "
	       "expected 44 characters of base64");
	refuse("[{'name':'x','public_key':'" KEY_A "'}]",
	       AT "'x': public_key: it is the node's own");
	refuse("[{'name':'x','public_key':'" KEY_C "','preshared_key':'"
	       "hush'}]", AT "'x': preshared_key: expected 44 characters of "
	       "base64");
	refuse("[{'name':'x','public_key':'" KEY_C "','endpoint':'h'}]",
	       AT "'x': endpoint: 'h' is no endpoint, expected host:port, or "
	       "[address]:port for IPv6");
	refuse("[{'name':'x','public_key':'" KEY_C "'},{'name':'y',"
	       "'public_key':'" KEY_C "'}]",
	       AT "'x' and 'y' have the same public key");
	refuse("[{'name':'x','public_key':'" KEY_C "'},{'name':'x',"
	       "'public_key':'" KEY_D "'}]", AT "the name 'x' is there twice");
}

static void test_too_many(void **state)
{
	struct sbuf text = SBUF_INIT;

	(void)state;
	sbuf_puts(&text, "[");
	for (int i = 0; i <= EXTERNALS_MAX; i++)
		sbuf_puts(&text, i ? "," PRINTER : PRINTER);
	sbuf_puts(&text, "]");
	refuse(sbuf_str(&text), AT "1025 found, expected at most 1024");
	sbuf_done(&text);
}

/* A new node does not get the address of an external peer. */
static void test_free_address(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	char text[ADDR_TEXT_MAX];
	struct err e = { 0 };
	struct ip ip;

	(void)state;
	mesh_of(&m, MESH("", "{'name':'x','public_key':'" KEY_C
			     "','allowed_ips':['10.99.0.3/32']}"));
	assert_int_equal(mesh_free_ip(&m, &m.network, &ip, &e), 0);
	assert_string_equal(ip_text(&ip, text), "10.99.0.4");
}

/* ---- a node now ---- */

static void test_becomes_node(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(strings_done) struct strings notes = { 0 };
	AUTO(desired_done) struct desired d = { 0 };
	AUTO(links_done) struct links l;

	(void)state;
	mesh_of(&m, MESH("", PRINTER ",{'name':'old-b','public_key':'" KEY_B
			 "','allowed_ips':['10.99.0.2/32','10.8.0.0/16',"
			 "'0.0.0.0/0','10.99.0.0/24']}"));
	/* the node wins, even before anybody tidies up */
	desired_of(&d, &m, "a");
	assert_int_equal(d.peers.len, 1);
	assert_int_equal(d.externals.len, 1);
	assert_string_equal(d.externals.items[0]->name, "printer");
	links_open(&l, &m, &notes);
	links_externals(&l);
	assert_int_equal(m.nodes.items[0].externals.len, 1);
	assert_string_equal(m.nodes.items[0].externals.items[0].name,
			    "printer");
	assert_string_equal(cidrs_text(&m.nodes.items[1].routable_networks),
			    "10.8.0.0/16");
	assert_int_equal(notes.len, 4);
	assert_string_equal(notes.items[0], "10.8.0.0/16 is behind 'b', as "
			    "'a' has it");
	assert_string_equal(notes.items[1], "'a' sends 0.0.0.0/0 to 'b': a "
			    "default route is not taken, so the next deploy "
			    "takes that away");
	assert_string_equal(notes.items[2], "'a' sends 10.99.0.0/24 to 'b': it "
			    "overlaps the mesh network, so the next deploy "
			    "takes that away");
	assert_string_equal(notes.items[3], "external peer 'old-b' of 'a' is "
			    "the node 'b' from now on");
}

/* ---- the boot file ---- */

static void test_boot_file(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(desired_done) struct desired d = { 0 };
	AUTO(sbuf_done) struct sbuf file = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf hidden = SBUF_INIT;

	(void)state;
	mesh_of(&m, MESH("", PRINTER "," LAPTOP));
	desired_of(&d, &m, "a");
	wgquick_file(&file, &d, 1, true);
	assert_non_null(strstr(sbuf_str(&file), "Table = off\nPostUp = ip -4 "
			       "route add 10.7.0.0/16 dev %i || true\n"));
	assert_non_null(strstr(sbuf_str(&file),
		"\n[Peer]\n# b\nPublicKey = " KEY_B "\n"
		"AllowedIPs = 10.99.0.2/32\n"
		"\n[Peer]\n# laptop (external)\nPublicKey = " KEY_C "\n"
		"PresharedKey = " PSK "\nEndpoint = 192.0.2.9:7\n"
		"AllowedIPs = 10.99.0.9/32, 10.7.0.0/16\n"
		"PersistentKeepalive = 15\n"
		"\n[Peer]\n# printer (external)\nPublicKey = " KEY_D "\n"));
	wgquick_file(&hidden, &d, 1, false);
	assert_null(strstr(sbuf_str(&hidden), PSK));
	assert_non_null(strstr(sbuf_str(&hidden),
			       "\nPresharedKey = (hidden)\n"));
}

/* ---- plans ---- */

#define HOST                                                                  \
	HEAD("host") "uid=0\nnow=1800000000\nhostname=a\nwg=1\nip=1\n"         \
	"systemd=1\nenabled=1\nforward4=0\nforward6=0\n"                      \
	HEAD("address") "7: wg0    inet 10.99.0.1/16 scope global\n"          \
	HEAD("link") "7: wg0: <NOARP,UP> mtu 1420 x\n"                        \
	HEAD("dump") KEY_A "\t51820\toff\n"
#define PEER(key, ips) key "\t(none)\t(none)\t" ips "\t0\t0\t0\toff\n"
/* not ours yet: what is left untagged would be an older tool's */
#define BOOT HEAD("boot") "|same\n"

/* The steps and the notes for node a, one line each. */
static void assert_plan(const char *mesh, const char *report, const char *want)
{
	const struct probe_request request = { .interface = "wg0",
					       .nonce = NONCE };
	const struct plan_options options = { .install = true };
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(desired_done) struct desired d = { 0 };
	AUTO(observed_done) struct observed o = { 0 };
	AUTO(plan_done) struct plan p = { 0 };
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	struct err e = { 0 };

	mesh_of(&m, mesh);
	desired_of(&d, &m, "a");
	if (observed_parse(&o, report, strlen(report), &request, &e) < 0 ||
	    plan_make(&p, &d, &o, boot_of(&o, report), &options, &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < p.steps.len; i++) {
		step_text(&text, &p, &p.steps.items[i]);
		sbuf_putc(&text, '\n');
	}
	for (size_t i = 0; i < p.notes.len; i++)
		sbuf_printf(&text, "(%s)\n", p.notes.items[i]);
	assert_string_equal(sbuf_str(&text), want);
}

#define WRITES_BOOT "~ boot file /etc/wireguard/wg0.conf\n"

static void test_left_alone(void **state)
{
	(void)state;
	/* whatever it is like, and its route; another such route goes */
	assert_plan(MESH("", LAPTOP),
		    HOST PEER(KEY_B, "10.99.0.2/32")
		    KEY_C "\t(set)\t203.0.113.1:1\t10.1.0.0/16\t0\t0\t0\t99\n"
		    HEAD("route4") "10.7.0.0/16 scope link\n"
		    "10.8.0.0/16 scope link\n" BOOT,
		    "- route 10.8.0.0/16\n" WRITES_BOOT
		    "(1 external peer, left alone)\n");
	/* wg-quick's mark for a default route, and a route made by hand */
	assert_plan(MESH("", LAPTOP),
		    HEAD("host") "uid=0\nnow=1800000000\nhostname=a\nwg=1\nip=1\n"
		    "systemd=1\nenabled=1\nforward4=0\nforward6=0\n"
		    HEAD("address") "7: wg0    inet 10.99.0.1/16 scope global\n"
		    HEAD("link") "7: wg0: <NOARP,UP> mtu 1420 x\n"
		    HEAD("dump") KEY_A "\t51820\t0xca6c\n"
		    PEER(KEY_B, "10.99.0.2/32") PEER(KEY_C, "0.0.0.0/0,10.1.0.0/16")
		    HEAD("route4") "10.1.0.0/16 scope link\n" BOOT,
		    WRITES_BOOT "(1 external peer, left alone)\n");
	/* gone from the interface: said, and no more */
	assert_plan(MESH("", LAPTOP "," PRINTER),
		    HOST PEER(KEY_B, "10.99.0.2/32") PEER(KEY_D, "(none)") BOOT,
		    WRITES_BOOT "(2 external peers, left alone)\n(external "
		    "peer 'laptop' is not on the interface any more; an "
		    "import reads it anew)\n");
}

/* Networks and addresses that a node has as well stay the external peer's. */
static void test_collision(void **state)
{
	(void)state;
	assert_plan(MESH(",'routable_networks':['10.7.0.0/16','10.8.0.0/16']",
			 LAPTOP),
		    HOST PEER(KEY_B, "10.99.0.2/32,10.8.0.0/16")
		    PEER(KEY_C, "10.99.0.9/32,10.7.0.0/16")
		    HEAD("route4") "10.7.0.0/16 scope link\n"
		    "10.8.0.0/16 via 10.99.0.2 proto 119\n" BOOT,
		    WRITES_BOOT "(1 external peer, left alone)\n(10.7.0.0/16 "
		    "is an external peer's here, and stays so)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_survives),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_free_address),
		cmocka_unit_test(test_becomes_node),
		cmocka_unit_test(test_boot_file),
		cmocka_unit_test(test_left_alone),
		cmocka_unit_test(test_collision),
	};

	return cmocka_run_group_tests_name("external", tests, NULL, NULL);
}
