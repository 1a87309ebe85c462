/*
 * Peers that are nodes: what an interface says of them becomes what the mesh
 * says of the node, if somebody agrees: another host, the node's own cards, or
 * the user.
 */
#ifndef WGMESH_STATE_MODEL_LINK_H
#define WGMESH_STATE_MODEL_LINK_H

#include "state/model/mesh.h"

/** A network of a node, by the word of one other host. */
struct link_hearsay {
	const struct node *node;
	const char *seen_on; /* that host's node; borrowed */
	struct cidr network;
};

/** Lookups over one mesh, whose nodes must not move meanwhile. */
struct links {
	struct mesh *mesh;
	VEC(struct node *) nodes; /* those with a key, sorted by it */
	struct cidrs owned; /* routable networks of all nodes, sorted */
	VEC(struct link_hearsay) hearsay;
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

/**
 * External peers that are nodes by now stop being external, on every node. To
 * be called when nodes came in that have keys already.
 */
void links_externals(struct links *l);

/**
 * A sentence for each network that one host alone gives to another node,
 * appended to @out: the user has to agree to those. To be called when the
 * nodes' facts are known, for a node that has a card in the network confirms
 * it.
 */
void links_doubts(const struct links *l, struct strings *out);

/** Free; for AUTO(links_done). */
void links_done(struct links *l);

#endif
