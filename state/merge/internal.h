/*
 * A merge under way. For state/merge/ alone.
 */
#ifndef WGMESH_STATE_MERGE_INTERNAL_H
#define WGMESH_STATE_MERGE_INTERNAL_H

#include "state/json/tree.h"
#include "state/merge/merge.h"
#include "state/model/model.h"

DEFINE_AUTO(struct json_object *, json_object_put)

/** The field of the conflict that asks for a yes to another secret. */
#define MERGE_SECRET "mesh_secret"
/** Its value on the side whose secret the merge has. */
#define MERGE_SECRET_NEWER "changed since"

struct merge {
	struct json_object *base, *ours, *theirs, *out; /* trees */
	struct json_object *conflicts; /* a list of entries */
	struct json_object *by_key; /* nodes that we know; see trust.c */
	bool theirs_newer;             /* by the serial */
	bool careful; /* all that must fit together in the mesh is a conflict */
	bool asking;  /* what needs a yes is a conflict, see trust.c */
	bool in_new;  /* asking: inside a node that the base has not */
	enum secrets_relation secrets; /* asking: what theirs is to ours */
};

/** Where a value is; members as in struct conflict, keys as in the state. */
struct path {
	enum mesh_part part;
	const char *name, *field, *item;
};

/** A member of an object that may not be there. */
struct value {
	bool has;
	struct json_object *v; /* borrowed */
};

/** The member @key of @object, which may be anything, or NULL. */
struct value value_of(struct json_object *object, const char *key);

/** Append a conflict; returns its entry. */
struct json_object *merge_conflict(struct merge *g, struct path at,
				  struct value base, struct value ours,
				  struct value theirs);

/** Does it need a yes that their side made @after of @before at @at? */
bool merge_needs_yes(const struct merge *g, struct path at,
		     struct json_object *before, struct json_object *after);

/**
 * The node that one side before theirs has with the public key @key, as a tree;
 * borrowed; NULL when there is none. Another name makes no new node of it.
 */
struct json_object *merge_known_node(struct merge *g, const char *key);

/** Contest what of theirs would be taken off somewhere else than we know. */
void merge_ask_tombstones(struct merge *g);

/** Contest their secret of the mesh where it is not ours. */
void merge_ask_secret(struct merge *g);

/** Append the conflicts of a list of entries. ERR_INPUT. */
int conflicts_of_list(struct conflicts *out, struct json_object *list,
		      struct err *e);

/** Make what was merged member by member fit together. */
void merge_fixup(struct merge *g);

/** What says nothing: null, "", 0, false, an empty list or object. */
bool merge_is_empty(struct json_object *v);

/** The map that nodes, groups or policies are in; NULL for the mesh. */
const char *merge_map(enum mesh_part part);

#endif
