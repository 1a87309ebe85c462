/*
 * The meshes that this user has met, kept as known_hosts is:
 * $XDG_STATE_HOME/wgmesh/known_meshes (else ~/.local/state/wgmesh/known_meshes)
 * has a line for each, "ID IMAGE", with a one-way image of the mesh's secret. A
 * state that somebody else sealed does not have that secret.
 */
#ifndef WGMESH_CMD_KNOWN_H
#define WGMESH_CMD_KNOWN_H

#include "cmd/cmd.h"

enum known {
	KNOWN_SAME,   /* it has the known secret, or none is known nor there */
	KNOWN_FIRST,  /* it has one, and none is known yet */
	KNOWN_FORMER, /* it has another one; the known one is a former one */
	KNOWN_OTHER,  /* it does not know the known one, or has lost it */
};

/** What is the secret of @m to us? INPUT when the file says nonsense. */
int known_judge(enum known *out, const struct mesh *m, struct err *e);

/**
 * Refuse a state whose secret is not the known one, unless the user agrees:
 * -accept-new-secret, or for a KNOWN_FORMER by a question. CONFLICT, INPUT.
 * known_note() is to follow when all is well.
 */
int known_check(const struct mesh *m, const struct cmd_env *env,
		struct err *e);

/**
 * Is nothing known here of the mesh? Then a sealed state of a repository is
 * deployed only to hosts that prove it, or by known_agree_first().
 */
bool known_is_new(const struct mesh *m);

/** Agree to a mesh that was never seen here: the option, or a question. */
int known_agree_first(const struct cmd_env *env, struct err *e);

/** From now on the secret of @m is the known one. A note when it cannot be. */
void known_note(const struct mesh *m);

/** Is the mesh one that a change of ours may make known anew? */
bool known_is_ours(const struct mesh *m);

/** Agree to a secret that was changed: the option, or a question. */
int known_agree(const struct cmd_env *env, struct err *e);

#endif
