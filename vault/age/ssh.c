/*
 * OpenSSH Ed25519 keys as age recipients and identities. The curve work is
 * X25519's; here are big-number arithmetic on public keys, one hash, and the
 * containers that OpenSSH keeps keys in (PROTOCOL.key in its sources).
 */
#include "vault/age/internal.h"

#include "base/auto.h"
#include "base/base64.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdint.h>

#define BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define END "-----END OPENSSH PRIVATE KEY-----"
#define MAGIC "openssh-key-v1"
#define TYPE "ssh-ed25519"
#define FILE_MAX 8192 /* bytes; ssh-keygen writes about 400 */

DEFINE_AUTO(BIGNUM *, BN_free)
DEFINE_AUTO(BN_CTX *, BN_CTX_free)

/* ---- public keys ---- */

/* A length, the type, a length, the key. */
static const unsigned char wire_start[] = "\0\0\0\x0b" TYPE "\0\0\0\x20";

void age_ssh_wire(unsigned char wire[SSH_WIRE], const unsigned char key[32])
{
	memcpy(wire, wire_start, SSH_WIRE - 32);
	memcpy(wire + SSH_WIRE - 32, key, 32);
}

bool age_ssh_unwire(unsigned char key[32], struct view wire)
{
	if (wire.len != SSH_WIRE ||
	    memcmp(wire.at, wire_start, SSH_WIRE - 32) != 0)
		return false;
	memcpy(key, wire.at + SSH_WIRE - 32, 32);
	return true;
}

/* u = (1 + y) / (1 - y) modulo 2^255 - 19 (RFC 7748, section 4.1). */
static bool edwards_to_montgomery(BIGNUM *u, BIGNUM *y, BN_CTX *ctx)
{
	AUTO(auto_BN_free) BIGNUM *p = BN_new();
	AUTO(auto_BN_free) BIGNUM *below = BN_new();
	AUTO(auto_BN_free) BIGNUM *one = BN_new();

	return p && below && one && BN_one(one) && BN_set_bit(p, 255) &&
	       BN_sub_word(p, 19) && BN_mod_sub(below, one, y, p, ctx) &&
	       BN_mod_inverse(below, below, p, ctx) &&
	       BN_mod_add(u, one, y, p, ctx) &&
	       BN_mod_mul(u, u, below, p, ctx);
}

int age_ssh_point(unsigned char point[POINT_BYTES], const unsigned char key[32],
		  struct err *e)
{
	AUTO(auto_BN_CTX_free) BN_CTX *ctx = BN_CTX_new();
	AUTO(auto_BN_free) BIGNUM *u = BN_new();
	AUTO(auto_BN_free) BIGNUM *y = NULL;
	unsigned char plain[32];

	memcpy(plain, key, sizeof plain);
	plain[31] &= 0x7f; /* the sign of x, which u does not depend on */
	y = BN_lebin2bn(plain, sizeof plain, NULL);
	if (!ctx || !u || !y || !edwards_to_montgomery(u, y, ctx) ||
	    BN_bn2lebinpad(u, point, POINT_BYTES) != POINT_BYTES) {
		ERR_clear_error();
		return err_set(e, ERR_INPUT, "is an Ed25519 key that protects "
			       "nothing");
	}
	return 0;
}

/* ---- private keys ---- */

static int bad(struct err *e, const char *what)
{
	return err_set(e, ERR_INPUT, "the OpenSSH private key %s", what);
}

bool age_ssh_looks(struct view text)
{
	return view_begins(text, BEGIN);
}

/* The lines between the first and the last one, joined and decoded. */
static bool unwrap_lines(struct sbuf *out, struct view text)
{
	AUTO(sbuf_done) struct sbuf joined = SBUF_SECRET;
	const char *at = (const char *)text.at + strlen(BEGIN);
	const char *end = memmem(text.at, text.len, "\n" END, strlen("\n" END));

	for (; end && at < end; at++)
		if (*at != '\n' && *at != '\r')
			sbuf_putc(&joined, *at);
	return end && base64_decode(out, VIEW(sbuf_str(&joined), joined.len),
				    BASE64_PADDED);
}

/* Numbers are big-endian: RFC 4251, section 5. */
static bool take_u32(struct view *rest, uint32_t *n)
{
	const unsigned char *b = rest->at;

	if (rest->len < 4)
		return false;
	*n = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
	     b[3];
	*rest = VIEW(b + 4, rest->len - 4);
	return true;
}

