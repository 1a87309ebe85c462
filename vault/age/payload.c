/*
 * The payload of an age file: chunks of 64 KiB, each sealed by itself. Its
 * number and whether it is the last are in a chunk's nonce, so that none can be moved,
 * left out or cut off unseen.
 */
#include "vault/age/internal.h"

#include "base/auto.h"
#include "vault/crypto/aead.h"

#include <stdint.h>

#define NONCE 16 /* bytes, of the file: they go into the payload's key */
#define CHUNK ((size_t)64 << 10)
#define SEALED_CHUNK (CHUNK + AEAD_TAG)

DEFINE_AUTO(struct aead *, aead_free)

/* Ready to seal or open the chunks that follow the nonce. */
static int start_payload(struct aead **out, const struct file_key *key,
			 const unsigned char nonce[NONCE], enum aead_way way,
			 struct err *e)
{
	AUTO(key_done) struct key payload_key = { 0 };

	if (crypto_hkdf(&payload_key, VIEW(key->b, sizeof key->b),
			VIEW(nonce, NONCE), "payload", e) < 0)
		return -1;
	return aead_new(out, AEAD_CHACHA20_POLY1305, way, &payload_key, e);
}

/* 11 bytes of counter, big-endian, and a flag on the last chunk. */
static void chunk_nonce(unsigned char nonce[AEAD_NONCE], uint64_t n, bool last)
{
	memset(nonce, 0, AEAD_NONCE);
	for (int i = 0; i < 8; i++)
		nonce[3 + i] = (unsigned char)(n >> (56 - 8 * i));
	nonce[AEAD_NONCE - 1] = last;
}

int age_payload_seal(struct sbuf *out, const struct file_key *key,
		     struct view plain, struct err *e)
{
	AUTO(auto_aead_free) struct aead *a = NULL;
	unsigned char nonce[NONCE];
	unsigned char chunk[AEAD_NONCE];
	unsigned char sealed[SEALED_CHUNK];
	bool last = false;

	if (crypto_random(nonce, sizeof nonce, e) < 0 ||
	    start_payload(&a, key, nonce, AEAD_SEAL, e) < 0)
		return -1;
	sbuf_add(out, nonce, sizeof nonce);
	/* an empty file has one chunk, which is empty; no other may be */
	for (uint64_t i = 0; !last; i++) {
		size_t n = plain.len < CHUNK ? plain.len : CHUNK;

		last = n == plain.len;
		chunk_nonce(chunk, i, last);
		if (!aead_seal(a, chunk, VIEW(plain.at, n), sealed, sealed + n))
			return err_set(e, ERR_SYSTEM, "OpenSSL could not "
				       "encrypt");
		sbuf_add(out, sealed, n + AEAD_TAG);
		plain = VIEW(n ? plain.at + n : plain.at, plain.len - n);
	}
	return 0;
}

/* Append the chunk and decrypt it where it then is; drop its tag. */
static bool open_chunk(struct sbuf *out, struct aead *a, struct view chunk,
		       const unsigned char nonce[AEAD_NONCE])
{
	size_t n = chunk.len - AEAD_TAG;
	unsigned char *at;

	sbuf_add(out, chunk.at, n);
	if (out->failed)
		return false;
	at = (unsigned char *)out->s + out->len - n;
	return aead_open(a, nonce, VIEW(at, n), chunk.at + n, at);
}

int age_payload_open(struct sbuf *out, const struct file_key *key,
		     struct view payload, struct err *e)
{
	AUTO(auto_aead_free) struct aead *a = NULL;
	struct view rest;
	uint64_t chunks;

	if (payload.len < NONCE + AEAD_TAG)
		return err_set(e, ERR_INPUT, "is cut off: nothing follows its "
			       "header");
	if (start_payload(&a, key, payload.at, AEAD_OPEN, e) < 0)
		return -1;
	rest = VIEW(payload.at + NONCE, payload.len - NONCE);
	chunks = (rest.len + SEALED_CHUNK - 1) / SEALED_CHUNK;
	if (rest.len > AGE_PLAIN_MAX + chunks * AEAD_TAG)
		return err_set(e, ERR_INPUT, "has more than %d MiB",
			       (int)(AGE_PLAIN_MAX >> 20));
	for (uint64_t i = 0; i < chunks; i++) {
		size_t n = rest.len < SEALED_CHUNK ? rest.len : SEALED_CHUNK;
		unsigned char nonce[AEAD_NONCE];

		chunk_nonce(nonce, i, i + 1 == chunks);
		if (n < AEAD_TAG || (n == AEAD_TAG && i > 0) ||
		    !open_chunk(out, a, VIEW(rest.at, n), nonce))
			return err_set(e, ERR_INPUT, "is damaged or cut off: "
				       "part %llu of %llu does not verify",
				       (unsigned long long)i + 1,
				       (unsigned long long)chunks);
		rest = VIEW(rest.at + n, rest.len - n);
	}
	return 0;
}
