/*
 * What the files of state/git/ share; libgit2's types stay among them.
 */
#ifndef WGMESH_STATE_GIT_INTERNAL_H
#define WGMESH_STATE_GIT_INTERNAL_H

#include "base/auto.h"
#include "base/mem.h"
#include "state/git/repo.h"

#include <git2.h>

DEFINE_AUTO(git_blob *, git_blob_free)
DEFINE_AUTO(git_commit *, git_commit_free)
DEFINE_AUTO(git_config *, git_config_free)
DEFINE_AUTO(git_filter_list *, git_filter_list_free)
DEFINE_AUTO(git_index *, git_index_free)
DEFINE_AUTO(git_object *, git_object_free)
DEFINE_AUTO(git_reference *, git_reference_free)
DEFINE_AUTO(git_remote *, git_remote_free)
DEFINE_AUTO(git_repository *, git_repository_free)
DEFINE_AUTO(git_revwalk *, git_revwalk_free)
DEFINE_AUTO(git_signature *, git_signature_free)
DEFINE_AUTO(git_transaction *, git_transaction_free)
DEFINE_AUTO(git_tree *, git_tree_free)
DEFINE_AUTO(git_tree_entry *, git_tree_entry_free)
DEFINE_AUTO(struct repo *, repo_close)

/**
 * What the journal says: the file is to have @blob when @commit is on @branch.
 */
struct journal {
	git_oid blob;
	git_oid commit;
	git_oid parent; /* zero: none */
	char *branch;   /* "refs/heads/main" */
	bool pulled;    /* other files may change with it */
};

struct repo {
	git_repository *git;
	char *file;    /* the state file as given */
	char *path;    /* in the work tree */
	char *folder;  /* the work tree, '/' at the end */
	char *branch;  /* without "refs/heads/", for repo_branch() */
	char *journal; /* its path */
	char *note;
	git_signature *author, *committer; /* NULL: git was not asked yet */
	bool begun;
	bool edits_allowed;
	struct journal now; /* the commit that was begun */
};

/**
 * Set @e from libgit2's last error: "FORMAT: its words", escaped and cut. @rc
 * is what the call returned. Yields -1.
 */
void repo_fail_(struct err *e, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
#define repo_fail(e, rc, ...) (repo_fail_(e, rc, __VA_ARGS__), err_failed())

/** Replace the note; several are joined. */
void repo_add_note(struct repo *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** A text of git's configuration, "" when it is not set; the caller frees. */
char *repo_config(struct repo *r, const char *name);

/** As git reads a boolean; @dflt when it is not set or is none. */
bool repo_config_bool(struct repo *r, const char *name, bool dflt);

/** The full name of the branch that HEAD names; NULL: detached, no branch. */
char *repo_branch_ref(struct repo *r);

/** The commit of the branch; *@out is NULL when it has none. */
int repo_head_commit(git_commit **out, struct repo *r, struct err *e);

/**
 * What @commit (NULL: none) has at the path. *@mode is 0 when it has nothing
 * there. INPUT when that is no regular file.
 */
int repo_entry(git_oid *blob, unsigned *mode, struct repo *r,
	       const git_commit *commit, struct err *e);

/** Append a blob's bytes. INPUT when it is longer than a state may be. */
int repo_blob(struct sbuf *out, struct repo *r, const git_oid *id,
	      struct err *e);

/** The blob that git makes of the file as it is; false: there is no file. */
int repo_file_blob(git_oid *out, bool *exists, struct repo *r, struct err *e);

struct child;

/**
 * Run git with the words that @c has and @words in the work tree, as
 * child_run(), without hooks. SYSTEM: there is no git.
 */
int repo_git(struct child *c, struct repo *r, const char *const words[],
	     struct err *e);

/** Author and committer, as git itself answers. INPUT. */
int repo_author(git_signature **out, struct repo *r, struct err *e);
int repo_committer(git_signature **out, struct repo *r, struct err *e);

/** Can commits be signed, if they are to be? Runs nothing. INPUT. */
int repo_check_signing(struct repo *r, struct err *e);

/**
 * Append the signature of a commit's text by whom git's config says; nothing
 * when commits are not to be signed. INPUT, with what the program says.
 */
int repo_sign(struct sbuf *out, struct repo *r, const char *text,
	      struct err *e);

/** What a commit is made of. */
struct commit_parts {
	const char *message;
	const git_signature *author; /* NULL: by git's rules */
	const git_tree *tree;
	const git_commit *parents[2]; /* NULL: none */
};

/** Write a commit object, signed if git's config says so. */
int repo_make_commit(git_oid *out, struct repo *r,
		     const struct commit_parts *parts, struct err *e);

/** Everything that repo_ready() checks except who commits and signs. */
int repo_check(struct repo *r, struct err *e);

/** @base's tree (NULL: empty) with @blob at the path; mode 0: without one. */
int repo_tree_with(git_tree **out, struct repo *r, git_tree *base,
		   const git_oid *blob, unsigned mode, struct err *e);

/**
 * Journal that @commit comes onto the branch, which has @parent (may be NULL),
 * with @blob as the file.
 */
int repo_begin_commit(struct repo *r, const git_oid *blob,
		      const git_oid *commit, const git_commit *parent,
		      bool pulled, struct err *e);

/** Give r->now.commit to the branch, refresh the index, drop the journal. */
int repo_settle(struct repo *r, struct err *e);

/**
 * What git's index has for the file: stage 0, or in a conflict 1 to 3 (base,
 * ours, theirs); zero where there is none.
 */
int repo_staged(git_oid out[4], struct repo *r, struct err *e);

/** Let git's index have @blob for the file. CONFLICT: another git has it. */
int repo_refresh_index(struct repo *r, const git_oid *blob, struct err *e);

/* The journal, a file in the git folder. */
int journal_write(struct repo *r, const struct journal *j, struct err *e);
/** *@found is false when there is none, or none that says anything. */
int journal_read(struct journal *out, bool *found, struct repo *r,
		 struct err *e);
int journal_remove(struct repo *r, struct err *e);
void journal_done(struct journal *j);

/** What our own lock of the index says; the caller frees. */
char *journal_mark(const struct repo *r);

/** Remove the lock files that whoever wrote @j left when it was killed. */
void journal_clear_locks(struct repo *r, const struct journal *j);

/** Wait a little for other gits; CONFLICT when one stays. */
int repo_wait_locks(struct repo *r, struct err *e);

/** The tries of a thing that another git may hold for a moment. */
#define LOCK_TRIES 100
void repo_pause(void);

#endif
