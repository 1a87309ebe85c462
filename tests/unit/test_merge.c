/* Three-way merge, case by case. */
#include "merging.h"

#include "state/model/model.h"

static void merge(struct merged *m, const char *base, const char *ours,
		  const char *theirs)
{
	memset(m, 0, sizeof *m);
	mesh_of(&m->base, base);
	mesh_of(&m->ours, ours);
	mesh_of(&m->theirs, theirs);
	merge_sides(m);
}

/* The conflicts as lines. */
static char *conflict_lines(const struct conflicts *all)
{
	struct sbuf b = SBUF_INIT;

	for (size_t i = 0; i < all->len; i++) {
		conflict_text(&b, &all->items[i]);
		sbuf_putc(&b, '\n');
	}
	return b.len ? sbuf_detach(&b) : mem_strdup("");
}

static void expect_conflicts(const struct merged *m, const char *lines)
{
	AUTO(auto_free) char *got = conflict_lines(&m->conflicts);

	assert_string_equal(got, lines);
}

static void expect_diff(const struct mesh *a, const struct mesh *b,
			const char *lines)
{
	AUTO(auto_free) char *got = diff_lines(a, b);

	assert_string_equal(got, lines);
}

static void resolve(struct mesh *m, enum mesh_part part, const char *name,
		    const char *field, enum merge_side side)
{
	struct err e = { 0 };

	reread(m);
	if (merge_resolve(m, part, name, field, side, &e) < 0)
		fail_msg("%s", e.msg);
	reread(m);
}

#define NODE(name, ip, more) \
	"'" name "':{'mesh_ip':'" ip "','ssh_host':'" name "'" more "}"
#define A NODE("a", "10.99.0.1", "")
#define B NODE("b", "10.99.0.2", "")

static void test_both_add(void **state)
{
	AUTO(merged_done) struct merged m;

	(void)state;
	merge(&m, "'serial':7,'nodes':{" A "}",
	      "'serial':8,'nodes':{" A "," B "}",
	      "'serial':11,'nodes':{" A "," NODE("c", "10.99.0.3", "") "}");
	expect_conflicts(&m, "");
	assert_false(mesh_has_conflicts(&m.out));
	assert_int_equal(m.out.serial, 12);
	expect_diff(&m.base, &m.out,
		    "+ node b: ssh b, address 10.99.0.2\n"
		    "+ node c: ssh c, address 10.99.0.3\n");
}

/* Each side's own fields of one node, and of what lies beside the nodes. */
static void test_different_fields(void **state)
{
	AUTO(merged_done) struct merged m;

	(void)state;
	merge(&m, "'nodes':{" A "}",
	      "'keepalive':9,'nodes':{" NODE("a", "10.99.0.1",
					     ",'mtu':1400") "},"
	      "'recipients':['age1x'],'x-ours':{'a':1}",
	      "'mtu':1300,'nodes':{" NODE("a", "10.99.0.1",
					  ",'listen_port':5,'x':[1.50]") "},"
	      "'recipients':['age1y'],'x-theirs':null");
	expect_conflicts(&m, "");
	expect_diff(&m.base, &m.out,
		    "~ mesh: mtu unset -> 1300\n"
		    "~ mesh: keepalive unset -> 9\n"
		    "~ node a: port 51820 -> 5\n"
		    "~ node a: mtu unset -> 1400\n"
		    "~ mesh: recipients +age1x, age1y\n");
	assert_int_equal(m.out.extras.len, 2);
	assert_string_equal(m.out.extras.items[0].json, "{\"a\":1}");
	assert_string_equal(m.out.extras.items[1].json, "null");
	assert_string_equal(m.out.nodes.items[0].extras.items[0].json,
			    "[1.50]");
}

static void test_same_field(void **state)
{
	AUTO(merged_done) struct merged m;

	(void)state;
	merge(&m, "'nodes':{" A "}",
	      "'nodes':{" NODE("a", "10.99.0.1", ",'listen_port':5") "}",
	      "'nodes':{" NODE("a", "10.99.0.1", ",'listen_port':6") "}");
	expect_conflicts(&m, "node a: port: unset before, 5 ours, 6 theirs\n");
	reread(&m.out);
	assert_true(mesh_has_conflicts(&m.out));
	assert_int_equal(m.out.nodes.items[0].listen_port, 5);
	resolve(&m.out, PART_NODE, "a", "port", MERGE_THEIRS);
	assert_false(mesh_has_conflicts(&m.out));
	assert_int_equal(m.out.nodes.items[0].listen_port, 6);
}

