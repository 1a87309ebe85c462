/*
 * render/facts: what the probes found, put into the state; above all who is
 * behind NAT and where the others reach it.
 */
#include "render/desired.h"
#include "render/facts.h"
#include "tests/unit/fixture.h"

#define NOW 1800000000

/* A few hosts that answered. */
struct met {
	struct mesh mesh;
	struct observed observed[4];
	struct host_report reports[4];
	size_t len;
};

/* Nodes a to d with keys of their own; @text may say more about them. */
static void found_init(struct met *f, const char *text)
{
	memset(f, 0, sizeof *f);
	mesh_of(&f->mesh, text);
	for (size_t i = 0; i < f->mesh.nodes.len; i++) {
		struct node *n = &f->mesh.nodes.items[i];
		char key[] = KEY_A;

		key[0] = n->name[0];
		key[1] = 'k';
		mem_replace(&n->public_key, key);
	}
}

static void met_done(struct met *f)
{
	for (size_t i = 0; i < f->len; i++)
		observed_done(&f->observed[i]);
	mesh_done(&f->mesh);
}

static struct node *node(struct met *f, const char *name)
{
	return nodes_find(&f->mesh.nodes, name);
}

/*
 * The host @name answered: we dialled @dialled, its sshd was reached on @server,
 * and it has the addresses @own ("eth0 10.0.0.1/24 eth1 ...").
 */
static struct observed *answer(struct met *f, const char *name,
			       const char *dialled, const char *server,
			       const char *own)
{
	struct observed *o = &f->observed[f->len];
	AUTO(auto_free) char *words = mem_strdup(own);
	char *save = NULL;

	*o = (struct observed){ .hostname = mem_strdup(name), .now = NOW,
				.ssh_client = mem_strdup("198.51.100.200"),
				.ssh_server = mem_strdup(server),
				.public_key = mem_strdup("") };
	for (char *w = strtok_r(words, " ", &save); w;
	     w = strtok_r(NULL, " ", &save)) {
		struct observed_address *a = vec_add(&o->addresses);

		snprintf(a->ifname, sizeof a->ifname, "%s", w);
		assert_true(cidr_parse(&a->address, strtok_r(NULL, " ", &save)));
	}
	f->reports[f->len++] = (struct host_report){
		node(f, name), o, dialled, *dialled ? "198.51.100.200" : "",
		!*dialled && !*server };
	return o;
}

/* The host of @o has heard from the node @name at @endpoint, @age seconds ago. */
static void hears(struct met *f, struct observed *o, const char *name,
		  const char *endpoint, int age)
{
	struct observed_peer *p = vec_add(&o->peers);

	p->public_key = mem_strdup(node(f, name)->public_key);
	p->endpoint = mem_strdup(endpoint);
	p->handshake = age < 0 ? 0 : NOW - age;
}

static void merge(struct met *f)
{
	facts_merge(&f->mesh, f->reports, f->len);
}

static void assert_node(struct met *f, const char *name, bool behind_nat,
			const char *address)
{
	const struct node *n = node(f, name);

	assert_int_equal(n->behind_nat, behind_nat);
	if (address)
		assert_string_equal(n->facts.address, address);
	else
		assert_null(n->facts.address);
}

#define AB "'nodes':{'a':{'ssh_host':'h'},'b':{'ssh_host':'i'}}"

/* Dialled and reached on one public address: it is its own. */
static void test_public(void **state)
{
	struct met f;

	(void)state;
	found_init(&f, AB);
	answer(&f, "a", "192.0.2.1", "192.0.2.1",
	       "lo 127.0.0.1/8 eth0 192.0.2.1/24 eth0 fe80::1/64 wg0 10.99.0.1/16");
	merge(&f);
	assert_node(&f, "a", false, "192.0.2.1");
	assert_string_equal(cidrs_text(&node(&f, "a")->facts.addresses),
			    "192.0.2.1/24");
	assert_string_equal(node(&f, "a")->actual_hostname, "a");
	met_done(&f);
}

/* Dialled on one address, reached on another: somebody translates. */
static void test_translated(void **state)
{
	struct met f;

	(void)state;
	found_init(&f, AB);
	answer(&f, "a", "192.0.2.1", "10.0.0.5", "eth0 10.0.0.5/24");
	merge(&f);
	assert_node(&f, "a", true, "10.0.0.5");
	assert_string_equal(node(&f, "a")->facts.nat_from, FACT_SAID);
	met_done(&f);
}

