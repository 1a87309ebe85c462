/*
 * The Go tool's sealed envelope.
 */
#include "vault/goseal.h"

#include "base/auto.h"
#include "vault/crypto/aead.h"
#include "base/base64.h"

#define ROUNDS 100000
#define SALT 32
#define HEAD (SALT + AEAD_NONCE)

DEFINE_AUTO(struct aead *, aead_free)

static size_t room_for(size_t len)
{
	return len * 2 + 4096;
}

/* Key and cipher for that salt. */
static int start(struct aead **out, struct view salt, enum aead_way way,
		 const struct secret *passphrase, struct err *e)
{
	AUTO(key_done) struct key key = { { 0 } };

	if (crypto_pbkdf2(&key, VIEW(passphrase->bytes, passphrase->len), salt,
			  ROUNDS, e) < 0)
		return -1;
	return aead_new(out, AEAD_AES_256_GCM, way, &key, e);
}

static int encrypt(struct sbuf *raw, const void *plain, size_t len,
		   const struct secret *passphrase, struct err *e)
{
	AUTO(auto_aead_free) struct aead *a = NULL;
	unsigned char head[HEAD];
	unsigned char tag[AEAD_TAG];
	unsigned char *at;

	if (crypto_random(head, sizeof head, e) < 0 ||
	    start(&a, VIEW(head, SALT), AEAD_SEAL, passphrase, e) < 0)
		return -1;
	sbuf_add(raw, head, sizeof head);
	sbuf_add(raw, plain, len);
	at = (unsigned char *)raw->s + HEAD;
	if (raw->failed || !aead_seal(a, head + SALT, VIEW(at, len), at, tag))
		return err_set(e, ERR_SYSTEM, "OpenSSL could not encrypt");
	sbuf_add(raw, tag, sizeof tag);
	return 0;
}

int goseal_seal(struct sbuf *out, const void *plain, size_t len,
		const struct secret *passphrase, struct err *e)
{
	/* Holds the plain text for a moment. */
	AUTO(sbuf_done) struct sbuf raw = SBUF_SECRET;
	struct sbuf text = SBUF_INIT;

	if (len > GOSEAL_PLAIN_MAX)
		return err_set(e, ERR_INPUT, "has more than %d MiB",
			       (int)(GOSEAL_PLAIN_MAX >> 20));
	raw.max = text.max = room_for(len);
	if (encrypt(&raw, plain, len, passphrase, e) < 0)
		return -1;
	base64_add(&text, VIEW(raw.s, raw.len), BASE64_PADDED);
	sbuf_done(out);
	*out = text;
	return 0;
}

/* Append the text without CR and LF. */
static void strip(struct sbuf *out, struct view text)
{
	while (text.len) {
		size_t n = 0;

		while (n < text.len && text.at[n] != '\r' && text.at[n] != '\n')
			n++;
		sbuf_add(out, text.at, n);
		n += n < text.len;
		text = VIEW(text.at + n, text.len - n);
	}
}

/* The bytes of the envelope. */
static int decode(struct sbuf *raw, const void *sealed, size_t len,
		  struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

	if (len > room_for(GOSEAL_PLAIN_MAX))
		return err_set(e, ERR_INPUT, "has more than %d MiB",
			       (int)(GOSEAL_PLAIN_MAX >> 20));
	raw->max = text.max = len + 1;
	strip(&text, VIEW(sealed, len));
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

	if (decode(&raw, sealed, len, e) < 0 ||
	    start(&a, VIEW(raw.s, SALT), AEAD_OPEN, passphrase, e) < 0)
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

	return decode(&raw, sealed, len, e);
}
