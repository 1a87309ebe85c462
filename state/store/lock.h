/*
 * One writer at a time: a lock file that says who it is, held by flock(). The
 * kernel lets go of the flock when the process ends, however it ends, so a
 * file that nobody holds is a leftover, and no process id is ever trusted.
 */
#ifndef WGMESH_STATE_STORE_LOCK_H
#define WGMESH_STATE_STORE_LOCK_H

#include "base/err.h"

struct lock;

/**
 * Take the lock file @path, waiting up to @wait_ms for who has it. @note, if
 * a leftover was taken over, gets a text that says so (the caller frees).
 *
 * How a leftover is cleared without a race: whoever gets the flock of the file
 * that the name @path still leads to has the lock. The owner alone removes
 * the file, and does so while it holds the flock; who gets the flock of a
 * removed file notices and starts over. A file that another machine wrote is
 * never taken: flock may not reach it.
 *
 * 0, or -1: CONFLICT ("is locked by alice@laptop, pid 123, for 12 s") or
 * SYSTEM.
 */
int lock_take(struct lock **out, const char *path, int wait_ms, char **note,
	      struct err *e);

/** Remove the file and let go; NULL is fine. */
void lock_free(struct lock *l);

#endif
