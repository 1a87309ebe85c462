/*
 * A state that is another one than the work tree's: a revision, or a side of a
 * merge. Taken as it is, without the rules and the lock of the state itself.
 */
#ifndef WGMESH_CMD_SIDE_H
#define WGMESH_CMD_SIDE_H

#include "state/merge.h"
#include "state/mesh.h"
#include "vault/sealed.h"
#include "vault/source.h"

struct side {
	struct mesh mesh;
	enum sealed_form form;    /* how it was sealed: SEALED_NOT for plain */
	struct secret passphrase; /* that opened it; empty: none did */
	struct sbuf raw;          /* the bytes of the file */
};

/**
 * Read the file; an empty one is an empty mesh. End with side_done(), failed or
 * not. The error text continues the file's name, which is git's.
 */
int side_read(struct side *s, const char *path, const struct source *source,
	      struct err *e);

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
 * Append what the bytes of the sides make together, sealed as the side that
 * changed the sealing (ours, if both did), and append the conflicts. A secret
 * that opens one side is tried on the others before @source is asked again.
 */
int sides_merge(struct sbuf *out, struct sides *s, const struct source *source,
		struct conflicts *conflicts, struct err *e);

/** A note for each conflict, bounded. */
void note_conflicts(const struct conflicts *all);

#endif
