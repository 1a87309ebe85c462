/*
 * Recorded differences of peers and interfaces, through the parser of
 * `wg show dump` and the planner.
 */
#include "base/sbuf.h"
#include "render/host/host.h"
#include "tests/unit/scene.h"

#define KEY_LENGTH 44

static const struct difference peer_differences[] = {
	{ "identical configs", "wgmesh sets no preshared keys: one that is "
	  "there is taken away" },
	{ "preshared key wanted, none present", "wgmesh sets no preshared "
	  "keys" },
	{ "identical peers", "wgmesh sets no preshared keys: one that is "
	  "there is taken away" },
	{ NULL, NULL },
};

static const struct difference no_differences[] = { { NULL, NULL } };

/* The records' short names for keys, made as long as keys are. */
static const char *padded(const char *key, char out[KEY_LENGTH + 1])
{
	int n = snprintf(out, KEY_LENGTH + 1, "%s", key);

	if (n < KEY_LENGTH)
		memset(out + n, '=', (size_t)(KEY_LENGTH - n));
	out[KEY_LENGTH] = '\0';
	return out;
}

/* ---- peers and the interface ---- */

static const char *or_none(const char *s)
{
	return *s ? s : "(none)";
}

/* The recorded peer as a line of `wg show dump`. */
static void put_dump_peer(struct sbuf *out, json *peer)
{
	json *allowed = vectors_get(peer, "allowed_ips");
	long keepalive = json_object_get_int64(
		vectors_get(peer, "persistent_keepalive"));
	/* one record has the handshake there: it goes into its own column */
	long handshake = keepalive > 65535 ? keepalive : 0;
	char key[KEY_LENGTH + 1];

	sbuf_printf(out, "%s\t%s\t%s\t",
		    padded(vectors_text(peer, "public_key"), key),
		    or_none(vectors_text(peer, "preshared_key")),
		    or_none(vectors_text(peer, "endpoint")));
	for (size_t i = 0; i < vectors_len(allowed); i++)
		sbuf_printf(out, "%s%s", i ? "," : "",
			    json_object_get_string(vectors_item(allowed, i)));
	sbuf_printf(out, "%s\t%ld\t0\t0\t%ld\n",
		    vectors_len(allowed) ? "" : "(none)", handshake,
		    handshake ? 5 : keepalive);
}

static void add_own_address(struct observed *o, const char *text)
{
	struct observed_address *a;

	if (!*text)
		return;
	a = vec_add(&o->addresses);
	snprintf(a->ifname, sizeof a->ifname, "wg0");
	assert_true(cidr_parse(&a->address, text));
}

/* What the host has, read from a dump as `wg` prints it. */
static void observe(struct scene *s, json *current)
{
	AUTO(sbuf_done) struct sbuf dump = SBUF_INIT;
	json *peers = vectors_get(current, "peers");
	char key[KEY_LENGTH + 1];
	struct err e;

	sbuf_printf(&dump, "(none)\t%d\toff\n",
		    json_object_get_int(vectors_get(current, "listen_port")));
	for (size_t i = 0; i < vectors_len(peers); i++)
		put_dump_peer(&dump, vectors_item(peers, i));
	assert_int_equal(scene_parse_dump(&s->observed, sbuf_str(&dump), &e),
			 0);
	mem_replace(&s->observed.public_key,
		    padded(vectors_text(current, "private_key"), key));
	add_own_address(&s->observed, vectors_text(current, "address"));
}

/* A peer as it should be; its networks are masked as a state's are. */
static void desire_peer(struct scene *s, json *peer)
{
	json *allowed = vectors_get(peer, "allowed_ips");
	char key[KEY_LENGTH + 1];
	struct node *n = nodes_insert(&s->mesh.removed,
				      vectors_text(peer, "public_key"));
	struct desired_peer *p = vec_add(&s->desired.peers);

	mem_replace(&n->public_key, padded(n->name, key));
	*p = (struct desired_peer){
		.name = "peer",
		.endpoint = mem_strdup(vectors_text(peer, "endpoint")),
		.keepalive_s = json_object_get_int(
			vectors_get(peer, "persistent_keepalive")),
	};
	for (size_t i = 0; i < vectors_len(allowed); i++) {
		struct cidr c;

		assert_true(cidr_parse(&c, json_object_get_string(
						   vectors_item(allowed, i))));
		cidr_mask(&c);
		vec_push(&p->allowed_ips, c);
	}
}

/* The nodes move while they are added: the keys are borrowed at the end. */
static void lend_keys(struct scene *s, json *peers)
{
	for (size_t i = 0; i < s->desired.peers.len; i++) {
		const struct node *n = nodes_find(
			&s->mesh.removed,
			vectors_text(vectors_item(peers, i), "public_key"));

		s->desired.peers.items[i].public_key = n->public_key;
	}
}

static void desire(struct scene *s, json *desired)
{
	const char *address = vectors_text(desired, "address");
	json *peers = vectors_get(desired, "peers");
	char key[KEY_LENGTH + 1];

	mem_replace(&s->node->public_key,
		    padded(vectors_text(desired, "private_key"), key));
	s->desired.listen_port = json_object_get_int(
		vectors_get(desired, "listen_port"));
	if (*address)
		assert_true(cidr_parse(vec_add(&s->desired.addresses),
				       address));
	for (size_t i = 0; i < vectors_len(peers); i++)
		desire_peer(s, vectors_item(peers, i));
	lend_keys(s, peers);
}

/* The public key of the peer that a step is about, cut to its short name. */
static const char *step_key(const struct step *s)
{
	return s->peer ? s->peer->public_key : s->live->public_key;
}

