/*
 * The single changes that commands make to a mesh. They keep it sorted and in
 * form; what the whole mesh must be is validated afterwards. After a failure it
 * may be half changed, and is not to be saved.
 */
#ifndef WGMESH_STATE_MODEL_EDIT_H
#define WGMESH_STATE_MODEL_EDIT_H

#include "base/err.h"
#include "state/model/mesh.h"

/** The key of edit_unset() that drops a node's pinned SSH host keys. */
#define EDIT_HOST_KEYS "host-keys"

/** The node or group of that name; NULL with ERR_INPUT, the nearest name. */
struct node *edit_node(const struct mesh *m, const char *name, struct err *e);
struct group *edit_group(const struct mesh *m, const char *name,
			 struct err *e);

/** ERR_INPUT and the nearest name for a policy that is not there; -1. */
int edit_no_policy(const struct mesh *m, const char *name, struct err *e);

/**
 * Make @n say @value for @key, one of fields_node; the items of a list are
 * separated by commas. An address that is `auto`, and one of a family that
 * @value does not name, is the one that it has, else the lowest free one.
 * Groups that it names are made; all others are left. A removed node on the
 * host of a new `ssh` is forgotten. ERR_INPUT.
 */
int edit_set(struct mesh *m, struct node *n, const char *key,
	     const char *value, struct err *e);

/**
 * Forget the pinned keys of the jump host that known_hosts has as @place: how
 * many.
 */
size_t edit_drop_jump(struct mesh *m, const char *place);

/** Make @n say nothing about @key any more; EDIT_HOST_KEYS too. ERR_INPUT. */
int edit_unset(struct mesh *m, struct node *n, const char *key,
	       struct err *e);

/**
 * Put @nodes, which must be nodes, into group @name, which is made if it is
 * new. @description replaces its own unless NULL.
 */
int edit_group_add(struct mesh *m, const char *name,
		   const struct strings *nodes, const char *description,
		   struct err *e);

/** Let @n be in @groups, which are made if they are new, and in no others. */
int edit_groups_of(struct mesh *m, const struct node *n,
		   const struct strings *groups, struct err *e);

/** Take @nodes, which must be members, out of the group. */
int edit_group_leave(struct mesh *m, const char *name,
		     const struct strings *nodes, struct err *e);

/** Remove the group; ERR_INPUT names the policies that need it. */
int edit_group_remove(struct mesh *m, const char *name, struct err *e);

/**
 * Append a copy of @p. One that is there already is left as it is when it says
 * the same, and ERR_INPUT when it does not. Its groups must exist.
 */
int edit_policy_add(struct mesh *m, const struct policy *p, struct err *e);

/** Remove all policies of that name; there must be one. */
int edit_policy_remove(struct mesh *m, const char *name, struct err *e);

/** Add a network to, or take it from, those behind the node. ERR_INPUT. */
int edit_route_add(struct node *n, const char *cidr, struct err *e);
int edit_route_remove(struct node *n, const char *cidr, struct err *e);

/**
 * Call node @from @to: keys, addresses, pins and facts stay, groups follow.
 * ERR_INPUT: a name that is none, or taken: by a node, by a removed node that
 * is still on its host, by a group member that is no node.
 */
int edit_rename(struct mesh *m, const char *from, const char *to,
		struct err *e);

#endif
