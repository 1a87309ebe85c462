/*
 * The key pairs of nodes: made, and followed when they are to live elsewhere.
 */
#ifndef WGMESH_CMD_KEYS_H
#define WGMESH_CMD_KEYS_H

#include "base/err.h"
#include "state/model/model.h"

/** A new pair for @n in the state, in place of what it has. ERR_SYSTEM. */
int key_make(struct node *n, struct err *e);

/**
 * Give every node of @m that @before lacks, and that has neither a public nor a
 * private key, a new pair, unless its key lives on its host. ERR_SYSTEM; some
 * nodes may have theirs then.
 */
int keys_fill(struct mesh *m, const struct mesh *before, struct err *e);

/**
 * The private key of @n is to live elsewhere from now on: note what follows;
 * one that was on the host alone never comes here, a new pair replaces it.
 */
int key_moved(const struct mesh *m, struct node *n, struct err *e);

#endif
