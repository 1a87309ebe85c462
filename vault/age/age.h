/*
 * Files in the public age format, version 1 (C2SP age specification): sealed
 * with a passphrase or to any number of recipients; the stock `age` opens what
 * this writes and the other way round.
 *
 * Recipients are X25519 keys ("age1...") or OpenSSH Ed25519 keys
 * ("ssh-ed25519 AAAA..."); plugins, ssh-rsa and post-quantum keys are not
 * supported. An age file does not tell who its recipients are, only how many.
 *
 * Bounds on what is read: a header of 1 MiB and 1,000 stanzas, 64 MiB of plain
 * text, a work factor of 22, 100 identities. Stanzas of unknown types are
 * skipped.
 *
 * Errors of opening: AUTH = nothing that was given opens it, try another
 * passphrase or identity; INPUT = the file is damaged or not supported;
 * SYSTEM = memory, OpenSSL. Texts never hold a secret.
 */
#ifndef WGMESH_VAULT_AGE_AGE_H
#define WGMESH_VAULT_AGE_AGE_H

#include "base/err.h"
#include "base/sbuf.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/** Base-two logarithm of scrypt's work factor: 2^N KiB of memory. */
#define AGE_LOG_N_MIN 10     /* least that is written; for tests */
#define AGE_LOG_N_DEFAULT 18 /* what is written: 256 MiB, about a second */
#define AGE_LOG_N_ASKED 20   /* more is read after a yes: see source_work() */
#define AGE_LOG_N_MAX 22     /* most that is read, as the stock age: 4 GiB */

#define AGE_STANZAS_MAX 1000 /* recipients, of unknown types as well */
#define AGE_HEADER_MAX ((size_t)1 << 20) /* bytes */
#define AGE_PLAIN_MAX ((size_t)64 << 20) /* bytes */
#define AGE_IDENTITIES_MAX 100 /* each is tried on each stanza */

/** Longest text of a recipient and NUL. */
#define AGE_RECIPIENT_TEXT 96

/** The kinds of keys; see the top for those that are none. */
enum age_kind { AGE_X25519, AGE_SSH_ED25519 };

/** A public key that a file can be sealed to. */
struct age_recipient {
	enum age_kind kind;
	unsigned char key[32]; /* the X25519 or the Ed25519 public key */
};

/** A list of them; see base/vec.h. */
struct age_recipients {
	struct age_recipient *items; /* owned */
	size_t len;
	size_t cap;
};

/** A private key with its public one. */
struct age_identity {
	struct age_recipient recipient; /* whom it opens for */
	struct secret scalar;           /* 32 bytes, of X25519 */
};

/** A list of them; zeroed is empty, age_identities_done() ends it. */
struct age_identities {
	struct age_identity *items; /* owned, and the scalars in them */
	size_t len;
	size_t cap;
};

/** What to seal with: a passphrase, or recipients, never both. */
struct age_to {
	const struct secret *passphrase;         /* or NULL; not empty */
	const struct age_recipients *recipients; /* or NULL; 1 to 1,000 */
	int log_n;   /* AGE_LOG_N_MIN to _MAX; 0 means AGE_LOG_N_DEFAULT */
	bool binary; /* not ASCII-armoured */
};

/** What to open with; any of them may be missing (NULL). */
struct age_keys {
	const struct secret *passphrase;         /* for a file of that kind */
	const struct age_identities *identities; /* each is tried in turn */
};

/** What can be known of a file without opening it. */
struct age_look {
	bool armored;      /* ASCII, not binary */
	bool passphrase;   /* a passphrase opens it */
	int log_n;         /* its work factor, or 0 */
	size_t x25519;     /* recipients of that kind */
	size_t ssh_ed25519;
	size_t unknown;    /* stanzas of other types */
};

/**
 * Parse "age1..." or "ssh-ed25519 AAAA... [comment]". ERR_INPUT says what
 * would be right; its text holds no part of a private key.
 */
int age_recipient_parse(struct age_recipient *out, const char *text,
			struct err *e);

/** The canonical text (without a comment) into @buf; returns buf. */
const char *age_recipient_text(const struct age_recipient *r,
			       char buf[AGE_RECIPIENT_TEXT]);

/**
 * Make an identity. @text gets (appended) the identity file: the comments
 * "# created: ..." (@now in UTC) and "# public key: age1...", and the secret
 * line. Make it a SBUF_SECRET.
 */
int age_identity_new(struct sbuf *text, struct age_recipient *recipient,
		     time_t now, struct err *e);

/** Is it an OpenSSH private key file with a passphrase? */
bool age_identities_locked(const struct secret *text);

/**
 * Append the identities of an identity file: lines "AGE-SECRET-KEY-1...", empty
 * lines, comments with #; or one OpenSSH private key file of type Ed25519
 * without a passphrase. ERR_INPUT names the line, never its text, and leaves
 * @out as it was.
 */
int age_identities_parse(struct age_identities *out, const struct secret *text,
			 struct err *e);

/** Wipe and free; @v is empty and usable again. For AUTO(). */
void age_identities_done(struct age_identities *v);

/**
 * Seal @len bytes. @out is replaced. ERR_INPUT: no recipient, an empty
 * passphrase, a recipient that protects nothing, more than AGE_PLAIN_MAX.
 */
int age_seal(struct sbuf *out, const void *plain, size_t len,
	     const struct age_to *to, struct err *e);

/**
 * Open a file, binary or ASCII-armoured. @plain is replaced and is then a
 * secret buffer; on failure it is untouched. Errors: see the top.
 */
int age_open(struct sbuf *plain, const void *sealed, size_t len,
	     const struct age_keys *keys, struct err *e);

/** Does it begin as an ASCII-armoured file (blanks before that are fine)? */
bool age_armored(const void *text, size_t len);

/**
 * Read the header without opening it. The header is not verified yet: that
 * takes a key. ERR_INPUT when it is damaged or no age file.
 */
int age_look(struct age_look *out, const void *sealed, size_t len,
	     struct err *e);

#endif
