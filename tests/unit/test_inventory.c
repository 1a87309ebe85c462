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
#define CONF "[Interface]\nPrivateKey=" KEY_A "\nAddress=10.0.0.1/24\n"

static int read_text(struct mesh *m, struct strings *notes, const char *name,
		     const char *text, struct err *e)
{
	struct inventory_file f = { name, text, strlen(text), NULL };

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
		struct inventory_file f = { cases[i].name, cases[i].text,
					    strlen(cases[i].text), NULL };

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
		/* what is no host's name becomes one */
		{ " Peer 1", "node-1" },
		{ " a..b", "a--b" },
		{ " 10.99.0.2", "10.99.0.2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(auto_free) char *name =
			inventory_comment_name(cases[i].comment);

		if (!cases[i].name)
			assert_null(name);
		else
			assert_string_equal(name, cases[i].name);
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
		cmocka_unit_test(test_peer_names),
		cmocka_unit_test(test_peer_routes),
		cmocka_unit_test(test_peer_default),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_inherited),
	};

	return cmocka_run_group_tests_name("inventory", tests, NULL, NULL);
}
