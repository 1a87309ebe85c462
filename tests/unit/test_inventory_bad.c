/*
 * state/inventory: what is refused, in which words, and that no secret is in
 * them.
 */
#include "state/inventory/inventory.h"

#include "base/auto.h"
#include "base/sbuf.h"
#include "tests/unit/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KEY_A "yJndNh80ToNWGOfDlbtho1wHAEZGa7ZhNpsHf7AJVUM="
#define PUBLIC_A "i7meQzK4IBhHlpmrK8vJoZNXX+XBmVDt486xd8MwiRo="
#define KEY_B "SEOaOjTrhR4do1iUrTTRRHZs6xCA3Q/H0yHW3ZpkHko="
/* What no message may show: it stands where keys and passwords do. */
#define HIDDEN "hunter2"
#define CONF "[Interface]\nPrivateKey=" KEY_A "\nAddress=10.0.0.1/24\n"

static int read_text(struct mesh *m, struct strings *notes, const char *name,
		     const char *text, struct err *e)
{
	struct inventory_file f = { .name = name, .text = text,
				    .len = strlen(text) };

	return inventory_read(m, &f, notes, e);
}

struct bad {
	const char *file, *text, *message;
};

static const struct bad bad_conf[] = {
	{ "c", "[Interface]\n", "c:1: [Interface] without an Address" },
	{ "c", "[Interface]\nPrivateKey=" KEY_A "\n",
	  "c:1: [Interface] without an Address" },
	{ "c", "[Peer]\nPublicKey=" KEY_A "\n", "c: no [Interface] found" },
	{ "c.conf", "", "c.conf: no [Interface] found" },
	{ "c", "[Interface]\nPrivateKey=" HIDDEN "\n",
	  "c:2: PrivateKey: expected a WireGuard key, 44 characters of "
	  "base64" },
	{ "c", "[Interface]\nPrivateKey=" KEY_A "\n\nPrivateKey=" KEY_B "\n",
	  "c:4: PrivateKey is there twice" },
	{ "c", "[Interface]\nAddress=10.0.0.300\n",
	  "c:2: Address: '10.0.0.300' found" },
	{ "c", "[Interface]\nAddress=10.0.0.1/24,\n",
	  "c:2: Address: '' found" },
	{ "c", "[Interface]\nListenPort=70000\n",
	  "c:2: ListenPort: '70000' found" },
	{ "c", "[Interface]\nMTU=big\n",
	  "c:2: MTU: 'big' found" },
	{ "c", "[Interface]\n" HIDDEN HIDDEN "\n",
	  "c:2: expected [Interface], [Peer] or 'Key = value'" },
	{ "c", "[Interface]\nLitsenPort=1\n",
	  "c:2: 'LitsenPort' is no key of [Interface]" },
	{ "c", "[Interface]\n" HIDDEN "+/" HIDDEN "=\n",
	  "c:2: '...' is no key of [Interface]" },
	{ "c", "[Interface]\nEndpoint=a:1\n",
	  "c:2: Endpoint found" },
	{ "c", CONF "[Peer]\nMTU=1400\n",
	  "c:5: MTU found" },
	{ "c", CONF "[Interface]\n",
	  "c:4: a second [Interface]" },
	{ "c", CONF "[Pear]\n",
	  "c:4: section '[Pear]' found" },
	{ "c", CONF "[Peer]\nAllowedIPs=10.0.0.2\n",
	  "c:4: [Peer] without PublicKey" },
	{ "c", CONF "[Peer]\nPublicKey=" HIDDEN "\n",
	  "c:5: PublicKey: expected a WireGuard key, 44 characters of "
	  "base64" },
	{ "c", CONF "[Peer]\nPresharedKey=" HIDDEN "\n",
	  "c:5: PresharedKey: expected a WireGuard key, 44 characters of "
	  "base64" },
	{ "c", CONF "[Peer]\nPublicKey=" PUBLIC_A "\n",
	  "c:4: PublicKey is the interface's own" },
	{ "c", CONF "[Peer]\nPublicKey=" KEY_A "\n[Peer]\nPublicKey=" KEY_A
	  "\n",
	  "c:6: the peer of line 4 once more" },
	{ "c", CONF "[Peer]\nEndpoint=a.example.org\n",
	  "c:5: Endpoint: 'a.example.org' is no endpoint" },
	{ "c", CONF "[Peer]\nAllowedIPs=10.0.0.0/33\n",
	  "c:5: AllowedIPs: '10.0.0.0/33' found" },
	{ "c", CONF "[Peer]\nPersistentKeepalive=often\n",
	  "c:5: PersistentKeepalive: 'often' found" },
};

