/*
 * What goes to a remote: for state/git/ alone.
 */
#ifndef WGMESH_STATE_GIT_NET_H
#define WGMESH_STATE_GIT_NET_H

#include "state/git/internal.h"
#include "state/git/remote.h"

struct net {
	struct repo *r;
	char *remote;   /* its name in git's config */
	bool whole;     /* a fetch is to bring the history of a shallow clone */
	char *upstream; /* what the branch is there; "": no upstream is set */
};

/** Find the remote of the branch; net_done() ends it. INPUT. */
int net_init(struct net *n, struct repo *r, struct err *e);
void net_done(struct net *n);

/**
 * Push @source, a commit or a branch ("": delete), to the ref @ref, if that is
 * @expect there ("": not there; NULL: an ancestor). CONFLICT when it is not.
 */
int net_push(struct net *n, const char *source, const char *ref,
	     const char *expect, struct err *e);

/** Fetch @refspec; *@found is false when the remote has no such ref. */
int net_fetch(struct net *n, const char *refspec, bool *found, struct err *e);

#endif
