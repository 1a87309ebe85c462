/*
 * HMACs under the secret of a mesh: the marker's proof and the secret's image.
 */
#include "vault/proof.h"

#include "base/auto.h"
#include "base/base64.h"
#include "base/text.h"
#include "vault/crypto/crypto.h"

#include <inttypes.h>

/* Canonical base64 only: one secret has one text. */
static bool decode_secret(struct key *out, const char *text)
{
	return strlen(text) == MESH_SECRET_TEXT &&
	       text[MESH_SECRET_TEXT - 1] == '=' &&
	       base64_exact(out->b, sizeof out->b,
			    VIEW(text, MESH_SECRET_TEXT - 1));
}

int proof_secret_new(struct secret *out, struct err *e)
{
	AUTO(key_done) struct key key = { { 0 } };
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;

	if (crypto_random(key.b, sizeof key.b, e) < 0)
		return -1;
	base64_add(&text, VIEW(key.b, sizeof key.b), BASE64_PADDED);
	secret_set(out, sbuf_str(&text), text.len);
	return 0;
}

int proof_secret_check(const char *text, struct err *e)
{
	AUTO(key_done) struct key key = { { 0 } };

	if (decode_secret(&key, text))
		return 0;
	return err_set(e, ERR_INPUT, "expected 32 bytes in base64");
}

/* @hex digits of the HMAC of @text. */
static int hmac_as_hex(char *out, size_t hex, const struct secret *secret,
		    const char *text, struct err *e)
{
	AUTO(key_done) struct key key = { { 0 } };
	unsigned char mac[32];

	if (!decode_secret(&key, secret_text(secret)))
		return err_set(e, ERR_INPUT, "the mesh has no secret to prove "
			       "anything with");
	if (crypto_hmac(mac, &key, VIEW(text, strlen(text)), e) < 0)
		return -1;
	text_hex(out, mac, hex / 2);
	return 0;
}

int proof_make(char out[PROOF_HEX + 1], const struct secret *secret,
	       const char *mesh_id, uint64_t serial, const char *public_key,
	       struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

	/* a first line of its own, so that no image is ever taken for a proof */
	sbuf_printf(&text, "wgmesh marker\n%s\n%" PRIu64 "\n%s\n", mesh_id,
		    serial, public_key);
	return hmac_as_hex(out, PROOF_HEX, secret, sbuf_str(&text), e);
}

int proof_image(char out[IMAGE_HEX + 1], const struct secret *secret,
		const char *mesh_id, struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

	sbuf_printf(&text, "wgmesh known mesh\n%s\n", mesh_id);
	return hmac_as_hex(out, IMAGE_HEX, secret, sbuf_str(&text), e);
}
