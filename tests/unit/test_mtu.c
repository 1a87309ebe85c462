/*
 * render/underlay and mtu: what a host's routes and interfaces leave to its
 * tunnel, as a fact about it; and what of that becomes a step.
 */
#include "render/mtu.h"
#include "render/plan.h"
#include "render/wgquick.h"
#include "tests/unit/fixture.h"

#define NONCE "0123456789abcdef"
#define HEAD(section) "\n=" NONCE "= " section "\n"
#define HOST                                                                  \
	HEAD("host") "uid=0\nnow=1800000000\nhostname=a\nwg=1\nip=1\nsystemd=1\n" \
	"enabled=1\nssh=192.0.2.9 4 192.0.2.1 22\n"                           \
	HEAD("address") "2: eth0    inet 192.0.2.1/24 scope global\n"         \
	"7: wg0    inet 10.99.0.1/16 scope global\n"
#define LINKS                                                                 \
	HEAD("links") "1: lo: <LOOPBACK,UP> mtu 65536\n"                      \
	"2: eth0@if5: <BROADCAST,UP,LOWER_UP> mtu 1500\n"                     \
	"3: eth1: <UP> mtu 1400\n4: ppp0: <UP> mtu 1492\n"                    \
	"5: big: <UP> mtu 65536\n6: low: <UP> mtu 600\n"                      \
	"7: wg0: <UP> mtu 1420\n"
#define WG(mtu)                                                               \
	HEAD("link") "7: wg0: <NOARP,UP> mtu " mtu " x\n"                     \
	HEAD("dump") KEY_A "\t51820\toff\n" KEY_B "\t(none)\t192.0.2.2:51820" \
	"\t10.99.0.2/32\t1799999990\t1\t1\toff\n"
#define MARKED(lines)                                                         \
	HEAD("boot") "# managed by wgmesh, mesh " MESH_ID ", serial 1\n" lines
#define MAIN(v4, v6) HEAD("main4") v4 LINKS HEAD("main6") v6
#define DEFAULT "default via 192.0.2.254 dev eth0 \n"

static void observe(struct observed *o, const char *report)
{
	const struct probe_request request = { .interface = "wg0",
					       .nonce = NONCE };
	struct err e = { 0 };

	if (observed_parse(o, report, strlen(report), &request, &e) < 0)
		fail_msg("%s", e.msg);
}

/* ---- the way to an address ---- */

static const struct way {
	const char *to;
	int mtu;
} ways[] = {
	{ "198.51.100.1", 1500 },  /* by default, not through the tunnel */
	{ "10.1.0.1", 1400 },      /* many ways: the smallest */
	{ "10.1.5.1", 1492 },      /* a longer prefix */
	{ "10.1.5.9", 1300 },      /* the route's own, though locked */
	{ "10.2.0.1", 1400 },      /* lower metric, whatever its MTU */
	{ "10.3.0.1", 1500 },      /* no metric is the lowest */
	{ "10.4.0.1", 1500 },      /* a dead way, and one that leads nowhere */
	{ "10.5.0.1", 0 },         /* an interface that is not there */
	{ "10.6.0.1", 1492 },      /* one of two is not there */
	{ "2001:db8::1", 1450 },   /* by default, with an MTU */
	{ "2001:db8:1::1", 1400 }, /* two routes alike are ways of one */
};

