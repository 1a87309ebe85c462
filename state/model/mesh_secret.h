/*
 * The secret of a mesh, which says who may speak for it. It lies in the sealed
 * state alone; who could only replace the file does not have it.
 */
#ifndef WGMESH_STATE_MODEL_MESH_SECRET_H
#define WGMESH_STATE_MODEL_MESH_SECRET_H

#include "base/err.h"
#include "state/model/mesh.h"

/** So many former secrets are kept. */
#define FORMER_SECRETS_MAX 16

/** Give @m a secret unless it has one. ERR_SYSTEM. */
int mesh_secret_make(struct mesh *m, struct err *e);

/**
 * Somebody may know it who shall not: a new one in its place, if there is one,
 * and the old one among the former. ERR_SYSTEM.
 */
int mesh_secret_change(struct mesh *m, struct err *e);

/** How the secret of one state of a mesh goes together with another's. */
enum secrets_relation {
	SECRETS_SAME,    /* or neither has one */
	SECRETS_FIRST,   /* the other has one, and here is none yet */
	SECRETS_NEWER,   /* the other's was changed since: it knows ours */
	SECRETS_OLDER,   /* ours was changed since: we know the other's */
	SECRETS_FOREIGN, /* neither knows the other's, or it has lost ours */
};

/**
 * What @theirs is to @ours, which both came from @base. A side without a secret
 * has lost it where the base had one.
 */
enum secrets_relation mesh_secrets_relate(const struct mesh *base,
					  const struct mesh *ours,
					  const struct mesh *theirs);

/**
 * The secrets of a merge into @out, which has none: the newer one, theirs where
 * neither is, and all former ones.
 */
void mesh_secrets_merge(struct mesh *out, const struct mesh *ours,
			const struct mesh *theirs);

/** Is @s one of the former secrets of @m? */
bool mesh_secret_is_former(const struct mesh *m, const struct secret *s);

#endif
