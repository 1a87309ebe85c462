/*
 * The node spec of `wgmesh add`: NAME:MESH_IP:[USER@]HOST[:PORT].
 */
#ifndef WGMESH_STATE_MODEL_SPEC_H
#define WGMESH_STATE_MODEL_SPEC_H

#include "base/err.h"
#include "state/model/mesh.h"

/** The SSH place of a node that is the very machine on which that is said. */
#define SPEC_LOCAL "local"

/**
 * Parse @spec and insert the node into @m. MESH_IP is an address of the mesh's
 * networks, version 6 in brackets, both joined by a comma, or `auto`; a
 * network of the mesh that it does not name gets its lowest free address. HOST
 * is a name or address, version 6 in brackets. Keys are left empty.
 * Returns the new node, or NULL with ERR_INPUT (a spec that is none, a name or
 * address that is taken, a mesh that is full); @m is unchanged then.
 */
struct node *spec_add(struct mesh *m, const char *spec, struct err *e);

/**
 * ERR_INPUT when a removed node of @n's name is still set up on another host
 * than @n's.
 */
int spec_check_removed(const struct mesh *m, const struct node *n,
		       struct err *e);

/**
 * @n's host is in use again: nothing is to be taken off it any more. The host
 * keys that were pinned there go on to @n if it has none.
 */
void spec_drop_removed(struct mesh *m, struct node *n);

/**
 * Where to log in: take "[USER@]HOST[:PORT]" into @n, IPv6 in brackets, or
 * SPEC_LOCAL, which local_fill() completes. A user or port that is not named
 * stays. ERR_INPUT; @n may be half changed then.
 */
int spec_place(struct node *n, const char *text, struct err *e);

/**
 * Cut the brackets off the IPv6 address at @s, in place; what has none stays.
 * False when only one is there, or something else is in them.
 */
bool spec_strip_brackets(char **s);

/** The text that spec_place() takes for it; the caller frees. */
char *spec_place_text(const struct node *n);

#endif
