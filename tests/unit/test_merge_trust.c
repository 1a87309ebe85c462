/*
 * state/merge_trust, state/mesh_secret, vault/proof: what a merge takes from the
 * other side without a yes, and whose a state is.
 */
#include "state/model/model.h"
#include "vault/proof.h"

#include "merging.h"

#define ONE "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define TWO "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="
#define NODE(more) "'nodes':{'a':{'mesh_ip':'10.99.0.1','ssh_host':'x'" more "}}"
/* the same node under another name, with other members */
#define KEYED(more) NODE(",'public_key':'" KEY_A "'" more)
#define RENAMED(place, more) \
	"'nodes':{'b':{'mesh_ip':'10.99.0.1','ssh_host':'" place "'," \
	"'public_key':'" KEY_A "'" more "}}"
#define PIN "'ssh_host_keys':['ssh-ed25519 AAAA']"

/* @theirs against a base that ours still is: in words, and as it comes out. */
static void assert_asked(const char *base, const char *theirs,
			 const char *part, bool asked)
{
	AUTO(merged_done) struct merged m = { 0 };
	AUTO(conflicts_done) struct conflicts shown = { 0 };
	AUTO(mesh_done) struct mesh whole = { 0 };
	AUTO(conflicts_done) struct conflicts none = { 0 };
	struct err e = { 0 };

	mesh_of(&m.base, base);
	mesh_of(&m.ours, base);
	mesh_of(&m.theirs, theirs);
	assert_int_equal(mesh_trust_changes(&shown, &m.ours, &m.theirs, &e), 0);
	assert_int_equal(shown.len, asked);
	if (asked)
		assert_string_equal(shown.items[0].field, part);
	assert_int_equal(mesh_merge(&whole, &m.base, &m.ours, &m.theirs, &none,
				    &e), 0);
	assert_int_equal(none.len, 0);
	if (mesh_merge_unattended(&m.out, &m.base, &m.ours, &m.theirs,
				  &m.conflicts, &e) < 0) {
		assert_true(asked); /* a tombstone */
		assert_int_equal(e.code, ERR_CONFLICT);
		return;
	}
	assert_int_equal(m.conflicts.len, asked);
	if (!asked)
		return;
	assert_int_equal(merge_resolve_all(&m.out, MERGE_THEIRS, &e), 0);
	conflicts_done(&shown);
	memset(&shown, 0, sizeof shown);
	assert_int_equal(mesh_trust_changes(&shown, &m.out, &m.theirs, &e), 0);
	assert_int_equal(shown.len, 0);
}

