/*
 * acl/: who is whose peer and for what, and which groups and policies are
 * valid.
 */
#include "acl/access.h"
#include "base/auto.h"
#include "state/json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PEER ACCESS_PEER
#define MESH_IP ACCESS_MESH_IP
#define NETWORKS ACCESS_NETWORKS
#define ALL (PEER | MESH_IP | NETWORKS)

/* The mesh of nodes a to e with these groups and policies (JSON members). */
static void load(struct mesh *m, const char *groups, const char *policies)
{
	char *text = mem_printf("{\"network\":\"10.99.0.0/16\",\"nodes\":{"
				"\"a\":{},\"b\":{},\"c\":{},\"d\":{},\"e\":{}},"
				"\"groups\":{%s},\"access_policies\":[%s]}",
				groups, policies);
	struct err e = { 0 };

	memset(m, 0, sizeof *m);
	if (state_parse(m, text, strlen(text), &e) < 0)
		fail_msg("%s: %s", text, e.msg);
	free(text);
}

/* What a to e are to the node @from: one flag byte each. */
static void assert_flags(const struct access *a, size_t from,
			 const uint8_t want[5])
{
	uint8_t got[5];

	memset(got, 0xff, sizeof got);
	access_of(a, from, got);
	assert_memory_equal(got, want, sizeof got);
}

#define POLICY(name, from, to, ips, nets)                                     \
	"{\"name\":\"" name "\",\"from_groups\":[" from "],\"to_groups\":["   \
	to "],\"allow_mesh_ips\":" ips ",\"allow_routable_networks\":" nets "}"

static void test_full_mesh(void **state)
{
	AUTO(mesh_done) struct mesh m;
	struct access *a;

	(void)state;
	load(&m, "", "");
	a = access_new(&m);
	assert_false(access_enabled(&m));
	assert_flags(a, 0, (uint8_t[]){ 0, ALL, ALL, ALL, ALL });
	assert_flags(a, 4, (uint8_t[]){ ALL, ALL, ALL, ALL, 0 });
	access_free(a);
	access_free(NULL);
}

static void test_deny_by_default(void **state)
{
	AUTO(mesh_done) struct mesh m;
	struct access *a;

	(void)state;
	load(&m, "\"g\":{\"members\":[\"a\",\"b\"]}", "");
	a = access_new(&m);
	assert_true(access_enabled(&m));
	for (size_t i = 0; i < 5; i++)
		assert_flags(a, i, (uint8_t[]){ 0, 0, 0, 0, 0 });
	access_free(a);
}

/* One direction: both are peers, the networks go to the side that starts. */
static void test_direction(void **state)
{
	AUTO(mesh_done) struct mesh m;
	struct access *a;

	(void)state;
	load(&m, "\"x\":{\"members\":[\"a\"]},\"y\":{\"members\":[\"b\",\"c\"]}",
	     POLICY("p", "\"x\"", "\"y\"", "true", "true"));
	a = access_new(&m);
	assert_flags(a, 0, (uint8_t[]){ 0, ALL, ALL, 0, 0 });
	assert_flags(a, 1, (uint8_t[]){ PEER, 0, 0, 0, 0 });
	assert_flags(a, 2, (uint8_t[]){ PEER, 0, 0, 0, 0 });
	assert_flags(a, 3, (uint8_t[]){ 0, 0, 0, 0, 0 });
	access_free(a);
}

/* What several policies give adds up; a node never is its own peer. */
static void test_sum(void **state)
{
	AUTO(mesh_done) struct mesh m;
	struct access *a;

	(void)state;
	load(&m, "\"x\":{\"members\":[\"a\",\"b\"]},\"y\":{\"members\":"
		 "[\"b\",\"c\"]}",
	     POLICY("ips", "\"x\"", "\"y\"", "true", "false") ","
	     POLICY("nets", "\"x\"", "\"y\"", "false", "true") ","
	     POLICY("none", "\"y\"", "\"x\"", "false", "false"));
	a = access_new(&m);
	assert_flags(a, 0, (uint8_t[]){ 0, ALL, ALL, 0, 0 });
	assert_flags(a, 1, (uint8_t[]){ PEER, 0, ALL, 0, 0 });
	assert_flags(a, 2, (uint8_t[]){ PEER, PEER, 0, 0, 0 });
	access_free(a);
}

/* In the from and the to groups of one policy, but alone on its own side. */
static void test_both_sides(void **state)
{
	AUTO(mesh_done) struct mesh m;
	struct access *a;

	(void)state;
	load(&m, "\"from\":{\"members\":[\"a\",\"b\"]},\"to\":{\"members\":"
		 "[\"a\",\"c\"]}",
	     POLICY("p", "\"from\"", "\"to\"", "true", "true"));
	a = access_new(&m);
	/* b is on the from side alone: a gets nothing behind it */
	assert_flags(a, 0, (uint8_t[]){ 0, PEER, ALL, 0, 0 });
	assert_flags(a, 1, (uint8_t[]){ ALL, 0, ALL, 0, 0 });
	assert_flags(a, 2, (uint8_t[]){ PEER, PEER, 0, 0, 0 });
	access_free(a);
}

