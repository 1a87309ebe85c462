/*
 * Authenticated encryption with a 12-byte nonce, a 16-byte tag and no further
 * data: ChaCha20-Poly1305 (RFC 8439) and AES-256-GCM (NIST SP 800-38D),
 * through OpenSSL. For vault/ alone.
 */
#ifndef WGMESH_VAULT_CRYPTO_AEAD_H
#define WGMESH_VAULT_CRYPTO_AEAD_H

#include "vault/crypto/crypto.h"

#define AEAD_NONCE 12 /* bytes */
#define AEAD_TAG 16   /* bytes */

/** Both take a key of 32 bytes. */
enum aead_cipher { AEAD_CHACHA20_POLY1305, AEAD_AES_256_GCM };
/** One object goes one way: OpenSSL sets the key up for it once. */
enum aead_way { AEAD_SEAL, AEAD_OPEN };

/** A cipher with its key; aead_free() wipes it. */
struct aead;

/** Make ready for one direction; aead_free() ends it. ERR_SYSTEM. */
int aead_new(struct aead **out, enum aead_cipher cipher, enum aead_way way,
	     const struct key *key, struct err *e);

/** Wipe and free; NULL is fine. */
void aead_free(struct aead *a);

/**
 * Encrypt @in to as many bytes at @out (which may be @in) and a tag. At most
 * 1 GiB. A nonce must never be used twice with one key. False: OpenSSL failed.
 */
bool aead_seal(struct aead *a, const unsigned char nonce[AEAD_NONCE],
	       struct view in, unsigned char *out, unsigned char tag[AEAD_TAG]);

/**
 * Decrypt @in to as many bytes at @out (which may be @in). False when the tag
 * does not fit; @out is then to be wiped and never used.
 */
bool aead_open(struct aead *a, const unsigned char nonce[AEAD_NONCE],
	       struct view in, const unsigned char tag[AEAD_TAG],
	       unsigned char *out);

#endif
