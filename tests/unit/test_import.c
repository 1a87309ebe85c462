/*
 * Taking hosts over: what becomes of what was read on them in the mesh.
 */
#include "render/import.h"
#include "state/model/model.h"
#include "tests/unit/fixture.h"

#define NONCE "0123456789abcdef"
#define HEAD(section) "\n=" NONCE "= " section "\n"
#define PSK "ppppppppppppppppppppppppppppppppppppppppppA="
#define KEY_D "ddddddddddddddddddddddddddddddddddddddddddA="

#define HOST(name)                                                            \
	HEAD("host") "uid=0\nnow=1800000000\nhostname=" name ".example.org\n"  \
	"wg=1\nip=1\nsystemd=1\nssh=192.0.2.1 5 192.0.2.7 22\n"               \
	HEAD("address") "2: eth0 inet 192.0.2.7/24 x\n"
#define LINK HEAD("link") "7: wg0: <UP> mtu 1420 x\n"
#define PEER(key, psk, endpoint, ips, keepalive)                              \
	key "\t" psk "\t" endpoint "\t" ips "\t0\t0\t0\t" keepalive "\n"

/* A source and what it borrows. */
struct source_of {
	struct observed observed;
	struct found found;
	struct node place;
	struct import_source source;
};

static void source_init(struct source_of *s, const char *report,
			const char *more)
{
	const struct probe_request request = { .interface = "wg0",
					       .nonce = NONCE };
	struct err e = { 0 };

	memset(s, 0, sizeof *s);
	if (observed_parse(&s->observed, report, strlen(report), &request,
			   &e) < 0 ||
	    found_parse(&s->found, more, strlen(more), NONCE, &e) < 0)
		fail_msg("%s", e.msg);
	node_init(&s->place, "");
	mem_replace(&s->place.ssh_host, "ssh.example.org");
	strings_add(&s->place.ssh_host_keys, "ssh-ed25519 AAAA");
	s->source = (struct import_source){ NULL, &s->place, &s->observed,
					    &s->found, "192.0.2.7",
					    "192.0.2.100", "here" };
}

static void source_done(struct source_of *s)
{
	observed_done(&s->observed);
	found_done(&s->found);
	node_done(&s->place);
}

/* Import one host; the notes, one a line. */
static int import_one(struct mesh *m, const char *name, const char *report,
		      const char *more, struct sbuf *notes, struct err *e)
{
	AUTO(source_done) struct source_of s;
	AUTO(strings_done) struct strings all = { 0 };
	AUTO(strings_done) struct strings doubts = { 0 };
	int ret;

	source_init(&s, report, more);
	s.source.name = name;
	ret = import_hosts(m, &s.source, 1, &all, &doubts, e);
	for (size_t i = 0; i < all.len; i++)
		sbuf_printf(notes, "%s\n", all.items[i]);
	for (size_t i = 0; ret == 0 && i < doubts.len; i++)
		sbuf_printf(notes, "? %s\n", doubts.items[i]);
	return ret;
}

#define MORE                                                                  \
	HEAD("private") PSK "\n" HEAD("preshared") KEY_A "\t(none)\n" KEY_B   \
	"\t" PSK "\n" KEY_D "\t" PSK "\n" HEAD("boot") "line p\npeer "        \
	KEY_B "\nline k bobs-laptop\nset FwMark\nmtu 1400\n"