/* All hosts in one private network reach each other as they are. */
static void test_private_fleet(void **state)
{
	struct met f;

	(void)state;
	found_init(&f, AB);
	answer(&f, "a", "10.0.0.5", "10.0.0.5", "eth0 10.0.0.5/24");
	answer(&f, "b", "10.0.0.6", "10.0.0.6", "eth0 10.0.0.6/24");
	merge(&f);
	assert_node(&f, "a", false, "10.0.0.5");
	assert_node(&f, "b", false, "10.0.0.6");
	met_done(&f);
}

/* A private one among public ones is behind NAT to them. */
static void test_private_among_public(void **state)
{
	struct met f;

	(void)state;
	found_init(&f, AB);
	answer(&f, "a", "10.0.0.5", "10.0.0.5", "eth0 10.0.0.5/24");
	answer(&f, "b", "8.8.8.8", "8.8.8.8", "eth0 8.8.8.8/24");
	merge(&f);
	assert_node(&f, "a", true, "10.0.0.5");
	assert_string_equal(node(&f, "a")->facts.nat_from, FACT_DIALLED);
	assert_node(&f, "b", false, "8.8.8.8");
	met_done(&f);
}

/*
 * Through a jump host nothing was dialled: the own global address is taken, for
 * that host. Whom its word is about is the pair of it and another one.
 */
static void test_jump(void **state)
{
	struct met f;

	(void)state;
	found_init(&f, AB);
	answer(&f, "a", "", "10.0.0.5", "eth0 10.0.0.5/24 eth1 8.8.4.4/24");
	answer(&f, "b", "", "10.9.0.6", "eth0 10.9.0.6/24");
	merge(&f);
	assert_node(&f, "a", false, "8.8.4.4");
	assert_string_equal(node_address_from(node(&f, "a")), FACT_SAID);
	assert_node(&f, "b", false, "10.9.0.6");
	assert_true(desired_has_endpoint(node(&f, "b"), node(&f, "a")));
	assert_false(desired_has_endpoint(node(&f, "a"), node(&f, "b")));
	met_done(&f);
}

#define ABC "'nodes':{'a':{},'b':{},'c':{}}"

/* a, dialled in a private network, and b and c that say where they see it. */
static void seen_init(struct met *f, const char *by_b, const char *by_c)
{
	found_init(f, ABC);
	answer(f, "a", "10.0.0.5", "10.0.0.5", "eth0 10.0.0.5/24");
	hears(f, answer(f, "b", "10.0.0.6", "10.0.0.6", "eth0 10.0.0.6/24"),
	      "a", by_b, 10);
	hears(f, answer(f, "c", "10.0.0.7", "10.0.0.7", "eth0 10.0.0.7/24"),
	      "a", by_c, 10);
	merge(f);
}

/* Two peers that agree are a hint: a path kept open, and nothing taken away. */
static void test_seen_by_two(void **state)
{
	struct met f;

	(void)state;
	seen_init(&f, "203.0.113.9:40000", "203.0.113.9:40001");
	assert_node(&f, "a", true, "10.0.0.5");
	assert_string_equal(node(&f, "a")->facts.nat_from, "seen by b and c");
	assert_false(node_is_hidden(node(&f, "a")));
	assert_true(desired_has_endpoint(node(&f, "b"), node(&f, "a")));
	/* it stays so when nobody sees it any more */
	f.observed[1].peers.items[0].handshake = 0;
	merge(&f);
	assert_node(&f, "a", true, "10.0.0.5");
	/* and ends when both see its own address */
	f.observed[1].peers.items[0].handshake = NOW - 1;
	mem_replace(&f.observed[1].peers.items[0].endpoint, "10.0.0.5:51820");
	mem_replace(&f.observed[2].peers.items[0].endpoint, "10.0.0.5:51820");
	merge(&f);
	assert_node(&f, "a", false, "10.0.0.5");
	assert_null(node(&f, "a")->facts.nat_from);
	met_done(&f);
}

