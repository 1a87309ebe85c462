/*
 * The remote of the current branch: pull, push, and a lock that all clones see.
 *
 * The git program carries it, so that the user's credential helpers, keys and
 * known hosts count: https, ssh, a path or file://. Nothing else is taken.
 *
 * Every change of a ref there is compare-and-swap: the other side changes it
 * only if it still is what it told us on the same connection.
 *
 * Errors: INPUT (no upstream, a remote of another kind), UNREACHABLE, AUTH,
 * HOSTKEY (ssh's words are in the text), REMOTE (it refused), CONFLICT, SYSTEM.
 */
#ifndef WGMESH_STATE_GIT_REMOTE_H
#define WGMESH_STATE_GIT_REMOTE_H

#include "state/git/repo.h"

/** How the contents of the file on both sides become one. */
struct repo_merge {
	/**
	 * Must the commits that bring the file be signed? @ours is what we
	 * have, empty when there is none. 1, 0 or -1.
	 */
	int (*is_signed)(const struct sbuf *ours, void *arg, struct err *e);
	/**
	 * Append what @ours and @theirs make of @base (empty: there was none).
	 * -1 with CONFLICT when it cannot be.
	 */
	int (*content)(struct sbuf *out, const struct sbuf *base,
		       const struct sbuf *ours, const struct sbuf *theirs,
		       void *arg, struct err *e);
	/**
	 * May the file, which is @ours (empty: there is none), become @comes,
	 * another one? The last moment to refuse, with nothing changed.
	 */
	int (*review)(const struct sbuf *ours, const struct sbuf *comes,
		      void *arg, struct err *e);
	void *arg;
	const char *message; /* of the merge commit */
	int lock_ms; /* how long to wait for the state file's lock */
};

enum repo_pulled {
	REPO_SAME,      /* there was nothing new */
	REPO_FORWARDED, /* the branch is what the remote's is */
	REPO_MERGED,    /* a merge commit has both sides */
};

/**
 * Fetch the upstream of the branch and bring the branch and the work tree
 * there. Takes the lock of the state file, which the caller must not hold.
 * Other files of the work tree come along where git can do that without losing
 * a change. CONFLICT, with nothing changed: as repo_ready(), files that are in
 * the way, both sides changed other files in one place.
 */
int repo_pull(struct repo *r, const struct repo_merge *how,
	      enum repo_pulled *out, struct err *e);

/** Fetch alone: how many commits the upstream has that the branch has not. */
int repo_behind(struct repo *r, size_t *commits, struct err *e);

/**
 * Push the branch to its upstream. CONFLICT when the upstream has commits that
 * the branch has not, or got some at the same moment.
 */
int repo_push(struct repo *r, struct err *e);

/** A lock of a mesh at the remote. */
struct repo_lock {
	char id[REPO_ID_TEXT]; /* "": there is none */
	char *owner; /* who has it; not escaped */
	int64_t since; /* seconds since 1970, by the owner's clock */
};

/** Free; for AUTO(repo_lock_done). */
void repo_lock_done(struct repo_lock *l);

/**
 * Take the lock of the mesh @mesh_id (32 hex digits) for @owner, a line that
 * says who it is. @out is what repo_unlock() takes. CONFLICT says who has it
 * and how long.
 */
int repo_lock_take(struct repo *r, const char *mesh_id, const char *owner,
		   struct repo_lock *out, struct err *e);

/** Who has it? @out->id is "" when nobody has. */
int repo_lock_show(struct repo *r, const char *mesh_id,
		   struct repo_lock *out, struct err *e);

/**
 * Remove exactly the lock @l, one's own or one that was shown. CONFLICT when it
 * is not there any more or another one is.
 */
int repo_unlock(struct repo *r, const char *mesh_id,
		const struct repo_lock *l, struct err *e);

/**
 * Let what waits for a remote, or for a signature, end with an error, until it
 * is said with false. From any thread.
 */
void repo_interrupt(bool on);

#endif
