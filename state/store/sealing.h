/*
 * How a state is sealed: its bytes opened, and its text sealed again the same
 * way, whether it is the file, a side of a merge or a past revision. Error
 * texts continue its name ("state 'x' is sealed to 2 recipients: ...").
 */
#ifndef WGMESH_STATE_STORE_SEALING_H
#define WGMESH_STATE_STORE_SEALING_H

#include "base/err.h"
#include "base/sbuf.h"
#include "base/secret.h"
#include "state/model/model.h"
#include "vault/sealed.h"
#include "vault/source.h"

/** Zeroed is plain text; secret_done() of the passphrase ends it. */
struct sealing {
	enum sealed_form form;    /* never SEALED_UNKNOWN */
	bool takes_passphrase;    /* to be opened; known though it was wrong */
	struct secret passphrase; /* empty: the mesh's recipients */
};

/**
 * The plain text of @raw into @text, which is empty and has a maximum, and how
 * it was sealed into @how. What is neither JSON nor sealed is taken for plain
 * text: the JSON parser says what is wrong with it.
 *
 * A passphrase that is in @how is tried; else @source (NULL: nothing) is asked
 * for one if it takes one. @kept (NULL: they are wiped) has the identities of
 * before, or gets those of @source if it takes some.
 *
 * Errors: AUTH, what was given does not open it; INPUT, nothing was given, it
 * is damaged or too long; SYSTEM.
 */
int sealing_open(struct sbuf *text, struct sealing *how,
		 const struct sbuf *raw, const struct source *source,
		 struct age_identities *kept, struct err *e);

/**
 * Append to @raw what is to be written for @text, the text of @m, whose
 * recipients can open it if @how has no passphrase. INPUT when it names none.
 */
int sealing_seal(struct sbuf *raw, const struct sealing *how,
		 const struct sbuf *text, const struct mesh *m, struct err *e);

#endif
