/*
 * WireGuard key pairs: X25519 (RFC 7748) through OpenSSL, base64 as `wg` has
 * it (44 characters, RFC 4648 with padding). No `wg` needed on the control
 * node.
 */
#ifndef WGMESH_VAULT_WGKEY_H
#define WGMESH_VAULT_WGKEY_H

#include "base/err.h"
#include "base/secret.h"

#include <stdbool.h>
#include <string.h>

#define WGKEY_BYTES 32
#define WGKEY_TEXT 44

/**
 * Make a key pair. @private_key gets 44 characters of base64 (clamped as wg
 * genkey does), @public_key 44 characters and NUL.
 */
int wgkey_generate(struct secret *private_key,
		   char public_key[WGKEY_TEXT + 1], struct err *e);

/** The public key (base64) of a private one. ERR_INPUT when that is no key. */
int wgkey_public(const struct secret *private_key,
		 char public_key[WGKEY_TEXT + 1], struct err *e);

/**
 * Is @s the canonical base64 of 32 bytes, and none of the few with which there
 * is no secret (all zero, and the other points of low order)?
 */
bool wgkey_valid(const char *s);

/*
 * Public keys as the mesh and the hosts' answers have them: texts, NULL or ""
 * for none. A state may have one that is no key, for `validate` to tell where:
 * so they are compared as they are written. Of a valid key there is one text
 * alone.
 */

/** Is there a key? */
static inline bool wgkey_is_set(const char *key)
{
	return key && *key;
}

/** Their order, none first. */
static inline int wgkey_compare(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

/** The same key, or none both? */
static inline bool wgkey_equal(const char *a, const char *b)
{
	return wgkey_compare(a, b) == 0;
}

#endif
