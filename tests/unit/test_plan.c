/*
 * render/plan and step: what has to be done on a host, in which order, in which
 * words; and that nothing is to be done where nothing differs.
 */
#include "render/plan.h"
#include "tests/unit/fixture.h"

#define NONCE "0123456789abcdef"
#define HEAD(section) "\n=" NONCE "= " section "\n"
#define HOST                                                                  \
	HEAD("host") "uid=0\nnow=1800000000\nhostname=a\nwg=1\nip=1\napt=1\n"   \
	"systemd=1\nenabled=1\nforward4=0\nforward6=0\n"
#define LINK HEAD("link") "7: wg0: <NOARP,UP,LOWER_UP> mtu 1420 x\n"
#define ADDRESS HEAD("address") "7: wg0    inet 10.99.0.1/16 scope global\n"
#define DUMP HEAD("dump") KEY_A "\t51820\toff\n"
#define PEER_B                                                                \
	KEY_B "\t(none)\t192.0.2.2:51820\t10.99.0.2/32,192.168.20.0/24\t"     \
	"1799999990\t1\t1\toff\n"
#define ROUTES                                                                \
	HEAD("route4") "10.99.0.0/16 proto kernel scope link src 10.99.0.1\n" \
	"192.168.20.0/24 via 10.99.0.2 proto 119\n"
#define BOOT                                                                  \
	HEAD("boot") "|same\n# managed by wgmesh, mesh " MESH_ID            \
	", serial 1\n|PublicKey = " KEY_B "\n|Endpoint = 192.0.2.2:51820\n"
/* A host on which everything is as it should be. */
#define DONE HOST ADDRESS LINK DUMP PEER_B ROUTES BOOT

#define MESH                                                                  \
	"'mesh_id':'" MESH_ID "','nodes':{'a':{'mesh_ip':'10.99.0.1',"        \
	"'public_key':'" KEY_A "','private_key':'" KEY_C "'},"                \
	"'b':{'mesh_ip':'10.99.0.2','public_key':'" KEY_B "',"                \
	"'public_endpoint':'192.0.2.2:51820',"                                \
	"'routable_networks':['192.168.20.0/24']}}"

/* A mesh, a report, and what came of them for node a. */
struct planned {
	struct mesh mesh;
	struct desired desired;
	struct observed observed;
	struct plan plan;
	struct sbuf text; /* a line for each step */
};

static void observe(struct observed *o, const char *report)
{
	const struct probe_request request = { .interface = "wg0",
					       .nonce = NONCE };
	struct err e = { 0 };

	if (observed_parse(o, report, strlen(report), &request, &e) < 0)
		fail_msg("%s", e.msg);
}

static void put_steps(struct planned *p)
{
	for (size_t i = 0; i < p->plan.steps.len; i++) {
		step_text(&p->text, &p->plan, &p->plan.steps.items[i]);
		sbuf_putc(&p->text, '\n');
	}
}

static void plan(struct planned *p, const char *mesh, const char *report)
{
	const struct plan_options options = { .install = true };
	struct err e = { 0 };

	memset(p, 0, sizeof *p);
	mesh_of(&p->mesh, mesh);
	desired_of(&p->desired, &p->mesh, "a");
	observe(&p->observed, report);
	if (plan_make(&p->plan, &p->desired, &p->observed,
		      boot_of(&p->observed, report), &options, &e) < 0)
		fail_msg("%s", e.msg);
	put_steps(p);
}

static void planned_done(struct planned *p)
{
	plan_done(&p->plan);
	observed_done(&p->observed);
	desired_done(&p->desired);
	mesh_done(&p->mesh);
	sbuf_done(&p->text);
}

/* The steps for node a, one line each. */
static void assert_steps(const char *mesh, const char *report,
			 const char *want)
{
	struct planned p;

	plan(&p, mesh, report);
	assert_string_equal(sbuf_str(&p.text), want);
	planned_done(&p);
}

