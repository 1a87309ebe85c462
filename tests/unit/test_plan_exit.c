/*
 * Default routes: who takes any address from an exit, and where its route is
 * left out because it would cut the host off from a peer or from the one who
 * deploys.
 */
#include "render/plan.h"
#include "render/wgquick.h"
#include "tests/unit/fixture.h"

#define EXIT                                                                  \
	"'x':{'mesh_ip':'10.99.0.9','public_key':'" KEY_B "','exit':true,"    \
	"'routable_networks':['0.0.0.0/0','10.7.0.0/16'],"                    \
	"'public_endpoint':'10.5.0.9:51820'}"
/* Has a card in the network that the exit is in. */
#define A                                                                     \
	"'a':{'mesh_ip':'10.99.0.1','public_key':'" KEY_A "','private_key':'" \
	KEY_C "','facts':{'addresses':['10.5.0.7/24']}}"
#define NODES(list) "'mesh_id':'" MESH_ID "','nodes':{" list "}"

/* The networks routed into the mesh on a, and those that are not. */
static void assert_routes(const char *mesh, const char *routed,
			  const char *apart)
{
	AUTO(desired_done) struct desired d = { 0 };
	struct cidrs networks = { 0 };
	AUTO(mesh_done) struct mesh m;

	mesh_of(&m, mesh);
	desired_of(&d, &m, "a");
	for (size_t i = 0; i < d.routes.len; i++)
		vec_push(&networks, d.routes.items[i].network);
	assert_string_equal(cidrs_text(&networks), routed);
	assert_string_equal(cidrs_text(&d.connected), apart);
	vec_done(&networks);
}

static void test_allowed(void **state)
{
	AUTO(desired_done) struct desired d = { 0 }, x = { 0 };
	AUTO(mesh_done) struct mesh m;

	(void)state;
	mesh_of(&m, NODES(A "," EXIT));
	desired_of(&d, &m, "a");
	assert_string_equal(cidrs_text(&d.peers.items[0].allowed_ips),
			    "10.99.0.9/32,0.0.0.0/0,10.7.0.0/16");
	assert_false(d.forward4);
	desired_of(&x, &m, "x");
	assert_true(x.forward4);
	assert_int_equal(x.routes.len, 0);
}

/* Only who may reach its networks. */
static void test_not_allowed(void **state)
{
	AUTO(desired_done) struct desired d = { 0 };
	AUTO(mesh_done) struct mesh m;

	(void)state;
	mesh_of(&m, NODES(A "," EXIT) ",'groups':{'g':{'members':['a','x']}},"
		    "'access_policies':[{'name':'p','from_groups':['g'],"
		    "'to_groups':['g'],'allow_mesh_ips':true}]");
	desired_of(&d, &m, "a");
	assert_string_equal(cidrs_text(&d.peers.items[0].allowed_ips),
			    "10.99.0.9/32");
	assert_int_equal(d.routes.len, 0);
}

/* The default route never leads a peer's packets into the tunnel. */
static void test_peers(void **state)
{
#define B(rest) "'b':{'mesh_ip':'10.99.0.2','public_key':'" KEY_C "'" rest "}"
	(void)state;
	assert_routes(NODES(A "," EXIT), "0.0.0.0/0,10.7.0.0/16", "");
	assert_routes(NODES(A "," EXIT "," B(",'public_endpoint':"
		      "'10.5.0.2:51820'")), "0.0.0.0/0,10.7.0.0/16", "");
	assert_routes(NODES(A "," EXIT "," B(",'public_endpoint':"
		      "'[2001:db8::2]:51820'")), "0.0.0.0/0,10.7.0.0/16", "");
	assert_routes(NODES(A "," EXIT "," B(",'public_endpoint':"
		      "'198.51.100.2:51820'")), "10.7.0.0/16", "0.0.0.0/0");
	/* somewhere */
	assert_routes(NODES(A "," EXIT "," B(",'public_endpoint':"
		      "'b.example.org:51820'")), "10.7.0.0/16", "0.0.0.0/0");
	assert_routes(NODES(A "," EXIT "," B(",'behind_nat':true")),
		      "10.7.0.0/16", "0.0.0.0/0");
}

/* ---- the control node ---- */

