#include "vault/wgkey.h"

#include "base/auto.h"
#include "vault/base64.h"

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

/* 32 zeros are what WireGuard has in the place of no key. */
static bool decode(unsigned char key[WGKEY_BYTES], const char *s)
{
	static const unsigned char none[WGKEY_BYTES];

	return strlen(s) == WGKEY_TEXT && s[WGKEY_TEXT - 1] == '=' &&
	       base64_exact(key, WGKEY_BYTES, VIEW(s, WGKEY_TEXT - 1)) &&
	       CRYPTO_memcmp(key, none, WGKEY_BYTES) != 0;
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

	if (!decode(key, secret_text(private_key)))
		return err_set(e, ERR_INPUT, "private key is not 44 characters "
			       "of base64 as 'wg genkey' prints them");
	ret = derive(public_key, key, e);
	explicit_bzero(key, sizeof key);
	return ret;
}

bool wgkey_valid(const char *s)
{
	unsigned char key[WGKEY_BYTES];
	bool ok = decode(key, s);

	explicit_bzero(key, sizeof key);
	return ok;
}
