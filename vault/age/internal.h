/*
 * What the files of vault/age/ share. For them alone.
 */
#ifndef WGMESH_VAULT_AGE_INTERNAL_H
#define WGMESH_VAULT_AGE_INTERNAL_H

#include "vault/age/age.h"
#include "vault/crypto/crypto.h"

/** The first line; the labels of derived keys begin with it, too. */
#define AGE_VERSION_LINE "age-encryption.org/v1"
#define AGE_WRAPPED 32 /* bytes: a file key and a tag of 16 */
#define AGE_SALT 16    /* bytes, of scrypt */
#define AGE_TAG 4      /* bytes, of ssh-ed25519 */

/** The key of one file, which every stanza wraps. */
struct file_key {
	unsigned char b[16];
};

/** Wipe. For AUTO(). */
static inline void file_key_done(struct file_key *k)
{
	explicit_bzero(k, sizeof *k);
}

/** The types that we open; others are counted and passed over. */
enum stanza_type { STANZA_X25519, STANZA_SSH_ED25519, STANZA_SCRYPT };

/** A stanza of a type that we know. */
struct stanza {
	enum stanza_type type;            /* says which of these count */
	unsigned char share[POINT_BYTES]; /* ephemeral share, not of scrypt */
	unsigned char tag[AGE_TAG];       /* of ssh-ed25519 */
	unsigned char salt[AGE_SALT];     /* of scrypt */
	int log_n;                        /* of scrypt */
	unsigned char body[AGE_WRAPPED];  /* the wrapped file key */
};

/** A parsed header; zeroed is empty. The views point into the text. */
struct age_header {
	struct stanza *items;  /* in the order of the file */
	size_t len;            /* stanzas that we know */
	size_t cap;
	size_t unknown;        /* stanzas that were skipped */
	struct view covered;   /* what the checksum is of */
	unsigned char mac[32]; /* not verified yet: that takes the key */
	struct view payload;   /* all behind the header */
};

/** Free; @h is empty and usable again. For AUTO(). */
void age_header_done(struct age_header *h);

/**
 * Parse the header of a binary file; @h is set on success only. ERR_INPUT, also
 * past the bounds of age.h: the file may be anybody's.
 */
int age_header_parse(struct age_header *h, struct view file, struct err *e);

/** The stanza's text, appended. */
void age_stanza_write(struct sbuf *out, const struct stanza *s);

/** The HMAC of @covered, the header up to and including "---". ERR_SYSTEM. */
int age_header_mac(unsigned char mac[32], const struct file_key *key,
		   struct view covered, struct err *e);

/** The rest of the checksum's line, after "---". */
void age_mac_write(struct sbuf *out, const unsigned char mac[32]);

/** The binary file in an ASCII-armoured one, appended. ERR_INPUT. */
int age_armor_read(struct sbuf *out, struct view text, struct err *e);

/** The ASCII-armoured text of a binary file, appended. */
void age_armor_write(struct sbuf *out, struct view file);

/** Nonce and encrypted chunks, appended. ERR_SYSTEM. */
int age_payload_seal(struct sbuf *out, const struct file_key *key,
		     struct view plain, struct err *e);

/**
 * The plain text, appended to a secret buffer. ERR_INPUT when any part does not
 * verify; what is in @out then is not to be used.
 */
int age_payload_open(struct sbuf *out, const struct file_key *key,
		     struct view payload, struct err *e);

/** Wrap the file key for a passphrase, with a new salt. ERR_SYSTEM. */
int age_scrypt_wrap(struct stanza *out, const struct file_key *file_key,
		    const struct secret *passphrase, int log_n, struct err *e);

/**
 * The file key that @s wraps for the passphrase: 1, or 0 when it is another one,
 * or -1 with SYSTEM. Takes 2^log_n KiB of memory: the caller bounds that.
 */
int age_scrypt_unwrap(struct file_key *file_key, const struct stanza *s,
		      const struct secret *passphrase, struct err *e);

/**
 * Wrap the file key for a recipient of either kind, with a key pair of this
 * once. ERR_INPUT when the recipient's key is of low order.
 */
int age_share_wrap(struct stanza *out, const struct file_key *file_key,
		   const struct age_recipient *to, struct err *e);

/** As age_scrypt_unwrap() for an identity of either kind. */
int age_share_unwrap(struct file_key *file_key, const struct stanza *s,
		     const struct age_identity *with, struct err *e);

/** Bytes of an Ed25519 public key as SSH has it: two lengths and the type. */
#define SSH_WIRE 51

/** The wire form of an SSH Ed25519 public key. */
void age_ssh_wire(unsigned char wire[SSH_WIRE], const unsigned char key[32]);

/** The key in a wire form, or false. */
bool age_ssh_unwire(unsigned char key[32], struct view wire);

/** The X25519 point of an Ed25519 public key. ERR_INPUT when it has none. */
int age_ssh_point(unsigned char point[POINT_BYTES], const unsigned char key[32],
		  struct err *e);

/** Does the text begin as an OpenSSH private key file? */
bool age_ssh_looks(struct view text);

/** Has the OpenSSH private key file a passphrase? */
bool age_ssh_locked(struct view text);

/**
 * The identity in an OpenSSH private key file without a passphrase. ERR_INPUT;
 * the messages hold nothing of the file.
 */
int age_ssh_parse(struct age_identity *out, struct view text, struct err *e);

#endif
