/*
 * state/inventory: what is told apart, and what is taken.
 */
#include "state/inventory/inventory.h"

#include "base/auto.h"
#include "state/inventory/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KEY_A "yJndNh80ToNWGOfDlbtho1wHAEZGa7ZhNpsHf7AJVUM="
#define KEY_B "SEOaOjTrhR4do1iUrTTRRHZs6xCA3Q/H0yHW3ZpkHko="
#define KEY_C "UH1lR/4KxenfGDgfCqYJJX1zXg4Q9aJDg+Jff9sZ2Uk="
#define CONF "[Interface]\nPrivateKey=" KEY_A "\nAddress=10.0.0.1/24\n"

static int read_text(struct mesh *m, struct strings *notes, const char *name,
		     const char *text, struct err *e)
{
	struct inventory_file f = { .name = name, .text = text,
				    .len = strlen(text) };

	return inventory_read(m, &f, notes, e);
}

/* A file that is fine; its mesh. */
static void take(struct mesh *m, struct strings *notes, const char *name,
		 const char *text)
{
	struct err e = { 0 };

	if (read_text(m, notes, name, text, &e) < 0)
		fail_msg("refused: %s", e.msg);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *name, *text;
		enum inventory_kind kind;
	} cases[] = {
		{ "x", "# c\n\n[Interface]\n", INVENTORY_CONF },
		{ "x", "\xef\xbb\xbf[interface]\r\n", INVENTORY_CONF },
		{ "x", "[Peer]\n", INVENTORY_CONF },
		{ "wg0.conf", "# nothing\n", INVENTORY_CONF },
		{ "hosts.conf", "[web]\na\n", INVENTORY_INI },
		{ "x", "Name,Address\n", INVENTORY_CSV },
		{ "x", "\"Name\",\"Address\"\n", INVENTORY_CSV },
		{ "x.CSV", "Address,Name\n", INVENTORY_CSV },
		{ "x.yaml", "a\n", INVENTORY_YAML },
		{ "x.YML", "[a]\n", INVENTORY_YAML },
		{ "x", "---\n", INVENTORY_YAML },
		{ "x", "all: # of them\n", INVENTORY_YAML },
		{ "x", "{\"all\": {}}\n", INVENTORY_YAML },
		{ "x", "# c\n; d\nweb1\n", INVENTORY_INI },
		{ "x", "web1:2222 a=b\n", INVENTORY_INI },
		{ "x", "", INVENTORY_INI },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct inventory_file f = { .name = cases[i].name,
					    .text = cases[i].text,
					    .len = strlen(cases[i].text) };

		if (inventory_kind(&f) != cases[i].kind)
			fail_msg("%s: %s", cases[i].name, cases[i].text);
	}
}

