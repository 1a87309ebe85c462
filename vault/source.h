/*
 * Where the secret that opens a state comes from. In this order, the first that
 * is given counts:
 *
 *   an age identity   file (-identity, $WGMESH_IDENTITY), or its content
 *                     ($WGMESH_IDENTITY_DATA)
 *   a passphrase      file (-password-file, $WGMESH_PASSWORD_FILE), command
 *                     (-password-command, $WGMESH_PASSWORD_COMMAND),
 *                     $WGMESH_PASSWORD, the terminal
 *
 * A secret file that others can read is refused. A command runs without a shell.
 */
#ifndef WGMESH_VAULT_SOURCE_H
#define WGMESH_VAULT_SOURCE_H

#include "base/err.h"
#include "base/secret.h"
#include "vault/age/age.h"

#include <stdbool.h>

/** What options and environment say. Borrowed; NULL or empty: not given. */
struct source {
	const char *identity_file;
	const struct secret *identity_data;
	const char *password_file;
	const char *password_command;
	const struct secret *password;
	const char *prompt; /* instead of the one for a state */
	/* asks on the terminal: 0, or -1 with the error set; NULL: cannot */
	int (*ask)(const char *prompt, struct secret *out, struct err *e);
	/* the private key @text of OpenSSH, in the place @where, gets rid of its
	   passphrase, which is asked for; NULL: cannot */
	int (*unlock)(const char *where, struct secret *text, struct err *e);
	/* the yes to a work factor above AGE_LOG_N_ASKED: given beforehand, or
	   asked for with this sentence; NULL: cannot ask */
	bool costly;
	bool (*agree)(const char *question);
	/* shows a warning to the user; may be NULL */
	void (*warn)(const char *sentence);
};

/** Is there any identity given? */
bool source_has_identity(const struct source *s);

/** The identities; empty when none is given. */
int source_identities(struct age_identities *out, const struct source *s,
		      struct err *e);

/**
 * The passphrase that opens what exists already. Without a source or a
 * terminal: ERR_INPUT, one line that names all the ways.
 */
int source_passphrase(struct secret *out, const struct source *s,
		      struct err *e);

/**
 * May a file be opened whose scrypt work factor is 2^@log_n? Whoever can write
 * the file chose it, and it takes 2^@log_n KiB of our memory. ERR_INPUT when not.
 */
int source_work(const struct source *s, int log_n, struct err *e);

/**
 * A new passphrase: asked for twice on a terminal; refused when empty, warned
 * about when shorter than 12 characters.
 */
int source_new_passphrase(struct secret *out, const struct source *s,
			  struct err *e);

/** A whole file that only its owner can read into @out, 1 MiB at most. */
int source_read_file(struct secret *out, const char *path, struct err *e);

#endif
