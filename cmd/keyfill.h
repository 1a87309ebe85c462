/*
 * Keys for new nodes.
 */
#ifndef WGMESH_CMD_KEYFILL_H
#define WGMESH_CMD_KEYFILL_H

#include "base/err.h"
#include "state/model/model.h"

/**
 * Give every node of @m that @before lacks, and that has neither a public nor a
 * private key, a new pair, unless its key lives on its host. ERR_SYSTEM; some
 * nodes may have theirs then.
 */
int keys_fill(struct mesh *m, const struct mesh *before, struct err *e);

#endif
