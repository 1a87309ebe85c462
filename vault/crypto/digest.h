/*
 * Digests, through OpenSSL.
 */
#ifndef WGMESH_VAULT_CRYPTO_DIGEST_H
#define WGMESH_VAULT_CRYPTO_DIGEST_H

#include <stddef.h>

/** Hex digits of a digest, without the NUL. */
#define DIGEST_HEX 64

/** SHA-256 (FIPS 180-4) of @len bytes as lower-case hex and NUL. */
void digest_sha256(const void *bytes, size_t len, char out[DIGEST_HEX + 1]);

#endif
