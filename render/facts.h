/*
 * What the probes found, put into the state: names, own addresses, where each
 * node is reached, and which nodes are behind NAT. No web site is asked.
 *
 * Whom to believe (SECURITY.md): the user; then the addresses that we dialled;
 * then what a host says of itself, which counts for that host alone: how the
 * others reach each other is computed without it. What hosts say of another one
 * counts when two that are independent agree, never against what we saw, and
 * takes nothing away: it only keeps a path through NAT open. An address of the
 * mesh is no place (state/model/place.h): a login over the mesh leaves all of
 * this as it was.
 */
#ifndef WGMESH_RENDER_FACTS_H
#define WGMESH_RENDER_FACTS_H

#include "render/observed.h"
#include "state/model/model.h"

/** One host that answered. Borrowed. */
struct host_report {
	struct node *node; /* of the mesh that is changed */
	const struct observed *observed;
	const char *dialled; /* numeric address we connected to; "" through a
				proxy or for this machine */
	const char *source;  /* our own address on that connection, or "" */
	bool local;          /* this very machine */
};

/**
 * Merge @n reports, in any order. Hosts without a report keep what is known of
 * them. NAT that the user says stays; NAT that peers saw stays until peers, or
 * we ourselves, see the node under an address of its own.
 */
void facts_merge(struct mesh *m, const struct host_report *reports, size_t n);

/**
 * One sentence for each node behind NAT that has peers behind NAT with no way
 * to each other, appended to @out.
 */
void facts_warnings(const struct mesh *m, struct strings *out);

#endif