/* Are the steps of @kind about just the keys of @list? */
static bool same_keys(const struct plan *p, enum step_kind kind, json *list)
{
	char key[KEY_LENGTH + 1];
	size_t count = 0;

	for (size_t i = 0; i < p->steps.len; i++)
		count += p->steps.items[i].kind == kind;
	for (size_t k = 0; k < vectors_len(list); k++) {
		bool found = false;

		padded(json_object_get_string(vectors_item(list, k)), key);
		for (size_t i = 0; i < p->steps.len; i++)
			if (p->steps.items[i].kind == kind &&
			    strcmp(step_key(&p->steps.items[i]), key) == 0)
				found = true;
		if (!found)
			return false;
	}
	return count == vectors_len(list);
}

static bool interface_changes(const struct plan *p)
{
	for (size_t i = 0; i < p->steps.len; i++)
		switch (p->steps.items[i].kind) {
		case STEP_ADD_PEER:
		case STEP_SET_PEER:
		case STEP_REMOVE_PEER:
			break;
		default:
			return true;
		}
	return false;
}

static const char *compare_peers(const struct plan *p, json *right)
{
	bool changes = json_object_get_boolean(
		vectors_get(right, "has_changes"));
	bool interface = json_object_get_boolean(
		vectors_get(right, "interface_changed"));

	if (!same_keys(p, STEP_ADD_PEER, vectors_get(right, "added")))
		return "other peers are added";
	if (!same_keys(p, STEP_REMOVE_PEER, vectors_get(right, "removed")))
		return "other peers are removed";
	if (!same_keys(p, STEP_SET_PEER, vectors_get(right, "modified")))
		return "other peers are changed";
	if (interface_changes(p) != interface)
		return "the interface changes in one, not in the other";
	if ((p->steps.len > 0) != changes)
		return "steps in one, none in the other";
	return NULL;
}

static void check_peer_diff(struct tally *t, json *c)
{
	struct scene s;

	scene_init(&s);
	observe(&s, vectors_get(c, "current"));
	desire(&s, vectors_get(c, "desired"));
	scene_plan(&s);
	tally_case(t, peer_differences, vectors_text(c, "name"),
		   compare_peers(&s.plan, vectors_right(c)));
	scene_done(&s);
}

/* Two single peers: the first is there, the second should be. */
static void check_peers_equal(struct tally *t, json *c)
{
	AUTO(sbuf_done) struct sbuf dump = SBUF_INIT;
	bool equal = json_object_get_boolean(vectors_right(c));
	struct scene s;
	json *peers = json_object_new_array();
	struct err e;

	scene_init(&s);
	sbuf_puts(&dump, "(none)\t0\toff\n");
	put_dump_peer(&dump, vectors_get(c, "a"));
	assert_int_equal(scene_parse_dump(&s.observed, sbuf_str(&dump), &e),
			 0);
	desire_peer(&s, vectors_get(c, "b"));
	json_object_array_add(peers, json_object_get(vectors_get(c, "b")));
	lend_keys(&s, peers);
	scene_plan(&s);
	tally_case(t, peer_differences, vectors_text(c, "name"),
		   (s.plan.steps.len == 0) == equal ? NULL : "unlike the record");
	json_object_put(peers);
	scene_done(&s);
}

/* A record names only what changes: a host is made on which just that does. */
static void check_has_changes(struct tally *t, json *c)
{
	const char *lists[] = { "removed", "modified", "added" };
	bool expected = json_object_get_boolean(vectors_get(c, "expected"));
	json *live = json_object_new_array(), *wanted = json_object_new_array();
	json *current = json_object_new_object();
	json *desired = json_object_new_object();
	struct scene s;

	for (size_t i = 0; i < 3; i++) {
		json *names = vectors_get(c, lists[i]);

		for (size_t k = 0; k < vectors_len(names); k++) {
			json *peer = json_object_new_object();

			json_object_object_add(peer, "public_key",
				json_object_get(vectors_item(names, k)));
			if (i < 2)
				json_object_array_add(live,
						      json_object_get(peer));
			if (i == 1) {
				json_object_put(peer);
				peer = json_object_new_object();
				json_object_object_add(peer, "public_key",
					json_object_get(vectors_item(names, k)));
				json_object_object_add(
					peer, "persistent_keepalive",
					json_object_new_int(7));
			}
			if (i > 0)
				json_object_array_add(wanted,
						      json_object_get(peer));
			json_object_put(peer);
		}
	}
	json_object_object_add(current, "peers", live);
	json_object_object_add(desired, "peers", wanted);
	json_object_object_add(desired, "listen_port", json_object_new_int(
		json_object_get_boolean(vectors_get(c, "interface_changed"))));
	scene_init(&s);
	observe(&s, current);
	desire(&s, desired);
	scene_plan(&s);
	tally_case(t, no_differences, vectors_text(c, "name"),
		   (s.plan.steps.len > 0) == expected ? NULL
						      : "unlike the record");
	json_object_put(current);
	json_object_put(desired);
	scene_done(&s);
}

static void test_diff(void **state)
{
	struct tally t = { .kind = "diff, peers" };

	(void)state;
	vectors_each(&t, "diff/peer-diff.json", check_peer_diff);
	vectors_each(&t, "diff/peers-equal.json", check_peers_equal);
	vectors_each(&t, "diff/has-changes.json", check_has_changes);
	tally_end(&t);
}

static void test_documented(void **state)
{
	(void)state;
	check_documented(peer_differences);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_documented),
	};

	return cmocka_run_group_tests_name("diff vectors", tests, NULL, NULL);
}
