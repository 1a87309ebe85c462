/*
 * Three-way merge of meshes, as git asks for it: by node, group, policy and
 * field. A conflict keeps our side in the mesh; the other side is kept in the
 * state beside it (the key "conflicts"), so that such a state can be read by
 * everything and nothing is lost until somebody chooses.
 *
 * What is one field: an SSH place (host, user, port); a key pair with where it
 * lives; each address; each external peer; each other member. Lists of routes,
 * group members, pinned host keys and recipients are sets: what either side
 * added or took away is done. Facts of deploys are no conflict: those of the
 * side with the higher serial count. Whoever removes a node takes it out of its
 * groups, whatever the other side did to these.
 */
#ifndef WGMESH_STATE_MERGE_MERGE_H
#define WGMESH_STATE_MERGE_MERGE_H

#include "base/err.h"
#include "base/sbuf.h"
#include "state/model/model.h"

/** How the command line names what is not there: no name, no field. */
#define CONFLICT_NONE "-"

/** The field of the mesh that asks for a yes to another secret. */
#define CONFLICT_SECRET "secret"

/** The member of the state that the unresolved ones are in. */
#define MERGE_CONFLICTS "conflicts"

enum merge_side { MERGE_OURS, MERGE_THEIRS };

/** Texts are for people: keys as short fingerprints, no secret. */
struct conflict {
	enum mesh_part part;
	char *name;  /* of the node, group or policy; NULL: the mesh */
	char *field; /* "port", "routes/10.1.0.0/16"; NULL: all of it, which
			one side removed */
	char *with;  /* the node that has this address or route on our side;
			NULL: it is no matter of two nodes */
	char *base, *ours, *theirs; /* NULL: not said, or not there */
};

struct conflicts {
	struct conflict *items;
	size_t len;
	size_t cap;
};

/**
 * Merge into the zeroed @out, and append the conflicts, which are in @out too,
 * to @conflicts. @base is an empty mesh where there is no common ancestor. The
 * serial is the higher one plus 1.
 * 0, or -1: CONFLICT when the sides are not of one mesh, or one has unresolved
 * conflicts already; INPUT when no merge of them can be loaded.
 */
int mesh_merge(struct mesh *out, const struct mesh *base,
	       const struct mesh *ours, const struct mesh *theirs,
	       struct conflicts *conflicts, struct err *e);

/**
 * mesh_merge() that nobody looks at: what their side changed of the members
 * that decide who can read the state, who is trusted, or what runs where
 * (state/merge/trust.c) is a conflict, too, as is another secret of the mesh.
 * CONFLICT, too: their side has a secret that ours does not know.
 */
int mesh_merge_unattended(struct mesh *out, const struct mesh *base,
			  const struct mesh *ours, const struct mesh *theirs,
			  struct conflicts *conflicts, struct err *e);

/**
 * Append what of those members differs, `ours` as in @before, `theirs` as in
 * @after. CONFLICT when they are different meshes.
 */
int mesh_trust_changes(struct conflicts *out, const struct mesh *before,
		       const struct mesh *after, struct err *e);

/** Has it conflicts that nobody resolved yet? */
bool mesh_has_conflicts(const struct mesh *m);

/** Append them. ERR_INPUT when that part of the state is damaged. */
int mesh_conflicts(struct conflicts *out, const struct mesh *m, struct err *e);

/** "node db1: port: 51820 before, 51821 ours, 51822 theirs". Not escaped. */
void conflict_text(struct sbuf *out, const struct conflict *c);

/**
 * Resolve one conflict, named as in struct conflict (NULL or CONFLICT_NONE for
 * none): keep our side, or take theirs. Of two nodes with one address the one
 * that does not get it gets the lowest free one.
 * ERR_INPUT: there is none of that name; the mesh would not be valid with it;
 * our side of a secret that they changed, which the merge has already.
 * @m is untouched then.
 */
int merge_resolve(struct mesh *m, enum mesh_part part, const char *name,
		  const char *field, enum merge_side side, struct err *e);

/** Resolve all of them at once. */
int merge_resolve_all(struct mesh *m, enum merge_side side, struct err *e);

/** -1 with ERR_CONFLICT and what to do when there are any. */
int conflicts_refuse(const struct mesh *m, struct err *e);

/** An error ("conflict") for each; for validation. */
void conflicts_check(struct findings *out, const struct mesh *m);

/** Are there private keys or preshared keys among the unresolved values? */
bool conflicts_hold_secrets(const struct mesh *m);

/** Put "(hidden)" in the place of secrets among the unresolved values. */
void conflicts_hide_secrets(struct mesh *m);

/**
 * A mesh as text for people and for `git diff`: append the lines, escaped,
 * "node db1: port 51821", in the words of mesh_diff(), so that a change is a
 * changed line. The order is that of the state. Keys are short fingerprints; no
 * secret, no serial, and nothing that only deploys find out is among them; of
 * members that wgmesh does not know, the names alone.
 */
void mesh_describe(struct sbuf *out, const struct mesh *m);

/** Free; for AUTO(conflicts_done). */
void conflicts_done(struct conflicts *c);

#endif
