/* state/mesh: sorted lists, lookups, effective values, free addresses. */
#include "state/model/model.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct node *add(struct mesh *m, const char *name, const char *ip)
{
	struct node *n = nodes_insert(&m->nodes, name);

	if (ip)
		assert_true(ip_parse(strchr(ip, ':') ? &n->mesh_ip6
						     : &n->mesh_ip, ip));
	return n;
}

static void test_defaults(void **state)
{
	AUTO(mesh_done) struct mesh m;
	char text[ADDR_TEXT_MAX];
	struct err e = { 0 };
	char id[33];

	(void)state;
	mesh_init(&m);
	assert_string_equal(m.interface_name, "wg0");
	assert_string_equal(cidr_text(&m.network, text), "10.99.0.0/16");
	assert_int_equal(m.listen_port, 51820);
	assert_int_equal(m.keepalive_s, 0);
	assert_null(m.mesh_id);
	assert_int_equal(mesh_make_id(&m, &e), 0);
	assert_int_equal(strlen(m.mesh_id), 32);
	assert_int_equal(strspn(m.mesh_id, "0123456789abcdef"), 32);
	memcpy(id, m.mesh_id, sizeof id);
	assert_int_equal(mesh_make_id(&m, &e), 0);
	assert_string_equal(m.mesh_id, id);
}

static void test_sorted(void **state)
{
	static const char *const names[] = { "n2", "n10", "a", "Z", "n1", "m" };
	static const char *const sorted[] = { "Z", "a", "m",
					      "n1", "n10", "n2" };
	AUTO(mesh_done) struct mesh m;

	(void)state;
	mesh_init(&m);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(add(&m, names[i], NULL)->keepalive_s, 0);
	for (size_t i = 0; i < 6; i++) {
		assert_string_equal(m.nodes.items[i].name, sorted[i]);
		assert_ptr_equal(nodes_find(&m.nodes, sorted[i]),
				 &m.nodes.items[i]);
	}
	assert_null(nodes_find(&m.nodes, "n"));
	assert_null(nodes_find(&m.nodes, "zz"));
	assert_null(nodes_find(&m.removed, "a"));
	assert_null(mesh_group(&m, ""));
}

static void test_move_and_drop(void **state)
{
	AUTO(mesh_done) struct mesh m;

	(void)state;
	mesh_init(&m);
	add(&m, "b", "10.99.0.2");
	add(&m, "a", "10.99.0.1");
	add(&m, "c", "10.99.0.3");
	assert_false(nodes_move(&m.nodes, &m.removed, "x"));
	assert_true(nodes_move(&m.nodes, &m.removed, "b"));
	assert_int_equal(m.nodes.len, 2);
	assert_string_equal(m.removed.items[0].name, "b");
	add(&m, "b", "10.99.0.22");
	assert_true(nodes_move(&m.nodes, &m.removed, "b"));
	assert_int_equal(m.removed.len, 1);
	assert_int_equal(m.removed.items[0].mesh_ip.b[3], 22);
	assert_false(nodes_drop(&m.nodes, "b"));
	assert_true(nodes_drop(&m.nodes, m.nodes.items[0].name));
	assert_int_equal(m.nodes.len, 1);
	assert_string_equal(m.nodes.items[0].name, "c");
}

static void test_effective(void **state)
{
	AUTO(mesh_done) struct mesh m;
	struct node *n;

	(void)state;
	mesh_init(&m);
	n = add(&m, "a", NULL);
	m.listen_port = 0;
	assert_int_equal(node_port(&m, n), 51820);
	m.listen_port = 51999;
	assert_int_equal(node_port(&m, n), 51999);
	n->listen_port = 41000;
	assert_int_equal(node_port(&m, n), 41000);
	assert_int_equal(node_mtu(&m, n), 0);
	m.mtu = 1400;
	assert_int_equal(node_mtu(&m, n), 1400);
	n->mtu = 1300;
	assert_int_equal(node_mtu(&m, n), 1300);
}

