/*
 * Places: where a node can be reached by its peers before there is a tunnel.
 * The one judgement of it, for what people say, what files have and what
 * deploys find.
 */
#ifndef WGMESH_STATE_MODEL_PLACE_H
#define WGMESH_STATE_MODEL_PLACE_H

#include "state/model/finding.h"
#include "state/model/mesh.h"

/** Is it an address of the mesh itself: in its networks, or a node's own? */
bool place_in_mesh(const struct mesh *m, const struct ip *a);

/**
 * Why no peer of @m can reach a node at @a: the end of a sentence ("is ...");
 * NULL: one can.
 */
const char *place_fault(const struct mesh *m, const struct ip *a);

/**
 * The same of a host as people write it: an address, also in the forms that
 * only resolvers take (0x7f000001), or a name of this machine itself. Of other
 * names nothing is known without asking: NULL.
 */
const char *place_host_fault(const struct mesh *m, const char *host);

/** Is @host, at any rate, the machine itself? Wrappers of UDP listen there. */
bool place_is_loopback(const char *host);

/**
 * Drop what was found of nodes that can be no place: an older deploy may have
 * taken the address of a login over the mesh for one.
 */
void places_forget(struct mesh *m);

/** Endpoints and SSH places of nodes that can't be; appended to @out. */
void places_check(struct findings *out, const struct mesh *m);

#endif