#define NEW_HOST                                                              \
	HOST("gw") "7: wg0 inet 10.99.0.7/24 x\n"                             \
	"7: wg0 inet6 fe80::1/64 scope link\n"                                \
	"7: wg0 inet 10.99.0.8/24 x\n" LINK HEAD("dump") KEY_C "\t999\toff\n" \
	PEER(KEY_A, "(set)", "192.0.2.1:1", "10.99.0.1/32,10.4.0.0/16,"       \
	     "0.0.0.0/0", "7")                                               \
	PEER(KEY_B, "(set)", "192.0.2.2:2", "10.99.0.9/32,10.5.0.0/16", "15") \
	PEER(KEY_D, "(set)", "192.0.2.4:4", "10.6.0.0/16", "off")             \
	HEAD("route4") "10.4.0.0/16 scope link\n10.5.0.0/16 scope link\n"     \
	"10.5.9.0/24 scope link\n10.6.0.0/16 proto 119\n"                     \
	"10.99.0.0/24 proto kernel scope link src 10.99.0.7\n"                \
	HEAD("boot") "|\n|PublicKey = " KEY_B "\n"
#define ONE_NODE                                                              \
	"'mesh_id':'" MESH_ID "','nodes':{'a':{'mesh_ip':'10.99.0.1',"        \
	"'public_key':'" KEY_A "'}}"

static void test_new_node(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(sbuf_done) struct sbuf notes = SBUF_INIT;
	const struct node *n;
	struct err e = { 0 };
	char text[ADDR_TEXT_MAX];

	(void)state;
	mesh_of(&m, ONE_NODE);
	if (import_one(&m, NULL, NEW_HOST, MORE, &notes, &e) < 0)
		fail_msg("%s", e.msg);
	n = nodes_find(&m.nodes, "gw");
	assert_non_null(n);
	assert_string_equal(ip_text(&n->mesh_ip, text), "10.99.0.7");
	assert_int_equal(n->mesh_ip6.family, 0);
	assert_string_equal(n->public_key, KEY_C);
	assert_string_equal(secret_text(&n->private_key), PSK);
	assert_int_equal(n->listen_port, 999);
	assert_int_equal(n->mtu, 1400);
	assert_int_equal(n->keepalive_s, 7);
	assert_string_equal(n->ssh_host, "ssh.example.org");
	assert_string_equal(n->ssh_host_keys.items[0], "ssh-ed25519 AAAA");
	assert_string_equal(n->facts.address, "192.0.2.7");
	assert_false(n->facts.deployed);
	/* what the link to a says */
	assert_string_equal(cidrs_text(&m.nodes.items[0].routable_networks),
			    "10.4.0.0/16");
	assert_string_equal(
		sbuf_str(&notes),
		"'gw' has one address of a kind: 10.99.0.8/24 goes at the next "
		"deploy\n"
		"the boot file of 'gw' says FwMark, which deploys do not keep "
		"(the file stays as wg0.conf.before-wgmesh)\n"
		"'gw' sends 0.0.0.0/0 to 'a': a default route is not taken, so "
		"the next deploy takes that away\n"
		"10.4.0.0/16 is behind 'a', as 'gw' has it\n"
		"the preshared key of 'gw' and 'a' goes at the next deploy: "
		"nodes have none\n"
		"? 10.4.0.0/16 is behind 'a', as only 'gw' says\n");
}

/* The external peers of gw, as text. */
static void test_new_externals(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(sbuf_done) struct sbuf notes = SBUF_INIT;
	const struct externals *list;
	struct err e = { 0 };

	(void)state;
	mesh_of(&m, ONE_NODE);
	assert_int_equal(import_one(&m, NULL, NEW_HOST, MORE, &notes, &e), 0);
	assert_int_equal(check_mesh(&m, &e), 0);
	list = &nodes_find(&m.nodes, "gw")->externals;
	assert_int_equal(list->len, 2);
	/* the boot file says where it is: nowhere; that was learnt */
	assert_string_equal(list->items[0].name, "bobs-laptop");
	assert_null(list->items[0].endpoint);
	assert_string_equal(cidrs_text(&list->items[0].allowed_ips),
			    "10.5.0.0/16,10.99.0.9/32");
	assert_string_equal(cidrs_text(&list->items[0].routes),
			    "10.5.0.0/16,10.5.9.0/24");
	assert_int_equal(list->items[0].keepalive_s, 15);
	assert_string_equal(secret_text(&list->items[0].preshared_key), PSK);
	/* the boot file does not know it; its route is tagged, so ours */
	assert_string_equal(list->items[1].name, "peer-dddddddd");
	assert_string_equal(list->items[1].endpoint, "192.0.2.4:4");
	assert_int_equal(list->items[1].routes.len, 0);
}

