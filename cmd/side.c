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
	secret_done(&s->passphrase);
	sbuf_done(&s->raw);
}

int side_open(struct side *s, const struct source *source, struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	AUTO(age_identities_done) struct age_identities identities = { 0 };
	const struct age_keys keys = { &s->passphrase, &identities };
	struct sealed_look look;

	text.max = STATE_SIZE_MAX;
	if (s->raw.len == 0)
		return 0;
	s->form = sealed_form(s->raw.s, s->raw.len);
	if (s->form != SEALED_AGE && s->form != SEALED_GO) {
		s->form = SEALED_NOT; /* what it is, the parser says */
		return state_parse(&s->mesh, s->raw.s, s->raw.len, e);
	}
	if (sealed_look(&look, s->raw.s, s->raw.len, e) < 0)
		return -1;
	if (look.passphrase) {
		if (source_work(source, look.age.log_n, e) < 0 ||
		    source_passphrase(&s->passphrase, source, e) < 0)
			return -1;
	} else if (!source_has_identity(source)) {
		return err_set(e, ERR_INPUT, "is sealed to recipients: set "
			       "WGMESH_IDENTITY or WGMESH_IDENTITY_DATA");
	} else if (source_identities(&identities, source, e) < 0) {
		return -1;
	}
	if (sealed_open(&text, s->raw.s, s->raw.len, &keys, e) < 0)
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
	struct source same = { .password = &opened->passphrase,
			       .identity_file = source->identity_file,
			       .identity_data = source->identity_data };

	if (opened->passphrase.len && side_open(s, &same, e) == 0)
		return 0;
	secret_done(&s->passphrase);
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
	if (s->form == SEALED_NOT)
		return "plain text";
	return s->passphrase.len ? "with a passphrase" : "to recipients";
}

bool side_same_kind(const struct side *a, const struct side *b)
{
	return strcmp(side_kind(a), side_kind(b)) == 0;
}

/* Whose sealing holds: that of the side that changed it; ours, if both did. */
static const struct side *sealing_of(const struct sides *s)
{
	return s->ours.form == s->base.form &&
			       secret_equal(&s->ours.passphrase,
					    &s->base.passphrase)
		       ? &s->theirs : &s->ours;
}

static void recipients_done(struct age_recipients *v)
{
	vec_done(v);
}

/* As @how was, but to the recipients that the merged mesh has. */
static int seal_merged(struct sbuf *raw, const struct sbuf *text,
		       const struct mesh *m, const struct side *how,
		       struct err *e)
{
	AUTO(recipients_done) struct age_recipients recipients = { 0 };
	struct sealed_to to = { .form = how->form };

	if (how->passphrase.len) {
		to.how.passphrase = &how->passphrase;
		return sealed_seal(raw, sbuf_str(text), text->len, &to, e);
	}
	for (size_t i = 0; i < m->recipients.len; i++)
		if (age_recipient_parse(vec_add(&recipients),
					m->recipients.items[i], e) < 0)
			return err_wrap(e, "recipients");
	if (recipients.len == 0)
		return err_set(e, ERR_INPUT, "nobody could open the merged "
			       "state: no recipient is left");
	to.how.recipients = &recipients;
	return sealed_seal(raw, sbuf_str(text), text->len, &to, e);
}

bool sides_unseal(const struct sides *s)
{
	return s->ours.form != SEALED_NOT &&
	       !side_same_kind(&s->ours, sealing_of(s));
}

int sides_merge(struct sbuf *out, const struct sides *s, sides_merge_fn *merge,
		struct conflicts *conflicts, struct err *e)
{
	const struct side *how = sealing_of(s);
	AUTO(mesh_done) struct mesh merged = { 0 };
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;

	if (merge(&merged, &s->base.mesh, &s->ours.mesh, &s->theirs.mesh,
		  conflicts, e) < 0)
		return -1;
	text.max = STATE_SIZE_MAX; /* two that fit may not fit together */
	state_format(&text, &merged);
	if (text.failed)
		return err_set(e, ERR_INPUT, "the merged state would have more "
			       "than %d MiB", STATE_SIZE_MAX >> 20);
	if (how->form != SEALED_NOT)
		return seal_merged(out, &text, &merged, how, e);
	sbuf_add(out, sbuf_str(&text), text.len);
	return 0;
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
