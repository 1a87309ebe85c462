/*
 * What differs at one peer.
 */
#ifndef WGMESH_RENDER_PEER_CHANGE_H
#define WGMESH_RENDER_PEER_CHANGE_H

#include "render/plan.h"

/**
 * The peer_change bits that lead from the live peer @l of the host @o to @d; 0:
 * none. An endpoint differs only if it was not set before, or no longer works.
 */
unsigned peer_changes(const struct desired_peer *d,
		      const struct observed_peer *l,
		      const struct observed *o);

#endif
