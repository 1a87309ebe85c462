/*
 * A state that lies in no store: a side of a merge, a blob of git. Opened and
 * sealed again as it was. Apart from state/store/: git has such a file under
 * its own lock, and what merges is a command of git's that must ask nobody.
 */
#include "cmd/side.h"

#include "cmd/cmd.h"
#include "cmd/input.h"
#include "state/json/json.h"
#include "state/store/store.h"

#include <string.h>

/** So many conflicts are shown, then how many more there are. */
#define SHOWN_MAX 20

void side_init(struct side *s)
{
	memset(s, 0, sizeof *s);
	s->raw = (struct sbuf)SBUF_SECRET;
	s->raw.max = FILE_SIZE_MAX;
}

void side_done(struct side *s)
{
	mesh_done(&s->mesh);
	secret_done(&s->sealing.passphrase);
	sbuf_done(&s->raw);
}

int side_open(struct side *s, const struct source *source, struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;

	text.max = STATE_SIZE_MAX;
	if (s->raw.len == 0)
		return 0;
	if (sealing_open(&text, &s->sealing, &s->raw, source, NULL, e) < 0)
		return -1;
	return state_parse(&s->mesh, sbuf_str(&text), text.len, e);
}

/* ---- merging ---- */

void sides_init(struct sides *s)
{
	side_init(&s->base);
	side_init(&s->ours);
	side_init(&s->theirs);
}

void sides_done(struct sides *s)
{
	side_done(&s->base);
	side_done(&s->ours);
	side_done(&s->theirs);
}

/* One passphrase mostly opens all; where it does not, ask again. */
int side_open_next(struct side *s, const struct source *source,
		   const struct side *opened, struct err *e)
{
	struct source same = { .password = &opened->sealing.passphrase,
			       .identity_file = source->identity_file,
			       .identity_data = source->identity_data };

	if (opened->sealing.passphrase.len && side_open(s, &same, e) == 0)
		return 0;
	secret_done(&s->sealing.passphrase);
	return side_open(s, source, e);
}

int sides_open(struct sides *s, const struct source *source, struct err *e)
{
	if (side_open(&s->ours, source, e) < 0)
		return err_wrap(e, "our side");
	if (side_open_next(&s->theirs, source, &s->ours, e) < 0)
		return err_wrap(e, "their side");
	if (side_open_next(&s->base, source, &s->ours, e) < 0)
		return err_wrap(e, "the common ancestor");
	return 0;
}

const char *side_kind(const struct side *s)
{
	if (s->sealing.form == SEALED_NOT)
		return "plain text";
	return s->sealing.passphrase.len ? "with a passphrase"
					 : "to recipients";
}

bool side_same_kind(const struct side *a, const struct side *b)
{
	return strcmp(side_kind(a), side_kind(b)) == 0;
}

/* Whose sealing holds: that of the side that changed it; ours, if both did. */
static const struct side *sealing_of(const struct sides *s)
{
	const struct sealing *ours = &s->ours.sealing;
	const struct sealing *base = &s->base.sealing;

	return ours->form == base->form &&
	       secret_equal(&ours->passphrase, &base->passphrase)
		       ? &s->theirs : &s->ours;
}

bool sides_unseal(const struct sides *s)
{
	return s->ours.sealing.form != SEALED_NOT &&
	       !side_same_kind(&s->ours, sealing_of(s));
}

int sides_merge(struct sbuf *out, const struct sides *s, sides_merge_fn *merge,
		struct conflicts *conflicts, struct err *e)
{
	AUTO(mesh_done) struct mesh merged = { 0 };
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	struct err inner;

	if (merge(&merged, &s->base.mesh, &s->ours.mesh, &s->theirs.mesh,
		  conflicts, e) < 0)
		return -1;
	text.max = STATE_SIZE_MAX; /* two that fit may not fit together */
	state_format(&text, &merged);
	if (text.failed)
		return err_set(e, ERR_INPUT, "the merged state would have more "
			       "than %d MiB", STATE_SIZE_MAX >> 20);
	if (sealing_seal(out, &sealing_of(s)->sealing, &text, &merged,
			 &inner) == 0)
		return 0;
	err_set(e, inner.code, "the merged state %s", inner.msg);
	return err_advise(e, inner.advice, inner.about);
}

void note_conflicts(const struct conflicts *all)
{
	AUTO(sbuf_done) struct sbuf line = SBUF_INIT;

	for (size_t i = 0; i < all->len && i < SHOWN_MAX; i++) {
		sbuf_clear(&line);
		conflict_text(&line, &all->items[i]);
		note("conflict: %s", sbuf_str(&line));
	}
	if (all->len > SHOWN_MAX)
		note("and %zu more conflicts", all->len - SHOWN_MAX);
}
