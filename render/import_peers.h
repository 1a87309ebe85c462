/*
 * The peers of an imported interface. For import.c alone.
 */
#ifndef WGMESH_RENDER_IMPORT_PEERS_H
#define WGMESH_RENDER_IMPORT_PEERS_H

#include "render/import.h"
#include "state/model/model.h"

/**
 * Peers of @n that are nodes: what they say of networks, unless the node was
 * there before (not @fresh). All others become its external peers; to those
 * that could get all of its traffic the user has to agree: @doubts. 0, or -1
 * with ERR_INPUT when there are too many.
 */
int import_peers(struct links *l, struct node *n,
		 const struct import_source *s, bool fresh,
		 struct strings *doubts, struct err *e);

#endif
