/*
 * A mesh as text for people and for `git diff`: one line for each thing that it
 * says, in the words of mesh_diff(), so that a change is a changed line.
 */
#ifndef WGMESH_STATE_MERGE_DESCRIBE_H
#define WGMESH_STATE_MERGE_DESCRIBE_H

#include "base/sbuf.h"
#include "state/model/model.h"

/**
 * Append the lines, escaped: "node db1: port 51821". The order is that of the
 * state. Keys are short fingerprints; no secret, no serial, and nothing that
 * only deploys find out is among them; of members that wgmesh does not know,
 * the names alone.
 */
void mesh_describe(struct sbuf *out, const struct mesh *m);

#endif
