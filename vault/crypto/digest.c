/*
 * SHA-256 as hex.
 */
#include "vault/crypto/digest.h"

#include <openssl/sha.h>
#include <stdio.h>

void digest_sha256(const void *bytes, size_t len, char out[DIGEST_HEX + 1])
{
	unsigned char md[SHA256_DIGEST_LENGTH];

	SHA256(bytes, len, md);
	for (size_t i = 0; i < sizeof md; i++)
		snprintf(out + 2 * i, 3, "%02x", md[i]);
}
