/*
 * Authenticated encryption, through OpenSSL: one context for all that a key
 * seals, so that the key is set up once.
 */
#include "vault/crypto/aead.h"

#include "base/auto.h"
#include "base/mem.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#define MOST ((size_t)1 << 30) /* bytes: EVP counts in int */

struct aead {
	EVP_CIPHER_CTX *ctx;
};

DEFINE_AUTO(struct aead *, aead_free)

int aead_new(struct aead **out, enum aead_cipher cipher, enum aead_way way,
	     const struct key *key, struct err *e)
{
	AUTO(auto_aead_free) struct aead *a = mem_calloc(1, sizeof *a);
	const EVP_CIPHER *type = cipher == AEAD_AES_256_GCM
					 ? EVP_aes_256_gcm()
					 : EVP_chacha20_poly1305();

	a->ctx = EVP_CIPHER_CTX_new();
	if (!a->ctx ||
	    EVP_CipherInit_ex2(a->ctx, type, key->b, NULL,
			       way == AEAD_SEAL, NULL) != 1) {
		ERR_clear_error();
		return err_set(e, ERR_SYSTEM, "OpenSSL could not make ready "
			       "for encryption");
	}
	*out = STEAL(a);
	return 0;
}

void aead_free(struct aead *a)
{
	if (a)
		EVP_CIPHER_CTX_free(a->ctx);
	free(a);
}

/* Start with that nonce and put the data through. */
static bool run(struct aead *a, const unsigned char *nonce, struct view in,
		unsigned char *out)
{
	int n = 0;

	if (in.len > MOST ||
	    EVP_CipherInit_ex2(a->ctx, NULL, NULL, nonce, -1, NULL) != 1)
		return false;
	return !in.len ||
	       (EVP_CipherUpdate(a->ctx, out, &n, in.at, (int)in.len) == 1 &&
		(size_t)n == in.len);
}

static bool finish(struct aead *a)
{
	unsigned char rest[EVP_MAX_BLOCK_LENGTH];
	int n = 0;
	bool ok = EVP_CipherFinal_ex(a->ctx, rest, &n) == 1 && n == 0;

	if (!ok)
		ERR_clear_error();
	return ok;
}

bool aead_seal(struct aead *a, const unsigned char nonce[AEAD_NONCE],
	       struct view in, unsigned char *out, unsigned char tag[AEAD_TAG])
{
	return run(a, nonce, in, out) && finish(a) &&
	       EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG,
				   tag) == 1;
}

bool aead_open(struct aead *a, const unsigned char nonce[AEAD_NONCE],
	       struct view in, const unsigned char tag[AEAD_TAG],
	       unsigned char *out)
{
	unsigned char want[AEAD_TAG]; /* OpenSSL's parameter is not const */

	memcpy(want, tag, sizeof want);
	return run(a, nonce, in, out) &&
	       EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG,
				   want) == 1 &&
	       finish(a);
}
