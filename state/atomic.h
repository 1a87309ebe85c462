/*
 * A file replaced whole or not at all, whatever happens in between.
 */
#ifndef WGMESH_STATE_ATOMIC_H
#define WGMESH_STATE_ATOMIC_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** How the new file is to be. */
struct atomic_how {
	bool fresh; /* there must be no file of that name yet */
	uid_t uid;  /* its owner, given by root alone */
	gid_t gid;
};

/**
 * Write @len bytes as the file @path: "<path>.new" beside it, 0600 from birth,
 * fsync, rename, fsync of the folder. A "<path>.new" that a killed writer left
 * is replaced, so the caller holds a lock. 0, or -1 with ERR_SYSTEM (CONFLICT
 * when @how->fresh and a file is there); then the old file is as it was and
 * nothing is left behind, unless only the folder's fsync failed.
 */
int atomic_write(const char *path, const void *data, size_t len,
		 const struct atomic_how *how, struct err *e);

#endif
