/*
 * Recorded meshes and validations, through the library: who is whose peer,
 * with which allowed IPs, endpoint, routes and wg-quick lines; which groups and
 * policies are valid. "correct" in a record comes before what the Go tool did.
 */
#include "acl/access.h"
#include "base/sbuf.h"
#include "render/desired.h"
#include "render/wgquick.h"
#include "state/json/json.h"
#include "tests/unit/vectors.h"

#include <dirent.h>

static const struct difference mesh_differences[] = {
	{ "08-node-in-no-group",
	  "a group member that is no node is refused" },
	{ "15-bad-network-falls-back-to-16",
	  "a network that is none is refused, no /16 is guessed" },
	{ NULL, NULL },
};

static const struct difference keepalive_differences[] = {
	{ "keepalive",
	  "25 s where one side is behind NAT, else off; the Go tool: 5 s "
	  "everywhere" },
	{ NULL, NULL },
};

static const struct difference no_differences[] = { { NULL, NULL } };

static int parse_state(struct mesh *m, json *state, struct err *e)
{
	const char *text = json_object_to_json_string_ext(
		state, JSON_C_TO_STRING_PLAIN);

	return state_parse(m, text, strlen(text), e);
}

static bool same_number(json *v, const char *key, long ours)
{
	return json_object_get_int64(vectors_get(v, key)) == ours;
}

/* The recorded value, or the right one where the record has it. */
static json *right(json *node, const char *key)
{
	json *correct = vectors_get(vectors_get(node, "correct"), key);

	return correct ? correct : vectors_get(node, key);
}

/* ---- meshes ---- */

static bool same_strings(const struct strings *ours, json *list)
{
	if (vectors_len(list) != ours->len)
		return false;
	for (size_t i = 0; i < ours->len; i++)
		if (strings_find(ours, json_object_get_string(
					       vectors_item(list, i))) < 0)
			return false;
	return true;
}

static bool same_groups(const struct mesh *m, const struct node *n,
			json *recorded)
{
	struct strings groups = { 0 };
	bool same;

	access_groups_of(m, n->name, &groups);
	same = same_strings(&groups, vectors_get(recorded, "groups"));
	strings_done(&groups);
	return same;
}

/* Allowed IPs as text, in the order in which the record has them. */
static bool same_allowed(const struct cidrs *ours, json *list)
{
	char text[ADDR_TEXT_MAX];

	if (vectors_len(list) != ours->len)
		return false;
	for (size_t i = 0; i < ours->len; i++)
		if (strcmp(cidr_text(&ours->items[i], text),
			   json_object_get_string(vectors_item(list, i))) != 0)
			return false;
	return true;
}

static const struct desired_peer *peer_by_key(const struct desired *d,
					      const char *key)
{
	for (size_t i = 0; i < d->peers.len; i++)
		if (strcmp(d->peers.items[i].public_key, key) == 0)
			return &d->peers.items[i];
	return NULL;
}

/* What keepalive means here: NAT on either side, and nothing else. */
static int keepalive_rule(const struct desired *d, const char *peer)
{
	const struct node *n = nodes_find(&d->mesh->nodes, peer);

	return d->node->behind_nat || n->behind_nat ? 25 : 0;
}

static const char *check_peer(const struct desired *d, json *node, json *peer,
			      bool *keepalive_differs)
{
	const struct desired_peer *p =
		peer_by_key(d, vectors_text(peer, "public_key"));
	json *override = vectors_get(vectors_get(node, "correct"),
				     "peers_allowed_ips");
	json *allowed = vectors_get(override, vectors_text(peer, "hostname"));

	if (!p)
		return "a peer is missing";
	if (strcmp(p->name, vectors_text(peer, "hostname")) != 0)
		return "a peer has another name";
	if (strcmp(p->endpoint, vectors_text(peer, "endpoint")) != 0)
		return "a peer has another endpoint";
	if (!same_allowed(&p->allowed_ips,
			  allowed ? allowed : vectors_get(peer, "allowed_ips")))
		return "a peer has other allowed IPs";
	if (p->keepalive_s != keepalive_rule(d, p->name))
		return "a peer's keepalive is not by rule";
	if (!same_number(peer, "persistent_keepalive", p->keepalive_s))
		*keepalive_differs = true;
	return NULL;
}

