/*
 * render/silent: which pairs should be up and are not.
 */
#include "render/silent.h"
#include "tests/unit/fixture.h"

#define NOW 1800000000
#define NEVER (-1)

/* What the host of a says of b, and that of b of a. */
struct side {
	int age; /* of the handshake */
	int keepalive_s;
	int sent;
	bool left_out, not_in_run;
};

static void add_side(struct observed *o, const char *key,
		     const struct side *s)
{
	struct observed_peer *p = vec_add(&o->peers);

	o->now = NOW;
	p->public_key = mem_strdup(key);
	p->endpoint = mem_strdup("");
	p->handshake = s->age == NEVER ? 0 : NOW - s->age;
	p->keepalive_s = s->keepalive_s;
	p->sent = (uint64_t)s->sent;
}

static void test_pairs(void **state)
{
	static const struct {
		const char *what;
		struct side a, b;
		bool silent;
	} rows[] = {
		{ "fresh", { 10, 25, 9999, 0, 0 }, { 10, 25, 9999, 0, 0 }, 0 },
		{ "at the limit", { 205, 25, 1, 0, 0 }, { 205, 0, 1, 0, 0 }, 0 },
		{ "one keepalive, too old", { 206, 25, 1, 0, 0 },
		  { 206, 0, 1, 0, 0 }, 1 },
		{ "idle, no keepalive", { 99999, 0, 9999, 0, 0 },
		  { 99999, 0, 9999, 0, 0 }, 0 },
		{ "never, nobody tried", { NEVER, 0, 0, 0, 0 },
		  { NEVER, 0, 0, 0, 0 }, 0 },
		{ "never, tried once just now", { NEVER, 25, 148, 0, 0 },
		  { NEVER, 25, 148, 0, 0 }, 0 },
		{ "never, tried", { NEVER, 0, 296, 0, 0 },
		  { NEVER, 0, 0, 0, 0 }, 1 },
		{ "one side made anew, and it works", { NEVER, 25, 296, 0, 0 },
		  { 20, 25, 1, 0, 0 }, 0 },
		{ "one side made anew, and it does not",
		  { NEVER, 0, 2960, 0, 0 }, { 9999, 0, 1, 0, 0 }, 1 },
		{ "judged by one side", { 9999, 25, 1, 0, 0 },
		  { NEVER, 0, 0, 0, 1 }, 1 },
		{ "the other changed", { 9999, 25, 1, 0, 0 },
		  { NEVER, 0, 0, 1, 0 }, 0 },
		{ "a clock that is ahead", { -30, 25, 1, 0, 0 },
		  { -30, 25, 1, 0, 0 }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct silent_pairs out = { 0 };
		struct observed a = { 0 }, b = { 0 };
		AUTO(mesh_done) struct mesh m;
		struct silent_host hosts[2];

		mesh_of(&m, "'nodes':{'a':{'public_key':'" KEY_A "'},"
			    "'b':{'public_key':'" KEY_B "'},'c':{}}");
		add_side(&a, KEY_B, &rows[i].a);
		add_side(&a, KEY_C, &rows[i].a); /* no node of ours */
		add_side(&b, KEY_A, &rows[i].b);
		hosts[0] = (struct silent_host){ &m.nodes.items[0], &a };
		hosts[1] = (struct silent_host){
			&m.nodes.items[1], rows[i].b.left_out ? NULL : &b };
		silent_find(&out, &m, hosts, rows[i].b.not_in_run ? 1 : 2);
		if (out.len != rows[i].silent)
			fail_msg("%s: %zu pairs", rows[i].what, out.len);
		if (out.len) {
			assert_string_equal(out.items[0].a->name, "a");
			assert_string_equal(out.items[0].b->name, "b");
		}
		vec_done(&out);
		observed_done(&a);
		observed_done(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
	};

	return cmocka_run_group_tests_name("silent", tests, NULL, NULL);
}