/* Host, user and port are one: no login that nobody asked for. */
static void test_ssh_is_one(void **state)
{
	AUTO(merged_done) struct merged m;

	(void)state;
	merge(&m, "'nodes':{'a':{'ssh_host':'old'}}",
	      "'nodes':{'a':{'ssh_host':'new'}}",
	      "'nodes':{'a':{'ssh_host':'old','ssh_user':'ops',"
	      "'ssh_port':2222}}");
	expect_conflicts(&m, "node a: ssh: old before, new ours, "
			     "ops@old:2222 theirs\n");
	resolve(&m.out, PART_NODE, "a", "ssh", MERGE_THEIRS);
	assert_string_equal(m.out.nodes.items[0].ssh_host, "old");
	assert_string_equal(m.out.nodes.items[0].ssh_user, "ops");
	assert_int_equal(m.out.nodes.items[0].ssh_port, 2222);
}

#define KEYS(pub, priv) ",'public_key':'" pub "','private_key':'" priv "'"

/* The private key goes with its public one, is never shown, and survives. */
static void test_keys(void **state)
{
	AUTO(merged_done) struct merged m;
	struct node *n;

	(void)state;
	merge(&m, "'nodes':{" NODE("a", "10.99.0.1",
				   KEYS(KEY_A, "secret-a")) "}",
	      "'nodes':{" NODE("a", "10.99.0.1", KEYS(KEY_B, "secret-b")) "}",
	      "'nodes':{" NODE("a", "10.99.0.1", KEYS(KEY_C, "secret-c")) "}");
	expect_conflicts(&m,
			 "node a: keys: aaaaaaaa... with its private key in "
			 "the state before, bbbbbbbb... with its private key "
			 "in the state ours, cccccccc... with its private key "
			 "in the state theirs\n");
	assert_true(conflicts_hold_secrets(&m.out));
	resolve(&m.out, PART_NODE, "a", "keys", MERGE_THEIRS);
	n = &m.out.nodes.items[0];
	assert_string_equal(n->public_key, KEY_C);
	assert_string_equal(secret_text(&n->private_key), "secret-c");
	assert_false(conflicts_hold_secrets(&m.out));
}

static void test_hidden(void **state)
{
	AUTO(merged_done) struct merged m;
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

	(void)state;
	merge(&m, "'nodes':{" NODE("a", "10.99.0.1",
				   KEYS(KEY_A, "secret-a")) "}",
	      "'nodes':{}",
	      "'nodes':{" NODE("a", "10.99.0.1", KEYS(KEY_A, "secret-a")
			       ",'mtu':1400") "}");
	expect_conflicts(&m, "node a: address 10.99.0.1, keys aaaaaaaa... "
			     "with its private key in the state, ssh a before, "
			     "none ours, address 10.99.0.1, keys aaaaaaaa... "
			     "with its private key in the state, ssh a, mtu "
			     "1400 theirs\n");
	conflicts_hide_secrets(&m.out);
	state_format(&text, &m.out);
	assert_null(strstr(sbuf_str(&text), "secret-a"));
	assert_non_null(strstr(sbuf_str(&text), "(hidden)"));
}

/* The key moves to the host on one side, is made anew on the other. */
static void test_key_moved(void **state)
{
	AUTO(merged_done) struct merged m;

	(void)state;
	merge(&m, "'nodes':{" NODE("a", "10.99.0.1", KEYS(KEY_A, "x")) "}",
	      "'nodes':{" NODE("a", "10.99.0.1",
			       ",'public_key':'" KEY_A "','key':'host'") "}",
	      "'nodes':{" NODE("a", "10.99.0.1", KEYS(KEY_B, "y")) "}");
	expect_conflicts(&m,
			 "node a: keys: aaaaaaaa... with its private key in "
			 "the state before, aaaaaaaa... (key: host) ours, "
			 "bbbbbbbb... with its private key in the state "
			 "theirs\n");
	resolve(&m.out, PART_NODE, "a", "keys", MERGE_THEIRS);
	assert_null(m.out.nodes.items[0].key);
	assert_string_equal(m.out.nodes.items[0].public_key, KEY_B);
}