/* One alone, two that differ, two at one address, and two against our eyes. */
static void test_not_believed(void **state)
{
	struct met f;

	(void)state;
	seen_init(&f, "203.0.113.9:40000", "10.0.0.5:51820");
	assert_node(&f, "a", false, "10.0.0.5");
	met_done(&f);
	seen_init(&f, "203.0.113.9:40000", "203.0.113.8:40000");
	assert_node(&f, "a", false, "10.0.0.5");
	met_done(&f);
	seen_init(&f, "203.0.113.9:40000", "(none)");
	assert_node(&f, "a", false, "10.0.0.5");
	f.reports[2].dialled = "10.0.0.6";
	mem_replace(&f.observed[2].peers.items[0].endpoint,
		    "203.0.113.9:40001");
	merge(&f);
	assert_node(&f, "a", false, "10.0.0.5");
	f.reports[2].dialled = "10.0.0.7";
	merge(&f);
	assert_node(&f, "a", true, "10.0.0.5");
	f.reports[0].dialled = "192.0.2.1"; /* what we see takes it back */
	mem_replace(&f.observed[0].ssh_server, "192.0.2.1");
	merge(&f);
	assert_node(&f, "a", false, "192.0.2.1");
	met_done(&f);
}

/* A host may not hide others by a global address of its own. */
static void test_claimed_global(void **state)
{
	struct met f;

	(void)state;
	found_init(&f, AB);
	answer(&f, "a", "10.0.0.5", "10.0.0.5", "eth0 10.0.0.5/24");
	answer(&f, "b", "10.0.0.6", "8.8.8.8",
	       "eth0 8.8.8.8/24 eth1 10.0.0.6/24");
	merge(&f);
	assert_node(&f, "a", false, "10.0.0.5");
	assert_node(&f, "b", true, "8.8.8.8");
	met_done(&f);
}

/* We logged in over the mesh: that is no place outside of it. */
static void test_over_the_mesh(void **state)
{
	struct met f;

	(void)state;
	found_init(&f, "'nodes':{'a':{'facts':{'address':'192.0.2.1',"
		       "'dialled':'192.0.2.1'}},'b':{}}");
	answer(&f, "a", "10.99.0.1", "10.99.0.1", "eth0 192.0.2.1/24");
	merge(&f);
	assert_node(&f, "a", false, "192.0.2.1");
	assert_string_equal(node(&f, "a")->facts.dialled, "192.0.2.1");
	met_done(&f);
}

/* Too old, never, no endpoint, and a peer that is behind NAT itself. */
static void test_not_seen(void **state)
{
	static const int ages[] = { 180, 100000, -1 };
	struct met f;
	struct observed *b;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		found_init(&f, ABC);
		answer(&f, "a", "10.0.0.5", "10.0.0.5", "eth0 10.0.0.5/24");
		b = answer(&f, "b", "10.0.0.6", "10.0.0.6", "eth0 10.0.0.6/24");
		hears(&f, b, "a", "203.0.113.9:40000", ages[i]);
		b = answer(&f, "c", "10.0.0.7", "10.0.0.7", "eth0 10.0.0.7/24");
		hears(&f, b, "a", "203.0.113.9:40000", 5);
		merge(&f);
		assert_node(&f, "a", false, "10.0.0.5");
		met_done(&f);
	}
	found_init(&f, "'nodes':{'a':{},'b':{},'c':{'behind_nat':true}}");
	answer(&f, "a", "10.0.0.5", "10.0.0.5", "eth0 10.0.0.5/24");
	b = answer(&f, "b", "10.0.0.6", "10.0.0.6", "eth0 10.0.0.6/24");
	hears(&f, b, "a", "203.0.113.9:40000", 5);
	b = answer(&f, "c", "10.0.0.7", "10.0.0.7", "eth0 10.0.0.7/24");
	hears(&f, b, "a", "203.0.113.9:40000", 5);
	merge(&f);
	assert_node(&f, "a", false, "10.0.0.5");
	met_done(&f);
}

