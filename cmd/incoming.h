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

/** Begin; nothing is opened yet. Borrows @env. */
void incoming_init(struct incoming *in, const struct cmd_env *env);

/** For AUTO(incoming_done). */
void incoming_done(struct incoming *in);

/*
 * The functions of struct repo_merge. @arg is a struct incoming; the bytes are
 * those of state files, empty for none. What was typed to open one is kept.
 */

/** Does our mesh want the commits that come to be signed? 1, 0, or -1. */
int incoming_signed(const struct sbuf *ours, void *arg, struct err *e);

/**
 * Append to @out what the three make together. CONFLICT when they do not go
 * together, with a note for each conflict, or when their secret is refused.
 */
int incoming_merge(struct sbuf *out, const struct sbuf *base,
		   const struct sbuf *ours, const struct sbuf *theirs,
		   void *arg, struct err *e);

/**
 * Show what makes @comes of @ours, and get the yes for what decides whom to
 * trust: -yes of a pull, or an answer. CONFLICT, INPUT: it is not to be taken.
 */
int incoming_review(const struct sbuf *ours, const struct sbuf *comes,
		    void *arg, struct err *e);

/** The pull is done: from now on the mesh is known by the secret that came. */
void incoming_taken(const struct incoming *in);

#endif
