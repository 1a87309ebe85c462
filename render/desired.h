/*
 * What one host should have, computed from the state alone: never from which
 * hosts answered or were selected.
 */
#ifndef WGMESH_RENDER_DESIRED_H
#define WGMESH_RENDER_DESIRED_H

#include "acl/access.h"
#include "state/model/model.h"

#include <stdbool.h>

/** Seconds between keepalives where one side is behind NAT. */
#define DESIRED_NAT_KEEPALIVE 25

/** A peer. Strings are borrowed from the mesh. */
struct desired_peer {
	const struct node *node;
	const char *name;
	const char *public_key;
	char *endpoint; /* "host:port", "" for none; owned */
	struct cidrs allowed_ips; /* its mesh addresses, then networks in the
				     state's order */
	int keepalive_s; /* 0: off */
	bool doubted; /* no endpoint, for it says itself that it is in a
			 network that is routed into the mesh here */
};

/** A network behind another node. */
struct desired_route {
	struct cidr network;
	struct ip gateway; /* that node's mesh address; family 0: none of the
			      network's family */
};

struct observed;

struct desired {
	const struct mesh *mesh; /* borrowed */
	const struct node *node; /* whose host it is; borrowed */
	struct cidrs addresses; /* with the mesh network's prefix length */
	int listen_port; /* UDP */
	int mtu; /* bytes: said, or found; 0: neither */
	VEC(struct desired_peer) peers;   /* sorted by name */
	VEC(struct desired_route) routes; /* sorted by network */
	struct cidrs connected; /* networks of others that this host is itself
				   connected to, or reaches a peer or (see
				   desired_spare_client()) the control node
				   through: not routed into the mesh */
	bool forward4, forward6; /* networks behind this node */
	VEC(const struct external *) externals; /* of the node, and no node
					of the mesh themselves; by key */
	char proof[33]; /* for the marker: hex digits of ssh/fleet/author.c */
	struct cidrs lacking; /* addresses and networks that the host can not
				 have: see desired_fit_host() */
	struct cidrs yielded; /* networks and addresses of peers that are not
				 theirs here, because an external peer has
				 them */
};

/** Compute for @node of @m; @a is made from @m. Borrows both; end it first. */
void desired_compute(struct desired *out, const struct mesh *m,
		     const struct access *a, const struct node *node);

/**
 * The one thing that a host should not have because of who asks: a route that
 * would lead its answers to the control node astray. Moves routes of @d that
 * cover the address from which the host in @o was logged in to from d->routes
 * to d->connected. A route stays when it is live already, or when a network of
 * the host's own leads there.
 */
void desired_spare_client(struct desired *d, const struct observed *o);

/**
 * What the host in @o can not have, @d is without: IPv6 where there is none,
 * a port that something else has. The boot file then holds what works.
 */
void desired_fit_host(struct desired *d, const struct observed *o);

/**
 * Does @n get an endpoint for @peer? The user's, or where it is reached unless
 * it is behind NAT; two nodes behind NAT in one network have each other's
 * there.
 */
bool desired_has_endpoint(const struct node *n, const struct node *peer);

/** The external peer that has this public key, or NULL. */
const struct external *desired_external(const struct desired *d,
					const char *public_key);

/**
 * Does the peer's host alone say where it is? Nobody else has seen it there.
 */
bool desired_endpoint_is_said(const struct desired_peer *peer);

/** Is the endpoint's host a name? The kernel reports back only addresses. */
bool desired_endpoint_is_name(const struct desired_peer *peer);

/** Free; for AUTO(desired_done). */
void desired_done(struct desired *d);

#endif