static void test_members(void **state)
{
	static const struct {
		const char *base, *theirs, *field;
	} cases[] = {
		{ NODE(""), NODE(",'mtu':1400"), NULL },
		{ NODE(""), NODE("," PIN), "host-keys" },
		{ NODE("," PIN), NODE(""), "host-keys" },
		{ NODE(""), NODE(",'ssh_user':'u'"), "ssh" },
		{ NODE(""), NODE(",'ssh_port':23"), "ssh" },
		{ NODE(""), NODE(",'exit':true"), "exit" },
		{ NODE(""), NODE(",'is_local':true"), "ssh" },
		{ NODE(""), NODE(",'is_local':false"), NULL },
		{ NODE(""), NODE(",'key':'host'"), "keys" },
		{ NODE(""), NODE(",'public_key':'" KEY_A "'"), NULL },
		{ NODE(",'public_key':'" KEY_A "'"),
		  NODE(",'public_key':'" KEY_B "'"), "keys" },
		{ NODE(""), NODE(",'Hooks':['x']"), "Hooks" },
		{ NODE(""), NODE(",'post_up':['x']"), "post_up" },
		{ NODE(",'post_up':['x']"), NODE(""), "post_up" },
		{ NODE(",'post_up':['x','y']"), NODE(",'post_up':['y','x']"),
		  "post_up" },
		{ NODE(""), NODE(",'pre_down':['x']"), "pre_down" },
		{ "'nodes':{}", NODE(",'post_up':['x']"), "post_up" },
		{ NODE(""), NODE("") ",'key':'host'", "key" },
		{ NODE("") ",'recipients':['a']",
		  NODE("") ",'recipients':['a','b']", "recipients" },
		{ NODE(""), NODE("") ",'recipients':['a']", NULL },
		{ NODE("") ",'jump_host_keys':['j ssh-ed25519 A']",
		  NODE("") ",'jump_host_keys':['j ssh-ed25519 B']",
		  "jump_host_keys" },
		{ NODE("") ",'jump_host_keys':['j ssh-ed25519 A']", NODE(""),
		  "jump_host_keys" },
		{ NODE(""), NODE("") ",'jump_host_keys':['j ssh-ed25519 A']",
		  "jump_host_keys" },
		{ NODE("") ",'verify_signatures':true", NODE(""),
		  "verify-signatures" },
		{ "'nodes':{}", NODE("," PIN), NULL },
		{ "'nodes':{}", NODE(",'exit':true"), "exit" },
		{ "'nodes':{}", NODE(",'is_local':true"), "ssh" },
		{ KEYED(""), RENAMED("x", ""), NULL },
		{ KEYED(""), RENAMED("x", ",'mtu':1400"), NULL },
		{ KEYED(""), RENAMED("y", ""), "ssh" },
		{ KEYED(""), RENAMED("x", "," PIN), "host-keys" },
		{ KEYED("," PIN), RENAMED("x", ""), "host-keys" },
		{ KEYED(""), RENAMED("x", ",'key':'host'"), "keys" },
		{ KEYED(",'exit':true"), RENAMED("x", ",'exit':true"), NULL },
		{ NODE(""), "'removed_nodes':{'a':{'ssh_host':'x'}}", NULL },
		{ KEYED(""), "'removed_nodes':{'b':{'ssh_host':'x',"
			     "'public_key':'" KEY_A "'}}", NULL },
		{ KEYED(""), "'removed_nodes':{'b':{'ssh_host':'y',"
			     "'public_key':'" KEY_A "'}}", "removed" },
		{ NODE(""), "'removed_nodes':{'a':{'ssh_host':'y'}}",
		  "removed" },
		{ NODE(""), NODE("") ",'removed_nodes':{'b':{'ssh_host':'y'}}",
		  NULL },
		{ NODE(""), NODE("") ",'removed_nodes':{'b':{'ssh_host':'y',"
				     "'is_local':true}}", "removed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_asked(cases[i].base, cases[i].theirs, cases[i].field,
			     cases[i].field != NULL);
}

/* Both sides added recipients: ours stay, and theirs is both. */
static void test_both(void **state)
{
	AUTO(merged_done) struct merged m = { 0 };
	struct err e = { 0 };

	(void)state;
	mesh_of(&m.base, NODE("") ",'recipients':['a']");
	mesh_of(&m.ours, NODE("") ",'recipients':['a','o']");
	mesh_of(&m.theirs, NODE("") ",'recipients':['a','t']");
	assert_int_equal(mesh_merge_unattended(&m.out, &m.base, &m.ours,
					       &m.theirs, &m.conflicts, &e), 0);
	assert_int_equal(m.conflicts.len, 1);
	assert_int_equal(m.out.recipients.len, 2);
	assert_int_equal(merge_resolve_all(&m.out, MERGE_THEIRS, &e), 0);
	assert_int_equal(m.out.recipients.len, 3);
}

static void test_secrets(void **state)
{
	static const char one[] = NODE("") ",'mesh_secret':'" ONE "'";
	static const char two[] = NODE("") ",'mesh_secret':'" TWO "'";
	static const char changed[] = NODE("") ",'mesh_secret':'" TWO
				      "','former_secrets':['" ONE "']";
	static const char none[] = NODE("");
	static const struct {
		const char *base, *ours, *theirs;
		enum secrets_relation want;
	} cases[] = {
		{ none, none, none, SECRETS_SAME },
		{ one, one, one, SECRETS_SAME },
		{ none, none, one, SECRETS_FIRST },
		{ none, one, none, SECRETS_OLDER },
		{ one, one, none, SECRETS_FOREIGN },
		{ one, none, one, SECRETS_FOREIGN },
		{ one, one, two, SECRETS_FOREIGN },
		{ one, one, changed, SECRETS_NEWER },
		{ one, changed, one, SECRETS_OLDER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(merged_done) struct merged m = { 0 };
		struct err e = { 0 };
		int ret;

		mesh_of(&m.base, cases[i].base);
		mesh_of(&m.ours, cases[i].ours);
		mesh_of(&m.theirs, cases[i].theirs);
		assert_int_equal(mesh_secrets_relate(&m.base, &m.ours,
						     &m.theirs),
				 cases[i].want);
		ret = mesh_merge_unattended(&m.out, &m.base, &m.ours,
					    &m.theirs, &m.conflicts, &e);
		assert_int_equal(ret, cases[i].want == SECRETS_FOREIGN ? -1 : 0);
		assert_int_equal(m.conflicts.len,
				 cases[i].want == SECRETS_NEWER ||
					 cases[i].want == SECRETS_OLDER);
		if (cases[i].want == SECRETS_NEWER)
			assert_string_equal(secret_text(&m.out.mesh_secret),
					    TWO);
		/* 'ours' is no yes to a secret of theirs */
		assert_int_equal(merge_resolve_all(&m.out, MERGE_OURS, &e),
				 cases[i].want == SECRETS_NEWER ? -1 : 0);
		assert_int_equal(mesh_has_conflicts(&m.out),
				 cases[i].want == SECRETS_NEWER);
		assert_int_equal(merge_resolve_all(&m.out, MERGE_THEIRS, &e),
				 0);
		assert_false(mesh_has_conflicts(&m.out));
	}
}

/* Changed more often than is remembered. */
static void test_former(void **state)
{
	AUTO(mesh_done) struct mesh m;
	AUTO(secret_done) struct secret first = { 0 }, second = { 0 };
	struct err e = { 0 };

	(void)state;
	mesh_of(&m, NODE(""));
	assert_int_equal(mesh_secret_change(&m, &e), 0);
	assert_int_equal(m.mesh_secret.len, 0); /* there is none to change */
	assert_int_equal(mesh_secret_make(&m, &e), 0);
	secret_copy(&first, &m.mesh_secret);
	assert_int_equal(mesh_secret_change(&m, &e), 0);
	secret_copy(&second, &m.mesh_secret);
	assert_true(mesh_secret_is_former(&m, &first));
	for (int i = 0; i < FORMER_SECRETS_MAX; i++)
		assert_int_equal(mesh_secret_change(&m, &e), 0);
	assert_int_equal(m.former_secrets.len, FORMER_SECRETS_MAX);
	assert_false(mesh_secret_is_former(&m, &first));
	assert_true(mesh_secret_is_former(&m, &second));
	reread(&m);
	assert_true(mesh_secret_is_former(&m, &second));
}

/* Each part of what is proven counts, and so does the secret. */
static void test_proof(void **state)
{
	AUTO(secret_done) struct secret s = { 0 }, other = { 0 }, bad = { 0 };
	char a[PROOF_HEX + 1], b[PROOF_HEX + 1], image[IMAGE_HEX + 1];
	struct err e = { 0 };

	(void)state;
	secret_set(&s, ONE, strlen(ONE));
	secret_set(&other, TWO, strlen(TWO));
	secret_set(&bad, "no", 2);
	/* printf 'wgmesh marker\nm\n7\nk\n' | openssl dgst -sha256 -mac HMAC
	 * -macopt hexkey:0101... */
	assert_int_equal(proof_make(a, &s, "m", 7, "k", &e), 0);
	assert_string_equal(a, "1fe68fabfd51174bb2cb7d664a63e8ab");
	assert_int_equal(proof_make(b, &s, "n", 7, "k", &e), 0);
	assert_string_not_equal(a, b);
	assert_int_equal(proof_make(b, &s, "m", 8, "k", &e), 0);
	assert_string_not_equal(a, b);
	assert_int_equal(proof_make(b, &s, "m", 7, "l", &e), 0);
	assert_string_not_equal(a, b);
	assert_int_equal(proof_make(b, &other, "m", 7, "k", &e), 0);
	assert_string_not_equal(a, b);
	assert_int_equal(proof_make(b, &bad, "m", 7, "k", &e), -1);
	assert_int_equal(proof_image(image, &s, "m", &e), 0);
	assert_int_equal(strlen(image), IMAGE_HEX);
	assert_int_equal(proof_secret_check(ONE, &e), 0);
	assert_int_equal(proof_secret_check("AAAA", &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_former),
		cmocka_unit_test(test_proof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