/* Once more: its name and what we do not know of it stay, the rest is new. */
static void test_again(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(sbuf_done) struct sbuf notes = SBUF_INIT;
	const struct node *n;
	struct err e = { 0 };

	(void)state;
	mesh_of(&m, "'nodes':{'a':{'mesh_ip':'10.99.0.1','public_key':'" KEY_A
		"'},'old':{'mesh_ip':'10.99.0.7','ssh_host':"
		"'ssh.example.org','public_key':'" KEY_C "','listen_port':1,"
		"'external_peers':[{'name':'bob',"
		"'public_key':'" KEY_B "','x':1}]}}");
	assert_int_equal(import_one(&m, "old", NEW_HOST, MORE, &notes, &e), 0);
	n = nodes_find(&m.nodes, "old");
	assert_int_equal(m.nodes.len, 2);
	assert_int_equal(n->listen_port, 1);
	assert_int_equal(n->private_key.len, 0);
	assert_int_equal(n->externals.len, 2);
	assert_string_equal(n->externals.items[0].name, "bob");
	assert_string_equal(n->externals.items[0].extras.items[0].key, "x");
	assert_int_equal(n->externals.items[0].keepalive_s, 15);
	assert_string_equal(sbuf_str(&notes), "");
}

/* Two peers on the interface do not get one name, but a new key takes it over. */
static void test_same_name(void **state)
{
	static const char *const reports[] = {
		NEW_HOST,
		HOST("gw") "7: wg0 inet 10.99.0.7/24 x\n" LINK HEAD("dump")
		KEY_C "\t999\toff\n" PEER(KEY_B, "(none)", "(none)",
					  "10.5.0.0/16", "off") };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(mesh_done) struct mesh m = { 0 };
		AUTO(sbuf_done) struct sbuf notes = SBUF_INIT;
		const struct node *n;
		struct err e = { 0 };

		mesh_of(&m, "'nodes':{'old':{'mesh_ip':'10.99.0.7',"
			"'ssh_host':'ssh.example.org','public_key':'" KEY_C "','external_peers':[{'name':"
			"'bobs-laptop','public_key':'" KEY_D "'}]}}");
		assert_int_equal(import_one(&m, "old", reports[i], MORE,
					    &notes, &e), 0);
		if (check_mesh(&m, &e) < 0)
			fail_msg("%s", e.msg);
		n = nodes_find(&m.nodes, "old");
		assert_string_equal(node_external(n, KEY_B)->name,
				    i ? "bobs-laptop" : "peer-bbbbbbbb");
	}
}

/* What wg-quick does for a default route is lost: that is told, once. */
static void test_default_route(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(sbuf_done) struct sbuf notes = SBUF_INIT;
	struct err e = { 0 };

	(void)state;
	mesh_of(&m, ONE_NODE);
	assert_int_equal(import_one(&m, NULL, HOST("gw")
		"7: wg0 inet 10.99.0.7/24 x\n" LINK HEAD("dump") KEY_C
		"\t999\toff\n" PEER(KEY_D, "(none)", "192.0.2.4:4",
		"0.0.0.0/0,::/0", "off"), HEAD("private") PSK "\n", &notes,
		&e), 0);
	assert_string_equal(sbuf_str(&notes), "external peer 'peer-dddddddd' "
			    "of 'gw' has a default route; wg-quick's rules for "
			    "it are not carried over, they end when the "
			    "interface goes down\n? 0.0.0.0/0 of 'gw' goes to "
			    "its external peer 'peer-dddddddd'\n? ::/0 of "
			    "'gw' goes to its external peer 'peer-dddddddd'\n");
}