static void test_ghosts_are_absent(void **state)
{
	AUTO(mesh_done) struct mesh m;
	struct access *a;

	(void)state;
	load(&m, "\"g\":{\"members\":[\"ghost\",\"a\",\"a\",\"zz\"]}",
	     POLICY("p", "\"g\",\"nowhere\"", "\"g\",\"nowhere\"", "true",
		    "true"));
	a = access_new(&m);
	assert_flags(a, 0, (uint8_t[]){ 0, 0, 0, 0, 0 });
	access_free(a);
}

static void test_groups_of(void **state)
{
	AUTO(mesh_done) struct mesh m;
	struct strings groups = { 0 };

	(void)state;
	load(&m, "\"z\":{\"members\":[\"a\"]},\"B\":{\"members\":[\"b\",\"a\"]},"
		 "\"y\":{\"members\":[]},\"n\":{\"members\":null}", "");
	access_groups_of(&m, "a", &groups);
	assert_int_equal(groups.len, 2);
	assert_string_equal(groups.items[0], "B");
	assert_string_equal(groups.items[1], "z");
	access_groups_of(&m, "e", &groups);
	assert_int_equal(groups.len, 2);
	strings_done(&groups);
}

/* ---- validation ---- */

static void assert_valid(const char *groups, const char *policies,
			 size_t warnings)
{
	AUTO(mesh_done) struct mesh m;
	AUTO(findings_done) struct findings got = { 0 };

	load(&m, groups, policies);
	access_check(&got, &m);
	if (got.len)
		fail_msg("refused: %s", got.items[0].text);
	access_advise(&got, &m);
	assert_int_equal(got.len, warnings);
	assert_int_equal(findings_errors(&got), 0);
}

static void assert_invalid(const char *groups, const char *policies,
			   const char *words)
{
	AUTO(mesh_done) struct mesh m;
	AUTO(findings_done) struct findings got = { 0 };

	load(&m, groups, policies);
	access_check(&got, &m);
	assert_int_equal(got.len, 1);
	assert_true(got.items[0].error);
	assert_string_equal(got.items[0].text, words);
}

#define EVERYBODY "\"g\":{\"members\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}"
#define G "\"g\""

static void test_valid(void **state)
{
	(void)state;
	assert_valid("", "", 0);
	assert_valid(EVERYBODY, POLICY("p", G, G, "true", "true"), 0);
	assert_valid(EVERYBODY, POLICY("", G, G, "true", "true"), 0);
	/* groups without policies; nodes in no group */
	assert_valid(EVERYBODY, "", 1);
	assert_valid("\"g\":{\"members\":[\"a\",\"b\"]}",
		     POLICY("p", G, G, "true", "true"), 1);
	/* one side needs one member, whatever the other groups hold */
	assert_valid(EVERYBODY ",\"o\":{\"members\":[]}",
		     POLICY("p", "\"o\",\"g\"", "\"g\",\"o\"", "true", "true"),
		     0);
}

static void test_invalid(void **state)
{
	(void)state;
	assert_invalid("\"g\":{\"members\":[\"a\",\"b\",\"a\"]}", "",
		       "group 'g' has member 'a' twice");
	assert_invalid("\"g\":{\"members\":[\"a\",\"ghost\"]}", "",
		       "group 'g' has member 'ghost', which is no node of this "
		       "mesh");
	assert_invalid(EVERYBODY, POLICY("p", "", G, "true", "true"),
		       "policy 'p' has no from_groups, expected at least one "
		       "group");
	assert_invalid(EVERYBODY, POLICY("p", G, "", "true", "true"),
		       "policy 'p' has no to_groups, expected at least one "
		       "group");
	assert_invalid(EVERYBODY, POLICY("p", "\"x\"", G, "true", "true"),
		       "policy 'p': from_groups names 'x', which is no group");
	assert_invalid(EVERYBODY, POLICY("p", G, "\"g\",\"x\"", "true", "true"),
		       "policy 'p': to_groups names 'x', which is no group");
	assert_invalid(EVERYBODY, POLICY("p", G, G, "true", "true") ","
				  POLICY("p", G, G, "true", "true"),
		       "policy name 'p' is there twice");
	assert_invalid(EVERYBODY, "{\"from_groups\":[\"g\"],\"to_groups\":"
				  "[\"g\"]},{\"from_groups\":[\"g\"],"
				  "\"to_groups\":[\"g\"]}",
		       "policy name '' is there twice");
	assert_invalid(EVERYBODY ",\"o\":{\"members\":[]}",
		       POLICY("p", "\"o\"", G, "true", "true"),
		       "policy 'p' matches no nodes: the groups of one side "
		       "are all empty");
}

/* The nodes that are in no group are named. */
static void test_warnings(void **state)
{
	AUTO(mesh_done) struct mesh m;
	AUTO(findings_done) struct findings got = { 0 };

	(void)state;
	load(&m, "\"g\":{\"members\":[\"b\",\"d\"]}",
	     POLICY("p", G, G, "true", "true"));
	access_advise(&got, &m);
	assert_int_equal(got.len, 1);
	assert_string_equal(got.items[0].text,
			    "in no group, so without any peer: a, c, e");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_mesh),
		cmocka_unit_test(test_deny_by_default),
		cmocka_unit_test(test_direction),
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_both_sides),
		cmocka_unit_test(test_ghosts_are_absent),
		cmocka_unit_test(test_groups_of),
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_warnings),
	};

	return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