/* The user said so: SSH alone does not take it back. */
static void test_said_by_user(void **state)
{
	struct met f;

	(void)state;
	found_init(&f, "'nodes':{'a':{'behind_nat':true},'b':{}}");
	answer(&f, "a", "192.0.2.1", "192.0.2.1", "eth0 192.0.2.1/24");
	merge(&f);
	assert_node(&f, "a", true, "192.0.2.1");
	met_done(&f);
	/* what the host had said, or one peer to an older wgmesh, it does */
	found_init(&f, "'nodes':{'a':{'behind_nat':true,'facts':{"
		       "'nat_from':'said'}},'b':{'behind_nat':true,'facts':{"
		       "'nat_seen_by':'peer'}}}");
	answer(&f, "b", "192.0.2.2", "192.0.2.2", "eth0 192.0.2.2/24");
	answer(&f, "a", "192.0.2.1", "192.0.2.1", "eth0 192.0.2.1/24");
	merge(&f);
	assert_node(&f, "a", false, "192.0.2.1");
	assert_node(&f, "b", false, "192.0.2.2");
	met_done(&f);
}

/* This machine: from where we reach the others is what we saw, not what they say. */
static void test_local(void **state)
{
	struct met f;

	(void)state;
	found_init(&f, "'nodes':{'a':{'is_local':true},'b':{}}");
	answer(&f, "a", "", "", "eth0 198.51.100.200/24");
	answer(&f, "b", "192.0.2.2", "192.0.2.2", "eth0 192.0.2.2/24");
	mem_replace(&f.observed[1].ssh_client, "203.0.113.1");
	merge(&f);
	assert_node(&f, "a", false, "198.51.100.200");
	assert_string_equal(node_address_from(node(&f, "a")), FACT_DIALLED);
	met_done(&f);
	/* in a private network, and a host on the Internet: a router in between */
	found_init(&f, "'nodes':{'a':{'is_local':true},'b':{}}");
	answer(&f, "a", "", "", "eth0 192.168.1.5/24");
	answer(&f, "b", "192.0.2.2", "192.0.2.2", "eth0 192.0.2.2/24");
	f.reports[1].source = "192.168.1.5";
	merge(&f);
	assert_node(&f, "a", true, "192.168.1.5");
	met_done(&f);
	/* alone: nobody to tell */
	found_init(&f, "'nodes':{'a':{'is_local':true}}");
	answer(&f, "a", "", "", "eth0 192.168.1.5/24");
	merge(&f);
	assert_node(&f, "a", false, NULL);
	met_done(&f);
	/* a host behind a proxy that says nothing is not this machine */
	found_init(&f, AB);
	answer(&f, "a", "", "", "eth0 192.168.1.5/24");
	f.reports[0].local = false;
	answer(&f, "b", "192.0.2.2", "192.0.2.2", "eth0 192.0.2.2/24");
	merge(&f);
	assert_node(&f, "a", false, NULL);
	met_done(&f);
}

/* Hosts that did not answer keep what is known; the same found is the same. */
static void test_silent_and_stable(void **state)
{
	AUTO(sbuf_done) struct sbuf one = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf two = SBUF_INIT;
	struct met f;

	(void)state;
	found_init(&f, "'nodes':{'a':{},'b':{'behind_nat':true,'fqdn':'b.x',"
		       "'facts':{'address':'10.1.1.1','nat_from':'said'}}}");
	answer(&f, "a", "192.0.2.1", "192.0.2.1", "eth0 192.0.2.1/24 "
	       "eth0 192.0.2.9/24 eth1 2001:db8::1/64");
	merge(&f);
	assert_node(&f, "b", true, "10.1.1.1");
	assert_string_equal(node(&f, "b")->fqdn, "b.x");
	state_format(&one, &f.mesh);
	merge(&f);
	state_format(&two, &f.mesh);
	assert_string_equal(sbuf_str(&one), sbuf_str(&two));
	met_done(&f);
}

/* A host has so many addresses: some are kept, passing ones are not. */
static void test_many_addresses(void **state)
{
	struct met f;
	struct observed *o;

	(void)state;
	found_init(&f, AB);
	o = answer(&f, "a", "192.0.2.1", "192.0.2.1", "eth0 192.0.2.1/24 "
		   "eth0 2001:db8::1/64");
	o->addresses.items[1].passing = true;
	for (int i = 0; i < 500; i++) {
		struct observed_address *a = vec_add(&o->addresses);

		*a = o->addresses.items[0];
		a->address.ip.b[2] = (uint8_t)(i >> 8);
		a->address.ip.b[3] = (uint8_t)i;
	}
	merge(&f);
	assert_int_equal(node(&f, "a")->facts.addresses.len, 64);
	assert_null(strstr(cidrs_text(&node(&f, "a")->facts.addresses), ":"));
	met_done(&f);
}

