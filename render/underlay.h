/*
 * What the packets of a tunnel fit into on their way out of a host: by the
 * interfaces and the routes of the main table that its probe reported.
 */
#ifndef WGMESH_RENDER_UNDERLAY_H
#define WGMESH_RENDER_UNDERLAY_H

#include "render/observed.h"

/**
 * The MTU of the host's way to @to: that of the route with the longest prefix,
 * of those the lowest metric, of its ways the smallest. What goes through
 * @except, the tunnel itself, is no way. 0: there is none, or its MTU is not
 * known.
 */
int underlay_mtu(const struct observed *o, const struct ip *to,
		 const char *except);

/** The same for the default route of a family, 4 or 6. */
int underlay_default_mtu(const struct observed *o, int family,
			 const char *except);

#endif
