/*
 * Three-way merge of random edits. A model of its own, in numbers, says what is to
 * come out and where the conflicts are.
 */
#include "merging.h"

#include "state/model/model.h"

#define NODES 6
#define GROUPS 3
#define POLICIES 3
#define ROUTES 4
#define ADDRESSES 9
#define SEEDS 4000

/* A node's plain fields. */
enum { F_SSH, F_KEYS, F_ENDPOINT, F_PORT, F_MTU, F_KEEPALIVE, F_EXTRA, FIELDS };
static const char *const field_names[FIELDS] = {
	"ssh", "keys", "endpoint", "port", "mtu", "keepalive", "x-extra",
};

/* The same mesh in numbers: 0 is unsaid. */
struct model {
	struct {
		bool there;
		int field[FIELDS];
		int address;
		int fqdn;
		bool route[ROUTES];
	} node[NODES];
	struct {
		bool there;
		int description;
		bool member[NODES];
	} group[GROUPS];
	struct {
		bool there;
		int description, from, mesh_ips;
	} policy[POLICIES];
	bool recipient[3];
	int mtu, keepalive;
	int serial;
};

static unsigned random_state;

static int pick(int n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (int)((random_state >> 8) % (unsigned)n);
}

static char *named(const char *prefix, int n)
{
	return mem_printf("%s%d", prefix, n);
}

static void free_names(struct strings *v, const char *prefix, int n)
{
	AUTO(auto_free) char *name = named(prefix, n);

	strings_add(v, name);
}

static void build_node(struct mesh *m, const struct model *x, int i)
{
	AUTO(auto_free) char *name = named("n", i);
	struct node *n = nodes_insert(&m->nodes, name);
	const int *f = x->node[i].field;
	char text[64];

	free(n->ssh_host);
	n->ssh_host = named("host", f[F_SSH]);
	n->ssh_port = f[F_SSH] * 7;
	if (f[F_KEYS]) {
		free(n->public_key);
		n->public_key = named("", f[F_KEYS]);
		snprintf(text, sizeof text, "private-%d", f[F_KEYS]);
		secret_set(&n->private_key, text, strlen(text));
	}
	if (f[F_ENDPOINT])
		n->public_endpoint = named("192.0.2.1:", f[F_ENDPOINT]);
	n->listen_port = f[F_PORT];
	n->mtu = f[F_MTU] ? 1000 + f[F_MTU] : 0;
	n->keepalive_s = f[F_KEEPALIVE] == 1 ? KEEPALIVE_OFF : f[F_KEEPALIVE];
	if (f[F_EXTRA])
		vec_push(&n->extras, ((struct extra){ mem_strdup("x-extra"),
						      named("", f[F_EXTRA]) }));
	if (x->node[i].address) {
		snprintf(text, sizeof text, "10.99.0.%d", x->node[i].address);
		ip_parse(&n->mesh_ip, text);
	}
	if (x->node[i].fqdn)
		n->fqdn = named("fqdn", x->node[i].fqdn);
	for (int r = 0; r < ROUTES; r++) {
		struct cidr c;

		snprintf(text, sizeof text, "10.%d.0.0/16", r);
		cidr_parse(&c, text);
		if (x->node[i].route[r])
			vec_push(&n->routable_networks, c);
	}
}

static void build_groups(struct mesh *m, const struct model *x)
{
	for (int i = 0; i < GROUPS; i++) {
		AUTO(auto_free) char *name = named("g", i);
		struct group *g;

		if (!x->group[i].there)
			continue;
		g = mesh_add_group(m, name);
		if (x->group[i].description)
			g->description = named("d", x->group[i].description);
		for (int n = 0; n < NODES; n++)
			if (x->group[i].member[n])
				free_names(&g->members, "n", n);
	}
}

static void build_policies(struct mesh *m, const struct model *x)
{
	for (int i = 0; i < POLICIES; i++) {
		struct policy p = { 0 };

		if (!x->policy[i].there)
			continue;
		p.name = named("p", i);
		if (x->policy[i].description)
			p.description = named("d", x->policy[i].description);
		if (x->policy[i].from)
			free_names(&p.from_groups, "g", x->policy[i].from - 1);
		p.allow_mesh_ips = x->policy[i].mesh_ips;
		vec_push(&m->policies, p);
	}
}

static void build(struct mesh *m, const struct model *x)
{
	mesh_init(m);
	m->mtu = x->mtu ? 1000 + x->mtu : 0;
	m->keepalive_s = x->keepalive == 1 ? KEEPALIVE_OFF : x->keepalive;
	m->serial = (uint64_t)x->serial;
	for (int i = 0; i < NODES; i++)
		if (x->node[i].there)
			build_node(m, x, i);
	build_groups(m, x);
	build_policies(m, x);
	for (int i = 0; i < 3; i++)
		if (x->recipient[i])
			free_names(&m->recipients, "age1", i);
}

