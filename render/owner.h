/*
 * Whose an interface and its boot file are: what is not ours is not touched.
 */
#ifndef WGMESH_RENDER_OWNER_H
#define WGMESH_RENDER_OWNER_H

#include "base/err.h"
#include "render/observed.h"
#include "state/model/model.h"

#include <stdbool.h>

/** Does the boot file have the marker of this mesh? */
bool owner_marked(const struct mesh *m, const struct observed *o);

/**
 * Is what is there this node's: marked so, or running with the key that the
 * state has for it, or (down) made to; or is nothing there?
 */
bool owner_is(const struct mesh *m, const struct node *n,
	      const struct observed *o);

/** Does a node of the mesh live on the removed node's machine now? */
bool owner_taken(const struct mesh *m, const struct node *removed,
		 const struct observed *o);

/** May we touch it? 0, or -1 with ERR_REMOTE unless @adopt. */
int owner_check(const struct mesh *m, const struct node *n,
		const struct observed *o, bool adopt, struct err *e);

#endif
