/*
 * Parts of `list` that `group list` and `policy list` print, too.
 */
#ifndef WGMESH_CMD_LIST_H
#define WGMESH_CMD_LIST_H

#include "cmd/jout.h"
#include "state/mesh.h"

void list_groups(const struct mesh *m);
void list_policies(const struct mesh *m);

/** As members "groups" and "access_policies" of what is open. */
void list_groups_json(struct jout *j, const struct mesh *m);
void list_policies_json(struct jout *j, const struct mesh *m);

#endif