/* ---- edits, as commands make them ---- */

static void edit_node_of(struct model *x, int i)
{
	int r = pick(ROUTES), a = pick(ADDRESSES);

	switch (pick(5)) {
	case 0:
		for (int k = 0; k < NODES; k++)
			if (x->node[k].there && x->node[k].address == a)
				a = 0;
		x->node[i].address = a;
		break;
	case 1:
		for (int k = 0; k < NODES; k++)
			x->node[k].route[r] = k == i && !x->node[i].route[r];
		break;
	case 2:
		x->node[i].fqdn = pick(4);
		break;
	default:
		x->node[i].field[pick(FIELDS)] = pick(4);
	}
}

static void toggle_node(struct model *x, int i)
{
	bool there = !x->node[i].there;
	int a = 1;

	memset(&x->node[i], 0, sizeof x->node[i]);
	for (int g = 0; g < GROUPS; g++)
		x->group[g].member[i] = false;
	if (!there)
		return;
	for (int k = 0; k < NODES; k++)
		if (x->node[k].there && x->node[k].address == a) {
			a++;
			k = -1;
		}
	x->node[i].there = true;
	x->node[i].address = a;
	x->node[i].field[F_KEYS] = pick(1000) + 1;
	x->node[i].field[F_SSH] = 1;
}

static void edit_group_of(struct model *x, int g)
{
	int i = pick(NODES);

	if (!x->group[g].there || pick(8) == 0) {
		for (int p = 0; p < POLICIES; p++)
			if (x->policy[p].from == g + 1)
				return; /* a policy needs it */
		memset(&x->group[g].description, 0,
		       sizeof x->group[g] - offsetof(__typeof__(x->group[g]),
						     description));
		x->group[g].there = !x->group[g].there;
	} else if (pick(4) == 0) {
		x->group[g].description = pick(3);
	} else if (x->node[i].there) {
		x->group[g].member[i] = !x->group[g].member[i];
	}
}

static void edit_policy_of(struct model *x, int p)
{
	int g = pick(GROUPS);

	if (!x->policy[p].there || pick(6) == 0) {
		bool there = !x->policy[p].there;

		memset(&x->policy[p], 0, sizeof x->policy[p]);
		x->policy[p].there = there;
		return;
	}
	switch (pick(3)) {
	case 0:
		x->policy[p].description = pick(3);
		break;
	case 1:
		x->policy[p].from = x->group[g].there ? g + 1 : 0;
		break;
	default:
		x->policy[p].mesh_ips = pick(2);
	}
}

static void edit(struct model *x)
{
	int i = pick(NODES);

	switch (pick(12)) {
	case 0:
		x->mtu = pick(3);
		break;
	case 1:
		x->keepalive = pick(3);
		break;
	case 2:
		x->recipient[pick(3)] ^= true;
		break;
	case 3:
	case 4:
		toggle_node(x, i);
		break;
	case 5:
	case 6:
		edit_group_of(x, pick(GROUPS));
		break;
	case 7:
	case 8:
		edit_policy_of(x, pick(POLICIES));
		break;
	default:
		if (x->node[i].there)
			edit_node_of(x, i);
	}
	x->serial++;
}

/* ---- what is to come out ---- */

struct expected {
	struct model out;
	struct strings conflicts;
};

static void expect(struct expected *x, const char *part, const char *prefix,
		   int i, const char *field)
{
	vec_push(&x->conflicts,
		 i < 0 ? mem_printf("%s - %s", part, field)
		       : mem_printf("%s %s%d %s", part, prefix, i, field));
}

/* One number; true when there is a conflict. */
static bool three(int *out, int b, int o, int t)
{
	*out = b == o ? t : o;
	return o != t && b != o && b != t;
}

/* What is never left out of a state is said by what is there alone. */
static int said(bool there, int n)
{
	return there ? n : -1;
}

static bool three_bits(bool b, bool o, bool t)
{
	return b == o ? t : o;
}

/* Is it there? Changes of @o and @t from @b say whether a removal is contested. */
enum presence { GONE, THERE, FROM_OURS, FROM_THEIRS, CONTESTED };

static enum presence presence(bool b, bool o, bool t, bool o_changed,
			      bool t_changed)
{
	if (o && t)
		return THERE;
	if (!o && !t)
		return GONE;
	if (!b)
		return o ? FROM_OURS : FROM_THEIRS;
	if (o ? o_changed : t_changed)
		return CONTESTED;
	return GONE;
}

