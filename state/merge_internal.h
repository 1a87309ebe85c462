/*
 * A merge under way. For merge*.c alone.
 */
#ifndef WGMESH_STATE_MERGE_INTERNAL_H
#define WGMESH_STATE_MERGE_INTERNAL_H

#include "state/merge.h"
#include "state/merge_tree.h"

struct merge {
	struct json_object *base, *ours, *theirs, *out; /* trees */
	struct json_object *conflicts; /* a list of entries */
	bool theirs_newer;             /* by the serial */
	bool careful; /* contest all that must fit together in the mesh */
};

/** Where a value is; members as in struct conflict, keys as in the state. */
struct place {
	enum mesh_part part;
	const char *name, *field, *item;
};

/** A member of an object that may not be there. */
struct cell {
	bool has;
	struct json_object *v; /* borrowed */
};

struct cell cell_of(struct json_object *object, const char *key);

/** Append a conflict; returns its entry. */
struct json_object *merge_contest(struct merge *g, struct place at,
				  struct cell base, struct cell ours,
				  struct cell theirs);

/** Make what was merged member by member fit together. */
void merge_settle(struct merge *g);

/** The map that nodes, groups or policies are in; NULL for the mesh. */
const char *merge_map(enum mesh_part part);

/** "node", "group" and so on. */
const char *merge_part_word(enum mesh_part part);

#endif
