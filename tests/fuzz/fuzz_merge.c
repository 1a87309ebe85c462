/*
 * Three states with a NUL between them as what git merges: refused in one
 * printable line, or a mesh that loads, with each conflict readable, and in the
 * end resolved for either side. Where one side is as before, the other side is
 * the result.
 */
#include "base/auto.h"
#include "base/text.h"
#include "state/json/json.h"
#include "state/merge/merge.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void reread(struct mesh *out, const struct mesh *m)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	struct err e = { 0 };

	state_format(&text, m);
	if (state_parse(out, sbuf_str(&text), text.len, &e) < 0)
		abort();
}

static void refused(const struct err *e)
{
	if ((e->code != ERR_CONFLICT && e->code != ERR_INPUT) ||
	    !text_is_printable(e->msg))
		abort();
}

static void resolve(const struct mesh *merged, enum merge_side side)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(mesh_done) struct mesh again = { 0 };
	struct err e = { 0 };

	reread(&m, merged);
	if (merge_resolve_all(&m, side, &e) < 0) {
		refused(&e);
	} else if (mesh_has_conflicts(&m)) {
		abort();
	}
	reread(&again, &m);
}

static void check(const struct mesh *m, const struct conflicts *all)
{
	AUTO(conflicts_done) struct conflicts found = { 0 };
	AUTO(mesh_done) struct mesh again = { 0 };
	struct err e = { 0 };

	reread(&again, m);
	if (mesh_conflicts(&found, &again, &e) < 0 || found.len != all->len ||
	    mesh_has_conflicts(&again) != (all->len > 0))
		abort();
	for (size_t i = 0; i < all->len; i++) {
		AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
		AUTO(auto_free) char *shown = NULL;

		conflict_text(&text, &all->items[i]);
		shown = text_escaped(sbuf_str(&text));
		if (!text_is_printable(shown))
			abort();
	}
	resolve(m, MERGE_OURS);
	resolve(m, MERGE_THEIRS);
	conflicts_hide_secrets(&again);
	if (conflicts_hold_secrets(m) && !all->len)
		abort();
}

static void merge(const struct mesh *base, const struct mesh *ours,
		  const struct mesh *theirs)
{
	AUTO(conflicts_done) struct conflicts all = { 0 };
	AUTO(mesh_done) struct mesh out = { 0 };
	struct err e = { 0 };

	if (mesh_merge(&out, base, ours, theirs, &all, &e) < 0)
		refused(&e);
	else
		check(&out, &all);
}

/* One side is as before. */
static void merge_one(const struct mesh *base, const struct mesh *side)
{
	AUTO(conflicts_done) struct conflicts all = { 0 };
	AUTO(sbuf_done) struct sbuf want = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf got = SBUF_INIT;
	AUTO(mesh_done) struct mesh out = { 0 };
	struct err e = { 0 };

	if (mesh_merge(&out, base, base, side, &all, &e) < 0) {
		refused(&e);
		return;
	}
	if (all.len)
		abort();
	out.serial = side->serial;
	state_format(&want, side);
	state_format(&got, &out);
	if (strcmp(sbuf_str(&want), sbuf_str(&got)) != 0)
		abort();
}

/* The sides; false unless there are three that load. */
static bool read_sides(struct mesh sides[3], const char *p, size_t size)
{
	struct err e;

	for (size_t i = 0; i < 3; i++) {
		size_t len = strnlen(p, size);

		if (state_parse(&sides[i], p, len, &e) < 0 || !size)
			return false;
		p += len < size ? len + 1 : len;
		size -= len < size ? len + 1 : len;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mesh sides[3] = { { 0 } };

	if (read_sides(sides, (const char *)data, size)) {
		merge(&sides[0], &sides[1], &sides[2]);
		merge(&sides[0], &sides[2], &sides[1]);
		merge_one(&sides[0], &sides[1]);
		merge_one(&sides[0], &sides[2]);
	}
	for (size_t i = 0; i < 3; i++)
		mesh_done(&sides[i]);
	return 0;
}
