/*
 * What comes from a git remote is shown before anything is changed, and what
 * decides who can read the state, who is trusted, or what runs where needs a
 * yes, as does another secret of the mesh.
 */
#ifndef WGMESH_CMD_INCOMING_H
#define WGMESH_CMD_INCOMING_H

#include "cmd/side.h"
#include "state/git/git.h"

struct incoming {
	const struct cmd_env *env; /* borrowed */
	struct side ours;  /* what we have */
	struct side comes; /* what we would have */
	bool opened;       /* ours is */
	bool judged;       /* their secret is */
};

void incoming_init(struct incoming *in, const struct cmd_env *env);
/** For AUTO(incoming_done). */
void incoming_done(struct incoming *in);

/** The functions of struct repo_merge; @arg is a struct incoming. */
int incoming_signed(const struct sbuf *ours, void *arg, struct err *e);
int incoming_merge(struct sbuf *out, const struct sbuf *base,
		   const struct sbuf *ours, const struct sbuf *theirs,
		   void *arg, struct err *e);
int incoming_review(const struct sbuf *ours, const struct sbuf *comes,
		    void *arg, struct err *e);

/** The pull is done: from now on the mesh is known by the secret that came. */
void incoming_taken(const struct incoming *in);

#endif