/* A length and so many bytes; false when there are fewer. */
static bool take_string(struct view *rest, struct view *s)
{
	uint32_t n;

	if (!take_u32(rest, &n) || n > rest->len)
		return false;
	*s = VIEW(rest->at, n);
	*rest = VIEW(rest->at + n, rest->len - n);
	return true;
}

/* The seed, if the private part is one that fits to the public key. */
static int read_private(struct view *seed, struct view part,
			const unsigned char public_key[32], struct err *e)
{
	struct view type, key, pair, comment;
	uint32_t a, b; /* one number twice: a wrong passphrase would show */
	bool fits = take_u32(&part, &a) && take_u32(&part, &b) && a == b &&
		    take_string(&part, &type) && view_is(type, TYPE) &&
		    take_string(&part, &key) && take_string(&part, &pair) &&
		    take_string(&part, &comment) && part.len < 16;

	/* padding: 1, 2, 3... up to a block: OpenSSH's has 8 bytes, libssh's 16 */
	for (size_t i = 0; fits && i < part.len; i++)
		fits = part.at[i] == i + 1;
	if (!fits)
		return bad(e, "is damaged, or not of type " TYPE);
	if (key.len != 32 || memcmp(key.at, public_key, 32) != 0 ||
	    pair.len != 64 || memcmp(pair.at + 32, public_key, 32) != 0)
		return bad(e, "is damaged: its public and private part are "
			   "not a pair");
	*seed = VIEW(pair.at, 32);
	return 0;
}

/* Is the private part sealed? @rest is a decoded container from its start. */
static bool is_locked(struct view rest)
{
	struct view cipher;

	if (rest.len < sizeof MAGIC ||
	    memcmp(rest.at, MAGIC, sizeof MAGIC) != 0)
		return false;
	rest = VIEW(rest.at + sizeof MAGIC, rest.len - sizeof MAGIC);
	return take_string(&rest, &cipher) && !view_is(cipher, "none");
}

/* The seed and the public key in a decoded container. */
static int read_container(struct view *seed, unsigned char public_key[32],
			  struct view rest, struct err *e)
{
	struct view cipher, kdf, options, wire, part;
	uint32_t keys;

	if (rest.len < sizeof MAGIC ||
	    memcmp(rest.at, MAGIC, sizeof MAGIC) != 0)
		return bad(e, "is damaged");
	rest = VIEW(rest.at + sizeof MAGIC, rest.len - sizeof MAGIC);
	if (!take_string(&rest, &cipher) || !take_string(&rest, &kdf) ||
	    !take_string(&rest, &options) || !take_u32(&rest, &keys) ||
	    keys != 1 || !take_string(&rest, &wire) ||
	    !take_string(&rest, &part) || rest.len)
		return bad(e, "is damaged");
	if (!age_ssh_unwire(public_key, wire))
		return bad(e, "is not of type " TYPE);
	if (!view_is(cipher, "none") || !view_is(kdf, "none"))
		return bad(e, "has a passphrase");
	return read_private(seed, part, public_key, e);
}

bool age_ssh_locked(struct view text)
{
	AUTO(sbuf_done) struct sbuf raw = SBUF_SECRET;

	return text.len <= FILE_MAX && unwrap_lines(&raw, text) &&
	       is_locked(VIEW(sbuf_str(&raw), raw.len));
}

int age_ssh_parse(struct age_identity *out, struct view text, struct err *e)
{
	AUTO(sbuf_done) struct sbuf raw = SBUF_SECRET;
	unsigned char hash[64];
	struct view seed;
	int ret = 0;

	if (text.len > FILE_MAX || !unwrap_lines(&raw, text))
		return bad(e, "is damaged");
	if (read_container(&seed, out->recipient.key,
			   VIEW(sbuf_str(&raw), raw.len), e) < 0)
		return -1;
	out->recipient.kind = AGE_SSH_ED25519;
	/* the X25519 scalar is the first half of the seed's SHA-512: RFC 8032 */
	if (EVP_Q_digest(NULL, "SHA512", NULL, seed.at, seed.len, hash, NULL))
		secret_set(&out->scalar, hash, 32);
	else
		ret = err_set(e, ERR_SYSTEM, "OpenSSL could not hash");
	explicit_bzero(hash, sizeof hash);
	return ret;
}
