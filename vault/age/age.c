/*
 * Sealing and opening age files: the parts put together. The order is the
 * format's (C2SP age): nothing of a header is believed before its checksum, and
 * that takes the file key, which each stanza wraps once.
 */
#include "vault/age/age.h"

#include "base/auto.h"
#include "base/vec.h"
#include "vault/age/internal.h"

/* ---- sealing ---- */

static int check_to(const struct age_to *to, size_t len, struct err *e)
{
	size_t n = to->recipients ? to->recipients->len : 0;

	if (len > AGE_PLAIN_MAX)
		return err_set(e, ERR_INPUT, "has more than %d MiB",
			       (int)(AGE_PLAIN_MAX >> 20));
	if (!to->passphrase == !n)
		return err_set(e, ERR_INPUT, "seal with a passphrase or to at "
			       "least one recipient");
	if (to->passphrase && !to->passphrase->len)
		return err_set(e, ERR_INPUT, "an empty passphrase protects "
			       "nothing");
	if (n > AGE_STANZAS_MAX)
		return err_set(e, ERR_INPUT, "more than %d recipients",
			       AGE_STANZAS_MAX);
	if (to->log_n && (to->log_n < AGE_LOG_N_MIN ||
			  to->log_n > AGE_LOG_N_MAX))
		return err_set(e, ERR_BUG, "work factor %d", to->log_n);
	return 0;
}

static int write_header(struct sbuf *file, const struct file_key *key,
			const struct age_to *to, struct err *e)
{
	char text[AGE_RECIPIENT_TEXT];
	unsigned char mac[32];
	struct stanza s;

	sbuf_puts(file, AGE_VERSION_LINE "\n");
	if (to->passphrase) {
		if (age_scrypt_wrap(&s, key, to->passphrase,
				    to->log_n ? to->log_n : AGE_LOG_N_DEFAULT,
				    e) < 0)
			return -1;
		age_stanza_write(file, &s);
	}
	for (size_t i = 0; !to->passphrase && i < to->recipients->len; i++) {
		const struct age_recipient *r = &to->recipients->items[i];

		if (age_share_wrap(&s, key, r, e) < 0)
			return err_wrap(e, "recipient '%s'",
					age_recipient_text(r, text));
		age_stanza_write(file, &s);
	}
	sbuf_puts(file, "---");
	if (age_header_mac(mac, key, VIEW(file->s, file->len), e) < 0)
		return -1;
	age_mac_write(file, mac);
	return 0;
}

/* Headers and tags add to the plain text, armour a third. */
static size_t room_for(size_t len)
{
	return AGE_HEADER_MAX + len * 3 / 2 + 4096;
}

/* @to is replaced by @from, which is then empty. */
static void move(struct sbuf *to, struct sbuf *from)
{
	sbuf_done(to);
	*to = *from;
	*from = (struct sbuf)SBUF_INIT;
}

int age_seal(struct sbuf *out, const void *plain, size_t len,
	     const struct age_to *to, struct err *e)
{
	AUTO(sbuf_done) struct sbuf file = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(file_key_done) struct file_key key = { { 0 } };

	file.max = text.max = room_for(len);
	if (check_to(to, len, e) < 0 ||
	    crypto_random(key.b, sizeof key.b, e) < 0 ||
	    write_header(&file, &key, to, e) < 0 ||
	    age_payload_seal(&file, &key, VIEW(plain, len), e) < 0)
		return -1;
	if (!to->binary)
		age_armor_write(&text, VIEW(file.s, file.len));
	if (file.failed || text.failed)
		return err_set(e, ERR_BUG, "the sealed file outgrew its room");
	move(out, to->binary ? &file : &text);
	return 0;
}

/* ---- opening ---- */

/** A file without its armour; @file points into @raw or into the text. */
struct bare {
	struct sbuf raw;
	struct view file;
	bool armored;
};

static void bare_done(struct bare *b)
{
	sbuf_done(&b->raw);
}

