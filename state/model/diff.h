/*
 * The difference between two meshes by meaning: nodes, groups, policies and
 * their fields, in the words of mesh.yaml. Keys are shown as short
 * fingerprints; no secret comes out of here. Facts that deploys find are no
 * difference.
 */
#ifndef WGMESH_STATE_MODEL_DIFF_H
#define WGMESH_STATE_MODEL_DIFF_H

#include "base/sbuf.h"
#include "state/model/mesh.h"

struct change {
	char sign; /* '+' new, '-' gone, '~' changed */
	enum mesh_part part;
	char *name;        /* of the node, group or policy; NULL: the mesh */
	const char *field; /* what changed; NULL with '+' and '-' */
	bool list;         /* of a list: what went, and what came */
	char *before;      /* as text, NULL: nothing; of what is gone: all */
	char *after;       /* the same; of what is new: all that it says */
};

struct changes { VEC_OF(struct change); };

/** Append what leads from @before to @after, in the order of the file. */
void mesh_diff(struct changes *out, const struct mesh *before,
	       const struct mesh *after);

/**
 * Append one line without newline: "~ node db1: port 51820 -> 51821",
 * "~ group web: members +web3 -web1", "+ node db2: ssh db2, address 10.99.0.7".
 * Not escaped.
 */
void change_text(struct sbuf *out, const struct change *c);

/** Free; for AUTO(changes_done). */
void changes_done(struct changes *c);

#endif