static const struct bad bad_csv[] = {
	{ "d.csv", "", "d.csv:1: expected the column names of wg-meshconf with "
	  "commas between them, Name and Address among them" },
	{ "d.csv", "Name;Address\n", "d.csv:1: expected the column names of "
	  "wg-meshconf with commas between them, Name and Address among them" },
	{ "d", "Name,Address,Name\n", "d:1: column Name is there twice" },
	{ "d", "Name,Address\n", "d: no hosts found" },
	{ "d", "Name,Address\na\n",
	  "d:2: 1 fields found" },
	{ "d", "Name,Address\na,1.2.3.4,\n",
	  "d:2: 3 fields found" },
	{ "d", "Name,Address\n,10.0.0.1\n", "d:2: '' is no node name" },
	{ "d", "Name,Address\na,10.0.0.1\n\nb b,10.0.0.2\n",
	  "d:4: 'b b' is no node name" },
	{ "d", "Name,Address\na,10.0.0.1\na,10.0.0.2\n",
	  "d:3: 'a' is in line 2 already" },
	{ "d", "Name,Address\na,10.0.0\n", "d:2: 'a': Address: '10.0.0' "
	  "found" },
	{ "d", "Name,Address,Endpoint\na,10.0.0.1,a:51820\n",
	  "d:2: 'a': Endpoint: 'a:51820' is no host" },
	{ "d", "Name,Address,AllowedIPs\na,10.0.0.1,\"1.1.1.1,x\"\n",
	  "d:2: 'a': AllowedIPs: 'x' found" },
	{ "d", "Name,Address,ListenPort\na,10.0.0.1,0\n", "d:2: 'a': "
	  "ListenPort: '0' found" },
	{ "d", "Name,Address,MTU\na,10.0.0.1,1e3\n", "d:2: 'a': MTU: '1e3' "
	  "found" },
	{ "d", "Name,Address,PersistentKeepalive\na,10.0.0.1,x\n", "d:2: "
	  "'a': PersistentKeepalive: 'x' found" },
	{ "d", "Name,Address,PrivateKey\na,10.0.0.1," HIDDEN "\n",
	  "d:2: 'a': PrivateKey: expected a WireGuard key, 44 characters of "
	  "base64" },
	{ "d", "Name,Address\n\"a\nb\",10.0.0.1\n\"x\"y,1\n",
	  "d:2: 'a\\x0ab' is no node name" },
	{ "d", "Name,Address,PostUp\na,10.0.0.1,\"" HIDDEN "\"x\n",
	  "d:2: field 3: expected a comma or the end of the line behind it" },
	{ "d", "Name,Address,PostUp\na,10.0.0.1,\"" HIDDEN "\n\n",
	  "d:2: a field whose closing quote is missing" },
	{ "d", "Name,Address\na-1.2,10.0.0.1\n", "d:2: 'a-1.2' has no "
	  "Endpoint, and its name is no host to log in to" },
	{ "d", "Name,Address\na,1.0.0.1\nb,200.0.0.1\n",
	  "d: the network that holds all addresses: '0.0.0.0/0' cannot be "
	  "a mesh network" },
};

