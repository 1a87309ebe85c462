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

#endif