/* Both took the lowest free address. */
static void test_same_address(void **state)
{
	AUTO(merged_done) struct merged m;

	(void)state;
	for (int side = MERGE_OURS; side <= MERGE_THEIRS; side++) {
		struct node *b, *c;

		merge(&m, "'nodes':{" A "}", "'nodes':{" A "," B "}",
		      "'nodes':{" A "," NODE("c", "10.99.0.2", "") "}");
		expect_conflicts(&m, "node c: address: 10.99.0.2 is that of "
				     "node b, too\n");
		reread(&m.out);
		assert_int_equal(m.out.nodes.items[2].mesh_ip.family, 0);
		resolve(&m.out, PART_NODE, "c", "address",
			(enum merge_side)side);
		b = nodes_find(&m.out.nodes, "b");
		c = nodes_find(&m.out.nodes, "c");
		assert_int_equal(b->mesh_ip.b[3],
				 side == MERGE_OURS ? 2 : 3);
		assert_int_equal(c->mesh_ip.b[3],
				 side == MERGE_OURS ? 3 : 2);
		if (side == MERGE_OURS)
			merged_done(&m);
	}
}

/* Addresses that were passed on: one that goes back pushes the next one. */
static void test_address_chain(void **state)
{
	AUTO(merged_done) struct merged m;

	(void)state;
	merge(&m, "'nodes':{" A "," B "}",
	      "'nodes':{" A "," B "," NODE("c", "10.99.0.3", "") "}",
	      "'nodes':{" NODE("a", "10.99.0.3", "") ","
	      NODE("b", "10.99.0.1", "") "}");
	expect_conflicts(&m,
			 "node a: address: 10.99.0.3 is that of node c, too\n"
			 "node b: address: 10.99.0.1 is that of node a, "
			 "too\n");
	expect_diff(&m.ours, &m.out, "");
}

static void test_same_route(void **state)
{
	AUTO(merged_done) struct merged m;

	(void)state;
	merge(&m, "'nodes':{" A "," B "}",
	      "'nodes':{" NODE("a", "10.99.0.1",
			       ",'routable_networks':['10.1.0.0/16']") ","
	      B "}",
	      "'nodes':{" A "," NODE("b", "10.99.0.2",
				     ",'routable_networks':['10.2.0.0/16',"
				     "'10.1.0.0/16']") "}");
	expect_conflicts(&m, "node b: routes/10.1.0.0/16: 10.1.0.0/16 is that "
			     "of node a, too\n");
	expect_diff(&m.ours, &m.out, "~ node b: routes +10.2.0.0/16\n");
	resolve(&m.out, PART_NODE, "b", "routes/10.1.0.0/16", MERGE_THEIRS);
	expect_diff(&m.theirs, &m.out, "");
}

#define DEPLOYED ",'facts':{'deployed':true}"

/* Removed here, changed there; and the other way round. */
static void test_removed_and_changed(void **state)
{
	AUTO(merged_done) struct merged m;
	static const char base[] = "'nodes':{" A ","
		NODE("b", "10.99.0.2", DEPLOYED) "},"
		"'groups':{'g':{'members':['a','b']}}";
	static const char removed[] = "'nodes':{" A "},"
		"'removed_nodes':{" NODE("b", "10.99.0.2", DEPLOYED) "},"
		"'groups':{'g':{'members':['a']}}";
	static const char changed[] = "'nodes':{" A ","
		NODE("b", "10.99.0.2", ",'mtu':1400" DEPLOYED) "},"
		"'groups':{'g':{'members':['a','b']}}";

	(void)state;
	merge(&m, base, removed, changed);
	assert_int_equal(m.conflicts.len, 1);
	assert_null(m.conflicts.items[0].field);
	assert_null(m.conflicts.items[0].ours);
	expect_diff(&m.ours, &m.out, "");
	resolve(&m.out, PART_NODE, "b", NULL, MERGE_THEIRS);
	expect_diff(&m.theirs, &m.out, "");
	merged_done(&m);

	merge(&m, base, changed, removed);
	assert_int_equal(m.conflicts.len, 1);
	assert_null(m.conflicts.items[0].theirs);
	expect_diff(&m.ours, &m.out, "");
	resolve(&m.out, PART_NODE, "b", "-", MERGE_THEIRS);
	expect_diff(&m.theirs, &m.out, "");
	merged_done(&m);

	merge(&m, base, changed, removed);
	resolve(&m.out, PART_NODE, "b", "-", MERGE_OURS);
	expect_diff(&m.ours, &m.out, "");
}

