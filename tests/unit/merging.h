/*
 * What the tests of merging share: three sides, what came out, and how it reads.
 */
#ifndef WGMESH_TESTS_MERGING_H
#define WGMESH_TESTS_MERGING_H

#include "fixture.h"
#include "state/merge/merge.h"
#include "state/model/model.h"

struct merged {
	struct mesh base, ours, theirs, out;
	struct conflicts conflicts;
};

static inline void merged_done(struct merged *m)
{
	mesh_done(&m->base);
	mesh_done(&m->ours);
	mesh_done(&m->theirs);
	mesh_done(&m->out);
	conflicts_done(&m->conflicts);
}

/** Merge the three sides that are in @m. */
static inline void merge_sides(struct merged *m)
{
	struct err e = { 0 };

	if (mesh_merge(&m->out, &m->base, &m->ours, &m->theirs, &m->conflicts,
		       &e) < 0)
		fail_msg("%s", e.msg);
}

/** What leads from @a to @b, as lines; the caller frees. */
static inline char *diff_lines(const struct mesh *a, const struct mesh *b)
{
	AUTO(changes_done) struct changes all = { 0 };
	struct sbuf out = SBUF_INIT;

	mesh_diff(&all, a, b);
	for (size_t i = 0; i < all.len; i++) {
		change_text(&out, &all.items[i]);
		sbuf_putc(&out, '\n');
	}
	return out.len ? sbuf_detach(&out) : mem_strdup("");
}

/** Back from its text: what every command would read. */
static inline void reread(struct mesh *m)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	struct mesh fresh;
	struct err e = { 0 };

	state_format(&text, m);
	if (state_parse(&fresh, sbuf_str(&text), text.len, &e) < 0)
		fail_msg("%s\n%s", e.msg, sbuf_str(&text));
	mesh_done(m);
	*m = fresh;
}

#endif