/* Any file: the bound is on what its armour holds, not on what it says. */
static int bare_read(struct bare *b, const void *sealed, size_t len,
		     struct err *e)
{
	*b = (struct bare){ .raw = SBUF_INIT, .file = VIEW("", 0) };
	b->raw.max = room_for(AGE_PLAIN_MAX);
	if (len > b->raw.max * 3 / 2)
		return err_set(e, ERR_INPUT, "has more than %d MiB",
			       (int)(AGE_PLAIN_MAX >> 20));
	if (len)
		b->file = VIEW(sealed, len);
	b->armored = age_armored(b->file.at, b->file.len);
	if (!b->armored)
		return 0;
	if (age_armor_read(&b->raw, b->file, e) < 0)
		return -1;
	b->file = VIEW(sbuf_str(&b->raw), b->raw.len);
	return 0;
}

static int try_passphrase(struct file_key *key, const struct stanza *s,
			  const struct age_keys *keys, struct err *e)
{
	int fits;

	if (!keys->passphrase)
		return err_set(e, ERR_AUTH, "is sealed with a passphrase: an "
			       "identity does not open it");
	if (!keys->passphrase->len)
		return err_set(e, ERR_AUTH, "is sealed with a passphrase, "
			       "which is never empty");
	fits = age_scrypt_unwrap(key, s, keys->passphrase, e);
	if (fits == 0)
		return err_set(e, ERR_AUTH, "does not open: the passphrase is "
			       "wrong (a damaged header would look the same)");
	return fits < 0 ? -1 : 0;
}

/* Each on each stanza: an X25519 stanza does not say whose it is. */
static int try_identities(struct file_key *key, const struct age_header *h,
			  const struct age_identities *ids, struct err *e)
{
	if (!ids || !ids->len)
		return err_set(e, ERR_AUTH, "is sealed to recipients: it takes "
			       "an identity, not a passphrase");
	for (size_t i = 0; i < ids->len; i++) {
		for (size_t j = 0; j < h->len; j++) {
			int fits = age_share_unwrap(key, &h->items[j],
						    &ids->items[i], e);

			if (fits)
				return fits < 0 ? -1 : 0;
		}
	}
	return err_set(e, ERR_AUTH, "does not open: it is sealed to %zu "
		       "recipient%s, and no identity that was given is one of "
		       "them (a damaged header would look the same)",
		       h->len + h->unknown, h->len + h->unknown > 1 ? "s" : "");
}

int age_open(struct sbuf *plain, const void *sealed, size_t len,
	     const struct age_keys *keys, struct err *e)
{
	AUTO(bare_done) struct bare bare = { .raw = SBUF_INIT };
	AUTO(age_header_done) struct age_header h = { 0 };
	AUTO(file_key_done) struct file_key key = { { 0 } };
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	unsigned char mac[32];

	text.max = AGE_PLAIN_MAX;
	if (bare_read(&bare, sealed, len, e) < 0 ||
	    age_header_parse(&h, bare.file, e) < 0)
		return -1;
	if (h.len && h.items[0].type == STANZA_SCRYPT) {
		if (try_passphrase(&key, &h.items[0], keys, e) < 0)
			return -1;
	} else if (try_identities(&key, &h, keys->identities, e) < 0) {
		return -1;
	}
	if (age_header_mac(mac, &key, h.covered, e) < 0)
		return -1;
	if (!crypto_equal(mac, h.mac, sizeof mac))
		return err_set(e, ERR_INPUT, "is damaged: its header does not "
			       "verify");
	if (age_payload_open(&text, &key, h.payload, e) < 0)
		return -1;
	move(plain, &text);
	return 0;
}

int age_look(struct age_look *out, const void *sealed, size_t len,
	     struct err *e)
{
	AUTO(bare_done) struct bare bare = { .raw = SBUF_INIT };
	AUTO(age_header_done) struct age_header h = { 0 };
	struct age_look look = { 0 };

	if (bare_read(&bare, sealed, len, e) < 0 ||
	    age_header_parse(&h, bare.file, e) < 0)
		return -1;
	look.armored = bare.armored;
	look.unknown = h.unknown;
	for (size_t i = 0; i < h.len; i++) {
		look.x25519 += h.items[i].type == STANZA_X25519;
		look.ssh_ed25519 += h.items[i].type == STANZA_SSH_ED25519;
		look.passphrase |= h.items[i].type == STANZA_SCRYPT;
		look.log_n = h.items[i].log_n;
	}
	*out = look;
	return 0;
}
