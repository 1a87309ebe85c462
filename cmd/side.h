/*
 * A state that is another one than the work tree's: a revision, or a side of a
 * merge. Taken as it is, without the rules and the lock of the state itself.
 */
#ifndef WGMESH_CMD_SIDE_H
#define WGMESH_CMD_SIDE_H

#include "state/merge/merge.h"
#include "state/model/model.h"
#include "state/store/store.h"

struct side {
	struct mesh mesh;
	struct sealing sealing; /* as it was: what opened it seals it, too */
	struct sbuf raw;        /* the bytes of the file */
};

/**
 * Begin with a side whose `raw` is empty and to be filled; side_done() ends
 * it.
 */
void side_init(struct side *s);

/**
 * Make a mesh of its bytes; none are an empty mesh, as git has it for a file
 * that is on one side alone. AUTH, INPUT, as of source_passphrase() and
 * state_parse(): the text continues the name of the side or the file.
 */
int side_open(struct side *s, const struct source *source, struct err *e);

/** The same; a passphrase that opened @opened is tried first. */
int side_open_next(struct side *s, const struct source *source,
		   const struct side *opened, struct err *e);

/** How it is sealed, for people: "to recipients". */
const char *side_kind(const struct side *s);
bool side_same_kind(const struct side *a, const struct side *b);

/** For AUTO(side_done). */
void side_done(struct side *s);

/** The sides of a merge. */
struct sides {
	struct side base, ours, theirs;
};

/** Begin with sides whose `raw` is empty and to be filled. */
void sides_init(struct sides *s);
/** For AUTO(sides_done). */
void sides_done(struct sides *s);

/**
 * Open all three. A secret that opens one side is tried on the others before
 * @source is asked again.
 */
int sides_open(struct sides *s, const struct source *source, struct err *e);

/** Would a merge seal ours in another way, or not at all? */
bool sides_unseal(const struct sides *s);

/** mesh_merge() or mesh_merge_unattended(). */
typedef int sides_merge_fn(struct mesh *out, const struct mesh *base,
			   const struct mesh *ours, const struct mesh *theirs,
			   struct conflicts *conflicts, struct err *e);

/**
 * Append what the opened sides make together, sealed as the side that changed
 * the sealing (ours, if both did), and append the conflicts.
 */
int sides_merge(struct sbuf *out, const struct sides *s, sides_merge_fn *merge,
		struct conflicts *conflicts, struct err *e);

/** A note for each conflict, bounded. */
void note_conflicts(const struct conflicts *all);

#endif
