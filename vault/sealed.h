/*
 * A sealed state, whatever its format: what a file is, found by looking at it,
 * and one way to open and to seal it.
 *
 *     enum sealed_form form = sealed_form(text, len);
 *     if (form == SEALED_NOT) ...                   a plain state
 *     sealed_look(&look, text, len, e)              ask for what it takes
 *     sealed_open(&plain, text, len, &keys, e)
 *     sealed_seal(&text, plain.s, plain.len, &to, e)
 *
 * Errors of opening: AUTH = what was given does not open it, or it may be
 * damaged where the two look the same; INPUT = damaged or not supported;
 * SYSTEM. The texts continue a file's name ("state 'x' is cut off").
 */
#ifndef WGMESH_VAULT_SEALED_H
#define WGMESH_VAULT_SEALED_H

#include "vault/age/age.h"
#include "vault/goseal.h"

enum sealed_form {
	SEALED_NOT,     /* JSON: its first character but blanks is '{' */
	SEALED_AGE,     /* an age file, binary or ASCII-armoured */
	SEALED_GO,      /* the Go tool's envelope */
	SEALED_UNKNOWN, /* none of these, or what is left of one */
};

/** What can be known of a file without opening it. */
struct sealed_look {
	enum sealed_form form;
	bool passphrase;     /* it takes a passphrase; otherwise an identity */
	size_t recipients;   /* how many an age file has; who, it does not tell */
	struct age_look age; /* zero but for SEALED_AGE */
};

/** How to seal. */
struct sealed_to {
	enum sealed_form form; /* SEALED_AGE or SEALED_GO (a passphrase) */
	struct age_to how;
};

/** Look at the start; never fails, never reads more than needed. */
enum sealed_form sealed_form(const void *text, size_t len);

/**
 * What the file takes to be opened. ERR_INPUT when it can be seen to be
 * damaged, or is SEALED_UNKNOWN. Plain text is fine and takes nothing.
 */
int sealed_look(struct sealed_look *out, const void *text, size_t len,
		struct err *e);

/**
 * The plain text of a sealed file; ERR_BUG for one that is SEALED_NOT. @plain
 * is replaced and is then a secret buffer; on failure it is untouched.
 */
int sealed_open(struct sbuf *plain, const void *text, size_t len,
		const struct age_keys *keys, struct err *e);

/** Seal. @out is replaced. An empty passphrase is refused: ERR_INPUT. */
int sealed_seal(struct sbuf *out, const void *plain, size_t len,
		const struct sealed_to *to, struct err *e);

#endif
