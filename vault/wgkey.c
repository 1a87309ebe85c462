/*
 * WireGuard key pairs: X25519 of vault/crypto/ in wg's base64, and the few
 * points that no peer may have.
 */
#include "vault/wgkey.h"

#include "base/auto.h"
#include "base/base64.h"
#include "vault/crypto/crypto.h"

#include <openssl/evp.h>

/* Straight into @out: no buffer on the way that would have to be wiped. */
static void key_text(char out[WGKEY_TEXT + 1], const unsigned char *key)
{
	EVP_EncodeBlock((unsigned char *)out, key, WGKEY_BYTES);
}

static bool parse_key(struct key *out, const char *s)
{
	return strlen(s) == WGKEY_TEXT && s[WGKEY_TEXT - 1] == '=' &&
	       base64_exact(out->b, WGKEY_BYTES, VIEW(s, WGKEY_TEXT - 1));
}

/*
 * Is it one of the points with which every secret comes out as zero? Anybody
 * knows what such a key agrees on. The last bit says nothing: it is ignored.
 */
static bool is_weak(const struct key *key)
{
	static const unsigned char weak[][WGKEY_BYTES] = {
		{ 0 },
		{ 1 },
		{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56,
		  0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb,
		  0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
		  0xb8, 0x00 },
		{ 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0,
		  0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4,
		  0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
		  0x11, 0x57 },
	};
	AUTO(key_done) struct key copy = *key;
	unsigned char *k = copy.b;
	bool found, top = true;

	k[31] &= 0x7f;
	for (size_t i = 1; i < 31; i++)
		top = top && k[i] == 0xff;
	/* the prime of the field, and the numbers next to it */
	found = top && k[31] == 0x7f && k[0] >= 0xec && k[0] <= 0xee;
	for (size_t i = 0; i < sizeof weak / sizeof *weak; i++)
		found = found || crypto_equal(k, weak[i], WGKEY_BYTES);
	return found;
}

static int public_text(char public_key[WGKEY_TEXT + 1], const struct key *key,
		       struct err *e)
{
	unsigned char point[POINT_BYTES];

	if (crypto_x25519_public(point, key, e) < 0)
		return -1;
	key_text(public_key, point);
	return 0;
}

int wgkey_generate(struct secret *private_key,
		   char public_key[WGKEY_TEXT + 1], struct err *e)
{
	AUTO(key_done) struct key key = { { 0 } };
	char text[WGKEY_TEXT + 1];

	if (crypto_random(key.b, sizeof key.b, e) < 0)
		return -1;
	/* clamped: RFC 7748, section 5; the kernel would do it, too */
	key.b[0] &= 248;
	key.b[31] = (unsigned char)((key.b[31] & 127) | 64);
	if (public_text(public_key, &key, e) < 0)
		return -1;
	key_text(text, key.b);
	secret_set(private_key, text, WGKEY_TEXT);
	explicit_bzero(text, sizeof text);
	return 0;
}

int wgkey_public(const struct secret *private_key,
		 char public_key[WGKEY_TEXT + 1], struct err *e)
{
	AUTO(key_done) struct key key = { { 0 } };

	if (!parse_key(&key, secret_text(private_key)) || is_weak(&key))
		return err_set(e, ERR_INPUT, "private key is not 44 characters "
			       "of base64 as 'wg genkey' prints them");
	return public_text(public_key, &key, e);
}

bool wgkey_valid(const char *s)
{
	AUTO(key_done) struct key key = { { 0 } };

	return parse_key(&key, s) && !is_weak(&key);
}
