/*
 * Meshes in few words, and what render/validate finds in them.
 */
#ifndef WGMESH_TESTS_FINDINGS_H
#define WGMESH_TESTS_FINDINGS_H

#include "render/validate.h"
#include "tests/unit/fixture.h"

/* Nodes of which everything needed is said; their keys are on the hosts. */
#define A "'a':{'mesh_ip':'10.99.0.1','ssh_host':'192.0.2.1'"
#define B "'b':{'mesh_ip':'10.99.0.2','ssh_host':'192.0.2.2'"
#define C "'c':{'mesh_ip':'10.99.0.3','ssh_host':'192.0.2.3'"
#define NODES(list) "'key':'host','nodes':{" list "}"
#define THREE NODES(A "}," B "}," C "}")
#define ROUTE(net) ",'routable_networks':['" net "']"
#define FACTS(nets) ",'facts':{'deployed':true,'addresses':[" nets "]}"
#define GROUPS(list) ",'groups':{" list "}"
#define GROUP(name, members) "'" name "':{'members':[" members "]}"
#define POLICIES(list) ",'access_policies':[" list "]"
#define POLICY(name, from, to, ips, nets)                                     \
	"{'name':'" name "','from_groups':[" from "],'to_groups':[" to "],"   \
	"'allow_mesh_ips':" ips ",'allow_routable_networks':" nets "}"

/* Groups of a alone, and of b and c. */
#define XY GROUP("x", "'a'") "," GROUP("y", "'b','c'")
#define NONE "W policy_without_effect policy p - -"

/* Findings as lines "E CODE node a key value"; good until the next call. */
static inline const char *lines_of(const struct findings *all)
{
	static const char *const parts[] = { "mesh", "node", "group",
					     "policy" };
	static struct sbuf out;

	sbuf_clear(&out);
	for (size_t i = 0; i < all->len; i++) {
		const struct finding *f = &all->items[i];

		assert_true(text_is_printable(f->text));
		if (f->name && !strstr(f->text, f->name))
			fail_msg("'%s' does not name '%s'", f->text, f->name);
		sbuf_printf(&out, "%s%s %s %s %s %s %s", i ? "\n" : "",
			    f->error ? "E" : "W", f->code, parts[f->part],
			    f->name ? f->name : "-", f->key ? f->key : "-",
			    f->value ? f->value : "-");
	}
	return sbuf_str(&out);
}

static inline void assert_findings(const struct mesh *m, const char *expected)
{
	AUTO(findings_done) struct findings all = { 0 };

	validate_mesh(&all, m);
	assert_string_equal(lines_of(&all), expected);
}

/* What one mesh is found to be. */
struct row {
	const char *mesh, *found;
};

#define EACH(rows)                                                            \
	for (const struct row *r = rows;                                      \
	     r < rows + sizeof rows / sizeof *rows; r++) {                    \
		AUTO(mesh_done) struct mesh m;                                \
                                                                              \
		mesh_of(&m, r->mesh);                                         \
		assert_findings(&m, r->found);                                \
	}

/** A network behind @n, whatever rules say. */
static inline void add_net(struct node *n, const char *net)
{
	struct cidr c;

	assert_true(cidr_parse(&c, net));
	vec_push(&n->routable_networks, c);
}

#endif
