/*
 * What the files of vault/age/ share. For them alone.
 */
#ifndef WGMESH_VAULT_AGE_INTERNAL_H
#define WGMESH_VAULT_AGE_INTERNAL_H

#include "vault/age/age.h"
#include "vault/crypto/crypto.h"

#define AGE_VERSION_LINE "age-encryption.org/v1"
#define AGE_WRAPPED 32
#define AGE_SALT 16
#define AGE_TAG 4

/** The key of one file, which every stanza wraps. */
struct file_key {
	unsigned char b[16];
};

/** Wipe. For AUTO(). */
static inline void file_key_done(struct file_key *k)
{
	explicit_bzero(k, sizeof *k);
}

enum stanza_type { STANZA_X25519, STANZA_SSH_ED25519, STANZA_SCRYPT };

/** A stanza of a type that we know. */
struct stanza {
	enum stanza_type type;
	unsigned char share[POINT_BYTES]; /* ephemeral share, not of scrypt */
	unsigned char tag[AGE_TAG];       /* of ssh-ed25519 */
	unsigned char salt[AGE_SALT];     /* of scrypt */
	int log_n;                        /* of scrypt */
	unsigned char body[AGE_WRAPPED];  /* the wrapped file key */
};

/** A parsed header; zeroed is empty. The views point into the text. */
struct age_header {
	struct stanza *items;
	size_t len;
	size_t cap;
	size_t unknown; /* stanzas that were skipped */
	struct view covered;
	unsigned char mac[32];
	struct view payload;
};

/** For AUTO(). */
void age_header_done(struct age_header *h);

/** Parse the header of a binary file. ERR_INPUT. */
int age_header_parse(struct age_header *h, struct view file, struct err *e);

/** The stanza's text, appended. */
void age_stanza_write(struct sbuf *out, const struct stanza *s);

/** The HMAC of the header up to and including "---". */
int age_header_mac(unsigned char mac[32], const struct file_key *key,
		   struct view covered, struct err *e);

/** The rest of the checksum's line, after "---". */
void age_mac_write(struct sbuf *out, const unsigned char mac[32]);

/** The binary file in an ASCII-armoured one, appended. ERR_INPUT. */
int age_armor_read(struct sbuf *out, struct view text, struct err *e);

/** The ASCII-armoured text of a binary file, appended. */
void age_armor_write(struct sbuf *out, struct view file);

/** Nonce and encrypted chunks, appended. */
int age_payload_seal(struct sbuf *out, const struct file_key *key,
		     struct view plain, struct err *e);

/** The plain text, appended to a secret buffer. ERR_INPUT. */
int age_payload_open(struct sbuf *out, const struct file_key *key,
		     struct view payload, struct err *e);

/** Wrap the file key with a key that is used once. */
int age_wrap(unsigned char body[AGE_WRAPPED], const struct key *key,
	     const struct file_key *file_key, struct err *e);

/** The file key in @body: 1, or 0 when @key is another one, or -1. */
int age_unwrap(struct file_key *file_key, const struct key *key,
	       const unsigned char body[AGE_WRAPPED], struct err *e);

/** Wrap the file key for a passphrase. */
int age_scrypt_wrap(struct stanza *out, const struct file_key *file_key,
		    const struct secret *passphrase, int log_n, struct err *e);

/** As age_unwrap() for a passphrase. */
int age_scrypt_unwrap(struct file_key *file_key, const struct stanza *s,
		      const struct secret *passphrase, struct err *e);

/** Wrap the file key for a recipient of either kind. */
int age_share_wrap(struct stanza *out, const struct file_key *file_key,
		   const struct age_recipient *to, struct err *e);

/** As age_unwrap() for an identity of either kind. */
int age_share_unwrap(struct file_key *file_key, const struct stanza *s,
		     const struct age_identity *with, struct err *e);

/** The public key of @identity's scalar as an X25519 recipient. */
int age_identity_public(struct age_identity *identity, struct err *e);

/** Size of an Ed25519 public key as SSH has it. */
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

/** The identity in an OpenSSH private key file. ERR_INPUT. */
int age_ssh_parse(struct age_identity *out, struct view text, struct err *e);

#endif