#define NONCE "0123456789abcdef"
#define HEAD(section) "\n=" NONCE "= " section "\n"
#define HOST(client)                                                          \
	HEAD("host") "uid=0\nnow=1800000000\nhostname=a\nwg=1\nip=1\n"        \
	"systemd=1\nenabled=1\nforward4=0\nforward6=0\nssh=" client           \
	" 40000 10.5.0.7 22\n" HEAD("address")                                \
	"2: eth0    inet 10.5.0.7/24 scope global\n"                          \
	"7: wg0    inet 10.99.0.1/16 scope global\n"                          \
	HEAD("link") "7: wg0: <NOARP,UP,LOWER_UP> mtu 1420 x\n"               \
	HEAD("dump") KEY_A "\t51820\toff\n" KEY_B "\t(none)\t10.5.0.9:51820\t" \
	"10.99.0.9/32,0.0.0.0/0,10.7.0.0/16\t1799999990\t1\t1\toff\n"
#define LIVE(routes) HEAD("route4") routes

struct planned {
	struct mesh mesh;
	struct desired desired;
	struct observed observed;
	struct plan plan;
	struct sbuf text; /* routes of the plan, then notes */
};

static void plan(struct planned *p, const char *report)
{
	const struct probe_request request = { .interface = "wg0",
					       .nonce = NONCE };
	const struct plan_options options = { .install = true };
	struct err e = { 0 };

	memset(p, 0, sizeof *p);
	mesh_of(&p->mesh, NODES(A "," EXIT));
	desired_of(&p->desired, &p->mesh, "a");
	if (observed_parse(&p->observed, report, strlen(report), &request,
			   &e) < 0)
		fail_msg("%s", e.msg);
	desired_spare_client(&p->desired, &p->observed);
	if (plan_make(&p->plan, &p->desired, &p->observed,
		      wgquick_hash(&p->desired), &options, &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < p->plan.steps.len; i++)
		if (strstr(step_name(p->plan.steps.items[i].kind), "route")) {
			step_text(&p->text, &p->plan, &p->plan.steps.items[i]);
			sbuf_putc(&p->text, '\n');
		}
	for (size_t i = 0; i < p->plan.notes.len; i++)
		sbuf_printf(&p->text, "%s\n", p->plan.notes.items[i]);
}

static void assert_plan(const char *report, const char *routes,
			bool default_in_boot_file)
{
	struct sbuf boot = SBUF_INIT;
	struct planned p;

	plan(&p, report);
	assert_string_equal(sbuf_str(&p.text), routes);
	wgquick_file(&boot, &p.desired, 1, false);
	assert_int_equal(strstr(sbuf_str(&boot), "route add 0.0.0.0/0") != NULL,
			 default_in_boot_file);
	sbuf_done(&boot);
	plan_done(&p.plan);
	observed_done(&p.observed);
	desired_done(&p.desired);
	mesh_done(&p.mesh);
	sbuf_done(&p.text);
}

#define KEPT_OUT(net)                                                         \
	net " is not routed into the mesh here: this host has a card in it, " \
	"or a peer or the control node is in it\n"

static void test_control_node(void **state)
{
	(void)state;
	/* from somewhere: nor at boot */
	assert_plan(HOST("203.0.113.1") LIVE(""),
		    "+ route 10.7.0.0/16 via 10.99.0.9\n" KEPT_OUT("0.0.0.0/0"),
		    false);
	/* no default route, but one that it is in */
	assert_plan(HOST("10.7.0.1") LIVE(""),
		    KEPT_OUT("0.0.0.0/0") KEPT_OUT("10.7.0.0/16"), false);
	/* from the host's own network, through the mesh, from here */
#define BOTH                                                                  \
	"+ route 0.0.0.0/0 via 10.99.0.9\n+ route 10.7.0.0/16 via 10.99.0.9\n"
	assert_plan(HOST("10.5.0.1") LIVE(""), BOTH, true);
	assert_plan(HOST("10.99.0.5") LIVE(""), BOTH, true);
	/* it is there and the connection goes on: it stays */
	assert_plan(HOST("203.0.113.1") LIVE(
		    "default via 10.99.0.9 proto 119\n"
		    "10.7.0.0/16 via 10.99.0.9 proto 119\n"), "", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_not_allowed),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_control_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