/* What a deploy found out is no change; but its host is set up since. */
static void test_removed_and_deployed(void **state)
{
	AUTO(merged_done) struct merged m;

	(void)state;
	merge(&m, "'nodes':{" A "," B "}", "'nodes':{" A "}",
	      "'nodes':{" A "," NODE("b", "10.99.0.2", DEPLOYED) "},"
	      "'groups':{'g':{'members':['a','b']}}");
	expect_conflicts(&m, "");
	expect_diff(&m.ours, &m.out,
		    "+ group g: members a\n"
		    "~ mesh: nodes to take off their hosts +b\n");
}

/* Facts are those of the side that was saved last. */
static void test_facts(void **state)
{
	AUTO(merged_done) struct merged m;

	(void)state;
	for (int newer = 0; newer < 2; newer++) {
		merge(&m, "'nodes':{" A "}",
		      "'serial':5,'nodes':{" NODE("a", "10.99.0.1",
			      ",'fqdn':'x','facts':{'address':'192.0.2.1',"
			      "'deployed':true}") "}",
		      newer ? "'serial':6,'nodes':{" NODE("a", "10.99.0.1",
			      ",'fqdn':'y','facts':{'address':'192.0.2.2'}") "}"
			    : "'serial':4,'nodes':{" NODE("a", "10.99.0.1",
			      ",'fqdn':'y','facts':{'address':'192.0.2.2'}")
			      "}");
		expect_conflicts(&m, "");
		assert_string_equal(m.out.nodes.items[0].fqdn,
				    newer ? "y" : "x");
		assert_string_equal(m.out.nodes.items[0].facts.address,
				    newer ? "192.0.2.2" : "192.0.2.1");
		assert_true(m.out.nodes.items[0].facts.deployed);
		if (!newer)
			merged_done(&m);
	}
}

#define PEER(key, more) "{'name':'p','public_key':'" key "'" more "}"

static void test_externals(void **state)
{
	AUTO(merged_done) struct merged m;
	struct node *n;

	(void)state;
	merge(&m, "'nodes':{" NODE("a", "10.99.0.1", ",'external_peers':["
				   PEER(KEY_A, "") "]") "}",
	      "'nodes':{" NODE("a", "10.99.0.1", ",'external_peers':["
			       PEER(KEY_A, ",'keepalive':5,'preshared_key':'"
				    KEY_C "'") "]") "}",
	      "'nodes':{" NODE("a", "10.99.0.1", ",'external_peers':["
			       PEER(KEY_A, ",'keepalive':6,'preshared_key':'"
				    KEY_B "'")
			       ",{'name':'q','public_key':'" KEY_B "'}]") "}");
	expect_conflicts(&m, "node a: external/" KEY_A ": name p, keys "
			     "aaaaaaaa... before, name p, keys aaaaaaaa..., "
			     "keepalive 5 ours, name p, keys aaaaaaaa..., "
			     "keepalive 6 theirs\n");
	n = &m.out.nodes.items[0];
	assert_int_equal(n->externals.len, 2);
	assert_int_equal(n->externals.items[0].keepalive_s, 5);
	resolve(&m.out, PART_NODE, "a", "external/" KEY_A, MERGE_THEIRS);
	n = &m.out.nodes.items[0];
	assert_int_equal(n->externals.len, 2);
	assert_int_equal(n->externals.items[0].keepalive_s, 6);
	assert_string_equal(secret_text(&n->externals.items[0].preshared_key),
			    KEY_B);
}