static bool node_changed(const struct model *b, const struct model *x, int i)
{
	for (int f = 0; f < FIELDS; f++)
		if (b->node[i].field[f] != x->node[i].field[f])
			return true;
	for (int r = 0; r < ROUTES; r++)
		if (x->node[i].route[r] && !b->node[i].route[r])
			return true;
	return b->node[i].address != x->node[i].address;
}

static bool group_changed(const struct model *b, const struct model *x, int g)
{
	for (int n = 0; n < NODES; n++)
		if (x->group[g].member[n] && !b->group[g].member[n])
			return true;
	return b->group[g].description != x->group[g].description;
}

static void expect_node(struct expected *x, const struct model *b,
			const struct model *o, const struct model *t, int i,
			bool contested[NODES])
{
	struct model *out = &x->out;
	enum presence p = presence(b->node[i].there, o->node[i].there,
				   t->node[i].there, node_changed(b, o, i),
				   node_changed(b, t, i));

	contested[i] = p == CONTESTED;
	if (p == CONTESTED)
		expect(x, "node", "n", i, "-");
	if (p == FROM_OURS || p == CONTESTED)
		out->node[i] = o->node[i];
	if (p == FROM_THEIRS)
		out->node[i] = t->node[i];
	if (p != THERE)
		return;
	out->node[i].there = true;
	for (int f = 0; f < FIELDS; f++)
		if (three(&out->node[i].field[f],
			  said(b->node[i].there || f > F_KEYS,
			       b->node[i].field[f]),
			  o->node[i].field[f], t->node[i].field[f]))
			expect(x, "node", "n", i, field_names[f]);
	if (three(&out->node[i].address, b->node[i].address,
		  o->node[i].address, t->node[i].address))
		expect(x, "node", "n", i, "address");
	if (three(&out->node[i].fqdn, b->node[i].fqdn, o->node[i].fqdn,
		  t->node[i].fqdn) && t->serial > o->serial)
		out->node[i].fqdn = t->node[i].fqdn;
	for (int r = 0; r < ROUTES; r++)
		out->node[i].route[r] = three_bits(b->node[i].route[r],
						   o->node[i].route[r],
						   t->node[i].route[r]);
}

/* Until no address and no route has two owners. */
static void expect_owners(struct expected *x, const struct model *o)
{
	struct model *out = &x->out;

	for (int i = 0; i < NODES; i++)
		for (int k = 0; k < NODES; k++) {
			int a = out->node[i].address;
			bool same = i != k && out->node[i].there && a &&
				    out->node[k].there &&
				    out->node[k].address == a;

			if (!same || o->node[i].address == a)
				continue;
			out->node[i].address = o->node[i].address;
			expect(x, "node", "n", i, "address");
			i = -1;
			break;
		}
	for (int r = 0; r < ROUTES; r++)
		for (int i = 0; i < NODES; i++)
			for (int k = 0; k < NODES; k++) {
				AUTO(auto_free) char *f = mem_printf(
					"routes/10.%d.0.0/16", r);

				if (i == k || !out->node[i].route[r] ||
				    !out->node[k].route[r] ||
				    o->node[i].route[r])
					continue;
				out->node[i].route[r] = false;
				expect(x, "node", "n", i, f);
			}
}

static void expect_group(struct expected *x, const struct model *b,
			 const struct model *o, const struct model *t, int g,
			 bool contested[GROUPS])
{
	struct model *out = &x->out;
	enum presence p = presence(b->group[g].there, o->group[g].there,
				   t->group[g].there, group_changed(b, o, g),
				   group_changed(b, t, g));

	contested[g] = p == CONTESTED;
	if (p == CONTESTED)
		expect(x, "group", "g", g, "-");
	if (p == FROM_OURS || p == CONTESTED)
		out->group[g] = o->group[g];
	if (p == FROM_THEIRS)
		out->group[g] = t->group[g];
	if (p != THERE)
		return;
	out->group[g].there = true;
	if (three(&out->group[g].description, b->group[g].description,
		  o->group[g].description, t->group[g].description))
		expect(x, "group", "g", g, "description");
	for (int n = 0; n < NODES; n++)
		out->group[g].member[n] = three_bits(b->group[g].member[n],
						     o->group[g].member[n],
						     t->group[g].member[n]);
}

