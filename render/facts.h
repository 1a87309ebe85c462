/*
 * What the probes found, put into the state: names, own addresses, where each
 * node is reached, and which nodes are behind NAT. No web site is asked: the
 * address that we dialled is compared with the one on which the host's sshd was
 * reached, and with what public peers see as the node's endpoint.
 */
#ifndef WGMESH_RENDER_FACTS_H
#define WGMESH_RENDER_FACTS_H

#include "render/observed.h"
#include "state/mesh.h"

/** One host that answered. Borrowed. */
struct host_report {
	struct node *node; /* of the mesh that is changed */
	const struct observed *observed;
	const char *dialled; /* numeric address we connected to; "" through a
				proxy or for this machine */
};

/**
 * Merge @n reports. Hosts without a report keep what is known of them. What is
 * found is the same for the same reports, whatever the state said before, save
 * that NAT seen by a peer, or said by the user, stays until a public peer sees
 * the node under an address of its own.
 */
void facts_merge(struct mesh *m, const struct host_report *reports, size_t n);

/**
 * One sentence for each node behind NAT that has peers behind NAT with no way
 * to each other, appended to @out.
 */
void facts_warnings(const struct mesh *m, struct strings *out);

#endif
