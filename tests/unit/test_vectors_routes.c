/*
 * Recorded differences of routes, and real output of `wg show dump` and
 * `ip route`, through the parsers and the planner.
 */
#include "render/host/host.h"
#include "acl/access.h"
#include "base/sbuf.h"
#include "state/json/json.h"
#include "tests/unit/scene.h"

static const struct difference normalize_differences[] = {
	{ "default", "a route to 0.0.0.0/0, not a word" },
	{ "1.2.3", "refused: no network" },
	{ "unreachable", "a kind of route that is not ours: passed over" },
	{ "(empty)", "an empty line: passed over" },
	{ "fe80::1%wg0", "refused: no network" },
	{ NULL, NULL },
};

static const struct difference live_differences[] = {
	{ "04-mixed: routes", "a default route is 0.0.0.0/0, the gateway behind "
	  "'inet6' is read" },
	{ NULL, NULL },
};

static const struct difference no_differences[] = { { NULL, NULL } };

/*
 * A recorded route as `ip route` prints it after a deploy of ours: routes with
 * a gateway carry our tag, but for a default route, which never is ours; the
 * mesh's own network is the kernel's.
 */
static void observe_route(struct observed *o, json *route)
{
	const char *network = vectors_text(route, "network");
	const char *gateway = vectors_text(route, "gateway");
	bool is_default = strcmp(network, "default") == 0;
	const char *tag = *gateway && !is_default
				  ? " proto " OBSERVED_ROUTE_PROTO
			  : strcmp(network, "10.99.0.0/16") == 0
				  ? " proto kernel"
				  : "";
	char *line = mem_printf("%s%s%s%s\n", network, *gateway ? " via " : "",
				gateway, tag);
	struct err e;

	assert_int_equal(scene_parse_routes(
				 o, line, strchr(network, ':') ? 6 : 4, &e), 0);
	free(line);
}

static void desire_route(struct desired *d, json *route)
{
	const char *gateway = vectors_text(route, "gateway");
	struct desired_route *r = vec_add(&d->routes);

	assert_true(cidr_parse(&r->network, vectors_text(route, "network")));
	if (*gateway)
		assert_true(ip_parse(&r->gateway, gateway));
}

static bool is_route(const struct cidr *network, const struct ip *gateway,
		     json *route)
{
	char text[ADDR_TEXT_MAX];

	return strcmp(cidr_text(network, text),
		      vectors_text(route, "network")) == 0 &&
	       strcmp(ip_text(gateway, text), vectors_text(route, "gateway")) ==
		       0;
}

/* Are the routes that come (or go) just those of @list? */
static bool same_routes(const struct plan *p, bool come, json *list)
{
	size_t count = 0, found = 0;

	for (size_t i = 0; i < p->steps.len; i++) {
		const struct step *s = &p->steps.items[i];
		bool replaces = s->kind == STEP_REPLACE_ROUTE;
		const struct ip *gateway = come ? &s->gateway
					   : s->old ? &s->old->gateway
						    : NULL;

		if (!replaces &&
		    s->kind != (come ? STEP_ADD_ROUTE : STEP_REMOVE_ROUTE))
			continue;
		count++;
		for (size_t k = 0; k < vectors_len(list); k++)
			found += is_route(&s->network, gateway,
					  vectors_item(list, k));
	}
	return count == vectors_len(list) && found == count;
}

/* One network behind two nodes: such a state must not load. */
static const char *check_two_owners(json *desired)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(mesh_done) struct mesh m = { 0 };
	struct err e;
	int ret;

	sbuf_puts(&text, "{\"network\":\"10.99.0.0/16\",\"nodes\":{");
	for (size_t i = 0; i < vectors_len(desired); i++)
		sbuf_printf(&text, "%s\"n%zu\":{\"mesh_ip\":\"%s\","
			    "\"routable_networks\":[\"%s\"]}", i ? "," : "", i,
			    vectors_text(vectors_item(desired, i), "gateway"),
			    vectors_text(vectors_item(desired, i), "network"));
	sbuf_puts(&text, "}}");
	ret = state_parse(&m, sbuf_str(&text), text.len, &e);
	return ret < 0 && strstr(e.msg, "expected one owner") ? NULL
							      : "not refused";
}

