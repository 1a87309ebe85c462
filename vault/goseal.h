/*
 * The sealed state of the Go tool: standard base64 with padding of
 *
 *     salt 32 | nonce 12 | AES-256-GCM cipher text | tag 16
 *
 * where the key is PBKDF2-HMAC-SHA-256 of the passphrase's bytes and the salt,
 * 100,000 rounds, and nothing else is authenticated. As in the Go tool, CR and
 * LF may stand anywhere in the base64 text, blanks and tabs nowhere, and the
 * unused bits before the padding are not looked at.
 */
#ifndef WGMESH_VAULT_GOSEAL_H
#define WGMESH_VAULT_GOSEAL_H

#include "base/err.h"
#include "base/sbuf.h"
#include "base/secret.h"

#include <stddef.h>

/** Salt, nonce and tag: what an empty plain text takes. */
#define GOSEAL_LEAST 60
/** The longest plain text. */
#define GOSEAL_PLAIN_MAX ((size_t)64 << 20)

/**
 * Seal @len bytes: one line without a line end, as the Go tool writes it. @out
 * is replaced. An empty passphrase is taken here: who asks for a new one
 * refuses it. ERR_INPUT: more than GOSEAL_PLAIN_MAX; ERR_SYSTEM.
 */
int goseal_seal(struct sbuf *out, const void *plain, size_t len,
		const struct secret *passphrase, struct err *e);

/**
 * Open. @plain is replaced and is then a secret buffer; on failure it is
 * untouched. ERR_AUTH: the passphrase is wrong or the file is damaged, which
 * this format does not tell apart. ERR_INPUT: damaged for certain.
 */
int goseal_open(struct sbuf *plain, const void *sealed, size_t len,
		const struct secret *passphrase, struct err *e);

/** Is it whole as far as that can be seen without the passphrase? ERR_INPUT. */
int goseal_check(const void *sealed, size_t len, struct err *e);

#endif