static void test_ways(void **state)
{
	struct observed o;

	(void)state;
	observe(&o, HOST MAIN(
		"default dev wg0 scope link \n"
		"default via 192.0.2.254 dev eth0 proto dhcp metric 100 \n"
		"10.1.0.0/16 \\\tnexthop via 192.0.2.3 dev eth0 weight 1 "
		"\\\tnexthop via 192.0.2.4 dev eth1 weight 1 \n"
		"10.1.5.0/24 dev ppp0 scope link \n"
		"10.1.5.9 dev ppp0 scope link mtu lock 1300 \n"
		"10.2.0.0/16 dev eth0 metric 20 \n10.2.0.0/16 dev eth1 metric 10 \n"
		"10.3.0.0/16 dev eth1 metric 5 \n10.3.0.0/16 dev eth0 \n"
		"10.4.0.0/16 dev eth1 dead linkdown \n"
		"unreachable 10.4.0.0/17 \n10.4.0.0/18 \n"
		"10.5.0.0/16 dev gone \n"
		"10.6.0.0/16 \\\tnexthop dev gone weight 1 \\\tnexthop dev ppp0 weight 1 "
		"\\\tnexthop dev gone weight 1 \n",
		"2001:db8:1::/48 dev eth0 metric 1024 pref medium\n"
		"2001:db8:1::/48 dev eth1 metric 1024 pref medium\n"
		"default via fe80::1 dev eth0 proto ra metric 1024 "
		"expires 1700sec mtu 1450 hoplimit 64 pref medium\n"));
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		struct ip to;

		assert_true(ip_parse(&to, ways[i].to));
		if (mtu_of_way(&o, &to, "wg0") != ways[i].mtu)
			fail_msg("%s: %d", ways[i].to,
				 mtu_of_way(&o, &to, "wg0"));
	}
	assert_int_equal(mtu_of_default_way(&o, 4, "wg0"), 1500);
	assert_int_equal(mtu_of_default_way(&o, 4, "eth0"), 1420);
	assert_int_equal(mtu_of_default_way(&o, 6, "wg0"), 1450);
	assert_int_equal(mtu_of_default_way(&o, 6, "eth0"), 0);
	observed_done(&o);
}

/* More than anybody needs is not kept; the host is not refused for it. */
static void test_many(void **state)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	struct observed o;

	(void)state;
	sbuf_puts(&text, HOST HEAD("main4"));
	for (int i = 0; i < 2 * OBSERVED_UNDERLAY_MAX; i++)
		sbuf_printf(&text, "10.%d.%d.0/24 dev eth0\n", i / 256,
			    i % 256);
	sbuf_puts(&text, HEAD("links"));
	for (int i = 0; i < 2 * OBSERVED_LINKS_MAX; i++)
		sbuf_printf(&text, "%d: e%d: <> mtu 1500\n", i, i);
	observe(&o, sbuf_str(&text));
	assert_int_equal(o.underlay.len, OBSERVED_UNDERLAY_MAX);
	assert_int_equal(o.links.len, OBSERVED_LINKS_MAX);
	observed_done(&o);
}

static void test_lies(void **state)
{
	static const char *const lies[] = {
		HEAD("main4") "10.0.0.0/8 dev sixteenletters16\n",
		HEAD("main4") "10.0.0.0/8 dev eth0 metric -1\n",
		HEAD("main4") "10.0.0.0/8 dev eth0 mtu 1e3\n",
		HEAD("main4") "10.0.0.0/8 dev eth0 mtu lock x\n",
		HEAD("main4") "10.0.0.0/33 dev eth0\n",
		HEAD("main6") "somewhere dev eth0\n",
		HEAD("links") "2: eth0: <UP> qdisc\n",
		HEAD("links") "mtu 1500\n",
		HEAD("links") "2: eth0: <UP> mtu 99999999999\n",
		HEAD("links") "2: sixteenletters16: <UP> mtu 1500\n",
	};
	const struct probe_request request = { .interface = "wg0",
					       .nonce = NONCE };

	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		AUTO(auto_free) char *text = mem_printf(HOST "%s", lies[i]);
		struct observed o;
		struct err e = { 0 };

		if (observed_parse(&o, text, strlen(text), &request, &e) == 0)
			fail_msg("accepted: %s", lies[i]);
		assert_int_equal(e.code, ERR_INPUT);
	}
}

/* ---- the fact ---- */

#define A(more)                                                               \
	"'a':{'mesh_ip':'10.99.0.1','public_key':'" KEY_A                     \
	"','private_key':'" KEY_C "'" more "}"
#define B(more)                                                               \
	"'b':{'mesh_ip':'10.99.0.2','public_key':'" KEY_B "'" more "}"
#define AT_B ",'public_endpoint':'192.0.2.2:51820'"
#define MESH(a, b) "'mesh_id':'" MESH_ID "','nodes':{" A(a) "," B(b) "}"

/* The mesh @text after node a answered with @report. */
static void merged(struct mesh *m, const char *text, const char *report)
{
	struct observed o;
	struct host_report r = { .observed = &o, .dialled = "192.0.2.1" };

	mesh_of(m, text);
	observe(&o, report);
	r.node = nodes_find(&m->nodes, "a");
	facts_merge(m, &r, 1);
	observed_done(&o);
}