/* Two of one name would not load: all of theirs waits for a decision. */
static void test_externals_clash(void **state)
{
	AUTO(merged_done) struct merged m;

	(void)state;
	merge(&m, "'nodes':{" A "}",
	      "'nodes':{" NODE("a", "10.99.0.1", ",'external_peers':["
			       PEER(KEY_A, "") "]") "}",
	      "'mtu':1400,'nodes':{" NODE("a", "10.99.0.1",
			      ",'external_peers':[" PEER(KEY_B, "") "]") "}");
	assert_int_equal(m.conflicts.len, 1);
	assert_string_equal(m.conflicts.items[0].field, "external");
	assert_int_equal(m.out.mtu, 1400);
	resolve(&m.out, PART_NODE, "a", "external", MERGE_THEIRS);
	assert_string_equal(
		m.out.nodes.items[0].externals.items[0].public_key, KEY_B);
}

/* The network moved here, a node came there: it loads, and can be resolved. */
static void test_network_moved(void **state)
{
	AUTO(merged_done) struct merged m;
	struct err e;

	(void)state;
	merge(&m, "'nodes':{" A "}",
	      "'network':'10.50.0.0/16','nodes':{" NODE("a", "10.50.0.1", "")
	      "}",
	      "'nodes':{" A "," NODE("b", "10.99.0.2", ",'mtu':1400") "}");
	expect_conflicts(&m, "node b: address: unset before, unset ours, "
			     "10.99.0.2 theirs\n");
	reread(&m.out);
	assert_int_equal(nodes_find(&m.out.nodes, "b")->mtu, 1400);
	assert_int_equal(merge_resolve(&m.out, PART_NODE, "b", "address",
				       MERGE_THEIRS, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_true(mesh_has_conflicts(&m.out));
	resolve(&m.out, PART_NODE, "b", "address", MERGE_OURS);
	assert_int_equal(nodes_find(&m.out.nodes, "b")->mesh_ip.b[1], 50);
}

static void test_groups_and_policies(void **state)
{
	AUTO(merged_done) struct merged m;
	static const char nodes[] = "'nodes':{" A "," B "},";
	AUTO(auto_free) char *base = mem_printf(
		"%s'groups':{'g':{'members':['a']},'h':{'members':['b']}},"
		"'access_policies':[{'name':'p','from_groups':['g'],"
		"'to_groups':['g']}]", nodes);
	AUTO(auto_free) char *ours = mem_printf(
		"%s'groups':{'g':{'members':['a','b']}},"
		"'access_policies':[{'name':'p','from_groups':['g'],"
		"'to_groups':[]}]", nodes);
	AUTO(auto_free) char *theirs = mem_printf(
		"%s'groups':{'g':{'members':[]},'h':{'members':['b']}},"
		"'access_policies':[{'name':'p','from_groups':['g'],"
		"'to_groups':['g'],'allow_mesh_ips':true},"
		"{'name':'q','from_groups':['h'],'to_groups':['g']}]", nodes);

	(void)state;
	merge(&m, base, ours, theirs);
	expect_conflicts(&m, "group h: members b before, none ours, "
			     "members b theirs\n");
	assert_string_equal(mesh_group(&m.out, "g")->members.items[0], "b");
	assert_int_equal(mesh_group(&m.out, "g")->members.len, 1);
	assert_int_equal(m.out.policies.len, 2);
	assert_int_equal(m.out.policies.items[0].to_groups.len, 0);
	assert_true(m.out.policies.items[0].allow_mesh_ips);
	resolve(&m.out, PART_GROUP, "h", NULL, MERGE_THEIRS);
	assert_non_null(mesh_group(&m.out, "h"));
}

static void test_refused(void **state)
{
	AUTO(merged_done) struct merged m = { 0 };
	struct mesh out = { 0 };
	struct err e;

	(void)state;
	mesh_of(&m.base, "'nodes':{}");
	mesh_of(&m.ours, "'nodes':{},'mesh_id':'" MESH_ID "'");
	mesh_of(&m.theirs, "'nodes':{},'mesh_id':"
			   "'ffffffffffffffffffffffffffffffff'");
	assert_int_equal(mesh_merge(&out, &m.base, &m.ours, &m.theirs,
				    &m.conflicts, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	mesh_done(&m.theirs);
	mesh_of(&m.theirs, "'nodes':{},'conflicts':[{'part':'mesh',"
			   "'field':'mtu'}]");
	assert_int_equal(mesh_merge(&out, &m.base, &m.ours, &m.theirs,
				    &m.conflicts, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_int_equal(conflicts_refuse(&m.theirs, &e), -1);
	assert_int_equal(conflicts_refuse(&m.ours, &e), 0);
}

/* What a hand wrote there is refused, or shown; nothing breaks. */
static void test_damaged(void **state)
{
	static const char *const lists[] = {
		"1", "null", "[]", "{}", "[1]", "[[]]", "[{}]",
		"[{'part':'node'}]", "[{'part':'mesh'}]",
		"[{'part':'mesh','name':'x','field':'mtu'}]",
		"[{'part':'node','name':7}]", "[{'part':'nodes','name':'a'}]",
		"[{'part':'node','name':'c','theirs':[]}]",
		"[{'part':'policy','name':'p','theirs':3}]",
		"[{'part':'mesh','field':'nodes','theirs':3}]",
		"[{'part':'mesh','field':'conflicts'}]",
	};
	static const char *const odd[] = {
		"[{'part':'node','name':'zz','field':'mtu','theirs':1}]",
		"[{'part':'node','name':'a','field':'mtu','theirs':{}}]",
		"[{'part':'node','name':'a','field':'ssh_host','theirs':1}]",
		"[{'part':'node','name':'a','field':'mtu','item':'x'}]",
		"[{'part':'node','name':'a','field':'routable_networks',"
		"'item':'x','theirs':'x'}]",
		"[{'part':'node','name':'../x','theirs':{'groups':1}}]",
		"[{'part':'node','name':'c','groups':[1,'g'],'theirs':{}}]",
		"[{'part':'group','name':'g','field':'members','theirs':3}]",
		"[{'part':'group','name':'g','field':'members','theirs':[null]}]",
		"[{'part':'node','name':'a','theirs':{'external_peers':[null],"
		"'ssh_host':[],'public_key':{'public_key':{}}}}]",
		"[{'part':'node','name':'a','field':'external_peers',"
		"'item':'x','theirs':3}]",
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		AUTO(auto_free) char *text = mem_printf(
			"'nodes':{" A "},'conflicts':%s", lists[i]);
		AUTO(mesh_done) struct mesh m;
		AUTO(conflicts_done) struct conflicts all = { 0 };

		mesh_of(&m, text);
		assert_int_equal(mesh_conflicts(&all, &m, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		assert_int_equal(conflicts_refuse(&m, &e), -1);
		assert_int_equal(merge_resolve_all(&m, MERGE_OURS, &e), -1);
		conflicts_hide_secrets(&m);
	}
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		AUTO(auto_free) char *text = mem_printf(
			"'nodes':{" A "},'groups':{'g':{}},'conflicts':%s",
			odd[i]);
		AUTO(mesh_done) struct mesh m;
		AUTO(conflicts_done) struct conflicts all = { 0 };
		AUTO(findings_done) struct findings f = { 0 };

		mesh_of(&m, text);
		assert_int_equal(mesh_conflicts(&all, &m, &e), 0);
		conflicts_check(&f, &m);
		assert_int_equal(f.len, 1);
		if (merge_resolve_all(&m, MERGE_THEIRS, &e) < 0)
			assert_int_equal(e.code, ERR_INPUT);
		reread(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_add),
		cmocka_unit_test(test_different_fields),
		cmocka_unit_test(test_same_field),
		cmocka_unit_test(test_ssh_is_one),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_key_moved),
		cmocka_unit_test(test_same_address),
		cmocka_unit_test(test_address_chain),
		cmocka_unit_test(test_same_route),
		cmocka_unit_test(test_removed_and_changed),
		cmocka_unit_test(test_removed_and_deployed),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_externals),
		cmocka_unit_test(test_externals_clash),
		cmocka_unit_test(test_network_moved),
		cmocka_unit_test(test_groups_and_policies),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
