/*
 * state/saved_plan: the file of a plan is read back as it was written or not at
 * all, and what is planned now is held against it.
 */
#include "state/json/json.h"
#include "tests/unit/fixture.h"

#define SHA "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct saved_host *add_host(struct saved_plan *p, const char *node,
				   bool removed, const char *result)
{
	struct saved_host *h = vec_add(&p->hosts);

	h->node = mem_strdup(node);
	h->removed = removed;
	h->result = mem_strdup(result);
	h->observed = mem_strdup(SHA);
	h->desired = mem_strdup(removed ? "" : SHA);
	return h;
}

static void add_step(struct saved_host *h, const char *word, const char *text)
{
	struct saved_step *s = vec_add(&h->steps);

	s->word = mem_strdup(word);
	s->text = mem_strdup(text);
}

/* Two nodes with something to do, one without, one away, and a tombstone. */
static void plan_init(struct saved_plan *p)
{
	struct saved_host *h;

	memset(p, 0, sizeof *p);
	p->mesh_id = mem_strdup(MESH_ID);
	p->serial = 12;
	p->state = mem_strdup(SHA);
	p->install = true;
	h = add_host(p, "a", false, "to_change");
	add_step(h, "add_peer", "+ peer \"b\": 10.99.0.2/32");
	add_step(h, "write_boot_file", "~ boot file /etc/wireguard/wg0.conf");
	h = add_host(p, "b", false, "to_change");
	add_step(h, "set_mtu", "~ MTU 1420 -> 1380");
	add_host(p, "c", false, "unchanged");
	add_host(p, "d", false, "unreachable");
	h = add_host(p, "b", true, "to_change");
	add_step(h, "tear_down", "- interface wg0 and its unit");
}

static void written(struct sbuf *out, struct saved_plan *p)
{
	struct err e = { 0 };

	if (saved_plan_write(out, p, &e) < 0)
		fail_msg("%s", e.msg);
}