static void assert_fact(const char *text, const char *report, int mtu,
			bool kept)
{
	struct mesh m;
	const struct node_facts *facts;

	merged(&m, text, report);
	facts = &nodes_find(&m.nodes, "a")->facts;
	if (facts->mtu != mtu || facts->mtu_kept != kept)
		fail_msg("%s: %d%s", text, facts->mtu,
			 facts->mtu_kept ? ", kept" : "");
	mesh_done(&m);
}

static void test_found(void **state)
{
	(void)state;
	/* the way to the peer; the default route where that is not known */
	assert_fact(MESH("", AT_B), HOST MAIN(DEFAULT
		    "192.0.2.0/24 dev eth1 \n", ""), 1320, false);
	assert_fact(MESH("", ",'public_endpoint':'b.example.org:51820'"),
		    HOST MAIN("default dev ppp0 \n192.0.2.0/24 dev eth1 \n", ""),
		    1412, false);
	assert_fact(MESH("", ",'behind_nat':true"),
		    HOST MAIN(DEFAULT, "default dev eth1 \n"), 1320, false);
	assert_fact(MESH("", ",'facts':{'address':'192.0.2.2','dialled':"
			     "'192.0.2.2'}"),
		    HOST MAIN(DEFAULT "192.0.2.0/24 dev eth1 \n", ""), 1320,
		    false);
	/* where a peer says that it is does not count */
	assert_fact(MESH("", ",'facts':{'address':'192.0.2.2'}"),
		    HOST MAIN(DEFAULT "192.0.2.0/24 dev eth1 \n", ""), 1420,
		    false);
	/* no way: it does not count */
	assert_fact(MESH("", ",'public_endpoint':'[2001:db8::1]:51820'"),
		    HOST MAIN(DEFAULT, ""), 1420, false);
	assert_fact(MESH("", AT_B), HOST MAIN("", ""), 1420, false);
	/* an external peer counts, a node that is no peer does not */
	assert_fact(MESH(",'external_peers':[{'name':'x','public_key':'" KEY_C
			 "','endpoint':'10.1.1.1:1'}]", AT_B),
		    HOST MAIN(DEFAULT "10.0.0.0/8 dev eth1 \n", ""), 1320,
		    false);
	assert_fact("'groups':{'g':{'members':['a']}}," MESH("", AT_B),
		    HOST MAIN(DEFAULT "192.0.2.0/24 dev eth1 \n", ""), 1420,
		    false);
}

static void test_bounds(void **state)
{
	(void)state;
	assert_fact(MESH("", AT_B), HOST MAIN("default dev low \n", ""), 576,
		    false);
	assert_fact("'network6':'fd99::/64'," MESH("", AT_B),
		    HOST MAIN("default dev low \n", ""), 1280, false);
	assert_fact(MESH("", AT_B), HOST MAIN("default dev big \n", ""), 65456,
		    false);
	assert_fact(MESH("", AT_B),
		    HOST MAIN("default dev eth0 mtu 1000000 \n", ""), 65535,
		    false);
}

/* A host that says nothing of its interfaces says nothing new. */
static void test_unsaid(void **state)
{
	(void)state;
	assert_fact(MESH("", AT_B), HOST, 0, false);
	assert_fact(MESH(",'facts':{'mtu':1333}", AT_B), HOST, 1333, false);
	assert_fact(MESH(",'facts':{'mtu':1333}", AT_B),
		    HOST MAIN(DEFAULT, ""), 1420, false);
}