static const char *check_peers(const struct desired *d, json *node,
			       bool *keepalive_differs)
{
	json *peers = vectors_get(node, "peers");
	const char *wrong = NULL;

	if (vectors_len(peers) != d->peers.len)
		return "another number of peers";
	for (size_t i = 0; i < d->peers.len && !wrong; i++)
		wrong = check_peer(d, node, vectors_item(peers, i),
				   keepalive_differs);
	return wrong;
}

static bool has_route(const struct desired *d, json *route)
{
	char network[ADDR_TEXT_MAX], gateway[ADDR_TEXT_MAX];

	for (size_t i = 0; i < d->routes.len; i++)
		if (strcmp(cidr_text(&d->routes.items[i].network, network),
			   vectors_text(route, "network")) == 0 &&
		    strcmp(ip_text(&d->routes.items[i].gateway, gateway),
			   vectors_text(route, "gateway")) == 0)
			return true;
	return false;
}

static const char *check_routes(const struct desired *d, json *node)
{
	json *routes = right(node, "desired_routes");

	if (vectors_len(routes) != d->routes.len)
		return "another number of routes";
	for (size_t i = 0; i < d->routes.len; i++)
		if (!has_route(d, vectors_item(routes, i)))
			return "a route is missing";
	return NULL;
}

/* Lines of the recorded file that ours has as well, whatever else differs. */
static bool is_common_line(const char *line)
{
	static const char *const keys[] = {
		"[", "Address = ", "ListenPort = ", "PrivateKey = ",
		"PublicKey = ", "Endpoint = ", "AllowedIPs = ",
	};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strncmp(line, keys[i], strlen(keys[i])) == 0)
			return true;
	return false;
}

static const char *check_file(const struct desired *d, json *node)
{
	AUTO(sbuf_done) struct sbuf file = SBUF_SECRET;
	json *lines = vectors_get(node, "wg_quick_config_lines");
	bool missing = false;

	if (vectors_get(vectors_get(node, "correct"), "peers_allowed_ips"))
		return NULL;
	wgquick_file(&file, d, 1, true);
	for (size_t i = 0; i < vectors_len(lines) && !missing; i++) {
		const char *line = json_object_get_string(
			vectors_item(lines, i));
		char *whole = mem_printf("\n%s\n", line);

		missing = is_common_line(line) &&
			  !strstr(sbuf_str(&file), whole);
		free(whole);
	}
	return missing ? "a line of the wg-quick file is missing" : NULL;
}

/* Recorded flags towards each allowed peer, a list or a map by name. */
static bool same_flags(uint8_t flags, json *peer)
{
	json *mesh_ip = vectors_get(peer, "allow_mesh_ip");
	json *networks = vectors_get(peer, "allow_routable_networks");

	return flags & ACCESS_PEER &&
	       !!(flags & ACCESS_MESH_IP) == json_object_get_boolean(mesh_ip) &&
	       !!(flags & ACCESS_NETWORKS) == json_object_get_boolean(networks);
}

static bool same_allowed_list(const struct mesh *m, const uint8_t *flags,
			      json *list)
{
	size_t count = 0;

	for (size_t i = 0; i < m->nodes.len; i++)
		count += flags[i] != 0;
	for (size_t i = 0; i < vectors_len(list); i++) {
		json *peer = vectors_item(list, i);
		const struct node *n = nodes_find(
			&m->nodes, vectors_text(peer, "hostname"));

		if (!n || !same_flags(flags[n - m->nodes.items], peer))
			return false;
	}
	return count == vectors_len(list);
}