/* A new name of the host drops the old full one. */
static void test_names(void **state)
{
	struct met f;

	(void)state;
	found_init(&f, "'nodes':{'a':{'actual_hostname':'old','fqdn':'old.x'}}");
	answer(&f, "a", "192.0.2.1", "192.0.2.1", "eth0 192.0.2.1/24");
	merge(&f);
	assert_string_equal(node(&f, "a")->actual_hostname, "a");
	assert_null(node(&f, "a")->fqdn);
	f.observed[0].fqdn = mem_strdup("a.example.org");
	merge(&f);
	assert_string_equal(node(&f, "a")->fqdn, "a.example.org");
	mem_replace(&f.observed[0].fqdn, NULL);
	merge(&f);
	assert_string_equal(node(&f, "a")->fqdn, "a.example.org");
	met_done(&f);
}

#define ROUTED(facts_of_c)                                                     \
	"'nodes':{'a':{'mesh_ip':'10.99.0.1'},'b':{'mesh_ip':'10.99.0.2',"     \
	"'public_key':'" KEY_B "','routable_networks':['192.168.10.0/24']},"   \
	"'c':{'mesh_ip':'10.99.0.3','public_key':'" KEY_C "','facts':{"        \
	"'address':'192.168.10.5'" facts_of_c "}}}"

/* That a host says to be in another's network takes no route to that; what we
 * dialled does, for the tunnel's own packets would go into the tunnel. */
static void test_word_takes_no_route(void **state)
{
	struct mesh m;
	struct desired d;

	(void)state;
	mesh_of(&m, ROUTED(""));
	desired_of(&d, &m, "a");
	assert_int_equal(d.routes.len, 1);
	assert_string_equal(d.peers.items[1].name, "c");
	assert_string_equal(d.peers.items[1].endpoint, "");
	assert_true(d.peers.items[1].doubted);
	desired_done(&d);
	mesh_done(&m);
	mesh_of(&m, ROUTED(",'dialled':'192.168.10.5'"));
	desired_of(&d, &m, "a");
	assert_int_equal(d.routes.len, 0);
	assert_string_equal(d.peers.items[1].endpoint, "192.168.10.5:51820");
	desired_done(&d);
	mesh_done(&m);
}

/* Two behind different NATs have no way to each other: one sentence each. */
static void test_warnings(void **state)
{
	AUTO(mesh_done) struct mesh m;
	struct strings got = { 0 };

	(void)state;
	mesh_of(&m, "'nodes':{"
		    "'a':{'behind_nat':true,'facts':{'address':'192.168.1.1',"
		    "'addresses':['192.168.1.1/24']}},"
		    "'b':{'behind_nat':true,'facts':{'address':'192.168.1.2',"
		    "'addresses':['192.168.1.2/24']}},"
		    "'c':{'behind_nat':true,'facts':{'address':'192.168.7.3',"
		    "'addresses':['192.168.7.3/24']}},"
		    "'d':{'facts':{'address':'192.0.2.4'}}}");
	facts_warnings(&m, &got);
	assert_int_equal(got.len, 3);
	assert_memory_equal(got.items[0], "'a' is behind NAT and so are 1 ", 31);
	assert_memory_equal(got.items[2], "'c' is behind NAT and so are 2 ", 31);
	strings_done(&got);
	nodes_find(&m.nodes, "c")->public_endpoint = mem_strdup("h:1");
	facts_warnings(&m, &got);
	assert_int_equal(got.len, 0);
	strings_done(&got);
}

/*
 * Logins over the mesh, in all their forms, change nothing of what is known:
 * not the place, not what was dialled, not who is behind NAT.
 */