static void test_kept(void **state)
{
	static const char kept[] = ",'facts':{'mtu':1380,'mtu_kept':true}";
	AUTO(auto_free) char *text = mem_printf(MESH("%s", AT_B), kept);
	AUTO(auto_free) char *said = mem_printf("'mtu':1400,%s", text);

	(void)state;
	/* another tool's file, none, or one of ours that says none */
	assert_fact(MESH("", AT_B), HOST MAIN(DEFAULT, "") WG("1380")
		    HEAD("boot") "|\n", 1380, true);
	assert_fact(MESH("", AT_B), HOST MAIN(DEFAULT, "") WG("1380"), 1380,
		    true);
	assert_fact(MESH("", AT_B), HOST MAIN(DEFAULT, "") WG("1380")
		    MARKED("|ListenPort = 51820\n"), 1380, true);
	/* of ours that says one: whatever is live now */
	assert_fact(MESH("", AT_B), HOST MAIN(DEFAULT, "") WG("1380")
		    MARKED("|MTU = 1420\n"), 1420, false);
	/* not an MTU that could be said, and nothing that is not live */
	assert_fact(MESH("", AT_B), HOST MAIN(DEFAULT, "") WG("100"), 1420,
		    false);
	assert_fact(MESH("", AT_B), HOST MAIN(DEFAULT, "") HEAD("boot") "|\n",
		    1420, false);
	/* it stays, live or not, until it is gone or the user says one */
	assert_fact(text, HOST MAIN(DEFAULT, "") WG("1280")
		    MARKED("|MTU = 1380\n"), 1380, true);
	assert_fact(text, HOST MAIN(DEFAULT, "") MARKED("|MTU = 1380\n"), 1380,
		    true);
	assert_fact(text, HOST MAIN(DEFAULT, ""), 1420, false);
	assert_fact(said, HOST MAIN(DEFAULT, "") WG("1380")
		    MARKED("|MTU = 1380\n"), 1420, false);
}

/* ---- what becomes of it ---- */

/* The steps for node a after it answered with @report, a line each. */
static void assert_steps(const char *text, const char *report, bool same_boot,
			 const char *want, const char *boot_line)
{
	const struct plan_options options = { .install = true };
	AUTO(sbuf_done) struct sbuf got = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf file = SBUF_INIT;
	struct err e = { 0 };
	struct desired d;
	struct observed o;
	struct plan p;
	struct mesh m;

	merged(&m, text, report);
	desired_of(&d, &m, "a");
	observe(&o, report);
	if (plan_make(&p, &d, &o, o.boot_hash + !same_boot, &options, &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < p.steps.len; i++) {
		step_text(&got, &p, &p.steps.items[i]);
		sbuf_putc(&got, '\n');
	}
	assert_string_equal(sbuf_str(&got), want);
	wgquick_file(&file, &d, 1, false);
	assert_non_null(strstr(sbuf_str(&file), boot_line));
	plan_done(&p);
	observed_done(&o);
	desired_done(&d);
	mesh_done(&m);
}

static void test_steps(void **state)
{
	(void)state;
	/* taken over: the boot file alone, with what is live */
	assert_steps(MESH("", AT_B), HOST MAIN("default dev eth1 \n", "")
		     WG("1420") MARKED("|ListenPort = 51820\n"), false,
		     "~ boot file /etc/wireguard/wg0.conf\n", "\nMTU = 1420\n");
	/* said by the user: that, live too */
	assert_steps("'mtu':1350," MESH("", AT_B),
		     HOST MAIN(DEFAULT, "") WG("1420")
		     MARKED("|ListenPort = 51820\n"), false,
		     "~ MTU 1420 -> 1350\n"
		     "~ boot file /etc/wireguard/wg0.conf\n", "\nMTU = 1350\n");
	assert_steps("'mtu':1350," MESH(",'mtu':1340", AT_B),
		     HOST MAIN(DEFAULT, "") WG("1340") MARKED("|MTU = 1340\n"),
		     true, "", "\nMTU = 1340\n");
	/* found: as it is */
	assert_steps(MESH("", AT_B), HOST MAIN("default dev eth1 \n", "")
		     WG("1320") MARKED("|MTU = 1320\n"), true, "",
		     "\nMTU = 1320\n");
	/* the way to a peer has become narrower */
	assert_steps(MESH(",'facts':{'mtu':1420}", AT_B),
		     HOST MAIN("default dev eth1 \n", "") WG("1420")
		     MARKED("|MTU = 1420\n"), false, "~ MTU 1420 -> 1320\n"
		     "~ boot file /etc/wireguard/wg0.conf\n", "\nMTU = 1320\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),   cmocka_unit_test(test_many),
		cmocka_unit_test(test_lies),   cmocka_unit_test(test_found),
		cmocka_unit_test(test_bounds), cmocka_unit_test(test_unsaid),
		cmocka_unit_test(test_kept),   cmocka_unit_test(test_steps),
	};

	return cmocka_run_group_tests_name("mtu", tests, NULL, NULL);
}