static const char *check_node(const struct mesh *m, const struct access *a,
			      const char *name, json *recorded, bool *keepalive)
{
	const struct node *n = nodes_find(&m->nodes, name);
	uint8_t *flags = mem_calloc(m->nodes.len, 1);
	AUTO(desired_done) struct desired d = { 0 };
	json *allowed = vectors_get(recorded, "allowed_peers");
	char text[ADDR_TEXT_MAX];
	const char *wrong = NULL;

	assert_non_null(n);
	desired_compute(&d, m, a, n);
	access_of(a, (size_t)(n - m->nodes.items), flags);
	if (d.addresses.len != 1 ||
	    strcmp(cidr_text(&d.addresses.items[0], text),
		   vectors_text(recorded, "address")) != 0)
		wrong = "another address";
	else if (!same_number(recorded, "listen_port", d.listen_port))
		wrong = "another port";
	else if (!same_groups(m, n, recorded))
		wrong = "other groups";
	else if (allowed && !same_allowed_list(m, flags, allowed))
		wrong = "other allowed peers";
	if (!wrong)
		wrong = check_peers(&d, recorded, keepalive);
	if (!wrong)
		wrong = check_routes(&d, recorded);
	if (!wrong)
		wrong = check_file(&d, recorded);
	free(flags);
	return wrong;
}

/* The mesh as a whole; NULL when it is as recorded. */
static const char *check_mesh_as_recorded(const struct mesh *m, json *expected)
{
	bool enabled = json_object_get_boolean(
		vectors_get(expected, "access_control_enabled"));
	bool valid = json_object_get_boolean(
			     vectors_get(expected, "groups_valid")) &&
		     json_object_get_boolean(
			     vectors_get(expected, "policies_valid"));
	AUTO(findings_done) struct findings found = { 0 };

	if (access_enabled(m) != enabled)
		return "access control is on in one, off in the other";
	access_check(&found, m);
	if ((findings_errors(&found) == 0) != valid)
		return "valid in one, not in the other";
	return NULL;
}

static void check_topology(struct tally *t, size_t *keepalives, json *file)
{
	const char *name = vectors_text(file, "name");
	json *expected = vectors_get(file, "expected");
	AUTO(mesh_done) struct mesh m = { 0 };
	struct access *a;
	struct err e;

	if (parse_state(&m, vectors_get(file, "state"), &e) < 0) {
		tally_case(t, mesh_differences, name, "refused");
		return;
	}
	tally_case(t, mesh_differences, name,
		   check_mesh_as_recorded(&m, expected));
	a = access_new(&m);
	json_object_object_foreach(vectors_get(expected, "nodes"), node,
				   recorded) {
		char *label = mem_printf("%s: %s", name, node);
		bool keepalive = false;

		tally_case(t, no_differences, label,
			   check_node(&m, a, node, recorded, &keepalive));
		*keepalives += keepalive;
		free(label);
	}
	access_free(a);
}

static void test_topologies(void **state)
{
	char *folder = vectors_path("topologies");
	struct tally t = { .kind = "topologies" };
	size_t keepalives = 0, files = 0;
	struct dirent *entry;
	DIR *dir = opendir(folder);

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char *path = mem_printf("topologies/%s", entry->d_name);
		json *file = NULL;

		if (strstr(entry->d_name, ".json"))
			file = vectors_load(path);
		if (file) {
			check_topology(&t, &keepalives, file);
			files++;
		}
		json_object_put(file);
		free(path);
	}
	closedir(dir);
	free(folder);
	assert_int_equal(files, 11);
	print_message("vectors/topologies: %zu meshes with their nodes; the "
		      "keepalive alone differs on %zu nodes\n", files,
		      keepalives);
	t.differ += keepalives;
	tally_end(&t);
}

/* ---- validation ---- */

/*
 * The cases of the Go tool's unit tests name members without any nodes, which
 * it did not look for. We do: they get the nodes that their groups name, unless
 * the case is about just that.
 */
static void fill_in_nodes(struct mesh *m)
{
	for (size_t g = 0; g < m->groups.len; g++)
		for (size_t i = 0; i < m->groups.items[g].members.len; i++) {
			const char *name = m->groups.items[g].members.items[i];

			if (!nodes_find(&m->nodes, name))
				nodes_insert(&m->nodes, name);
		}
}

/* "valid" or "invalid", as it should be. */
static const char *right_outcome(json *c)
{
	const char *correct = vectors_text(c, "correct");

	return *correct ? correct : vectors_text(c, "outcome");
}