static void test_logins_over_mesh(void **state)
{
	static const struct {
		const char *dialled, *server, *own;
	} rows[] = {
		{ "10.99.0.1", "10.99.0.1", "eth0 10.0.0.5/24" },
		{ "::ffff:10.99.0.1", "10.99.0.1", "eth0 8.8.4.4/24" },
		{ "fd99::1", "fd99::1", "eth0 10.0.0.5/24 wg1 10.99.0.9/16" },
		{ "", "10.99.0.1", "eth0 8.8.4.4/24" },     /* a proxy */
		{ "9.9.9.9", "10.99.0.1", "eth0 10.0.0.5/24" }, /* forwarded */
		{ "10.99.0.1", "10.0.0.5", "eth0 10.0.0.5/24" },
	};
	static const char *const known[] = {
		"'facts':{'address':'192.0.2.1','dialled':'192.0.2.1'}",
		("'behind_nat':true,'facts':{'address':'192.168.3.3',"
		 "'dialled':'192.0.2.1','nat_from':'said'}"),
		"'behind_nat':true,'public_endpoint':'h:1'",
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
			AUTO(auto_free) char *text =
				mem_printf("'network6':'fd99::/64','nodes':"
					   "{'a':{%s},'b':{},'c':{}}", known[k]);
			struct met f;
			struct node before;

			found_init(&f, text);
			before = *node(&f, "a");
			answer(&f, "a", rows[i].dialled, rows[i].server,
			       rows[i].own);
			hears(&f, answer(&f, "b", "9.9.9.8", "9.9.9.8",
					 "eth0 9.9.9.8/24"),
			      "a", "8.8.8.8:4", 10);
			hears(&f, answer(&f, "c", "9.9.9.9", "9.9.9.9",
					 "eth0 9.9.9.9/24"),
			      "a", "8.8.8.8:4", 10);
			before.facts.address =
				mem_strdup(before.facts.address);
			before.facts.dialled =
				mem_strdup(before.facts.dialled);
			merge(&f);
			if (before.facts.address)
				assert_node(&f, "a", before.behind_nat,
					    before.facts.address);
			else
				assert_true(node(&f, "a")->behind_nat);
			if (before.facts.dialled)
				assert_string_equal(before.facts.dialled,
					node(&f, "a")->facts.dialled);
			for (size_t c = 0;
			     c < node(&f, "a")->facts.addresses.len; c++)
				assert_false(place_in_mesh(
					&f.mesh, &node(&f, "a")->facts
							  .addresses.items[c].ip));
			free(before.facts.address);
			free(before.facts.dialled);
			met_done(&f);
		}
}

/* A host of which nothing is known but its mesh address: its global one. */
static void test_first_login_over_mesh(void **state)
{
	struct met f;

	(void)state;
	found_init(&f, AB);
	answer(&f, "a", "10.99.0.1", "10.99.0.1",
	       "eth0 10.0.0.5/24 eth1 8.8.4.4/24");
	answer(&f, "b", "10.99.0.2", "10.99.0.2", "eth0 10.0.0.6/24");
	merge(&f);
	assert_node(&f, "a", false, "8.8.4.4");
	assert_node(&f, "b", false, NULL);
	met_done(&f);
}

/* What an older deploy took for a place is forgotten with the next load. */
static void test_bad_facts(void **state)
{
	static const char *const bad[] = { "10.99.0.1", "0.0.0.0", "127.0.0.1",
					   "fe80::1", "ff02::1",
					   "::ffff:10.99.0.1" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		AUTO(auto_free) char *text =
			mem_printf("'nodes':{'a':{'facts':{'address':'%s',"
				   "'dialled':'%s'}}}", bad[i], bad[i]);
		AUTO(mesh_done) struct mesh m;

		mesh_of(&m, text);
		assert_null(m.nodes.items[0].facts.address);
		assert_null(m.nodes.items[0].facts.dialled);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_public),
		cmocka_unit_test(test_translated),
		cmocka_unit_test(test_private_fleet),
		cmocka_unit_test(test_private_among_public),
		cmocka_unit_test(test_jump),
		cmocka_unit_test(test_seen_by_two),
		cmocka_unit_test(test_not_believed),
		cmocka_unit_test(test_claimed_global),
		cmocka_unit_test(test_over_the_mesh),
		cmocka_unit_test(test_not_seen),
		cmocka_unit_test(test_said_by_user),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_silent_and_stable),
		cmocka_unit_test(test_many_addresses),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_word_takes_no_route),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_logins_over_mesh),
		cmocka_unit_test(test_first_login_over_mesh),
		cmocka_unit_test(test_bad_facts),
	};

	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
