/*
 * Routes against everything that they may lead astray: other nodes' routes, the
 * addresses at which nodes are reached outside of the mesh, and the networks
 * that nodes have a card in.
 */
#ifndef WGMESH_RENDER_OVERLAP_H
#define WGMESH_RENDER_OVERLAP_H

#include "state/model/model.h"

/**
 * Append a warning for each route that overlaps such a thing; at most three
 * nodes are named in it. Default routes overlap everything and are left out.
 * What is known of cards and endpoints is what deploys found (facts).
 */
void overlap_check(struct findings *out, const struct mesh *m);

#endif
