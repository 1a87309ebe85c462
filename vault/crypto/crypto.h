/*
 * The primitives that the sealing formats are built on, each a thin call into
 * OpenSSL's EVP. For vault/ alone. Keys live in types that wipe themselves:
 * `AUTO(key_done) struct key k;`.
 */
#ifndef WGMESH_VAULT_CRYPTO_CRYPTO_H
#define WGMESH_VAULT_CRYPTO_CRYPTO_H

#include "base/err.h"
#include "base/sbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/** A 256-bit secret: a symmetric key, an X25519 scalar, a shared secret. */
struct key {
	unsigned char b[32];
};

/** Wipe. For AUTO(key_done). */
static inline void key_done(struct key *k)
{
	explicit_bzero(k, sizeof *k);
}

/** A public key on Curve25519, as its u coordinate, least byte first. */
#define POINT_BYTES 32

/**
 * Bytes from OpenSSL's generator for private values. ERR_SYSTEM. What is no
 * secret has base/random.h.
 */
int crypto_random(void *out, size_t len, struct err *e);

/**
 * HKDF-SHA-256 (RFC 5869); @salt and @ikm may be empty, @info says what the key
 * is for, so that one secret gives keys that know nothing of each other.
 */
int crypto_hkdf(struct key *out, struct view ikm, struct view salt,
		const char *info, struct err *e);

/**
 * scrypt (RFC 7914) with N = 2^@log_n, r = 8, p = 1. Takes N KiB of memory.
 * ERR_SYSTEM, for example when there is not that much.
 */
int crypto_scrypt(struct key *out, struct view password, struct view salt,
		  int log_n, struct err *e);

/** PBKDF2-HMAC-SHA-256 (RFC 8018). ERR_SYSTEM. */
int crypto_pbkdf2(struct key *out, struct view password, struct view salt,
		  unsigned rounds, struct err *e);

/** HMAC-SHA-256 (RFC 2104). ERR_SYSTEM. */
int crypto_hmac(unsigned char mac[32], const struct key *key, struct view text,
		struct err *e);

/** Equal bytes? Time depends on @len only. */
bool crypto_equal(const void *a, const void *b, size_t len);

/**
 * X25519 (RFC 7748). ERR_INPUT when @point is of low order, so that the result
 * would be zero whatever the scalar is.
 */
int crypto_x25519(struct key *out, const struct key *scalar,
		  const unsigned char point[POINT_BYTES], struct err *e);

/** X25519 of @scalar and the base point. ERR_SYSTEM. */
int crypto_x25519_public(unsigned char point[POINT_BYTES],
			 const struct key *scalar, struct err *e);

#endif