static void expect_policy(struct expected *x, const struct model *b,
			  const struct model *o, const struct model *t, int i)
{
	struct model *out = &x->out;
	enum presence p = presence(
		b->policy[i].there, o->policy[i].there, t->policy[i].there,
		memcmp(&b->policy[i], &o->policy[i], sizeof b->policy[i]) != 0,
		memcmp(&b->policy[i], &t->policy[i], sizeof b->policy[i]) != 0);

	if (p == CONTESTED)
		expect(x, "policy", "p", i, "-");
	if (p == FROM_OURS || p == CONTESTED)
		out->policy[i] = o->policy[i];
	if (p == FROM_THEIRS)
		out->policy[i] = t->policy[i];
	if (p != THERE)
		return;
	out->policy[i].there = true;
	if (three(&out->policy[i].description, b->policy[i].description,
		  o->policy[i].description, t->policy[i].description))
		expect(x, "policy", "p", i, "description");
	if (three(&out->policy[i].from,
		  said(b->policy[i].there, b->policy[i].from),
		  o->policy[i].from, t->policy[i].from))
		expect(x, "policy", "p", i, "from");
	if (three(&out->policy[i].mesh_ips,
		  said(b->policy[i].there, b->policy[i].mesh_ips),
		  o->policy[i].mesh_ips, t->policy[i].mesh_ips))
		expect(x, "policy", "p", i, "mesh_ips");
}

/* Groups that a policy needs, then members that are still there. */
static void expect_fit(struct expected *x, const struct model *o,
		       const struct model *t, const bool nodes[NODES],
		       bool groups[GROUPS])
{
	struct model *out = &x->out;

	for (int p = 0; p < POLICIES; p++) {
		int g = out->policy[p].from - 1;

		if (!out->policy[p].there || g < 0 || out->group[g].there ||
		    groups[g] || (!o->group[g].there && !t->group[g].there))
			continue;
		groups[g] = true;
		expect(x, "group", "g", g, "-");
		out->group[g] = o->group[g];
	}
	for (int g = 0; g < GROUPS; g++)
		for (int n = 0; n < NODES; n++) {
			bool *in = &out->group[g].member[n];

			if (!out->group[g].there)
				continue;
			if (nodes[n])
				*in = o->group[g].member[n];
			else if (!out->node[n].there)
				*in = false;
		}
}

static void expect_all(struct expected *x, const struct model *b,
		       const struct model *o, const struct model *t)
{
	bool nodes[NODES], groups[GROUPS];

	memset(x, 0, sizeof *x);
	if (three(&x->out.mtu, b->mtu, o->mtu, t->mtu))
		expect(x, "mesh", "", -1, "mtu");
	if (three(&x->out.keepalive, b->keepalive, o->keepalive, t->keepalive))
		expect(x, "mesh", "", -1, "keepalive");
	for (int i = 0; i < 3; i++)
		x->out.recipient[i] = three_bits(b->recipient[i],
						 o->recipient[i],
						 t->recipient[i]);
	for (int i = 0; i < NODES; i++)
		expect_node(x, b, o, t, i, nodes);
	for (int g = 0; g < GROUPS; g++)
		expect_group(x, b, o, t, g, groups);
	for (int p = 0; p < POLICIES; p++)
		expect_policy(x, b, o, t, p);
	expect_fit(x, o, t, nodes, groups);
	expect_owners(x, o);
	strings_sort(&x->conflicts);
}

static void expected_done(struct expected *x)
{
	strings_done(&x->conflicts);
}

/* ---- and what came out ---- */

static char *joined(const struct strings *v)
{
	struct sbuf b = SBUF_INIT;

	for (size_t i = 0; i < v->len; i++)
		sbuf_printf(&b, "%s\n", v->items[i]);
	return b.len ? sbuf_detach(&b) : mem_strdup("");
}

static char *found(const struct conflicts *all)
{
	static const char *const parts[] = { "mesh", "node", "group",
					     "policy" };
	AUTO(strings_done) struct strings v = { 0 };

	for (size_t i = 0; i < all->len; i++) {
		const struct conflict *c = &all->items[i];

		vec_push(&v, mem_printf("%s %s %s", parts[c->part],
					c->name ? c->name : "-",
					c->field ? c->field : "-"));
	}
	strings_sort(&v);
	return joined(&v);
}

static void compare(int seed, const char *what, const char *wanted,
		    const char *got)
{
	if (strcmp(wanted, got) != 0)
		fail_msg("seed %d: %s: expected\n%sgot\n%s", seed, what, wanted,
			 got);
}

static void compare_fqdns(int seed, const struct mesh *wanted,
			  const struct mesh *got)
{
	for (size_t i = 0; i < wanted->nodes.len; i++) {
		const char *a = wanted->nodes.items[i].fqdn;
		const char *b = got->nodes.items[i].fqdn;

		compare(seed, "fqdn", a ? a : "", b ? b : "");
	}
}

