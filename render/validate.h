/*
 * Everything that is wrong or probably not meant in a mesh, all of it at once.
 * docs/validation.md explains each code.
 */
#ifndef WGMESH_RENDER_VALIDATE_H
#define WGMESH_RENDER_VALIDATE_H

#include "state/model/model.h"

/**
 * Append what stops a deploy: what check_loadable(), check_deployable() and
 * access_check() find, and endpoints that two nodes have.
 */
void validate_errors(struct findings *out, const struct mesh *m);

/**
 * Append what is shown and stops nothing. Some of it is known only from what
 * deploys and plans found out about the hosts.
 */
void validate_warnings(struct findings *out, const struct mesh *m);

/** Both, the errors first. The order is the same for the same mesh. */
void validate_mesh(struct findings *out, const struct mesh *m);

#endif
