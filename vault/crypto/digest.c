/*
 * SHA-256 as hex, for what is compared or shown; keys are derived in crypto.c.
 */
#include "vault/crypto/digest.h"

#include "base/text.h"

#include <openssl/sha.h>

void digest_sha256(const void *bytes, size_t len, char out[DIGEST_HEX + 1])
{
	unsigned char md[SHA256_DIGEST_LENGTH];

	SHA256(bytes, len, md);
	text_hex(out, md, sizeof md);
}