/* Half of everything was agreed to, all of it was not. */
static void test_wider(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(sbuf_done) struct sbuf notes = SBUF_INIT;
	struct err e = { 0 };

	(void)state;
	mesh_of(&m, "'nodes':{'gw':{'mesh_ip':'10.99.0.7','ssh_host':"
		"'ssh.example.org','public_key':'" KEY_C "',"
		"'external_peers':[{'name':'bob','public_key':'" KEY_D "',"
		"'allowed_ips':['128.0.0.0/1']}]}}");
	assert_int_equal(import_one(&m, "gw", HOST("gw")
		"7: wg0 inet 10.99.0.7/24 x\n" LINK HEAD("dump") KEY_C
		"\t999\toff\n" PEER(KEY_D, "(none)", "192.0.2.4:4",
		"0.0.0.0/0,128.0.0.0/1", "off"), HEAD("private") PSK "\n",
		&notes, &e), 0);
	assert_string_equal(sbuf_str(&notes), "? 0.0.0.0/0 of 'gw' goes to its "
			    "external peer 'bob'\n");
}

/* Two hosts in one call are links of each other. */
static void test_two(void **state)
{
	AUTO(source_done) struct source_of one;
	AUTO(source_done) struct source_of two;
	AUTO(strings_done) struct strings notes = { 0 };
	AUTO(strings_done) struct strings doubts = { 0 };
	AUTO(mesh_done) struct mesh m = { 0 };
	struct import_source sources[2];
	struct err e = { 0 };

	(void)state;
	mesh_of(&m, "'key':'host','nodes':{}");
	source_init(&one, HOST("one") "7: wg0 inet 10.99.0.1/16 x\n" LINK
		    HEAD("dump") KEY_A "\t51820\toff\n"
		    PEER(KEY_B, "(none)", "(none)", "10.99.0.2/32", "25"), "");
	source_init(&two, HOST("two") "7: wg0 inet 10.99.0.2/16 x\n" LINK
		    HEAD("dump") KEY_B "\t51820\toff\n"
		    PEER(KEY_A, "(none)", "(none)", "10.99.0.1/32,fd05::/64",
			 "off"), "");
	sources[0] = one.source;
	sources[1] = two.source;
	if (import_hosts(&m, sources, 2, &notes, &doubts, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(m.nodes.len, 2);
	assert_int_equal(m.nodes.items[0].externals.len, 0);
	assert_int_equal(m.nodes.items[1].externals.len, 0);
	assert_int_equal(m.nodes.items[0].listen_port, 0);
	assert_int_equal(m.nodes.items[0].mtu, 0);
	assert_int_equal(m.nodes.items[0].keepalive_s, 25);
	assert_int_equal(m.nodes.items[1].keepalive_s, 0);
	assert_string_equal(cidrs_text(&m.nodes.items[0].routable_networks),
			    "fd05::/64");
	assert_int_equal(doubts.len, 1);
	assert_string_equal(doubts.items[0], "fd05::/64 is behind 'one', as "
			    "only 'two' says");
}

/* It must be refused so; returns the error. */
static struct err refuse(const char *mesh, const char *name,
			 const char *report, enum err_code code,
			 const char *words)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(sbuf_done) struct sbuf notes = SBUF_INIT;
	struct err e = { 0 };

	mesh_of(&m, mesh);
	if (import_one(&m, name, report, "", &notes, &e) == 0)
		fail_msg("not refused: %s", words);
	assert_int_equal(e.code, code);
	assert_string_equal(e.msg, words);
	return e;
}

#define SAID "'ssh.example.org': "
#define DUMP HEAD("dump") KEY_C "\t51820\toff\n"

static void test_refused(void **state)
{
	struct err e;

	(void)state;
	e = refuse(ONE_NODE, NULL, HOST("x"), ERR_REMOTE,
		   SAID "there is no interface wg0");
	assert_int_equal(e.advice, ADVICE_NO_INTERFACE);
	refuse(ONE_NODE, NULL, HOST("x") LINK, ERR_REMOTE, SAID "wg0 there is "
	       "no WireGuard interface");
	refuse(ONE_NODE, NULL, HOST("x") LINK HEAD("dump") "(none)\t1\toff\n",
	       ERR_REMOTE, SAID "wg0 there has no private key");
	e = refuse(ONE_NODE, NULL, HOST("x") "7: wg0 inet 10.8.0.1/24 x\n"
		   LINK DUMP, ERR_INPUT, SAID "its address 10.8.0.1/24 is in "
		   "no network of the mesh");
	assert_int_equal(e.advice, ADVICE_OTHER_NETWORK);
	assert_string_equal(e.about, "10.8.0.0/24");
	e = refuse(ONE_NODE, NULL, HOST("x") "7: wg0 inet 10.99.0.5/24 x\n"
		   "7: wg0 inet6 fd09::1/64 x\n" LINK DUMP, ERR_INPUT, SAID
		   "its address fd09::1/64 is in no network of the mesh");
	assert_int_equal(e.advice, ADVICE_OTHER_NETWORK6);
	assert_string_equal(e.about, "fd09::/64");
	refuse(ONE_NODE, "a", HOST("x") "7: wg0 inet 10.99.0.5/24 x\n" LINK
	       DUMP, ERR_INPUT, SAID "there is a node 'a' already, with "
	       "another key: say NAME=HOST");
	refuse(ONE_NODE, "b", HOST("x") LINK HEAD("dump") KEY_A "\t1\toff\n",
	       ERR_INPUT, SAID "its key is that of the node 'a'");
	refuse(ONE_NODE, NULL, HOST("-") LINK DUMP, ERR_INPUT, SAID "say "
	       "NAME=HOST: '-' is no node name, expected 1 to 63 letters, "
	       "digits, '.', '_' or '-', starting with a letter or digit");
	/* whoever has seen a public key can show it */
	e = refuse("'nodes':{'a':{'mesh_ip':'10.99.0.1','ssh_host':'h',"
		   "'public_key':'" KEY_A "'}}", NULL,
		   HOST("x") LINK HEAD("dump") KEY_A "\t1\toff\n",
		   ERR_HOSTKEY, SAID "it shows the public key of the node 'a', "
		   "which is at h with other SSH host keys: import that, or, "
		   "if the host moved, say so first");
	assert_int_equal(e.advice, ADVICE_HOST_MOVED);
	assert_string_equal(e.about, "a ssh=ssh.example.org");
	/* a host may call itself anything */
	refuse(ONE_NODE, NULL, HOST("here.lan") "7: wg0 inet 10.99.0.5/24 x\n"
	       LINK DUMP, ERR_INPUT, SAID "it calls itself 'here', as this "
	       "machine does: say NAME=HOST");
}

/* A host that moved is known by its pinned host key. */
static void test_moved(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(sbuf_done) struct sbuf notes = SBUF_INIT;
	struct err e = { 0 };

	(void)state;
	mesh_of(&m, "'nodes':{'old':{'mesh_ip':'10.99.0.7','ssh_host':'h',"
		    "'ssh_host_keys':['ssh-ed25519 AAAA'],'public_key':'" KEY_C
		    "'}}");
	if (import_one(&m, NULL, NEW_HOST, MORE, &notes, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(nodes_find(&m.nodes, "old")->ssh_host, "h");
	assert_int_equal(nodes_find(&m.nodes, "old")->externals.len, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_node),
		cmocka_unit_test(test_new_externals),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_same_name),
		cmocka_unit_test(test_default_route),
		cmocka_unit_test(test_wider),
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_moved),
	};

	return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