static void merge_models(struct merged *m, const struct model *b,
			 const struct model *o, const struct model *t)
{
	memset(m, 0, sizeof *m);
	build(&m->base, b);
	build(&m->ours, o);
	build(&m->theirs, t);
	merge_sides(m);
	reread(&m->out);
}

static void judge_merge(int seed, struct merged *m,
			   const struct expected *x)
{
	AUTO(mesh_done) struct mesh wanted = { 0 };
	AUTO(auto_free) char *conflicts = found(&m->conflicts);
	AUTO(auto_free) char *list = joined(&x->conflicts);
	AUTO(auto_free) char *diff = NULL;
	struct err e = { 0 };

	compare(seed, "conflicts", list, conflicts);
	build(&wanted, &x->out);
	diff = diff_lines(&wanted, &m->out);
	compare(seed, "mesh", "", diff);
	compare_fqdns(seed, &wanted, &m->out);
	assert_int_equal(check_mesh(&m->out, &e), 0);
	assert_int_equal(m->out.serial,
			 1 + (m->ours.serial > m->theirs.serial
				      ? m->ours.serial
				      : m->theirs.serial));
	assert_int_equal(mesh_has_conflicts(&m->out), x->conflicts.len > 0);
}

/* Every conflict goes one way or the other, one by one, and none is left. */
static void resolve_randomly(int seed, struct mesh *m)
{
	AUTO(conflicts_done) struct conflicts all = { 0 };
	struct err e = { 0 };

	assert_int_equal(mesh_conflicts(&all, m, &e), 0);
	for (size_t i = 0; i < all.len; i++) {
		const struct conflict *c = &all.items[i];
		enum merge_side side = pick(2) ? MERGE_OURS : MERGE_THEIRS;

		if (merge_resolve(m, c->part, c->name, c->field, side, &e) < 0)
			fail_msg("seed %d: %s", seed, e.msg);
	}
	assert_false(mesh_has_conflicts(m));
	reread(m);
}

static bool one_side_only(const struct model *b, const struct model *o,
			  const struct model *t)
{
	struct model x = *o, y = *t;

	x.serial = y.serial = b->serial;
	return memcmp(b, &x, sizeof x) == 0 || memcmp(b, &y, sizeof y) == 0;
}

static void try_seed(int seed)
{
	struct model b = { 0 }, o, t;
	AUTO(expected_done) struct expected there = { 0 }, back = { 0 };
	AUTO(merged_done) struct merged m, mirrored;
	int edits;

	random_state = (unsigned)seed * 2654435761u;
	edits = pick(60);
	for (int i = 0; i < edits; i++)
		edit(&b);
	o = t = b;
	edits = 1 + pick(15);
	for (int i = 0; i < edits; i++)
		edit(&o);
	for (int i = 0; i < edits; i++)
		edit(&t);
	t.serial += pick(3);
	expect_all(&there, &b, &o, &t);
	merge_models(&m, &b, &o, &t);
	judge_merge(seed, &m, &there);
	expect_all(&back, &b, &t, &o);
	merge_models(&mirrored, &b, &t, &o);
	judge_merge(seed, &mirrored, &back);
	if (!one_side_only(&b, &o, &t))
		assert_int_equal(there.conflicts.len == 0,
				 back.conflicts.len == 0);
	if (there.conflicts.len)
		resolve_randomly(seed, &m.out);
}

static void test_model(void **state)
{
	(void)state;
	for (int seed = 1; seed <= SEEDS; seed++)
		try_seed(seed);
}

/* A side that did nothing: the other one's text, but for the serial. */
static void test_one_side(void **state)
{
	(void)state;
	for (int seed = 1; seed <= 300; seed++) {
		AUTO(sbuf_done) struct sbuf wanted = SBUF_INIT;
		AUTO(sbuf_done) struct sbuf got = SBUF_INIT;
		AUTO(merged_done) struct merged m;
		struct model b = { 0 }, o;

		random_state = (unsigned)seed;
		for (int i = 0; i < 60; i++)
			edit(&b);
		o = b;
		for (int i = 0; i < 20; i++)
			edit(&o);
		if (seed % 2)
			merge_models(&m, &b, &o, &b);
		else
			merge_models(&m, &b, &b, &o);
		m.out.serial--;
		state_format(&wanted, seed % 2 ? &m.ours : &m.theirs);
		state_format(&got, &m.out);
		compare(seed, "text", sbuf_str(&wanted), sbuf_str(&got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_side),
		cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
