/*
 * A connection to a remote: for state/git/ alone.
 */
#ifndef WGMESH_STATE_GIT_NET_H
#define WGMESH_STATE_GIT_NET_H

#include "state/git/child.h"
#include "state/git/internal.h"
#include "state/git/remote.h"

/** More than this from a remote is no mesh's repository. */
#define NET_RECEIVE_MAX ((uint64_t)1 << 30)

struct net {
	struct repo *r;
	git_remote *remote;
	struct child child; /* the program that carries the connection */
	uint64_t received;
	bool failed;        /* e says why a connection could not be made */
	struct err e;
	const char *ref;       /* of a push: what it changes there */
	const git_oid *expect; /* what that must be now; NULL: anything */
	bool moved;            /* it is something else */
	char *refusal;         /* what the other side says to the push */
};

/** Find the remote of the branch; net_done() ends it. INPUT. */
int net_init(struct net *n, struct repo *r, struct err *e);
void net_done(struct net *n);

/** The callbacks of everything that connects. */
void net_callbacks(git_remote_callbacks *out, struct net *n);

/** git_transport_cb: a smart transport that runs a program; @net is the net. */
int net_transport(git_transport **out, git_remote *owner, void *net);

/** Set @e after a call that returned @rc. Yields -1. */
int net_fail(struct net *n, int rc, const char *what, struct err *e);

/**
 * Push @source ("": delete) to the ref @ref, if it is @expect there (zero: not
 * there; NULL: if it is an ancestor). CONFLICT when it is not.
 */
int net_push(struct net *n, const char *source, const char *ref,
	     const git_oid *expect, struct err *e);

/** Fetch what git's config says for the remote. */
int net_fetch(struct net *n, struct err *e);

#endif