static void test_ranges(void **state)
{
	static const struct {
		const char *pattern, *names;
	} cases[] = {
		{ "web", "web" },
		{ "web[08:11].a", "web08.a web09.a web10.a web11.a" },
		{ "w[1:9:4]", "w1 w5 w9" },
		{ "w[9:10]", "w9 w10" },
		{ "[a:c]", "a b c" },
		{ "[x:B]", "x y z A B" },
		{ "r[1:2]-[a:b]", "r1-a r1-b r2-a r2-b" },
		{ "w[0:1]", "w0 w1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(sbuf_done) struct sbuf got = SBUF_INIT;
		struct strings names = { 0 };
		struct err e;

		assert_int_equal(inventory_range(&names, cases[i].pattern, 10,
						 &e), 0);
		for (size_t k = 0; k < names.len; k++)
			sbuf_printf(&got, "%s%s", k ? " " : "",
				    names.items[k]);
		assert_string_equal(sbuf_str(&got), cases[i].names);
		strings_done(&names);
	}
}

static void test_names_in_comments(void **state)
{
	static const struct {
		const char *comment, *name;
	} cases[] = {
		{ " alice", "alice" },
		{ "## Client alice", "alice" },
		{ " Name: alice", "alice" },
		{ " friendly_name=alice", "alice" },
		{ " BEGIN_PEER alice", "alice" },
		{ " END_PEER alice", NULL },
		{ " Bob's phone", "Bob-s-phone" },
		{ " web-1.example.org", "web-1.example.org" },
		{ " B\xc3\xbcro", "B-ro" },
		{ " this one is for the printer", NULL },
		{ " Endpoint = a:1", NULL },
		{ "PresharedKey=" KEY_A, NULL },
		{ " Location: Berlin", NULL },
		{ "", NULL },
		{ " ---", NULL },
		{ " ../../etc", "etc" },
		/* as tools write them */
		{ "## begin bob ###", "bob" },
		{ "## end bob ###", NULL },
		{ " Name:         carol laptop", "carol-laptop" },
		{ " Email:        carol@example.org", NULL },
		{ " friendly_json={\"name\":\"erin\",\"zone\":\"x\"}", "erin" },
		{ " friendly_json = { \"id\": 1, \"name\" : \"fay\" }", "fay" },
		{ " friendly_json={\"id\":1}", NULL },
		{ "Name# = dave", "dave" },
		{ " Client: gil (5b0e4a53-7b7e-4b0c-9d5c-0a1b2c3d4e5f)", "gil" },
		{ " hal / hal@example.org / Updated: 2020 / Created: 2019",
		  "hal" },
		{ " alice (laptop)", "alice-laptop" },
		{ " user: ida", "ida" },
		{ " user of printers", "user-of-printers" },
		/* never a key or a secret */
		{ " yJndNh80ToNWGOfDlbtho1wHAEZGa7ZhNpsHf7AJVUM", NULL },
		{ " Name: " KEY_A, NULL },
		{ " psk abc", NULL },
		{ " Name: password x", NULL },
		/* what is no host's name becomes one */
		{ " Peer 1", "node-1" },
		{ " a..b", "a--b" },
		{ " 10.99.0.2", "10.99.0.2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum name_worth worth;
		AUTO(auto_free) char *name =
			inventory_comment_name(cases[i].comment, &worth);

		if (!cases[i].name)
			assert_null(name);
		else
			assert_string_equal(name, cases[i].name);
	}
}

/* A peer's name, wherever its comment stands. */
static void test_places_of_names(void **state)
{
#define PEER "PublicKey=" KEY_B "\nAllowedIPs=10.0.0.2/32\n"
	static const struct {
		const char *peer, *name;
	} cases[] = {
		{ "[Peer] # bob\n" PEER, "bob" },
		{ "# bob\n[Peer]\n" PEER, "bob" },
		{ "[Peer]\n# bob\n" PEER, "bob" },
		{ "[Peer]\nPublicKey=" KEY_B " # bob\n", "bob" },
		{ "[Peer]\nPublicKey=" KEY_B "\n# bob\nAllowedIPs=\n", "bob" },
		{ "# ID: 1\n# Name: bob\n# old phone\n[Peer]\n" PEER, "bob" },
		{ "# old phone\n[Peer]\n# Name: bob\n" PEER, "bob" },
		{ "### end al ###\n### begin bob ###\n[Peer]\n" PEER
		  "### end bob ###\n", "bob" },
		{ "# al\n# bob\n[Peer]\n" PEER, "bob" },
		/* not its own */
		{ "# bob\n\n[Peer]\n" PEER, "peer-SEOaOjTr" },
		{ "[Peer]\n" PEER "# bob\n", "peer-SEOaOjTr" },
		{ "[Peer]\n" PEER "PersistentKeepalive=25 # nat\n",
		  "peer-SEOaOjTr" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(mesh_done) struct mesh m = { 0 };
		AUTO(auto_free) char *text = mem_printf(CONF "\n%s",
							cases[i].peer);
		struct strings notes = { 0 };

		take(&m, &notes, "wg0.conf", text);
		assert_string_equal(m.nodes.items[0].externals.items[0].name,
				    cases[i].name);
		strings_done(&notes);
	}
}

/* An address that two peers name is the last one's. */
static void test_last_peer_has_it(void **state)
{
	static const struct {
		const char *first, *last;
		const char *kept; /* by the first */
		bool noted;
	} cases[] = {
		{ "10.0.0.2/32", "10.0.0.2/32", "", true },
		{ "0.0.0.0/0", "0.0.0.0/0", "", true },
		{ "::/0, 10.0.0.2/32", "::/0", "10.0.0.2/32", true },
		{ "10.0.0.2", "::ffff:10.0.0.2", "", true },
		{ "192.168.1.7/24", "192.168.1.0/24", "", true },
		{ "10.0.0.2/32, 10.0.0.2/32", "10.0.0.3/32", "10.0.0.2/32",
		  false },
		{ "10.0.0.0/24", "10.0.0.3/32", "10.0.0.0/24", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases * 2; i++) {
		/* whichever key sorts first */
		bool turned = i & 1;
		AUTO(auto_free) char *text = mem_printf(
			"[Interface]\nPrivateKey=" KEY_C
			"\nAddress=10.0.0.1/24\n"
			"[Peer] # z\nPublicKey=%s\nAllowedIPs=%s\n"
			"[Peer] # a\nPublicKey=%s\nAllowedIPs=%s\n",
			turned ? KEY_A : KEY_B, cases[i / 2].first,
			turned ? KEY_B : KEY_A, cases[i / 2].last);
		AUTO(mesh_done) struct mesh m = { 0 };
		struct strings notes = { 0 };
		const struct external *z;
		char kept[ADDR_TEXT_MAX] = "";
		size_t said = 0;

		take(&m, &notes, "wg0.conf", text);
		z = &m.nodes.items[0].externals.items[0];
		z += strcmp(z->name, "z") != 0;
		assert_true(z->allowed_ips.len <= 1);
		if (z->allowed_ips.len)
			cidr_text(&z->allowed_ips.items[0], kept);
		assert_string_equal(kept, cases[i / 2].kept);
		for (size_t k = 0; k < notes.len; k++)
			said += strstr(notes.items[k], "the last one, a,") != NULL;
		assert_int_equal(said, cases[i / 2].noted);
		strings_done(&notes);
	}
}

/* A key that the file has not: it may be where ours are. */
static void test_key_elsewhere(void **state)
{
	static const struct {
		const char *line;
		enum key_place key;
	} cases[] = {
		{ "PostUp=wg set %i private-key /etc/wireguard/%i.key",
		  KEY_ON_HOST },
		{ "PostUp = wg set %i private-key /etc/wireguard/wg0.key # x",
		  KEY_ON_HOST },
		{ "PostUp=wg set %i private-key /run/secrets/wg", KEY_UNSAID },
		{ "PostUp=wg set %i private-key <(pass wg)", KEY_UNSAID },
		{ "PostUp=wg set wg0 private-key /etc/wireguard/private.key",
		  KEY_UNSAID },
		{ "MTU=1400", KEY_UNSAID },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(mesh_done) struct mesh m = { 0 };
		AUTO(auto_free) char *text = mem_printf(
			"[Interface]\nAddress=10.0.0.1/24\n%s\n"
			"[Peer]\nPublicKey=" KEY_B "\n", cases[i].line);
		struct strings notes = { 0 };

		take(&m, &notes, "wg0.conf", text);
		assert_int_equal(m.nodes.items[0].key, cases[i].key);
		assert_int_equal(m.nodes.items[0].private_key.len, 0);
		strings_done(&notes);
	}
}

/* Files that are not read are told by what they are; what is read is not. */
static void test_foreign_files(void **state)
{
	static const struct {
		const char *text, *what;
	} cases[] = {
		{ "[NetDev]\nName=wg0\nKind=wireguard\n", ".netdev" },
		{ "[Match]\nName=wg0\n[Network]\nAddress=10.0.0.1\n",
		  ".network" },
		{ "# x\n[connection]\nid=wg0\ntype=wireguard\n",
		  ".nmconnection" },
		{ "[interface]\nnetwork-name = \"evil\"\n", "innernet" },
		{ "{\"server\":{\"privateKey\":\"x\"},\"clients\":{}}",
		  "wg-easy" },
		{ "{\"peers\":{\"a\":{\"Address\":[\"10.1.0.1/16\"]}}}",
		  "wg-meshconf" },
		{ "{\"Self\":{\"TailscaleIPs\":[]}}", "Tailscale" },
		{ "[{\"machine_key\":\"a\",\"node_key\":\"b\"}]", "headscale" },
		{ KEY_A "\t" KEY_B "\t51820\toff\n", "dump" },
		{ "wg0\t" KEY_A "\t" KEY_B "\t51820\toff\n", "dump" },
		{ "interface: wg0\n  public key: " KEY_A "\n", "wg show" },
		{ "config interface 'wg0'\n", "OpenWrt" },
		{ "network.wg0=interface\nnetwork.wg0.proto='wireguard'\n",
		  "OpenWrt" },
		{ "PK\x03\x04zip", "ZIP" },
		{ "\x89PNG\r\n", "PNG" },
		{ "age-encryption.org/v1\n", "age" },
		{ "{\"interface_name\":\"wg0\",\"nodes\":{}}", "state file" },
		{ "nodes:\n  a:\n    ssh: a.example.org\n", "mesh.yaml" },
		/* hosts that are called so */
		{ "network.example.org\n", NULL },
		{ "[server]\na\n[clients]\nb\n", NULL },
		{ "{\"all\":{\"children\":{\"clients\":{\"hosts\":{\"a\":{}}},"
		  "\"server\":{}}}}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(mesh_done) struct mesh m = { 0 };
		struct strings notes = { 0 };
		struct err e = { 0 };
		int ret = read_text(&m, &notes, "x", cases[i].text, &e);

		if (cases[i].what ? ret == 0 || !strstr(e.msg, cases[i].what)
				  : ret < 0)
			fail_msg("%s: %s", cases[i].text, e.msg);
		assert_null(strstr(e.msg, KEY_A));
		strings_done(&notes);
	}
}

/* Peers of one name get numbers; one at the end of the list keeps its own. */
static void test_peer_names(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	struct strings notes = { 0 };
	const struct externals *peers;

	(void)state;
	take(&m, &notes, "c", CONF
	     "[Peer] # a\nPublicKey=" KEY_A "\n# a\n[Peer]\nPublicKey=" KEY_B
	     "\n[Peer]\n# b\nPublicKey=" "CGyR7goj/uGH3TQHgVknpb9ZBR+/yMfkve+"
	     "kVNGBYlg=\n");
	peers = &m.nodes.items[0].externals;
	assert_int_equal(peers->len, 3);
	assert_string_equal(peers->items[0].name, "b");
	assert_string_equal(peers->items[1].name, "a");
	assert_string_equal(peers->items[2].name, "a-2");
	assert_int_equal(notes.len, 0);
}

/* As wg-quick makes them: not for what the interface's network holds. */
static void test_peer_routes(void **state)
{
	static const char *const texts[] = {
		CONF "[Peer]\nPublicKey=" KEY_B "\nAllowedIPs=10.0.0.9/32,"
		"10.0.0.0/16\nAllowedIPs=192.168.1.7/24\n",
		CONF "Table=off\n[Peer]\nPublicKey=" KEY_B
		"\nAllowedIPs=10.0.0.0/16\n",
	};
	char text[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(mesh_done) struct mesh m = { 0 };
		struct strings notes = { 0 };
		const struct external *x;

		take(&m, &notes, "c", texts[i]);
		x = &m.nodes.items[0].externals.items[0];
		assert_int_equal(x->routes.len, i == 0 ? 2 : 0);
		if (x->routes.len)
			assert_string_equal(cidr_text(&x->routes.items[1],
						      text), "192.168.1.0/24");
	}
}

/* A default route, of one or two families, is one note, if wg-quick made one. */
static void test_peer_default(void **state)
{
	static const char *const tables[] = { "", "Table=off\n" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(mesh_done) struct mesh m = { 0 };
		AUTO(strings_done) struct strings notes = { 0 };
		AUTO(auto_free) char *text =
			mem_printf(CONF "%s[Peer]\nPublicKey=" KEY_B
				   "\nAllowedIPs=0.0.0.0/0,::/0\n", tables[i]);

		take(&m, &notes, "c", text);
		assert_int_equal(notes.len, i == 0 ? 1 : 0);
	}
}

/* Networks behind a node: masked, in order, each once. */
static void test_routes(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	struct strings notes = { 0 };
	const struct cidrs *v;
	char text[ADDR_TEXT_MAX];

	(void)state;
	take(&m, &notes, "d.csv", "Name,Address,AllowedIPs,Endpoint\na,10.0.0.1"
	     ",\"10.9.0.0/16,10.8.1.2/24,10.9.7.7/16\",h\n");
	v = &m.nodes.items[0].routable_networks;
	assert_int_equal(v->len, 2);
	assert_string_equal(cidr_text(&v->items[0], text), "10.8.1.0/24");
	assert_string_equal(cidr_text(&v->items[1], text), "10.9.0.0/16");
	assert_int_equal(notes.len, 0);
}

static void assert_network(const char *text, const char *want)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	struct strings notes = { 0 };
	char got[ADDR_TEXT_MAX];

	take(&m, &notes, "d.csv", text);
	assert_string_equal(cidr_text(&m.network, got), want);
	strings_done(&notes);
}

static void test_networks(void **state)
{
	(void)state;
	assert_network("Name,Address\na,10.0.0.1/24\nb,10.0.0.2/24\n",
		       "10.0.0.0/24");
	assert_network("Name,Address\na,10.0.0.1\n", "10.0.0.0/24");
	assert_network("Name,Address\na,10.0.0.1\nb,10.0.5.1\n",
		       "10.0.0.0/21");
	/* no host can have the first or last address of its network */
	assert_network("Name,Address\na,10.0.4.0\nb,10.0.5.1\n",
		       "10.0.0.0/21");
}

/* The last word is the deepest group's, then the host's; old names win. */
static void test_inherited(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	struct strings notes = { 0 };
	const struct node *n;

	(void)state;
	take(&m, &notes, "h",
	     "[b]\nx\n[a]\nx\ny ansible_user=own\n[top:children]\na\nb\n"
	     "[top:vars]\nansible_user=top\nansible_port=1\n"
	     "[a:vars]\nansible_user=a\n[b:vars]\nansible_user=b\n"
	     "[all:vars]\nansible_ssh_port=7\nansible_host=all\n");
	n = nodes_find(&m.nodes, "x");
	assert_string_equal(n->ssh_user, "b");
	assert_int_equal(n->ssh_port, 7);
	assert_string_equal(n->ssh_host, "all");
	n = nodes_find(&m.nodes, "y");
	assert_string_equal(n->ssh_user, "own");
	assert_int_equal(m.groups.len, 3);
	assert_string_equal(m.groups.items[2].name, "top");
	assert_int_equal(m.groups.items[2].members.len, 2);
	assert_int_equal(notes.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_names_in_comments),
		cmocka_unit_test(test_places_of_names),
		cmocka_unit_test(test_last_peer_has_it),
		cmocka_unit_test(test_key_elsewhere),
		cmocka_unit_test(test_foreign_files),
		cmocka_unit_test(test_peer_names),
		cmocka_unit_test(test_peer_routes),
		cmocka_unit_test(test_peer_default),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_inherited),
	};

	return cmocka_run_group_tests_name("inventory", tests, NULL, NULL);
}
