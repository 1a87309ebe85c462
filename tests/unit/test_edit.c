/* state/edit, and telling the findings of a change from those of before. */
#include "state/model/model.h"

#include "tests/unit/fixture.h"

#define NODES                                                                  \
	"'nodes':{'a':{'mesh_ip':'10.99.0.1','hostname':'a'},"                 \
	"'b':{'mesh_ip':'10.99.0.2'},'c':{'mesh_ip':'10.99.0.3'}},"            \
	"'groups':{'one':{'members':['a','b','a']},'two':{'members':null}},"   \
	"'access_policies':[{'name':'p','from_groups':['one'],"                \
	"'to_groups':['two']}]"

static const char *joined(const struct strings *v)
{
	static char out[1024];
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < v->len; i++)
		len += (size_t)snprintf(out + len, sizeof out - len, "%s%s",
					i ? "," : "", v->items[i]);
	return out;
}

static const char *members(const struct mesh *m, const char *group)
{
	return joined(&mesh_group(m, group)->members);
}

/* A list of the words in @text. */
static struct strings words(const char *text)
{
	char *copy = mem_strdup(text), *rest = copy, *word;
	struct strings v = { 0 };

	while ((word = strsep(&rest, " ")))
		strings_add(&v, word);
	free(copy);
	return v;
}

static void assert_refused(int ret, const struct err *e, const char *text)
{
	assert_int_equal(ret, -1);
	assert_int_equal(e->code, ERR_INPUT);
	if (!strstr(e->msg, text))
		fail_msg("'%s' does not say '%s'", e->msg, text);
}

static void test_nearest_names(void **state)
{
	AUTO(mesh_done) struct mesh m;
	struct err e = { 0 };

	(void)state;
	mesh_of(&m, "'nodes':{'web1':{'mesh_ip':'10.99.0.1'},"
		    "'ab':{'mesh_ip':'10.99.0.2'}}");
	assert_non_null(edit_node(&m, "web1", &e));
	assert_null(edit_node(&m, "wweb1", &e));
	assert_non_null(strstr(e.msg, "did you mean 'web1'?"));
	/* half the name at most may be wrong */
	assert_null(edit_node(&m, "ax", &e));
	assert_non_null(strstr(e.msg, "did you mean 'ab'?"));
	assert_null(edit_node(&m, "xy", &e));
	assert_null(strstr(e.msg, "did you mean"));
	assert_null(edit_node(&m, "x", &e));
	assert_null(strstr(e.msg, "did you mean"));
	assert_null(edit_node(&m, "", &e));
	assert_null(strstr(e.msg, "did you mean"));
}

static void test_groups(void **state)
{
	AUTO(strings_done) struct strings all = words("c a b c");
	AUTO(strings_done) struct strings two = words("a b");
	AUTO(strings_done) struct strings none = { 0 };
	AUTO(mesh_done) struct mesh m;
	struct err e = { 0 };

	(void)state;
	mesh_of(&m, NODES);
	assert_int_equal(edit_group_add(&m, "one", &all, NULL, &e), 0);
	assert_string_equal(members(&m, "one"), "a,b,a,c");
	assert_int_equal(edit_group_add(&m, "two", &all, "words", &e), 0);
	assert_string_equal(members(&m, "two"), "a,b,c");
	assert_false(mesh_group(&m, "two")->members_null);
	assert_string_equal(mesh_group(&m, "two")->description, "words");
	assert_int_equal(edit_group_leave(&m, "one", &two, &e), 0);
	assert_string_equal(members(&m, "one"), "c");
	assert_refused(edit_group_leave(&m, "one", &two, &e), &e,
		       "'a' is no member of group 'one'");
	assert_refused(edit_group_remove(&m, "two", &e), &e, "'p'");
	assert_int_equal(edit_group_add(&m, "", &none, NULL, &e), -1);
	assert_int_equal(m.groups.len, 2);
}

/* Ten thousand members come and go. */
static void test_large_group(void **state)
{
	AUTO(strings_done) struct strings all = { 0 };
	AUTO(mesh_done) struct mesh m;
	struct err e = { 0 };
	char name[16];

	(void)state;
	mesh_init(&m);
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof name, "n%05d", i);
		node_init(vec_add(&m.nodes), name);
		strings_add(&all, name);
	}
	assert_int_equal(edit_group_add(&m, "g", &all, NULL, &e), 0);
	assert_int_equal(edit_group_add(&m, "g", &all, NULL, &e), 0);
	assert_int_equal(mesh_group(&m, "g")->members.len, 10000);
	assert_int_equal(edit_group_leave(&m, "g", &all, &e), 0);
	assert_int_equal(mesh_group(&m, "g")->members.len, 0);
}

static void test_groups_of(void **state)
{
	AUTO(mesh_done) struct mesh m;
	struct err e = { 0 };
	struct node *a;

	(void)state;
	mesh_of(&m, NODES);
	a = nodes_find(&m.nodes, "a");
	assert_int_equal(edit_set(&m, a, "groups", "two, three", &e), 0);
	assert_string_equal(members(&m, "one"), "b");
	assert_string_equal(members(&m, "two"), "a");
	assert_string_equal(members(&m, "three"), "a");
	assert_int_equal(edit_unset(&m, a, "groups", &e), 0);
	assert_string_equal(members(&m, "three"), "");
	assert_non_null(mesh_group(&m, "three"));
}

