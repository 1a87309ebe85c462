/*
 * Key derivation, MAC, X25519 and random bytes, through OpenSSL.
 */
#include "vault/crypto/crypto.h"

#include "base/auto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdint.h>

DEFINE_AUTO(EVP_KDF *, EVP_KDF_free)
DEFINE_AUTO(EVP_KDF_CTX *, EVP_KDF_CTX_free)
DEFINE_AUTO(EVP_PKEY *, EVP_PKEY_free)
DEFINE_AUTO(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)

/* OpenSSL's own queue of errors names its source files: of no use to a user. */
static int failed(struct err *e, const char *what)
{
	ERR_clear_error();
	return err_set(e, ERR_SYSTEM, "OpenSSL could not %s", what);
}

int crypto_random(void *out, size_t len, struct err *e)
{
	if (RAND_priv_bytes(out, (int)len) != 1)
		return failed(e, "make random bytes");
	return 0;
}

/* OpenSSL takes an empty value, but no null pointer. */
static OSSL_PARAM octets(const char *name, struct view v)
{
	static unsigned char none[1];
	void *at = v.len ? (void *)(uintptr_t)v.at : none;

	return OSSL_PARAM_construct_octet_string(name, at, v.len);
}

/* No constant: OpenSSL takes a pointer through which it could write. */
static OSSL_PARAM sha256(void)
{
	static char name[] = "SHA256";

	return OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0);
}

/* Run the key derivation function of that name; false when it failed. */
static bool derive(struct key *out, const char *name, const OSSL_PARAM *params)
{
	AUTO(auto_EVP_KDF_free) EVP_KDF *kdf = EVP_KDF_fetch(NULL, name, NULL);
	AUTO(auto_EVP_KDF_CTX_free) EVP_KDF_CTX *ctx = NULL;

	ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	return ctx && EVP_KDF_derive(ctx, out->b, sizeof out->b, params) == 1;
}

int crypto_hkdf(struct key *out, struct view ikm, struct view salt,
		const char *info, struct err *e)
{
	/* A salt that is not set is the empty one. */
	const OSSL_PARAM params[] = {
		sha256(),
		octets(OSSL_KDF_PARAM_KEY, ikm),
		octets(OSSL_KDF_PARAM_INFO, VIEW(info, strlen(info))),
		salt.len ? octets(OSSL_KDF_PARAM_SALT, salt)
			 : OSSL_PARAM_construct_end(),
		OSSL_PARAM_construct_end(),
	};

	return derive(out, "HKDF", params) ? 0 : failed(e, "derive a key");
}

int crypto_scrypt(struct key *out, struct view password, struct view salt,
		  int log_n, struct err *e)
{
	uint64_t n = (uint64_t)1 << log_n;
	uint64_t memory = (n + 1024) * 1024 + 4096; /* bytes: 128 n r, and some */
	uint32_t r = 8; /* age's, as p */
	uint32_t p = 1;
	const OSSL_PARAM params[] = {
		octets(OSSL_KDF_PARAM_PASSWORD, password),
		octets(OSSL_KDF_PARAM_SALT, salt),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM,
					    &memory),
		OSSL_PARAM_construct_end(),
	};

	if (derive(out, "SCRYPT", params))
		return 0;
	ERR_clear_error();
	return err_set(e, ERR_SYSTEM, "the key could not be computed from the "
		       "passphrase: that takes %llu MiB of memory",
		       (unsigned long long)(memory >> 20));
}

int crypto_pbkdf2(struct key *out, struct view password, struct view salt,
		  unsigned rounds, struct err *e)
{
	const OSSL_PARAM params[] = {
		sha256(),
		octets(OSSL_KDF_PARAM_PASSWORD, password),
		octets(OSSL_KDF_PARAM_SALT, salt),
		OSSL_PARAM_construct_uint(OSSL_KDF_PARAM_ITER, &rounds),
		OSSL_PARAM_construct_end(),
	};

	return derive(out, "PBKDF2", params)
		       ? 0
		       : failed(e, "derive a key from the passphrase");
}

int crypto_hmac(unsigned char mac[32], const struct key *key, struct view text,
		struct err *e)
{
	size_t len = 0;

	if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key->b,
		       sizeof key->b, text.at, text.len, mac, 32, &len) ||
	    len != 32)
		return failed(e, "compute a checksum");
	return 0;
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
	/* memcmp() ends at the first difference, which somebody may measure */
	return CRYPTO_memcmp(a, b, len) == 0;
}

static EVP_PKEY *private_key(const struct key *scalar)
{
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, scalar->b,
					    sizeof scalar->b);
}

int crypto_x25519(struct key *out, const struct key *scalar,
		  const unsigned char point[POINT_BYTES], struct err *e)
{
	static const struct key zero;
	AUTO(auto_EVP_PKEY_free) EVP_PKEY *mine = private_key(scalar);
	AUTO(auto_EVP_PKEY_free) EVP_PKEY *peer = NULL;
	AUTO(auto_EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = NULL;
	size_t len = sizeof out->b;

	peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, point,
					   POINT_BYTES);
	ctx = mine ? EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL) : NULL;
	if (!ctx || !peer || EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer(ctx, peer) != 1)
		return failed(e, "agree on a key");
	/* OpenSSL refuses a result of zero; look again all the same. */
	if (EVP_PKEY_derive(ctx, out->b, &len) != 1 || len != sizeof out->b ||
	    crypto_equal(out, &zero, sizeof zero)) {
		ERR_clear_error();
		return err_set(e, ERR_INPUT, "holds a public key of low order, "
			       "which protects nothing");
	}
	return 0;
}

int crypto_x25519_public(unsigned char point[POINT_BYTES],
			 const struct key *scalar, struct err *e)
{
	AUTO(auto_EVP_PKEY_free) EVP_PKEY *pair = private_key(scalar);
	size_t len = POINT_BYTES;

	if (!pair || EVP_PKEY_get_raw_public_key(pair, point, &len) != 1)
		return failed(e, "compute a public key");
	return 0;
}
