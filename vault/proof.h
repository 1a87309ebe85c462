/*
 * What a mesh's secret proves: one-way images of it that only who has it can
 * make, and that tell nobody what it is.
 */
#ifndef WGMESH_VAULT_PROOF_H
#define WGMESH_VAULT_PROOF_H

#include "base/err.h"
#include "base/secret.h"

#include <stdint.h>

/** Characters of the secret: 32 bytes in base64. */
#define MESH_SECRET_TEXT 44
/** Hex digits of a proof, and of an image. */
#define PROOF_HEX 32
#define IMAGE_HEX 64

/** A new secret. ERR_SYSTEM. */
int proof_secret_new(struct secret *out, struct err *e);

/** Is @text one? ERR_INPUT, which does not show it. */
int proof_secret_check(const char *text, struct err *e);

/**
 * The proof that who knows @secret deployed the mesh @mesh_id at @serial to the
 * node with @public_key: HMAC-SHA-256, cut. ERR_INPUT when @secret is none.
 */
int proof_make(char out[PROOF_HEX + 1], const struct secret *secret,
	       const char *mesh_id, uint64_t serial, const char *public_key,
	       struct err *e);

/** The image of @secret by which the mesh @mesh_id is known again. */
int proof_image(char out[IMAGE_HEX + 1], const struct secret *secret,
		const char *mesh_id, struct err *e);

#endif
