/*
 * The MTU of each host's interface, as a fact of the host about itself: what
 * its ways to its peers leave to a tunnel. Without one in the boot file
 * wg-quick asks the kernel for the way to each peer, one process after the
 * other, each time that it brings the interface up.
 */
#ifndef WGMESH_RENDER_MTU_H
#define WGMESH_RENDER_MTU_H

#include "render/facts.h"

/**
 * Set the fact for each of @n reports; to be called when it is known where all
 * are reached. An interface that is live without an MTU in a boot file of ours
 * keeps what it has (facts.mtu_kept), until the user says an MTU for it or it
 * is gone. A report without interfaces changes nothing.
 */
void mtu_merge(struct mesh *m, const struct host_report *reports, size_t n);

/**
 * The MTU of the host's way to @to: that of the route with the longest prefix,
 * of those the lowest metric, of its ways the smallest. What goes through
 * @except, the tunnel itself, is no way. 0: there is none, or its MTU is not
 * known.
 */
int mtu_of_way(const struct observed *o, const struct ip *to,
		 const char *except);

/** The same for the default route of a family, 4 or 6. */
int mtu_of_default_way(const struct observed *o, int family,
			 const char *except);

#endif
