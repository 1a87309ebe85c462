/*
 * The Go tool's sealed envelope.
 */
#include "vault/goseal.h"

#include "base/auto.h"
#include "vault/crypto/aead.h"
#include "base/base64.h"

#define ROUNDS 100000 /* of PBKDF2; this and the sizes are the Go tool's */
#define SALT 32       /* bytes */
#define HEAD (SALT + AEAD_NONCE)

DEFINE_AUTO(struct aead *, aead_free)

/* Base64 adds a third, salt, nonce and tag some bytes. */
static size_t room_for(size_t len)
{
	return len * 2 + 4096;
}

/* Key and cipher for that salt. */
static int start_cipher(struct aead **out, struct view salt, enum aead_way way,
			const struct secret *passphrase, struct err *e)
{
	AUTO(key_done) struct key key = { { 0 } };

	if (crypto_pbkdf2(&key, VIEW(passphrase->bytes, passphrase->len), salt,
			  ROUNDS, e) < 0)
		return -1;
	return aead_new(out, AEAD_AES_256_GCM, way, &key, e);
}

int goseal_seal(struct sbuf *out, const void *plain, size_t len,
		const struct secret *passphrase, struct err *e)
{
	/* Holds the plain text for a moment. */
	AUTO(sbuf_done) struct sbuf raw = SBUF_SECRET;
	struct sbuf text = SBUF_INIT;
	AUTO(auto_aead_free) struct aead *a = NULL;
	unsigned char head[HEAD]; /* salt and nonce */
	unsigned char tag[AEAD_TAG];
	unsigned char *at;

	if (len > GOSEAL_PLAIN_MAX)
		return err_set(e, ERR_INPUT, "has more than %d MiB",
			       (int)(GOSEAL_PLAIN_MAX >> 20));
	raw.max = text.max = room_for(len);
	if (crypto_random(head, sizeof head, e) < 0 ||
	    start_cipher(&a, VIEW(head, SALT), AEAD_SEAL, passphrase, e) < 0)
		return -1;
	sbuf_add(&raw, head, sizeof head);
	sbuf_add(&raw, plain, len);
	at = (unsigned char *)raw.s + HEAD;
	if (raw.failed || !aead_seal(a, head + SALT, VIEW(at, len), at, tag))
		return err_set(e, ERR_SYSTEM, "OpenSSL could not encrypt");
	sbuf_add(&raw, tag, sizeof tag);
	base64_add(&text, VIEW(raw.s, raw.len), BASE64_PADDED);
	sbuf_done(out);
	*out = text;
	return 0;
}

/* The bytes of the envelope. */
static int decode_envelope(struct sbuf *raw, const void *sealed, size_t len,
			   struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	struct view rest = VIEW(sealed, len);

	if (len > room_for(GOSEAL_PLAIN_MAX))
		return err_set(e, ERR_INPUT, "has more than %d MiB",
			       (int)(GOSEAL_PLAIN_MAX >> 20));
	raw->max = text.max = len + 1;
	/* CR and LF do not count, wherever: Go's decoder skips them, too */
	while (rest.len) {
		size_t n = 0;

		while (n < rest.len && rest.at[n] != '\r' && rest.at[n] != '\n')
			n++;
		sbuf_add(&text, rest.at, n);
		n += n < rest.len;
		rest = VIEW(rest.at + n, rest.len - n);
	}
	if (!base64_decode(raw, VIEW(sbuf_str(&text), text.len), BASE64_LOOSE))
		return err_set(e, ERR_INPUT, "is damaged or cut off: it is not "
			       "base64 throughout");
	if (raw->len < GOSEAL_LEAST)
		return err_set(e, ERR_INPUT, "is cut off: %zu bytes, and at "
			       "least %d belong to a sealed state", raw->len,
			       GOSEAL_LEAST);
	return 0;
}

int goseal_open(struct sbuf *plain, const void *sealed, size_t len,
		const struct secret *passphrase, struct err *e)
{
	AUTO(auto_aead_free) struct aead *a = NULL;
	AUTO(sbuf_done) struct sbuf raw = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	struct view in;

	if (decode_envelope(&raw, sealed, len, e) < 0 ||
	    start_cipher(&a, VIEW(raw.s, SALT), AEAD_OPEN, passphrase, e) < 0)
		return -1;
	in = VIEW(raw.s + HEAD, raw.len - GOSEAL_LEAST);
	text.max = in.len + 1;
	sbuf_add(&text, in.at, in.len);
	if (!aead_open(a, (unsigned char *)raw.s + SALT, in, in.at + in.len,
		       (unsigned char *)text.s))
		return err_set(e, ERR_AUTH, "does not open: the passphrase is "
			       "wrong or the file is damaged (its format does "
			       "not tell which)");
	sbuf_done(plain);
	*plain = text;
	text = (struct sbuf)SBUF_SECRET;
	return 0;
}

int goseal_check(const void *sealed, size_t len, struct err *e)
{
	AUTO(sbuf_done) struct sbuf raw = SBUF_INIT;

	return decode_envelope(&raw, sealed, len, e);
}