static const struct bad bad_ini[] = {
	{ "h", "", "h: no hosts found" },
	{ "h", "[web]\n# nobody\n", "h: no hosts found" },
	{ "h", "[web\nweb1\n",
	  "h:1: expected [GROUP], [GROUP:children] or [GROUP:vars]" },
	{ "h", "[a b]\n",
	  "h:1: expected [GROUP], [GROUP:children] or [GROUP:vars]" },
	{ "h", "[web:hots]\n",
	  "h:1: expected [GROUP], [GROUP:children] or [GROUP:vars]" },
	{ "h", "[web] x\n",
	  "h:1: expected [GROUP], [GROUP:children] or [GROUP:vars]" },
	{ "h", "a\n[web:vars]\n" HIDDEN "\n", "h:3: expected KEY=VALUE" },
	{ "h", "a\n[web:children]\na:b\n",
	  "h:3: expected the name of a group" },
	{ "h", "a x=1 " HIDDEN "\n",
	  "h:1: word 3: expected KEY=VALUE behind a host" },
	{ "h", "a x='" HIDDEN "\n", "h:1: a quote that is not closed" },
	{ "h", "a_b/c\n", "h:1: 'a_b/c' is no node name" },
	{ "h", "fe80::1\n", "h:1: 'fe80::1' is no node name" },
	{ "h", "a\nb ansible_port=70000\n",
	  "h:2: host 'b': ansible_port: '70000' found" },
	{ "h", "a\n[all:vars]\nansible_port = x\n",
	  "h:3: host 'a': ansible_port: 'x' found" },
	{ "h", "a:0\n",
	  "h:1: host 'a': ansible_port: '0' found" },
	{ "h", "a ansible_user='x y'\n", "h:1: host 'a': ansible_user: 'x "
	  "y' is no login name" },
	{ "h", "a ansible_host=-oProxyCommand=x\n", "h:1: host 'a': "
	  "ansible_host: '-oProxyCommand=x' is no host" },
	{ "h", "[w]\na ansible_host=\"{{ ip }}\"\n", "h:2: host 'a': "
	  "ansible_host: an expression found" },
	{ "h", "10.0.0\n", "h:1: '10.0.0' is no host" },
	{ "h", "w[1:5\n", "h:1: 'w[1:5': expected a range like [01:10], "
	  "[1:9:2] or [a:f], with its bounds in order" },
	{ "h", "w[5:1]\n", "h:1: 'w[5:1]': expected a range like [01:10], "
	  "[1:9:2] or [a:f], with its bounds in order" },
	{ "h", "w[01:100]\n", "h:1: 'w[01:100]': expected a range like "
	  "[01:10], [1:9:2] or [a:f], with its bounds in order" },
	{ "h", "w[1:9:0]\n", "h:1: 'w[1:9:0]': expected a range like [01:10], "
	  "[1:9:2] or [a:f], with its bounds in order" },
	{ "h", "w[1:100000]\n", "h:1: 'w[1:100000]': more than 10000 hosts" },
	{ "h", "w[1:200][1:200]\n",
	  "h:1: 'w[1:200][1:200]': more than 10000 hosts" },
	{ "h", "a[1:9999]\nb[1:2]\n", "h:2: more than 10000 hosts" },
	{ "h", "[a:children]\nb\n[b:children]\na\n[a]\nx\n",
	  "h:1: group 'a' contains itself" },
	{ "h", "$ANSIBLE_VAULT;1.1;AES256\n6231\n",
	  "h:1: sealed by ansible-vault" },
};

static const struct bad bad_yaml[] = {
	{ "y.yml", "", "y.yml: no hosts found" },
	{ "y.yml", "- a\n", "y.yml:1: 'inventory': expected nothing, or names "
	  "with ':' behind them" },
	{ "y", "all:\n  host:\n    a:\n",
	  "y:2: 'host' found" },
	{ "y", "all:\n  hosts:\n    - a\n", "y:3: 'hosts': expected nothing, "
	  "or names with ':' behind them" },
	{ "y", "all:\n  hosts:\n    a: up\n", "y:3: 'a': expected nothing, or "
	  "names with ':' behind them" },
	{ "y", "all:\n  hosts:\n    a:\n    a:\n",
	  "y:4: 'a' is there twice" },
	{ "y", "all:\n  hosts:\n  hosts:\n",
	  "y:3: 'hosts' is there twice" },
	{ "y", "plugin: aws_ec2\n", "y:1: 'plugin': expected nothing, or names "
	  "with ':' behind them" },
	{ "y", "all:\n  hosts: &h\n    a:\n", "y:2: an anchor or alias "
	  "found" },
	{ "y", "all:\n  vars:\n    x: *h\n", "y:3: an anchor or alias found" },
	{ "y", "all:\n\thosts:\n", "y:2: no YAML: found character that cannot "
	  "start any token" },
	{ "y", "all:\n  hosts:\n    a:\n      ansible_host: [x]\n",
	  "y:4: ansible_host: expected one value" },
	{ "y", "all:\n  hosts:\n    a:\n      ansible_host: !vault |\n"
	  "        " HIDDEN "\n", "y:4: ansible_host: a tag such as !vault "
	  "found" },
	{ "y", "all:\n  hosts:\n    a:\n      ansible_port: 0x16\n",
	  "y:4: host 'a': ansible_port: '0x16' found" },
	{ "y", "all:\n  hosts:\n    a:\n      ansible_host: '{{ x }}'\n",
	  "y:4: host 'a': ansible_host: an expression found" },
	{ "y", "all:\n  hosts:\n    a b:\n", "y:3: 'a b' is no node name" },
	{ "y", "all:\n  hosts:\n    ~a~:\n", "y:3: '~a~' is no node name" },
	{ "y", "all:\n  hosts:\n    ? [a]\n    : b\n", "y:3: expected a name" },
	{ "y", "a:\n  children:\n    a:\n      hosts:\n        h:\n",
	  "y:1: group 'a' contains itself" },
	{ "y", "all:\n  hosts:\n    h:\n---\nall:\n",
	  "y:4: a second document" },
};

