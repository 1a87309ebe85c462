/*
 * The git repository that a state file lies in: commits of that one path, and
 * its history. Whatever else the user has changed or staged is neither
 * committed nor lost.
 *
 * How a change is committed, by who holds the lock of the state file:
 *
 *	repo_open(&repo, file, e)      repo NULL: nothing to commit to
 *	repo_ready(repo, e)            before anything is changed
 *	repo_begin(repo, bytes, ...)   the commit is made, no branch has it yet
 *	(the state file is replaced by the same bytes)
 *	repo_finish(repo, e)           the branch has it
 *
 * A journal in the git folder makes that safe against a kill at any moment: the
 * next repo_ready() finishes a commit whose file was replaced, and forgets one
 * whose file was not.
 *
 * All that a repository holds may come from somebody else. Texts are handed out
 * as they are, to be escaped when they are shown. Errors that a user can go
 * round by not committing have ADVICE_NO_COMMIT.
 */
#ifndef WGMESH_STATE_GIT_REPO_H
#define WGMESH_STATE_GIT_REPO_H

#include "base/err.h"
#include "base/sbuf.h"
#include "state/git/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes of an object's name in hex, with NUL. */
#define REPO_ID_TEXT 41
/** Longest text that names a revision. */
#define REPO_REV_MAX 256

struct repo;

/**
 * Open the repository whose work tree holds @file, a regular file or one to be
 * made, in a folder that exists. @out is NULL when there is none, or when git
 * ignores the file and does not have it. $GIT_DIR and its kind do not count,
 * what they are set for is another repository. 0, or -1: INPUT (it belongs to
 * somebody else and is no safe.directory, it is bare), SYSTEM.
 */
int repo_open(struct repo **out, const char *file, struct err *e);

/** NULL is fine. A commit that was begun and not finished is forgotten. */
void repo_close(struct repo *r);

/** Make a repository of @folder, which exists; one that is there stays. */
int repo_init(const char *folder, struct err *e);

/** The file's path in the work tree, '/' between; owned by the repository. */
const char *repo_path(const struct repo *r);

/** The work tree, absolute, '/' at the end; owned by the repository. */
const char *repo_folder(const struct repo *r);

/** Something the user should know since the last call; the caller frees. */
char *repo_note(struct repo *r);

/**
 * The branch without "refs/heads/"; "" when detached. Valid until the close.
 */
const char *repo_branch(struct repo *r);

/** The commit that the branch has, as hex; "" when it has none yet. */
int repo_head(struct repo *r, char out[REPO_ID_TEXT], struct err *e);

/**
 * May a change of the file be committed now? An interrupted commit of ours is
 * finished first (repo_note() says so). 0, or -1 with what to do:
 * CONFLICT  a merge or the like is under way, a detached HEAD, changes of the
 *           file that git does not have, a lock of another git
 * INPUT     no user.name or user.email, a way to sign that we have not, a
 *           filter that only git can run
 * SYSTEM    the repository cannot be written
 */
int repo_ready(struct repo *r, struct err *e);

/**
 * repo_ready() is not to mind changes of the file that are not committed: it
 * was plain text with keys, which no commit has.
 */
void repo_allow_edits(struct repo *r);

/** Did git's merge fail to merge the file, so that it is our side alone? */
bool repo_is_unmerged(struct repo *r);

/**
 * Make a commit of the current branch's tree with @bytes as the file's content
 * (NULL: as it is), signed if git's config says so, and the journal. 0, or -1;
 * then nothing is to be replaced.
 */
int repo_begin(struct repo *r, const void *bytes, size_t len,
	       const char *message, struct err *e);

/**
 * The file has the bytes: give the commit to the branch, refresh the file in
 * git's index, drop the journal. When others have committed other files since
 * repo_begin(), the commit is made anew on top of theirs. CONFLICT when they
 * have changed the file, too; it is an edit that is not committed then.
 */
int repo_finish(struct repo *r, struct err *e);

/** The file was not replaced: forget what repo_begin() made. */
void repo_abort(struct repo *r);

/** A commit. */
struct revision {
	char id[REPO_ID_TEXT];
	int64_t time;  /* of its making, seconds since 1970 */
	char *author;  /* "Name <mail>" */
	char *subject; /* one line */
	struct trailers trailers;
	bool changed;  /* it changed the file; else it is a record */
	bool merge;
};

struct revisions {
	struct revision *items;
	size_t len;
	size_t cap;
};

void revision_done(struct revision *v);
/** Free; for AUTO(revisions_done). */
void revisions_done(struct revisions *v);

/**
 * Append the commits of the branch that changed the file, and those that record
 * a deploy of it (older records: of @mesh_id, NULL: of any mesh), newest first,
 * at most @max (0: all). A merge is among them when its file is none of its
 * parents'.
 */
int repo_log(struct repo *r, const char *mesh_id, size_t max,
	     struct revisions *out, struct err *e);

/**
 * Append the file's bytes at @rev, anything that git takes for a commit. @out
 * may be NULL, as may @info, which revision_done() ends. INPUT: no such commit,
 * or the file is not in it.
 */
int repo_read(struct repo *r, const char *rev, struct sbuf *out,
	      struct revision *info, struct err *e);

#endif
