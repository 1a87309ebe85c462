/*
 * WireGuard key pairs.
 */
#include "vault/wgkey.h"

#include "base/auto.h"
#include "base/base64.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

DEFINE_AUTO(EVP_PKEY *, EVP_PKEY_free)

static int crypto_error(struct err *e, const char *what)
{
	return err_set(e, ERR_SYSTEM, "OpenSSL could not %s", what);
}

static void encode(char out[WGKEY_TEXT + 1], const unsigned char *key)
{
	EVP_EncodeBlock((unsigned char *)out, key, WGKEY_BYTES);
}

static bool decode(unsigned char key[WGKEY_BYTES], const char *s)
{
	return strlen(s) == WGKEY_TEXT && s[WGKEY_TEXT - 1] == '=' &&
	       base64_exact(key, WGKEY_BYTES, VIEW(s, WGKEY_TEXT - 1));
}

/*
 * Is it one of the points with which every secret comes out as zero? Anybody
 * knows what such a key agrees on. The last bit says nothing: it is ignored.
 */
static bool is_weak(const unsigned char key[WGKEY_BYTES])
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
	unsigned char k[WGKEY_BYTES];
	bool found, top = true;

	memcpy(k, key, sizeof k);
	k[31] &= 0x7f;
	for (size_t i = 1; i < 31; i++)
		top = top && k[i] == 0xff;
	/* the prime of the field, and the numbers next to it */
	found = top && k[31] == 0x7f && k[0] >= 0xec && k[0] <= 0xee;
	for (size_t i = 0; i < sizeof weak / sizeof *weak; i++)
		found = found || CRYPTO_memcmp(k, weak[i], sizeof k) == 0;
	explicit_bzero(k, sizeof k);
	return found;
}

static int derive(char public_key[WGKEY_TEXT + 1], const unsigned char *key,
		  struct err *e)
{
	AUTO(auto_EVP_PKEY_free) EVP_PKEY *pair = NULL;
	unsigned char pub[WGKEY_BYTES];
	size_t len = sizeof pub;

	pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, key,
					    WGKEY_BYTES);
	if (!pair || EVP_PKEY_get_raw_public_key(pair, pub, &len) != 1)
		return crypto_error(e, "compute a public key");
	encode(public_key, pub);
	return 0;
}

int wgkey_generate(struct secret *private_key,
		   char public_key[WGKEY_TEXT + 1], struct err *e)
{
	unsigned char key[WGKEY_BYTES];
	char text[WGKEY_TEXT + 1];
	int ret;

	if (RAND_priv_bytes(key, sizeof key) != 1)
		return crypto_error(e, "make random bytes");
	key[0] &= 248;
	key[31] = (unsigned char)((key[31] & 127) | 64);
	encode(text, key);
	ret = derive(public_key, key, e);
	if (ret == 0)
		secret_set(private_key, text, WGKEY_TEXT);
	explicit_bzero(key, sizeof key);
	explicit_bzero(text, sizeof text);
	return ret;
}

int wgkey_public(const struct secret *private_key,
		 char public_key[WGKEY_TEXT + 1], struct err *e)
{
	unsigned char key[WGKEY_BYTES];
	int ret;

	if (!decode(key, secret_text(private_key)) || is_weak(key))
		return err_set(e, ERR_INPUT, "private key is not 44 characters "
			       "of base64 as 'wg genkey' prints them");
	ret = derive(public_key, key, e);
	explicit_bzero(key, sizeof key);
	return ret;
}

bool wgkey_valid(const char *s)
{
	unsigned char key[WGKEY_BYTES];
	bool ok = decode(key, s) && !is_weak(key);

	explicit_bzero(key, sizeof key);
	return ok;
}
