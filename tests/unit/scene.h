/*
 * One host as it is and as it should be, with the plan between the two.
 */
#ifndef WGMESH_TESTS_SCENE_H
#define WGMESH_TESTS_SCENE_H

#include "base/auto.h"
#include "render/host/report.h"
#include "render/plan.h"
#include "tests/unit/vectors.h"

#define SCENE_MESH_ID "00112233445566778899aabbccddeeff"

/** All of it; nothing is borrowed from outside. */
struct scene {
	struct mesh mesh;
	struct node *node;
	struct desired desired;
	struct observed observed;
	struct plan plan;
};

/** A host that is ours and has nothing to do. */
static inline void scene_init(struct scene *s)
{
	memset(s, 0, sizeof *s);
	mesh_init(&s->mesh);
	s->mesh.mesh_id = mem_strdup(SCENE_MESH_ID);
	s->node = nodes_insert(&s->mesh.nodes, "self");
	s->desired.mesh = &s->mesh;
	s->desired.node = s->node;
	s->observed = (struct observed){
		.has_wg = true, .has_ip = true, .is_root = true,
		.has_systemd = true, .unit_enabled = true, .exists = true,
		.is_wireguard = true, .is_up = true, .boot = BOOT_MARKED, .now = 1795189200,
		.boot_mesh_id = mem_strdup(SCENE_MESH_ID),
		.boot_hash = 1,
	};
}

/** Plan it the usual way. */
static inline void scene_plan(struct scene *s)
{
	const struct plan_options options = { .install = true, .adopt = true };
	struct err e;

	if (!s->observed.public_key)
		s->observed.public_key = mem_strdup("");
	assert_int_equal(plan_make(&s->plan, &s->desired, &s->observed, 1,
				   &options, &e), 0);
}

static inline void scene_done(struct scene *s)
{
	plan_done(&s->plan);
	desired_done(&s->desired);
	observed_done(&s->observed);
	mesh_done(&s->mesh);
}

static inline int scene_compare_peers(const void *a, const void *b)
{
	const struct observed_peer *x = a;
	const struct observed_peer *y = b;

	return strcmp(x->public_key, y->public_key);
}

/** What `wg show IF dump` prints, into @o. */
static inline int scene_parse_dump(struct observed *o, const char *text,
				   struct err *e)
{
	AUTO(auto_free) char *copy = mem_strdup(text);

	if (report_each(o, copy, report_dump, e) < 0)
		return -1;
	vec_sort(&o->peers, scene_compare_peers);
	return 0;
}

/** What `ip -4|-6 route show dev IF` prints, appended to @o's routes. */
static inline int scene_parse_routes(struct observed *o, const char *text,
				     int family, struct err *e)
{
	AUTO(auto_free) char *copy = mem_strdup(text);

	return report_each(o, copy, family == 4 ? report_route4 : report_route6,
			   e);
}

#endif
