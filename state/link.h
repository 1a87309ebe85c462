/*
 * Peers that are nodes: what an interface says of them becomes what the mesh says
 * of the node.
 */
#ifndef WGMESH_STATE_LINK_H
#define WGMESH_STATE_LINK_H

#include "state/mesh.h"

/** Lookups over one mesh, whose nodes must not move meanwhile. */
struct links {
	struct mesh *mesh;
	struct {
		struct node **items;
		size_t len;
		size_t cap;
	} nodes; /* those with a key, sorted by it */
	struct cidrs owned; /* routable networks of all nodes, sorted */
	struct strings *notes; /* sentences for the user; borrowed */
};

void links_open(struct links *l, struct mesh *m, struct strings *notes);

/** The node that has this public key, or NULL. */
struct node *links_node(const struct links *l, const char *public_key);

/**
 * The node @seen_on routes @allowed_ips to its peer @n: those that are not its
 * mesh addresses become its networks, unless they cannot be or have an owner.
 */
void links_networks(struct links *l, struct node *n, const char *seen_on,
		    const struct cidrs *allowed_ips);

/** Free; for AUTO(links_done). */
void links_done(struct links *l);

/**
 * External peers that are nodes by now stop being external, on every node. To be
 * called when nodes came in that have keys already.
 */
void mesh_link_externals(struct mesh *m, struct strings *notes);

#endif
