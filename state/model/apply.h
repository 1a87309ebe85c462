/*
 * Bring a mesh to what a description says: mesh.yaml, an inventory.
 */
#ifndef WGMESH_STATE_MODEL_APPLY_H
#define WGMESH_STATE_MODEL_APPLY_H

#include "base/err.h"
#include "state/model/finding.h"
#include "state/model/mesh.h"

enum apply_mode {
	APPLY_WHOLE, /* the description is the whole mesh; nodes that it lacks
			are kept all the same */
	APPLY_PRUNE, /* the same, and nodes that it lacks are removed */
	APPLY_ADD,   /* only what the mesh lacks is taken: new nodes and their
			external peers, new groups, members, policies */
};

/**
 * Change @m to what @wanted says. New nodes get the lowest free addresses where
 * they say none; their keys are left empty, unless @wanted has some. Nodes that
 * are there keep keys, pins, facts and external peers. What was already said in
 * other words is left as it is. Names of nodes that stay though @wanted lacks
 * them (WHOLE), or that are there already (ADD), are appended to @kept. 0, or
 * -1 with ERR_INPUT (a full network; a value that @wanted should not have,
 * whose place is in @failed then, borrowed from @wanted); @m is half changed
 * then.
 */
int mesh_apply(struct mesh *m, const struct mesh *wanted, enum apply_mode mode,
	       struct strings *kept, struct finding_place *failed,
	       struct err *e);

/**
 * Take a node out: it leaves its groups, whose names are appended to @left, and
 * a tombstone if its host may still be set up. False when there is none.
 */
bool mesh_remove(struct mesh *m, const char *name, struct strings *left);

#endif
