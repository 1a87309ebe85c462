/*
 * Hosts that have a WireGuard interface already, taken into a mesh as they are:
 * with key, addresses and port, their peers as links to nodes or as external
 * peers.
 */
#ifndef WGMESH_RENDER_IMPORT_H
#define WGMESH_RENDER_IMPORT_H

#include "render/found.h"
#include "render/observed.h"
#include "state/model/model.h"

/** One host that was read. Borrowed. */
struct import_source {
	const char *name;         /* NULL: the host's own short name */
	const struct node *place; /* how to log in, and pinned host keys */
	const struct observed *observed;
	const struct found *found;
	const char *dialled, *source; /* as in struct host_report */
	const char *here; /* this machine's host name; NULL: not known */
};

/** Should the private key come into the state? For a host that is not known. */
bool import_wants_key(const struct mesh *m);

/**
 * Take @n hosts in. A host whose key a node has is that node, if it has its SSH
 * place or a host key of it: then only its external peers, and commands
 * that were asked for, are read anew.
 * Sentences for the user are appended to @notes; to @doubts what nobody but one
 * host vouches for, and what could get all traffic: save only if the user
 * agrees. 0, or -1 with ERR_INPUT, ERR_HOSTKEY or ERR_REMOTE; @m is half
 * changed then.
 */
int import_hosts(struct mesh *m, const struct import_source *sources,
		 size_t n, struct strings *notes, struct strings *doubts,
		 struct err *e);

#endif
