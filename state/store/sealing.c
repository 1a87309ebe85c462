/*
 * A state opened and sealed, wherever its bytes are: in the file, in git, in a
 * merge. Apart from the store, since most of them are under no lock.
 */
#include "state/store/sealing.h"

#include "base/auto.h"
#include "base/text.h"
#include "state/json/json.h"

static void recipients_done(struct age_recipients *v)
{
	vec_done(v);
}

/* The secrets that open what @look shows, unless they are there already. */
static int get_keys(struct secret *passphrase,
		    struct age_identities *identities,
		    const struct sealed_look *look,
		    const struct source *source, struct err *e)
{
	/* before anything is typed: who wrote the file chose the work */
	if (source_work(source, look->age.log_n, e) < 0)
		return -1;
	if (look->passphrase)
		return passphrase->len
			? 0 : source_passphrase(passphrase, source, e);
	if (!source_has_identity(source)) {
		err_set(e, ERR_INPUT, "is sealed to %zu recipient%s",
			look->recipients, look->recipients == 1 ? "" : "s");
		return err_advise(e, ADVICE_GIVE_IDENTITY, NULL);
	}
	/* read once: the file may be a pipe of the shell's, "<(pass age)" */
	return identities->len ? 0 : source_identities(identities, source, e);
}

int sealing_open(struct sbuf *text, struct sealing *how,
		 const struct sbuf *raw, const struct source *source,
		 struct age_identities *kept, struct err *e)
{
	static const struct source nothing;
	AUTO(age_identities_done) struct age_identities own = { 0 };
	struct age_identities *identities = kept ? kept : &own;
	const struct age_keys keys = { &how->passphrase, identities };
	struct sealed_look look;

	if (text_conflict_line(sbuf_str(raw), raw->len))
		return err_set(e, ERR_INPUT, "has conflict markers of git in "
			       "it");
	how->form = sealed_form(raw->s, raw->len);
	how->takes_passphrase = false;
	if (how->form == SEALED_NOT || how->form == SEALED_UNKNOWN) {
		how->form = SEALED_NOT;
		sbuf_add(text, sbuf_str(raw), raw->len);
		if (text->failed)
			return err_set(e, ERR_INPUT, "has more than %d MiB",
				       STATE_SIZE_MAX >> 20);
		return 0;
	}
	if (sealed_look(&look, raw->s, raw->len, e) < 0)
		return -1;
	how->takes_passphrase = look.passphrase;
	if (get_keys(&how->passphrase, identities, &look,
		     source ? source : &nothing, e) < 0)
		return -1;
	return sealed_open(text, raw->s, raw->len, &keys, e);
}

int sealing_seal(struct sbuf *raw, const struct sealing *how,
		 const struct sbuf *text, const struct mesh *m, struct err *e)
{
	AUTO(recipients_done) struct age_recipients recipients = { 0 };
	struct sealed_to to = { .form = how->form };

	if (how->form == SEALED_NOT) {
		sbuf_add(raw, sbuf_str(text), text->len);
		return 0;
	}
	if (how->passphrase.len) {
		to.how.passphrase = &how->passphrase;
		return sealed_seal(raw, sbuf_str(text), text->len, &to, e);
	}
	if (m->recipients.len == 0) {
		err_set(e, ERR_INPUT, "is sealed to recipients that it does "
			"not name");
		return err_advise(e, ADVICE_NAME_RECIPIENTS, NULL);
	}
	for (size_t i = 0; i < m->recipients.len; i++)
		if (age_recipient_parse(vec_add(&recipients),
					m->recipients.items[i], e) < 0)
			return err_wrap(e, "recipients");
	to.how.recipients = &recipients;
	return sealed_seal(raw, sbuf_str(text), text->len, &to, e);
}