static void assert_endpoint(const struct mesh *m, const struct node *n,
			    const char *want)
{
	AUTO(auto_free) char *got = node_endpoint(m, n);

	assert_string_equal(got, want);
}

static void test_endpoint(void **state)
{
	AUTO(mesh_done) struct mesh m;
	struct node *n;

	(void)state;
	mesh_init(&m);
	n = add(&m, "a", NULL);
	assert_endpoint(&m, n, "");
	n->facts.address = mem_strdup("2001:db8::1");
	assert_endpoint(&m, n, "[2001:db8::1]:51820");
	n->listen_port = 4500;
	assert_endpoint(&m, n, "[2001:db8::1]:4500");
	n->behind_nat = true;
	assert_endpoint(&m, n, "");
	n->public_endpoint = mem_strdup("vpn.example.org:7");
	assert_endpoint(&m, n, "vpn.example.org:7");
}

static void test_by_key(void **state)
{
	AUTO(mesh_done) struct mesh m;

	(void)state;
	mesh_init(&m);
	mem_replace(&add(&m, "a", NULL)->public_key, "");
	mem_replace(&add(&m, "b", NULL)->public_key, "K");
	assert_string_equal(mesh_by_key(&m, "K")->name, "b");
	assert_null(mesh_by_key(&m, ""));
	assert_null(mesh_by_key(&m, "L"));
}

static void assert_free(const struct mesh *m, const char *network,
			const char *want)
{
	char text[ADDR_TEXT_MAX];
	struct err e = { 0 };
	struct cidr c;
	struct ip a;

	assert_true(cidr_parse(&c, network));
	if (want) {
		assert_int_equal(mesh_free_ip(m, &c, &a, &e), 0);
		assert_string_equal(ip_text(&a, text), want);
		return;
	}
	assert_int_equal(mesh_free_ip(m, &c, &a, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	snprintf(text, sizeof text, "the mesh network %s is full", network);
	assert_string_equal(e.msg, text);
}

static void test_free_ip(void **state)
{
	AUTO(mesh_done) struct mesh m;

	(void)state;
	mesh_init(&m);
	assert_free(&m, "10.99.0.0/30", "10.99.0.1");
	add(&m, "a", "10.99.0.1");
	add(&m, "x", "192.0.2.1");
	assert_free(&m, "10.99.0.0/30", "10.99.0.2");
	add(&m, "c", "10.99.0.3");
	add(&m, "b", "10.99.0.2");
	assert_free(&m, "10.99.0.0/30", NULL);
	assert_free(&m, "10.99.0.0/16", "10.99.0.4");
	assert_true(nodes_move(&m.nodes, &m.removed, "b"));
	assert_free(&m, "10.99.0.0/30", NULL);
	assert_true(nodes_drop(&m.removed, "b"));
	assert_free(&m, "10.99.0.0/30", "10.99.0.2");
	assert_free(&m, "fd99::/126", "fd99::1");
	add(&m, "v6", "fd99::1");
	assert_free(&m, "fd99::/126", "fd99::2");
}

static void test_free_ip_of_many(void **state)
{
	AUTO(mesh_done) struct mesh m;
	struct err e = { 0 };

	(void)state;
	mesh_init(&m);
	for (int i = 0; i < 2000; i++) {
		struct node *n = vec_add(&m.nodes);
		char name[16];

		snprintf(name, sizeof name, "n%05d", i);
		node_init(n, name);
		assert_int_equal(mesh_free_ip(&m, &m.network, &n->mesh_ip, &e),
				 0);
	}
	vec_sort(&m.nodes, node_compare);
	assert_free(&m, "10.99.0.0/16", "10.99.7.209");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_move_and_drop),
		cmocka_unit_test(test_effective),
		cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_by_key),
		cmocka_unit_test(test_free_ip),
		cmocka_unit_test(test_free_ip_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