static void refuse_all(const struct bad *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct mesh m = { 0 };
		struct strings notes = { 0 };
		struct err e = { 0 };

		if (read_text(&m, &notes, list[i].file, list[i].text, &e) == 0)
			fail_msg("taken: %s", list[i].text);
		assert_begins(e.msg, list[i].message);
		assert_int_equal(e.code, ERR_INPUT);
		assert_null(strstr(e.msg, HIDDEN));
		assert_null(m.nodes.items);
		strings_done(&notes);
	}
}

#define REFUSE(table) refuse_all(table, sizeof table / sizeof *table)

static void test_bad_conf(void **state)
{
	(void)state;
	REFUSE(bad_conf);
}

static void test_bad_csv(void **state)
{
	(void)state;
	REFUSE(bad_csv);
}

static void test_bad_ini(void **state)
{
	(void)state;
	REFUSE(bad_ini);
}

static void test_bad_yaml(void **state)
{
	(void)state;
	REFUSE(bad_yaml);
}

static void test_zero_byte(void **state)
{
	static const char text[] = "a\nb\0c\n";
	struct inventory_file f = { .name = "h", .text = text,
				    .len = sizeof text - 1 };
	struct strings notes = { 0 };
	struct mesh m = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(inventory_read(&m, &f, &notes, &e), -1);
	assert_begins(e.msg, "h:2: a zero byte");
}

/* Groups within groups: too deep, and too many ways to one group. */
static void test_bad_nesting(void **state)
{
	AUTO(sbuf_done) struct sbuf deep = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf wide = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf values = SBUF_INIT;
	struct strings notes = { 0 };
	struct mesh m = { 0 };
	struct err e;

	(void)state;
	for (int i = 0; i < 100; i++)
		sbuf_printf(&deep, "[g%d:children]\ng%d\n", i, i + 1);
	assert_int_equal(read_text(&m, &notes, "h", deep.s, &e), -1);
	assert_begins(e.msg, "h:126: group 'g63': groups in groups more "
			    "than 64 deep");
	for (int layer = 0; layer < 20; layer++)
		for (int i = 0; i < 150; i++) {
			sbuf_printf(&wide, "[g%d-%d:children]\n", layer, i);
			for (int k = 0; k < 150; k++)
				sbuf_printf(&wide, "g%d-%d\n", layer + 1, k);
		}
	assert_int_equal(read_text(&m, &notes, "h", wide.s, &e), -1);
	assert_begins(e.msg, "h: too many groups in groups");
	sbuf_puts(&values, "all:\n  vars:\n    x: ");
	for (int i = 0; i < 100; i++)
		sbuf_putc(&values, '[');
	assert_int_equal(read_text(&m, &notes, "y", values.s, &e), -1);
	assert_begins(e.msg, "y:3: nested more than 64 deep");
	strings_done(&notes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_conf),
		cmocka_unit_test(test_bad_csv),
		cmocka_unit_test(test_bad_ini),
		cmocka_unit_test(test_bad_yaml),
		cmocka_unit_test(test_zero_byte),
		cmocka_unit_test(test_bad_nesting),
	};

	return cmocka_run_group_tests_name("inventory_bad", tests, NULL, NULL);
}