static void test_nothing(void **state)
{
	(void)state;
	assert_steps(MESH, DONE, "");
	/* addresses, routes and peers of others are not ours */
	assert_steps(MESH, HOST ADDRESS
		     "7: wg0    inet6 fe80::1/64 scope link\n"
		     "2: eth0    inet 192.168.20.9/24\n" LINK DUMP PEER_B ROUTES
		     "10.7.0.0/16 via 172.16.0.1\ndefault via 10.99.0.2\n"
		     "10.8.0.0/16 scope link\n" BOOT, "");
}

/* What goes with a boot file is told before it is replaced, and not later. */
static void test_lost(void **state)
{
	static const struct { const char *boot; bool told; } cases[] = {
		{ HEAD("boot") "|\nlost PostUp 4\nlost DNS 7\n", true },
		{ HEAD("boot") "|same\n# managed by wgmesh, mesh " MESH_ID
		  ", serial 1\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(auto_free) char *report = mem_printf(
			"%s%s", HOST ADDRESS LINK DUMP PEER_B ROUTES,
			cases[i].boot);
		struct planned p;
		bool told = false;

		plan(&p, MESH, report);
		for (size_t k = 0; k < p.plan.notes.len; k++)
			told |= strstr(p.plan.notes.items[k],
				       "PostUp (line 4), DNS (line 7)") != NULL;
		assert_int_equal(told, cases[i].told);
		planned_done(&p);
	}
}

#define HOOKED(more) HEAD("boot") "# managed by wgmesh, mesh " MESH_ID          \
	", serial 1\n|[Interface]\n|# hooks of this node\n" more "|\n|[Peer]\n"