/* The owner's own network is not among the routes that it should have. */
static const char *check_own_network(void)
{
	AUTO(desired_done) struct desired d = { 0 };
	AUTO(mesh_done) struct mesh m;
	struct access *a;
	struct node *n;

	mesh_init(&m);
	n = nodes_insert(&m.nodes, "owner");
	assert_true(ip_parse(&n->mesh_ip, "10.99.0.1"));
	assert_true(cidr_parse(vec_add(&n->routable_networks),
			       "192.168.10.0/24"));
	a = access_new(&m);
	desired_compute(&d, &m, a, n);
	access_free(a);
	return d.routes.len == 0 ? NULL : "the own network is routed";
}

static const char *compare_routes(const struct scene *s, json *right)
{
	if (!same_routes(&s->plan, true, vectors_get(right, "to_add")))
		return "other routes are added";
	if (!same_routes(&s->plan, false, vectors_get(right, "to_remove")))
		return "other routes are removed";
	return NULL;
}

/* @marked: does the boot file carry our mark already? */
static const char *plan_routes(json *c, bool marked)
{
	json *current = vectors_get(c, "current");
	json *desired = vectors_get(c, "desired");
	const char *wrong;
	struct scene s;

	scene_init(&s);
	if (!marked) {
		s.observed.boot = BOOT_FOREIGN;
		mem_replace(&s.observed.boot_mesh_id, NULL);
	}
	for (size_t i = 0; i < vectors_len(current); i++)
		observe_route(&s.observed, vectors_item(current, i));
	for (size_t i = 0; i < vectors_len(desired); i++)
		desire_route(&s.desired, vectors_item(desired, i));
	scene_plan(&s);
	wrong = compare_routes(&s, vectors_right(c));
	scene_done(&s);
	return wrong;
}

static void check_route_diff(struct tally *t, json *c)
{
	const char *name = vectors_text(c, "name");
	json *right = vectors_right(c);
	const char *wrong;

	if (json_object_is_type(right, json_type_string))
		wrong = check_two_owners(vectors_get(c, "desired"));
	else if (strncmp(name, "owner's own network", 19) == 0)
		wrong = check_own_network();
	else /* a link route is taken for an older tool's only before ours */
		wrong = plan_routes(c, strncmp(name, "stale scope-link", 16) != 0);
	tally_case(t, no_differences, name, wrong);
}

/* A link route stays once the boot file is ours: wg-quick made none then. */
static void test_link_route_of_ours(void **state)
{
	json *cases = vectors_load("diff/route-diff.json");

	(void)state;
	for (size_t i = 0; i < vectors_len(cases); i++) {
		json *c = vectors_item(cases, i);

		if (strncmp(vectors_text(c, "name"), "stale scope-link", 16) ==
		    0)
			assert_non_null(plan_routes(c, true));
	}
	json_object_put(cases);
}

static void check_normalize(struct tally *t, json *c)
{
	const char *input = vectors_text(c, "input");
	const char *expected = vectors_text(c, "reference_result");
	char *line = mem_printf("%s dev wg0\n", input);
	struct observed o = { 0 };
	char text[ADDR_TEXT_MAX] = "";
	struct err e;
	int ret = scene_parse_routes(&o, *input ? line : "\n",
					strchr(input, ':') ? 6 : 4, &e);

	if (ret == 0 && o.routes.len == 1)
		cidr_text(&o.routes.items[0].network, text);
	tally_case(t, normalize_differences, *input ? input : "(empty)",
		   *text && strcmp(text, expected) == 0 ? NULL : "otherwise");
	observed_done(&o);
	free(line);
}

/* ---- live output ---- */

static bool same_dump_ips(const struct cidrs *ours, json *list)
{
	char text[ADDR_TEXT_MAX];
	size_t found = 0;

	for (size_t i = 0; i < ours->len; i++)
		for (size_t k = 0; k < vectors_len(list); k++)
			found += strcmp(cidr_text(&ours->items[i], text),
					json_object_get_string(
						vectors_item(list, k))) == 0;
	return ours->len == vectors_len(list) && found == ours->len;
}

