/*
 * How a stanza wraps the file key: for a passphrase or for a public key. Salts
 * and labels are those of the specification (C2SP age, recipient types), so that
 * the same passphrase or key gives no other program the same wrapping key.
 */
#include "vault/age/internal.h"

#include "base/auto.h"
#include "vault/crypto/aead.h"
#include "vault/crypto/digest.h"

#define LABEL AGE_VERSION_LINE

DEFINE_AUTO(struct aead *, aead_free)

/* Each wrapping key is used once, so the nonce is always zero. */
static const unsigned char zero_nonce[AEAD_NONCE];

static int wrap(unsigned char body[AGE_WRAPPED], const struct key *key,
		const struct file_key *file_key, struct err *e)
{
	AUTO(auto_aead_free) struct aead *a = NULL;

	if (aead_new(&a, AEAD_CHACHA20_POLY1305, AEAD_SEAL, key, e) < 0)
		return -1;
	if (!aead_seal(a, zero_nonce, VIEW(file_key->b, sizeof file_key->b),
		       body, body + sizeof file_key->b))
		return err_set(e, ERR_SYSTEM, "OpenSSL could not encrypt");
	return 0;
}

/* 1, or 0 when @key is not the one that it was wrapped with, or -1. */
static int unwrap(struct file_key *file_key, const struct key *key,
		  const unsigned char body[AGE_WRAPPED], struct err *e)
{
	AUTO(auto_aead_free) struct aead *a = NULL;
	AUTO(file_key_done) struct file_key plain = { { 0 } };

	if (aead_new(&a, AEAD_CHACHA20_POLY1305, AEAD_OPEN, key, e) < 0)
		return -1;
	if (!aead_open(a, zero_nonce, VIEW(body, sizeof plain.b),
		       body + sizeof plain.b, plain.b))
		return 0;
	*file_key = plain;
	return 1;
}

/* ---- a passphrase ---- */

static int passphrase_key(struct key *out, const struct stanza *s,
			  const struct secret *passphrase, struct err *e)
{
	static const char label[] = LABEL "/scrypt";
	unsigned char salt[sizeof label - 1 + AGE_SALT];

	memcpy(salt, label, sizeof label - 1);
	memcpy(salt + sizeof label - 1, s->salt, AGE_SALT);
	return crypto_scrypt(out, VIEW(passphrase->bytes, passphrase->len),
			     VIEW(salt, sizeof salt), s->log_n, e);
}

int age_scrypt_wrap(struct stanza *out, const struct file_key *file_key,
		    const struct secret *passphrase, int log_n, struct err *e)
{
	AUTO(key_done) struct key key = { { 0 } };

	*out = (struct stanza){ .type = STANZA_SCRYPT, .log_n = log_n };
	if (crypto_random(out->salt, AGE_SALT, e) < 0 ||
	    passphrase_key(&key, out, passphrase, e) < 0)
		return -1;
	return wrap(out->body, &key, file_key, e);
}

int age_scrypt_unwrap(struct file_key *file_key, const struct stanza *s,
		      const struct secret *passphrase, struct err *e)
{
	AUTO(key_done) struct key key = { { 0 } };

	if (passphrase_key(&key, s, passphrase, e) < 0)
		return -1;
	return unwrap(file_key, &key, s->body, e);
}

/* ---- a public key ---- */

/** What both sides of an agreement know of the recipient. */
struct terms {
	const char *label;
	unsigned char point[POINT_BYTES]; /* the recipient's, on Curve25519 */
	unsigned char tag[AGE_TAG];       /* ssh-ed25519: of its SSH key */
	bool tweaked;
	struct key tweak; /* ssh-ed25519: ties the secret to the SSH key */
};

static int terms_of(struct terms *t, const struct age_recipient *r,
		    struct err *e)
{
	unsigned char wire[SSH_WIRE];
	char hex[DIGEST_HEX + 1];

	*t = (struct terms){ .label = LABEL "/X25519" };
	if (r->kind != AGE_SSH_ED25519) {
		memcpy(t->point, r->key, POINT_BYTES);
		return 0;
	}
	t->label = LABEL "/ssh-ed25519";
	t->tweaked = true;
	age_ssh_wire(wire, r->key);
	/* the first bytes of the SHA-256 of the SSH key */
	digest_sha256(wire, SSH_WIRE, hex);
	for (int i = 0; i < AGE_TAG; i++) {
		char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		t->tag[i] = (unsigned char)strtoul(pair, NULL, 16);
	}
	if (age_ssh_point(t->point, r->key, e) < 0)
		return -1;
	return crypto_hkdf(&t->tweak, VIEW(NULL, 0), VIEW(wire, SSH_WIRE),
			   t->label, e);
}

/* The wrapping key that @scalar and the other side's @point agree on. */
static int agree_on_key(struct key *out, const struct terms *t,
			const struct key *scalar, const unsigned char *point,
			const unsigned char *share, struct err *e)
{
	AUTO(key_done) struct key shared = { { 0 } };
	AUTO(key_done) struct key plain = { { 0 } };
	unsigned char salt[2 * POINT_BYTES];

	if (crypto_x25519(&shared, scalar, point, e) < 0)
		return -1;
	if (t->tweaked) {
		plain = shared;
		if (crypto_x25519(&shared, &t->tweak, plain.b, e) < 0)
			return -1;
	}
	memcpy(salt, share, POINT_BYTES);
	memcpy(salt + POINT_BYTES, t->point, POINT_BYTES);
	return crypto_hkdf(out, VIEW(shared.b, sizeof shared.b),
			   VIEW(salt, sizeof salt), t->label, e);
}

static enum stanza_type type_for(const struct age_recipient *r)
{
	return r->kind == AGE_X25519 ? STANZA_X25519 : STANZA_SSH_ED25519;
}

int age_share_wrap(struct stanza *out, const struct file_key *file_key,
		   const struct age_recipient *to, struct err *e)
{
	AUTO(key_done) struct key ephemeral = { { 0 } };
	AUTO(key_done) struct key key = { { 0 } };
	struct terms t;

	if (terms_of(&t, to, e) < 0)
		return -1;
	*out = (struct stanza){ .type = type_for(to) };
	memcpy(out->tag, t.tag, AGE_TAG);
	if (crypto_random(ephemeral.b, sizeof ephemeral.b, e) < 0 ||
	    crypto_x25519_public(out->share, &ephemeral, e) < 0 ||
	    agree_on_key(&key, &t, &ephemeral, t.point, out->share, e) < 0)
		return -1;
	return wrap(out->body, &key, file_key, e);
}

int age_share_unwrap(struct file_key *file_key, const struct stanza *s,
		     const struct age_identity *with, struct err *e)
{
	AUTO(key_done) struct key scalar = { { 0 } };
	AUTO(key_done) struct key key = { { 0 } };
	struct terms t;

	if (s->type != type_for(&with->recipient))
		return 0;
	if (terms_of(&t, &with->recipient, e) < 0)
		return -1;
	/* a hint, no proof: two keys in 2^32 share one, and unwrap() tells */
	if (memcmp(s->tag, t.tag, AGE_TAG) != 0)
		return 0;
	memcpy(scalar.b, with->scalar.bytes, sizeof scalar.b);
	if (agree_on_key(&key, &t, &scalar, s->share, s->share,
			 e) < 0)
		return -1;
	return unwrap(file_key, &key, s->body, e);
}