static void assert_bad(const char *text, const char *words)
{
	struct saved_plan p = { 0 };
	struct err e = { 0 };

	assert_int_equal(saved_plan_parse(&p, text, strlen(text), &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_true(text_is_printable(e.msg));
	if (!strstr(e.msg, words))
		fail_msg("no '%s' in: %s", words, e.msg);
	assert_null(p.mesh_id);
}

static void test_round_trip(void **state)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf again = SBUF_INIT;
	AUTO(saved_plan_done) struct saved_plan p, back = { 0 };
	struct err e = { 0 };

	(void)state;
	plan_init(&p);
	written(&text, &p);
	if (saved_plan_parse(&back, sbuf_str(&text), text.len, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(back.serial, 12);
	assert_true(back.install && !back.adopt && !back.force_serial);
	assert_int_equal(back.hosts.len, 5);
	assert_string_equal(back.hosts.items[0].steps.items[0].text,
			    "+ peer \"b\": 10.99.0.2/32");
	assert_true(saved_plan_host(&back, "b", true)->removed);
	assert_false(saved_plan_host(&back, "b", false)->removed);
	assert_null(saved_plan_host(&back, "a", true));
	assert_false(saved_host_runs(saved_plan_host(&back, "d", false)));
	written(&again, &back);
	assert_string_equal(sbuf_str(&text), sbuf_str(&again));
}

/* Every byte counts: none can be changed, left out or put in. */
static void test_every_byte(void **state)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(saved_plan_done) struct saved_plan p;

	(void)state;
	plan_init(&p);
	written(&text, &p);
	for (size_t i = 0; i < text.len; i++) {
		AUTO(auto_free) char *copy = mem_strdup(sbuf_str(&text));

		copy[i] ^= 1;
		assert_bad(copy, "");
		copy[i] ^= 1;
		memmove(copy + i, copy + i + 1, text.len - i);
		assert_bad(copy, "");
	}
}

static char *replaced(const char *text, const char *a, const char *b)
{
	const char *at = strstr(text, a);

	if (!at)
		fail_msg("no '%s' in: %s", a, text);
	return mem_printf("%.*s%s%s", (int)(at - text), text, b,
			  at + strlen(a));
}

static void test_edited(void **state)
{
	static const struct { const char *a, *b, *words; } c[] = {
		{ "1380", "1381", "was edited since" },
		{ ",", ", ", "was edited since" },
		{ "\"adopt\":false", "\"adopt\":true", "was edited since" },
		{ "\"adopt\":false", "\"adopt\":0", "expected true or false" },
		{ "{", "{\"more\":1,", "was edited since" },
		{ "{", "{\"hosts\":[],", "was edited since" },
		{ "\"version\":1", "\"version\":2", "version of wgmesh" },
		{ "\"c\"", "\"a\"", "not in its place" },
		{ "\"c\"", "\"\\u001b[2J\"", "no node name" },
		{ "\"steps\":[]", "\"steps\":{}", "expected a list" },
		{ "\"steps\":[]", "\"steps\":[1]", "expected an object" },
		{ "\"hosts\":[", "\"hosts\":[null,", "expected an object" },
		{ "\"serial\":12", "\"serial\":-1", "expected 0 or more" },
		{ "}\n", "}\n}\n", "line" },
	};
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(saved_plan_done) struct saved_plan p;

	(void)state;
	plan_init(&p);
	written(&text, &p);
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		AUTO(auto_free) char *edited =
			replaced(sbuf_str(&text), c[i].a, c[i].b);

		assert_bad(edited, c[i].words);
	}
	assert_bad("", "expected a JSON object");
	assert_bad("[]", "expected");
	assert_bad("{}", "version of wgmesh");
}

/* ---- against what is planned now ---- */

static void assert_hosts(const struct saved_plan *now, const char *words)
{
	AUTO(saved_plan_done) struct saved_plan saved;
	struct err e = { 0 };
	int ret;

	plan_init(&saved);
	ret = saved_plan_check_hosts(&saved, now, &e);
	assert_int_equal(ret, words ? -1 : 0);
	if (!words)
		return;
	assert_int_equal(e.code, ERR_CONFLICT);
	if (!strstr(e.msg, words))
		fail_msg("no '%s' in: %s", words, e.msg);
}

static void test_hosts(void **state)
{
	AUTO(saved_plan_done) struct saved_plan now;
	struct saved_host *a, *c;

	(void)state;
	plan_init(&now);
	a = &now.hosts.items[0];
	c = &now.hosts.items[2];
	assert_hosts(&now, NULL);
	mem_replace(&now.hosts.items[3].observed, "x"); /* stays out */
	assert_hosts(&now, NULL);
	mem_replace(&c->observed, "x");
	assert_hosts(&now, ": host 'c' is not as it was");
	mem_replace(&c->observed, SHA);
	add_step(c, "set_mtu", "~ MTU");
	assert_hosts(&now, ": host 'c' step 1 would be '~ MTU' now, was "
			   "'nothing'");
	now.hosts.items[1].steps.len = 0;
	assert_hosts(&now, "was '~ MTU 1420 -> 1380'; host 'c' step 1");
	now.hosts.items[1].steps.len = 1;
	mem_replace(&c->result, "failed");
	assert_hosts(&now, ": host 'c' is failed now");
	mem_replace(&c->node, "cc");
	assert_hosts(&now, ": host 'c' is no host");
	mem_replace(&c->node, "c");
	mem_replace(&c->result, "unchanged");
	free(c->steps.items[0].word);
	free(c->steps.items[0].text);
	c->steps.len = 0;
	mem_replace(&a->steps.items[0].word, "set_peer");
	assert_hosts(&now, ": host 'a' step 1");
	mem_replace(&a->steps.items[0].word, "add_peer");
	mem_replace(&a->steps.items[1].text, "x");
	assert_hosts(&now, ": host 'a' step 2 would be 'x' now, was '~ boot");
	mem_replace(&a->steps.items[1].text,
		    "~ boot file /etc/wireguard/wg0.conf");
	mem_replace(&a->desired, "x");
	assert_hosts(&now, ": host 'a' would get something else");
}

static void test_state(void **state)
{
	AUTO(saved_plan_done) struct saved_plan saved, now;
	struct err e = { 0 };

	(void)state;
	plan_init(&saved);
	plan_init(&now);
	assert_int_equal(saved_plan_check_state(&saved, &now, &e), 0);
	now.serial++;
	assert_int_equal(saved_plan_check_state(&saved, &now, &e), -1);
	assert_non_null(strstr(e.msg, "(serial 13, the plan has 12)"));
	now.serial--;
	mem_replace(&now.state, "x");
	assert_int_equal(saved_plan_check_state(&saved, &now, &e), -1);
	assert_non_null(strstr(e.msg, "by hand?"));
	mem_replace(&now.mesh_id, "x");
	assert_int_equal(saved_plan_check_state(&saved, &now, &e), -1);
	assert_non_null(strstr(e.msg, "another mesh"));
	assert_int_equal(e.code, ERR_CONFLICT);
}

/* ---- what a state says ---- */

static void digest_of(char out[DIGEST_HEX + 1], const char *node)
{
	AUTO(auto_free) char *text = mem_printf("'mesh_id':'" MESH_ID
						"','nodes':{'a':{%s}}", node);
	AUTO(mesh_done) struct mesh m;

	mesh_of(&m, text);
	saved_plan_state(&m, out);
}

/* @same: what @node says of a is what a deploy found out, or nothing. */
static void assert_digest(const char *node, bool same)
{
	char plain[DIGEST_HEX + 1], other[DIGEST_HEX + 1];
	AUTO(auto_free) char *with =
		mem_printf("'mesh_ip':'10.99.0.1','key':'host',%s", node);

	digest_of(plain, "'mesh_ip':'10.99.0.1','key':'host'");
	digest_of(other, with);
	if (same != (strcmp(plain, other) == 0))
		fail_msg("%s", node);
}

static void test_digest(void **state)
{
	(void)state;
	assert_digest("'ssh_host_keys':['ssh-ed25519 AAAA']", true);
	assert_digest("'actual_hostname':'x','fqdn':'x.example.org'", true);
	assert_digest("'facts':{'address':'192.0.2.1','deployed':true,"
		      "'addresses':['192.0.2.1/24']}", true);
	assert_digest("'behind_nat':true,'facts':{'nat_from':'said'}", true);
	assert_digest("'public_key':'" KEY_A "'", true);
	assert_digest("'behind_nat':true", false);
	assert_digest("'listen_port':5", false);
	assert_digest("'private_key':'" KEY_A "'", false);
	assert_digest("'key':'state','public_key':'" KEY_A "'", false);
	assert_digest("'routable_networks':['10.1.0.0/16']", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_edited),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