static bool same_dump_peer(const struct observed *o, json *peer)
{
	const struct observed_peer *p =
		observed_peer_by_key(o, vectors_text(peer, "public_key"));

	return p && p->has_psk == (*vectors_text(peer, "preshared_key") != 0) &&
	       strcmp(p->endpoint, vectors_text(peer, "endpoint")) == 0 &&
	       same_dump_ips(&p->allowed_ips,
			     vectors_get(peer, "allowed_ips")) &&
	       p->handshake == json_object_get_int64(vectors_get(
				       peer, "latest_handshake")) &&
	       p->keepalive_s == json_object_get_int(vectors_get(
					 peer, "persistent_keepalive"));
}

static const char *check_dump(json *c)
{
	json *right = vectors_get(c, "correct_dump_result");
	json *peers = vectors_get(right, "peers");
	struct observed o = { 0 };
	const char *wrong = NULL;
	struct err e = { 0 };

	if (scene_parse_dump(&o, vectors_text(c, "wg_show_dump"), &e) < 0)
		wrong = "the dump is refused";
	else if (json_object_is_type(right, json_type_string))
		wrong = o.is_wireguard ? "an interface, where there is none"
				       : NULL;
	else if (strcmp(o.public_key, vectors_text(right, "public_key")) != 0 ||
		 o.listen_port != json_object_get_int(
					  vectors_get(right, "listen_port")) ||
		 o.fwmark != json_object_get_int64(
				     vectors_get(right, "fwmark")) ||
		 o.peers.len != vectors_len(peers))
		wrong = "another interface";
	for (size_t i = 0; !wrong && i < vectors_len(peers); i++)
		if (!same_dump_peer(&o, vectors_item(peers, i)))
			wrong = "another peer";
	observed_done(&o);
	return wrong;
}

static const char *compare_live_routes(const struct observed *o, json *list)
{
	if (!json_object_is_type(list, json_type_array))
		return "accepted";
	if (o->routes.len != vectors_len(list))
		return "another number of routes";
	for (size_t i = 0; i < o->routes.len; i++)
		if (!is_route(&o->routes.items[i].network,
			      &o->routes.items[i].gateway,
			      vectors_item(list, i)))
			return "another route";
	return NULL;
}

static const char *check_live_routes(json *c)
{
	json *list = vectors_get(c, "reference_routes_result");
	struct observed o = { 0 };
	const char *wrong;
	struct err e;

	if (scene_parse_routes(&o, vectors_text(c, "ip_route_show_dev"), 4,
				  &e) < 0)
		wrong = json_object_is_type(list, json_type_array) ? "refused"
								   : NULL;
	else
		wrong = compare_live_routes(&o, list);
	observed_done(&o);
	return wrong;
}

static void check_live(struct tally *t, json *c)
{
	char *routes = mem_printf("%s: routes", vectors_text(c, "name"));

	tally_case(t, no_differences, vectors_text(c, "name"), check_dump(c));
	tally_case(t, live_differences, routes, check_live_routes(c));
	free(routes);
}

static void test_routes(void **state)
{
	struct tally t = { .kind = "diff, routes" };

	(void)state;
	vectors_each(&t, "diff/route-diff.json", check_route_diff);
	vectors_each(&t, "diff/normalize-network.json", check_normalize);
	tally_end(&t);
}

static void test_live(void **state)
{
	struct tally t = { .kind = "parse" };

	(void)state;
	vectors_each(&t, "parse/live-interface.json", check_live);
	tally_end(&t);
}

/* What the difference in 04-mixed is. */
static void test_inet6_gateway(void **state)
{
	struct observed o = { 0 };
	char text[ADDR_TEXT_MAX];
	struct err e;

	(void)state;
	assert_int_equal(scene_parse_routes(
				 &o, "default via 10.99.0.9 metric 900 \n"
				 "192.168.41.0/24 via inet6 fe80::1 \n", 4, &e),
			 0);
	assert_int_equal(o.routes.len, 2);
	assert_string_equal(cidr_text(&o.routes.items[0].network, text),
			    "0.0.0.0/0");
	assert_string_equal(ip_text(&o.routes.items[1].gateway, text),
			    "fe80::1");
	observed_done(&o);
}

static void test_documented(void **state)
{
	(void)state;
	check_documented(normalize_differences);
	check_documented(live_differences);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_link_route_of_ours),
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_inet6_gateway),
		cmocka_unit_test(test_documented),
	};

	return cmocka_run_group_tests_name("route vectors", tests, NULL, NULL);
}
