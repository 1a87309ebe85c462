/*
 * A sealed file of either form: told apart, looked at, opened, sealed. By
 * content alone, never by name: a state keeps its name when it is sealed.
 */
#include "vault/sealed.h"

#include "base/auto.h"
#include "base/base64.h"

/* So many base64 characters make the least that the Go tool writes. */
#define GO_START (GOSEAL_LEAST / 3 * 4)

/* CR and LF do not count, and no JSON text begins with 80 such characters. */
static bool looks_like_go(struct view v)
{
	size_t good = 0;

	for (size_t i = 0; i < v.len && good < GO_START; i++) {
		if (v.at[i] == '\r' || v.at[i] == '\n')
			continue;
		if (!base64_digit(v.at[i]) &&
		    !(v.at[i] == '=' && good >= GO_START - 2))
			return false;
		good++;
	}
	return good == GO_START;
}

enum sealed_form sealed_form(const void *text, size_t len)
{
	struct view v = VIEW(text, len);
	size_t blanks = 0;

	while (blanks < len && memchr(" \t\r\n", v.at[blanks], 4))
		blanks++;
	if (blanks < len && v.at[blanks] == '{')
		return SEALED_NOT;
	if (view_begins(v, "age-encryption.org/") || age_armored(text, len))
		return SEALED_AGE;
	return looks_like_go(v) ? SEALED_GO : SEALED_UNKNOWN;
}

static int unknown(struct err *e)
{
	return err_set(e, ERR_INPUT, "is neither JSON nor sealed in a known "
		       "way (age, or the Go tool's envelope), or it is damaged "
		       "or cut off");
}

int sealed_look(struct sealed_look *out, const void *text, size_t len,
		struct err *e)
{
	struct age_look age;

	switch (sealed_form(text, len)) {
	case SEALED_NOT:
		*out = (struct sealed_look){ .form = SEALED_NOT };
		return 0;
	case SEALED_AGE:
		if (age_look(&age, text, len, e) < 0)
			return -1;
		*out = (struct sealed_look){
			.form = SEALED_AGE,
			.passphrase = age.passphrase,
			.recipients = age.x25519 + age.ssh_ed25519 +
				      age.unknown,
			.age = age,
		};
		return 0;
	case SEALED_GO:
		if (goseal_check(text, len, e) < 0)
			return -1;
		*out = (struct sealed_look){ .form = SEALED_GO,
					     .passphrase = true };
		return 0;
	case SEALED_UNKNOWN:
		break;
	}
	return unknown(e);
}

int sealed_open(struct sbuf *plain, const void *text, size_t len,
		const struct age_keys *keys, struct err *e)
{
	switch (sealed_form(text, len)) {
	case SEALED_NOT:
		/* the caller has looked: age_open() would call it damaged */
		return err_set(e, ERR_BUG, "is not sealed");
	case SEALED_AGE:
		return age_open(plain, text, len, keys, e);
	case SEALED_GO:
		if (keys->passphrase)
			return goseal_open(plain, text, len, keys->passphrase,
					   e);
		return err_set(e, ERR_AUTH, "is sealed with a passphrase: an "
			       "identity does not open it");
	case SEALED_UNKNOWN:
		break;
	}
	return unknown(e);
}

int sealed_seal(struct sbuf *out, const void *plain, size_t len,
		const struct sealed_to *to, struct err *e)
{
	switch (to->form) {
	case SEALED_AGE:
		return age_seal(out, plain, len, &to->how, e);
	case SEALED_GO:
		if (!to->how.passphrase || to->how.recipients)
			return err_set(e, ERR_INPUT, "the Go tool's format "
				       "takes a passphrase, no recipients");
		if (!to->how.passphrase->len)
			return err_set(e, ERR_INPUT, "an empty passphrase "
				       "protects nothing");
		return goseal_seal(out, plain, len, to->how.passphrase, e);
	case SEALED_NOT:
	case SEALED_UNKNOWN:
		break;
	}
	return err_set(e, ERR_BUG, "no format to seal in");
}
