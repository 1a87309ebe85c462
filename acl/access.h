/*
 * Groups and policies: who may be whose peer, and what a peer may be reached
 * for. The fields have the Go tool's meaning: no groups and no policies is a
 * full mesh; any of them is deny by default; a policy that relates two nodes,
 * in either direction, makes them peers of each other; the networks behind a
 * node are given only to the side that starts.
 */
#ifndef WGMESH_ACL_ACCESS_H
#define WGMESH_ACL_ACCESS_H

#include "base/vec.h"
#include "state/model/model.h"

#include <stdbool.h>
#include <stdint.h>

/** How one node stands to another; bits. */
enum access_flags {
	ACCESS_PEER = 1 << 0,     /* they are peers of each other */
	ACCESS_MESH_IP = 1 << 1,  /* may start towards the mesh address */
	ACCESS_NETWORKS = 1 << 2, /* may reach the networks behind it */
};

struct access;

/**
 * Prepare the answers for @m, which is borrowed and must not change meanwhile.
 * Members and groups that do not exist count as absent. The caller frees.
 */
struct access *access_new(const struct mesh *m);
void access_free(struct access *a);

/** Are groups or policies in force (else full mesh)? */
bool access_enabled(const struct mesh *m);

/**
 * How node number @i stands to every node: @out[k] gets the access_flags for
 * node k, for all m->nodes.len of them; 0 for itself.
 */
void access_of(const struct access *a, size_t i, uint8_t *out);

/** As access_of() by what policy number @policy alone gives. */
void access_by_policy(const struct access *a, size_t policy, size_t i,
		      uint8_t *out);

/** The groups that @node is a member of, in name order, appended to @out. */
void access_groups_of(const struct mesh *m, const char *node,
		      struct strings *out);

/**
 * Append what is wrong with groups and policies: a member twice or that is no
 * node, a policy name twice, a side that is empty or names no group, a policy
 * that matches no nodes.
 */
void access_check(struct findings *out, const struct mesh *m);

/**
 * Append, as warnings, what is allowed but probably not meant: groups without
 * policies, nodes in no group, policies without effect.
 */
void access_advise(struct findings *out, const struct mesh *m);

#endif
