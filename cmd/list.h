/*
 * The parts of `list` that are commands, too: `group list`, `policy list`.
 */
#ifndef WGMESH_CMD_LIST_H
#define WGMESH_CMD_LIST_H

#include "cmd/cmd.h"

/** PART_GROUP or PART_POLICY: a whole command; returns its exit status. */
int list_part(const struct cmd_env *env, enum mesh_part part);

#endif