/* Do the words of the error fit the reason that the record gives? */
static bool fits(const char *category, const char *words)
{
	static const struct { const char *category, *words; } fit[] = {
		{ "duplicate_member", "twice" },
		{ "duplicate_policy_name", "policy name" },
		{ "no_from_groups", "has no from_groups" },
		{ "unknown_from_group", "from_groups names" },
		{ "unknown_to_group", "to_groups names" },
		{ "matches_no_nodes", "matches no nodes" },
		{ "unknown_member", "which is no node" },
	};

	for (size_t i = 0; i < sizeof fit / sizeof *fit; i++)
		if (strcmp(fit[i].category, category) == 0)
			return strstr(words, fit[i].words);
	return !*category;
}

static void check_validation(struct tally *t, json *c)
{
	const char *name = vectors_text(c, "name");
	const char *category = vectors_text(c, "category");
	bool valid = strcmp(right_outcome(c), "valid") == 0;
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(findings_done) struct findings found = { 0 };
	const char *wrong = NULL;
	struct err e = { 0 };
	int ret = parse_state(&m, vectors_get(c, "state"), &e);

	if (ret == 0) {
		if (strcmp(category, "unknown_member") != 0)
			fill_in_nodes(&m);
		access_check(&found, &m);
		ret = findings_refuse(&found, &e);
	}
	if ((ret == 0) != valid)
		wrong = valid ? e.msg : "valid here";
	else if (ret < 0 && e.code != ERR_INPUT)
		wrong = "refused, but not as wrong input";
	else if (ret < 0 && !fits(category, e.msg))
		wrong = e.msg;
	tally_case(t, no_differences, name, wrong);
}

/* Groups of one node and how it stands to the others. */
static void check_allowed_peers(struct tally *t, json *c)
{
	json *expected = vectors_get(c, "allowed_peers");
	AUTO(mesh_done) struct mesh m = { 0 };
	size_t peers = 0;
	const struct node *n;
	struct access *a;
	uint8_t *flags;
	bool same;
	struct err e;

	assert_int_equal(parse_state(&m, vectors_get(c, "state"), &e), 0);
	fill_in_nodes(&m);
	n = nodes_find(&m.nodes, vectors_text(c, "node"));
	if (!n)
		n = nodes_insert(&m.nodes, vectors_text(c, "node"));
	a = access_new(&m);
	flags = mem_calloc(m.nodes.len, 1);
	access_of(a, (size_t)(n - m.nodes.items), flags);
	same = same_groups(&m, n, c);
	json_object_object_foreach(expected, name, peer) {
		const struct node *other = nodes_find(&m.nodes, name);

		same = same && other &&
		       same_flags(flags[other - m.nodes.items], peer);
	}
	for (size_t i = 0; i < m.nodes.len; i++)
		peers += flags[i] != 0;
	if ((int)peers != json_object_object_length(expected))
		same = false;
	tally_case(t, no_differences, vectors_text(c, "name"),
		   same ? NULL : "other groups or peers");
	free(flags);
	access_free(a);
}

static void check_enabled(struct tally *t, json *c)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	bool enabled = json_object_get_boolean(vectors_get(c, "enabled"));
	struct err e;

	assert_int_equal(parse_state(&m, vectors_get(c, "state"), &e), 0);
	tally_case(t, no_differences, vectors_text(c, "name"),
		   access_enabled(&m) == enabled ? NULL : "the other way round");
}

static void test_validation(void **state)
{
	struct tally t = { .kind = "validation" };

	(void)state;
	vectors_each(&t, "validation/validate.json", check_validation);
	vectors_each(&t, "validation/allowed-peers.json", check_allowed_peers);
	vectors_each(&t, "validation/access-control-enabled.json",
		  check_enabled);
	tally_end(&t);
}

static void test_documented(void **state)
{
	(void)state;
	check_documented(mesh_differences);
	check_documented(keepalive_differences);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_topologies),
		cmocka_unit_test(test_validation),
		cmocka_unit_test(test_documented),
	};

	return cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
