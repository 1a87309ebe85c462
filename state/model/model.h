/*
 * The mesh as data, whoever wrote it down: nodes, routes, groups and policies
 * in one struct mesh (mesh.h), and the table of what people may say about each
 * (field.h). Around them what needs nothing but a mesh: the checks of single
 * values (check.h) and findings with their places (finding.h), which address
 * and route is whose (claim.h), "NAME:IP:HOST" (spec.h), differences (diff.h),
 * the edits of `set` and its like (edit.h), bringing a mesh to what another
 * says (apply.h), joining imported nodes (link.h), which machine is local
 * (local.h), the secret of the mesh (mesh_secret.h), where a node can be reached
 * (place.h). No file, no JSON, no git
 * here.
 */
#ifndef WGMESH_STATE_MODEL_MODEL_H
#define WGMESH_STATE_MODEL_MODEL_H

#include "state/model/apply.h"
#include "state/model/check.h"
#include "state/model/claim.h"
#include "state/model/diff.h"
#include "state/model/edit.h"
#include "state/model/field.h"
#include "state/model/finding.h"
#include "state/model/link.h"
#include "state/model/local.h"
#include "state/model/mesh.h"
#include "state/model/mesh_secret.h"
#include "state/model/place.h"
#include "state/model/spec.h"

#endif
