/*
 * Nodes that are the very machine that we run on. Believed is only the user's
 * word, on the machine on which it was given: a host name can be anybody's.
 */
#ifndef WGMESH_STATE_MODEL_LOCAL_H
#define WGMESH_STATE_MODEL_LOCAL_H

#include "base/err.h"
#include "state/model/mesh.h"

/**
 * Complete what the user just said to be local (an empty local_machine): write
 * the image of this machine, a SHA-256 of the mesh's id and of /etc/machine-id
 * (machine-id(5)), which is to stay secret. ERR_INPUT when there is none.
 */
int local_fill(struct mesh *m, struct err *e);

/** Was @n said to be local on this machine? */
bool local_is_here(const struct mesh *m, const struct node *n);

#endif