/* What the step says of commands: all that hold then, and which go. */
static void test_hooks(void **state)
{
	static const struct { const char *hooks, *boot, *said; } cases[] = {
		{ "'post_up':['a','b'],", HOOKED(""), "start on: PostUp = a; PostUp = b" },
		{ "'pre_down':['b'],'post_up':['a'],", HOOKED(""),
		  "start on: PostUp = a; PreDown = b" },
		{ "", HOOKED("|PostUp = \033[1m\n"),
		  "start on: none (no longer: PostUp = \\x1b[1m)" },
		{ "'post_up':['a'],", HOOKED("|PostUp = a\n|PreDown = b\n"),
		  "start on: PostUp = a (no longer: PreDown = b)" },
		{ "'post_up':['a'],", HOOKED("|PostUp = a\n"), NULL },
		{ "'post_up':['a'],", HEAD("boot") "|\nlost PostUp 4\nlost PreDown 5\n",
		  "start on: PostUp = a" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(auto_free) char *report = mem_printf(
			"%s%s", HOST ADDRESS LINK DUMP PEER_B ROUTES,
			cases[i].boot);
		AUTO(auto_free) char *mesh = mem_printf(
			"'mesh_id':'" MESH_ID "','nodes':{'a':{%s%s",
			cases[i].hooks, strstr(MESH, "'mesh_ip'"));
		AUTO(sbuf_done) struct sbuf said = SBUF_INIT;
		struct planned p;

		plan(&p, mesh, report);
		for (size_t k = 0; k < p.plan.steps.len; k++)
			step_text(&said, &p.plan, &p.plan.steps.items[k]);
		if (cases[i].said && !strstr(sbuf_str(&said), cases[i].said))
			fail_msg("%zu: %s", i, sbuf_str(&said));
		assert_true(cases[i].said || !strstr(sbuf_str(&said), "hooks"));
		for (size_t k = 0; k < p.plan.notes.len; k++)
			assert_null(strstr(p.plan.notes.items[k], "PostUp"));
		planned_done(&p);
	}
}

static void test_fresh(void **state)
{
	(void)state;
	assert_steps(MESH,
		     HEAD("host") "uid=0\nnow=1\nhostname=a\nip=1\napt=1\n"
		     "systemd=1\n" HEAD("address"),
		     "+ package wireguard-tools\n"
		     "+ boot file /etc/wireguard/wg0.conf\n"
		     "+ unit wg-quick@wg0 enabled\n"
		     "+ interface wg0 up, with 1 peer\n");
}

/* Everything at once, additions before removals. */
static void test_everything(void **state)
{
	(void)state;
	assert_steps(
		"'mtu':1380," MESH,
		HEAD("host") "uid=0\nnow=1800000000\nhostname=a\nwg=1\nip=1\n"
		"systemd=1\n"
		HEAD("address") "7: wg0    inet 10.99.0.7/16 x\n"
		HEAD("link") "7: wg0: <NOARP> mtu 1420 x\n"
		HEAD("dump") KEY_C "\t99\t0x10\n"
		KEY_C "\t(none)\t(none)\t10.99.0.9/32\t0\t0\t0\toff\n"
		HEAD("route4") "10.5.0.0/16 via 10.99.0.9 proto 119\n"
		HEAD("boot") "|other\n# managed by wgmesh, mesh " MESH_ID
		", serial 1\n",
		"~ private key (public key " KEY_C " -> " KEY_A ")\n"
		"~ listen port 99 -> 51820\n~ fwmark 0x10 -> off\n"
		"~ MTU 1420 -> 1380\n+ address 10.99.0.1/16\n"
		"~ interface wg0 down -> up\n"
		"+ peer b: 10.99.0.2/32, 192.168.20.0/24 at 192.0.2.2:51820\n"
		"- peer " KEY_C ": 10.99.0.9/32\n"
		"+ route 192.168.20.0/24 via 10.99.0.2\n"
		"- route 10.5.0.0/16 via 10.99.0.9\n"
		"- address 10.99.0.7/16\n"
		"~ boot file /etc/wireguard/wg0.conf\n"
		"+ unit wg-quick@wg0 enabled\n");
}

/* A peer that differs in all that can differ. */
static void test_peer(void **state)
{
	(void)state;
	assert_steps(MESH,
		     HOST ADDRESS LINK DUMP KEY_B
		     "\t(set)\t203.0.113.1:1\t10.99.0.2/32\t0\t0\t0\t25\n"
		     ROUTES BOOT,
		     "~ peer b: endpoint 203.0.113.1:1 -> 192.0.2.2:51820; "
		     "allowed IPs 10.99.0.2/32 -> 10.99.0.2/32, 192.168.20.0/24; "
		     "keepalive 25 s -> off; preshared key set -> none\n");
}

/* The one peer line of a host, live at another endpoint than the state says. */
static void roamed(const char *handshake, const char *boot, const char *want)
{
	char *report = mem_printf("%s" KEY_B "\t(none)\t203.0.113.1:1\t"
				  "10.99.0.2/32,192.168.20.0/24\t%s\t1\t1\toff\n"
				  "%s%s", HOST ADDRESS LINK DUMP, handshake,
				  ROUTES, boot);

	assert_steps(MESH, report, want);
	free(report);
}

#define SET_ENDPOINT "~ peer b: endpoint 203.0.113.1:1 -> 192.0.2.2:51820\n"

/* A peer may roam; what the user changed is set. */
static void test_endpoint(void **state)
{
	static const char changed[] =
		HEAD("boot") "|same\n# managed by wgmesh, mesh " MESH_ID
		", serial 1\n|PublicKey = " KEY_B "\n|Endpoint = 192.0.2.99:51820\n";

	(void)state;
	roamed("1799999990", BOOT, "");
	roamed("1799999821", BOOT, "");
	roamed("1799999820", BOOT, SET_ENDPOINT);
	roamed("0", BOOT, SET_ENDPOINT);
	roamed("1799999990", changed, SET_ENDPOINT);
}

/* None wanted: whatever is there was learnt. */
static void test_endpoint_of_nat(void **state)
{
	(void)state;
	assert_steps("'mesh_id':'" MESH_ID "','keepalive':0,'nodes':{"
		     "'a':{'mesh_ip':'10.99.0.1','public_key':'" KEY_A "'},"
		     "'b':{'mesh_ip':'10.99.0.2','public_key':'" KEY_B "',"
		     "'behind_nat':true}}",
		     HOST ADDRESS LINK DUMP KEY_B
		     "\t(none)\t203.0.113.1:1\t10.99.0.2/32\t0\t0\t0\toff\n"
		     BOOT, "");
}

/* A name is resolved on the host: it is set when none is there. */
static void test_endpoint_name(void **state)
{
	static const char mesh[] =
		"'mesh_id':'" MESH_ID "','nodes':{"
		"'a':{'mesh_ip':'10.99.0.1','public_key':'" KEY_A "'},"
		"'b':{'mesh_ip':'10.99.0.2','public_key':'" KEY_B "',"
		"'public_endpoint':'b.example.org:1'}}";
	static const char boot[] =
		HEAD("boot") "|same\n# managed by wgmesh, mesh " MESH_ID
		", serial 1\n|PublicKey = " KEY_B "\n|Endpoint = b.example.org:1\n";
	char *set = mem_printf("%s" KEY_B "\t(none)\t203.0.113.1:1\t"
			       "10.99.0.2/32\t0\t0\t0\toff\n%s",
			       HOST ADDRESS LINK DUMP, boot);
	char *unset = mem_printf("%s" KEY_B "\t(none)\t(none)\t10.99.0.2/32\t0\t0"
				 "\t0\toff\n%s", HOST ADDRESS LINK DUMP, boot);

	(void)state;
	assert_steps(mesh, set, "");
	assert_steps(mesh, unset,
		     "~ peer b: endpoint b.example.org:1\n");
	free(set);
	free(unset);
}

/* Of a firewall that drops, only where there is something to forward. */
static void test_forward_note(void **state)
{
	static const struct {
		const char *routes, *said;
		bool noted;
	} rows[] = {
		{ "'10.61.0.0/24'", "forward ip filter\n", true },
		{ "'10.61.0.0/24'", "forward inet filter\n", true },
		{ "'10.61.0.0/24'", "forward ip6 filter\n", false },
		{ "'fd61::/64'", "forward ip6 filter\n", true },
		{ "'fd61::/64'", "forward ip filter\n", false },
		{ "", "forward ip filter\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(auto_free) char *mesh = mem_printf(
			"'mesh_id':'" MESH_ID "','nodes':{'a':{'mesh_ip':"
			"'10.99.0.1','public_key':'" KEY_A "',"
			"'routable_networks':[%s]}}", rows[i].routes);
		AUTO(auto_free) char *report = mem_printf(
			"%s" HEAD("firewall") "%s", HOST ADDRESS LINK DUMP BOOT,
			rows[i].said);
		struct planned p;

		plan(&p, mesh, report);
		assert_int_equal(p.plan.notes.len, rows[i].noted);
		if (rows[i].noted)
			assert_non_null(strstr(p.plan.notes.items[0], "wg0"));
		planned_done(&p);
	}
}

/*
 * A name that is somewhere else now is set anew, unless a handshake says that
 * the peer is where it is.
 */
static void test_endpoint_name_moved(void **state)
{
	static const char mesh[] =
		"'mesh_id':'" MESH_ID "','nodes':{"
		"'a':{'mesh_ip':'10.99.0.1','public_key':'" KEY_A "'},"
		"'b':{'mesh_ip':'10.99.0.2','public_key':'" KEY_B "',"
		"'public_endpoint':'b.example.org:1'}}";
	static const struct {
		const char *live, *handshake, *names;
		bool moved;
	} rows[] = {
		{ "203.0.113.1:1", "0", "\t192.0.2.7", true },
		{ "203.0.113.1:1", "1799999820", "\t192.0.2.7", true },
		{ "203.0.113.1:1", "1799999821", "\t192.0.2.7", false },
		{ "203.0.113.1:1", "0", "\t192.0.2.7\t203.0.113.1", false },
		{ "203.0.113.1:9", "0", "\t203.0.113.1", true },
		{ "[2001:db8::1]:1", "0", "\t2001:db8:0::1", false },
		{ "[2001:db8::1]:1", "0", "\t::ffff:192.0.2.7", true },
		{ "203.0.113.1:1", "0", "", false },
		{ "203.0.113.1:1", "0", "\tunasked", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(auto_free) char *report = mem_printf(
			"%s" KEY_B "\t(none)\t%s\t10.99.0.2/32\t%s\t0\t0\toff\n%s"
			KEY_B "%s\n",
			HOST ADDRESS LINK DUMP, rows[i].live, rows[i].handshake,
			HEAD("boot") "|same\n# managed by wgmesh, mesh " MESH_ID
			", serial 1\n|PublicKey = " KEY_B
			"\n|Endpoint = b.example.org:1\n" HEAD("names"),
			rows[i].names);
		AUTO(auto_free) char *want = mem_printf(
			"~ peer b: endpoint b.example.org:1 (was %s)\n",
			rows[i].live);

		assert_steps(mesh, report, rows[i].moved ? want : "");
	}
}

#define NO_ROUTES HOST ADDRESS LINK DUMP PEER_B

static void test_routes(void **state)
{
	(void)state;
	/* another gateway, no gateway, no tag: replaced */
	assert_steps(MESH, NO_ROUTES HEAD("route4")
		     "192.168.20.0/24 via 10.99.0.9 proto 119\n" BOOT,
		     "~ route 192.168.20.0/24 via 10.99.0.2 (was via "
		     "10.99.0.9)\n");
	assert_steps(MESH, NO_ROUTES HEAD("route4")
		     "192.168.20.0/24 scope link\n" BOOT,
		     "~ route 192.168.20.0/24 via 10.99.0.2 (was direct)\n");
	assert_steps(MESH, NO_ROUTES HEAD("route4")
		     "192.168.20.0/24 via 10.99.0.2\n" BOOT,
		     "~ route 192.168.20.0/24 via 10.99.0.2 (tag)\n");
	/* what an older tool left goes: over a mesh address, always; direct
	   ones, only while the boot file is not ours */
	assert_steps(MESH, NO_ROUTES ROUTES "10.6.0.0/16 via 10.99.0.2\n"
		     "10.7.0.0/16 scope link\n" BOOT,
		     "- route 10.6.0.0/16 via 10.99.0.2\n");
	assert_steps(MESH, NO_ROUTES ROUTES "10.7.0.0/16 scope link\n"
		     HEAD("boot") "|theirs\n|PublicKey = " KEY_B
		     "\n|Endpoint = 192.0.2.2:51820\n",
		     "- route 10.7.0.0/16\n~ boot file /etc/wireguard/wg0.conf\n");
}

static void test_forwarding(void **state)
{
	static const char owner[] =
		"'mesh_id':'" MESH_ID "','nodes':{'a':{'mesh_ip':'10.99.0.1',"
		"'public_key':'" KEY_A "','routable_networks':['10.1.0.0/16']}}";
	static const char alone[] =
		"'mesh_id':'" MESH_ID "','nodes':{'a':{'mesh_ip':'10.99.0.1',"
		"'public_key':'" KEY_A "'}}";
	static const char on[] =
		HEAD("dropin") "# before: net.ipv4.ip_forward=0\n"
		"net.ipv4.ip_forward = 1\n";
	char *off = mem_printf("%s%s", HOST ADDRESS LINK DUMP, BOOT);
	char *dropin = mem_printf("%s%s", off, on);
	char *both = mem_printf("%s" HEAD("host") "forward4=1\n", dropin);

	(void)state;
	assert_steps(owner, off, "~ forwarding on\n");
	assert_steps(owner, dropin, "~ forwarding on\n");
	assert_steps(owner, both, "");
	assert_steps(alone, both, "~ forwarding as it was before\n");
	assert_steps(alone, off, "");
	free(off);
	free(dropin);
	free(both);
}

/* ---- the serial in the marker ---- */

/* The steps for MESH at serial 5, on a host whose marker says @serial. */
static char *steps_at(const char *mesh, const char *serial, const char *host,
		      bool force_serial)
{
	const struct plan_options options = { .install = true,
					      .force_serial = force_serial };
	AUTO(auto_free) char *report =
		mem_printf("%s" HEAD("boot") "# managed by wgmesh, mesh "
			   MESH_ID ", serial %s\n|PublicKey = " KEY_B
			   "\n|Endpoint = 192.0.2.2:51820\n", host, serial);
	AUTO(auto_free) char *text = mem_printf("%s,'serial':5", mesh);
	struct planned p = { 0 };
	struct err e = { 0 };
	char *steps;

	mesh_of(&p.mesh, text);
	desired_of(&p.desired, &p.mesh, "a");
	observe(&p.observed, report);
	if (plan_make(&p.plan, &p.desired, &p.observed, p.observed.boot_hash,
		      &options, &e) < 0)
		fail_msg("%s", e.msg);
	put_steps(&p);
	steps = mem_strdup(sbuf_str(&p.text));
	planned_done(&p);
	return steps;
}

static void assert_marker(const char *mesh, const char *serial,
			  const char *host, bool force_serial,
			  const char *want)
{
	AUTO(auto_free) char *steps = steps_at(mesh, serial, host,
					       force_serial);

	assert_string_equal(steps, want);
}

/* A host is told a serial only with something else, or by force. */
static void test_marker(void **state)
{
	static const char same[] = HOST ADDRESS LINK DUMP PEER_B ROUTES;
	static const char drifted[] = HOST ADDRESS LINK DUMP PEER_B;
	static const char route[] = "+ route 192.168.20.0/24 via 10.99.0.2\n";
	static const char boot[] = "~ boot file /etc/wireguard/wg0.conf\n";
	static const char forwards[] =
		"'mesh_id':'" MESH_ID "','nodes':{'a':{'mesh_ip':'10.99.0.1',"
		"'public_key':'" KEY_A "','routable_networks':['10.1.0.0/16']}}";
	static const char alone[] = HOST ADDRESS LINK DUMP;

	(void)state;
	assert_marker(MESH, "4", same, false, "");
	assert_marker(MESH, "4", same, true, "");
	assert_marker(MESH, "5", same, true, "");
	assert_marker(MESH, "4", drifted, false, route);
	assert_marker(MESH, "6", same, false, "");
	assert_marker(MESH, "6", same, true, boot);
	assert_marker(forwards, "4", alone, false,
		      "~ forwarding on\n~ boot file /etc/wireguard/wg0.conf\n");
	assert_marker(forwards, "5", alone, false, "~ forwarding on\n");
}

/* ---- whose it is ---- */

/* Node a on a host that is not ours: refused, unless it is to be adopted. */
static void assert_foreign(const char *report, const char *words)
{
	struct plan_options options = { .install = true };
	struct planned p = { 0 };
	struct err e = { 0 };

	mesh_of(&p.mesh, MESH);
	desired_of(&p.desired, &p.mesh, "a");
	observe(&p.observed, report);
	assert_int_equal(plan_make(&p.plan, &p.desired, &p.observed, 1,
				   &options, &e), -1);
	assert_int_equal(e.code, ERR_REMOTE);
	assert_string_equal(e.msg, words);
	assert_int_equal(e.advice,
			 p.observed.exists ? ADVICE_NOT_OURS
					   : ADVICE_NOT_OURS_AND_DOWN);
	options.adopt = true;
	assert_int_equal(plan_make(&p.plan, &p.desired, &p.observed, 1,
				   &options, &e), 0);
	put_steps(&p);
	assert_int_equal(strncmp(sbuf_str(&p.text), "! take over wg0", 15), 0);
	planned_done(&p);
}

#define REFUSED(peers, key)                                                   \
	"wg0 there is not this mesh's (" peers ", key " key "...)"
#define REFUSED_FILE                                                          \
	"/etc/wireguard/wg0.conf there is not this mesh's, and its interface " \
	"is down"

static void test_foreign(void **state)
{
	static const char other_mesh[] =
		HEAD("boot") "|same\n# managed by wgmesh, mesh "
		"ffffffffffffffffffffffffffffffff, serial 1\n";
	char *text = mem_printf("%s" KEY_C "\t51820\toff\n" PEER_B "%s",
				HOST ADDRESS LINK HEAD("dump"), other_mesh);

	(void)state;
	/* a foreign key and no mark; a foreign mesh's mark; a file alone */
	assert_foreign(HOST ADDRESS LINK HEAD("dump") KEY_C "\t1\toff\n",
		       REFUSED("0 peers", "cccccccc"));
	assert_foreign(text, REFUSED("1 peer", "cccccccc"));
	assert_foreign(HOST ADDRESS HEAD("boot") "|x\n|PublicKey = k\n",
		       REFUSED_FILE);
	assert_foreign(HOST ADDRESS HEAD("boot") "|x\npublic " KEY_C "\n",
		       REFUSED_FILE);
	free(text);
}

/* The steps for node a on a host that is ours: none of them asks or takes over. */
static void assert_ours(const char *report)
{
	struct planned p;

	plan(&p, MESH, report);
	assert_false(p.plan.tears_down);
	assert_null(strstr(sbuf_str(&p.text), "take over"));
	planned_done(&p);
}

static void test_ours(void **state)
{
	(void)state;
	/* our key, our mark, nothing at all; down, with our key in the file */
	assert_ours(HOST ADDRESS LINK DUMP);
	assert_ours(HOST ADDRESS LINK HEAD("dump") KEY_C "\t1\toff\n" BOOT);
	assert_ours(HOST ADDRESS);
	assert_ours(HOST ADDRESS HEAD("boot") "|x\npublic " KEY_A "\n");
}

static void refuse(const char *report, bool install, const char *words,
		   enum advice advice)
{
	const struct plan_options options = { .install = install };
	struct planned p = { 0 };
	struct err e = { 0 };

	mesh_of(&p.mesh, MESH);
	desired_of(&p.desired, &p.mesh, "a");
	observe(&p.observed, report);
	assert_int_equal(plan_make(&p.plan, &p.desired, &p.observed, 1,
				   &options, &e), -1);
	assert_int_equal(e.code, ERR_REMOTE);
	assert_non_null(strstr(e.msg, words));
	assert_int_equal(e.advice, advice);
	planned_done(&p);
}

static void test_refused(void **state)
{
	(void)state;
	refuse(HEAD("host") "uid=0\nnow=1\nhostname=a\nip=1\napt=1\n", false,
	       "(no 'wg')", ADVICE_NO_WIREGUARD);
	refuse(HEAD("host") "uid=0\nnow=1\nhostname=a\nip=1\n", true,
	       "no apt-get", ADVICE_NONE);
	/* the name is taken by something else: a bridge, say */
	refuse(HOST ADDRESS LINK, true, "'wg0' there is no WireGuard interface",
	       ADVICE_NONE);
}

/* A host without IPv6 gets the rest, and at the second time nothing. */
static void test_no_ipv6(void **state)
{
	static const char mesh[] =
		"'mesh_id':'" MESH_ID "','network':'10.99.0.0/16',"
		"'network6':'fd99::/64','nodes':{'a':{'mesh_ip':'10.99.0.1',"
		"'mesh_ip6':'fd99::1','public_key':'" KEY_A
		"','private_key':'" KEY_C "'},'b':{'mesh_ip':'10.99.0.2',"
		"'mesh_ip6':'fd99::2','public_key':'" KEY_B
		"','public_endpoint':'192.0.2.2:51820','routable_networks':["
		"'192.168.20.0/24','fd20::/64']}}";
	const struct plan_options options = { .install = true };
	struct planned p = { 0 };
	struct err e = { 0 };

	(void)state;
	mesh_of(&p.mesh, mesh);
	desired_of(&p.desired, &p.mesh, "a");
	observe(&p.observed, HOST "no_ipv6=1\n" ADDRESS LINK DUMP ROUTES BOOT);
	desired_fit_host(&p.desired, &p.observed);
	if (plan_make(&p.plan, &p.desired, &p.observed, 0, &options, &e) < 0)
		fail_msg("%s", e.msg);
	put_steps(&p);
	assert_int_equal(p.desired.addresses.len, 1);
	assert_int_equal(p.desired.routes.len, 1);
	assert_null(strstr(sbuf_str(&p.text), "address"));
	assert_null(strstr(sbuf_str(&p.text), "route fd20"));
	assert_non_null(strstr(sbuf_str(&p.text), "+ peer b"));
	assert_int_equal(p.desired.lacking.len, 2);
	assert_true(p.plan.notes.len >= 2);
	planned_done(&p);
}

static void test_no_systemd(void **state)
{
	struct planned p;

	(void)state;
	plan(&p, MESH, HEAD("host") "uid=0\nnow=1800000000\nhostname=a\nwg=1\n"
		       "ip=1\n" ADDRESS LINK DUMP PEER_B ROUTES BOOT);
	assert_string_equal(sbuf_str(&p.text), "");
	assert_int_equal(p.plan.notes.len, 1);
	assert_non_null(strstr(p.plan.notes.items[0], "no systemd"));
	planned_done(&p);
}

/* ---- a removed node ---- */

static void teardown(const char *report, const char *want, size_t notes)
{
	struct planned p = { 0 };

	mesh_of(&p.mesh, MESH);
	observe(&p.observed, report);
	nodes_move(&p.mesh.nodes, &p.mesh.removed, "a");
	plan_teardown(&p.plan, &p.mesh, nodes_find(&p.mesh.removed, "a"),
		      &p.observed);
	put_steps(&p);
	assert_string_equal(sbuf_str(&p.text), want);
	assert_int_equal(p.plan.notes.len, notes);
	assert_int_equal(p.plan.tears_down, !!strstr(want, "- interface"));
	planned_done(&p);
}

static void test_teardown(void **state)
{
	(void)state;
	teardown(DONE HEAD("dropin") "net.ipv4.ip_forward = 1\n",
		 "~ forwarding as it was before\n- interface wg0 and its unit\n"
		 "- boot file /etc/wireguard/wg0.conf\n", 0);
	/* all gone but the file */
	teardown(HEAD("host") "uid=0\nnow=1\nhostname=a\nip=1\n" BOOT,
		 "- boot file /etc/wireguard/wg0.conf\n", 0);
	teardown(HEAD("host") "uid=0\nnow=1\nhostname=a\nip=1\n", "", 0);
	/* a node of the mesh lives on that machine now */
	teardown(HOST ADDRESS LINK HEAD("dump") KEY_B "\t51820\toff\n" BOOT,
		 "", 1);
	/* somebody else's by now */
	teardown(HOST ADDRESS LINK HEAD("dump") KEY_C "\t1\toff\n"
		 HEAD("boot") "|x\n|PublicKey = k\n", "", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_fresh),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_peer),
		cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_endpoint_of_nat),
		cmocka_unit_test(test_endpoint_name),
		cmocka_unit_test(test_endpoint_name_moved),
		cmocka_unit_test(test_forward_note),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_forwarding),
		cmocka_unit_test(test_marker),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_ipv6),
		cmocka_unit_test(test_no_systemd),
		cmocka_unit_test(test_teardown),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