static void test_policies(void **state)
{
	AUTO(strings_done) struct strings one = words("one one");
	AUTO(strings_done) struct strings two = words("two");
	AUTO(mesh_done) struct mesh m;
	struct err e = { 0 };
	char name[] = "q", nothing[] = "";
	struct policy q = { .name = name, .from_groups = one,
			    .to_groups = two, .allow_mesh_ips = true };

	(void)state;
	mesh_of(&m, NODES);
	assert_int_equal(edit_policy_add(&m, &q, &e), 0);
	assert_int_equal(edit_policy_add(&m, &q, &e), 0);
	assert_int_equal(m.policies.len, 2);
	assert_string_equal(joined(&m.policies.items[1].from_groups), "one");
	q.description = nothing; /* the same as none */
	assert_int_equal(edit_policy_add(&m, &q, &e), 0);
	q.allow_routable_networks = true;
	assert_refused(edit_policy_add(&m, &q, &e), &e, "another policy 'q'");
	q.allow_routable_networks = false;
	q.allow_mesh_ips = false;
	assert_refused(edit_policy_add(&m, &q, &e), &e, "another policy 'q'");
	assert_int_equal(edit_policy_remove(&m, "q", &e), 0);
	assert_refused(edit_policy_remove(&m, "q", &e), &e, "no policy 'q'");
	assert_int_equal(m.policies.len, 1);
}

static void test_rename(void **state)
{
	AUTO(mesh_done) struct mesh m;
	struct err e = { 0 };

	(void)state;
	mesh_of(&m, NODES);
	secret_set(&nodes_find(&m.nodes, "a")->private_key, "k", 1);
	assert_int_equal(edit_rename(&m, "a", "z", &e), 0);
	assert_null(nodes_find(&m.nodes, "a"));
	assert_string_equal(m.nodes.items[2].name, "z");
	assert_string_equal(m.nodes.items[2].hostname, "z");
	assert_string_equal(secret_text(&m.nodes.items[2].private_key), "k");
	assert_string_equal(members(&m, "one"), "z,b,z");
	assert_int_equal(check_mesh(&m, &e), 0);
	/* the name may be the node's own */
	assert_int_equal(edit_rename(&m, m.nodes.items[2].name, "a", &e), 0);
	assert_string_equal(m.nodes.items[0].name, "a");
	assert_refused(edit_rename(&m, "a", "b", &e), &e, "node 'b' already");
	assert_refused(edit_rename(&m, "a", "x y", &e), &e, "'x y'");
	strings_add(&mesh_group(&m, "two")->members, "ghost");
	assert_refused(edit_rename(&m, "a", "ghost", &e), &e, "no node");
	assert_int_equal(m.nodes.len, 3);
}

static void test_rename_to_removed(void **state)
{
	AUTO(mesh_done) struct mesh m;
	struct err e = { 0 };

	(void)state;
	mesh_of(&m, NODES ",'removed_nodes':{'old':{'ssh_host':'h'}}");
	assert_refused(edit_rename(&m, "a", "old", &e), &e,
		       "'old' is still set up on h");
	assert_non_null(nodes_find(&m.nodes, "a"));
}

static void add_finding(struct findings *f, const char *code, const char *name,
			const char *value, const char *text)
{
	finding_add(f, true, code,
		    (struct finding_place){ PART_NODE, name, "routes", value },
		    "%s", text);
}

/* A host that is used again is known by the key that was pinned there. */
static void test_pins_of_removed(void **state)
{
	AUTO(mesh_done) struct mesh m;
	struct err e = { 0 };
	struct node *n;

	(void)state;
	mesh_of(&m, NODES ",'removed_nodes':{'old':{'ssh_host':'h',"
		    "'ssh_host_keys':['ssh-ed25519 AAAA']},'far':{'ssh_host':"
		    "'i','ssh_host_keys':['ssh-ed25519 BBBB']}}");
	n = spec_add(&m, "new:auto:h", &e);
	assert_non_null(n);
	assert_string_equal(joined(&n->ssh_host_keys), "ssh-ed25519 AAAA");
	assert_int_equal(m.removed.len, 1);
	n = spec_add(&m, "newer:auto:k", &e);
	assert_non_null(n);
	assert_int_equal(n->ssh_host_keys.len, 0);
}

static void test_findings_of_before(void **state)
{
	AUTO(findings_done) struct findings before = { 0 };
	AUTO(findings_done) struct findings after = { 0 };

	(void)state;
	add_finding(&before, "overlap", "b", "10.0.0.0/8", "with a");
	add_finding(&before, "overlap", "a", "10.0.0.0/8", "with b");
	add_finding(&before, "network", NULL, NULL, "no network");
	findings_sort(&before);
	/* the same place in other words */
	add_finding(&after, "overlap", "b", "10.0.0.0/8", "with c");
	assert_true(findings_have(&before, &after.items[0]));
	/* another value, node, code; for the whole mesh another text */
	add_finding(&after, "overlap", "b", "10.0.0.0/9", "with a");
	add_finding(&after, "overlap", "c", "10.0.0.0/8", "with a");
	add_finding(&after, "exit", "b", "10.0.0.0/8", "with a");
	add_finding(&after, "network", NULL, NULL, "another");
	for (size_t i = 1; i < after.len; i++)
		assert_false(findings_have(&before, &after.items[i]));
	add_finding(&after, "network", NULL, NULL, "no network");
	assert_true(findings_have(&before, &after.items[after.len - 1]));
	findings_done(&before);
	assert_false(findings_have(&before, &after.items[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nearest_names),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_large_group),
		cmocka_unit_test(test_groups_of),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_rename),
		cmocka_unit_test(test_rename_to_removed),
		cmocka_unit_test(test_pins_of_removed),
		cmocka_unit_test(test_findings_of_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
