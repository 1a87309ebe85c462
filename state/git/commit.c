/*
 * Commits of the one path, from the object to the branch. The object is written
 * first, where nothing leads to it; the branch moves by compare-and-swap, so
 * that a kill or another git in between loses nothing.
 */
#include "state/git/internal.h"

#include <string.h>
#include <utime.h>

int repo_make_commit(git_oid *out, struct repo *r,
		     const struct commit_parts *parts, struct err *e)
{
	AUTO(auto_git_signature_free) git_signature *author = NULL;
	AUTO(auto_git_signature_free) git_signature *committer = NULL;
	AUTO(sbuf_done) struct sbuf signature = SBUF_INIT;
	size_t n = !parts->parents[0] ? 0 : parts->parents[1] ? 2 : 1;
	git_buf text = { 0 };
	int ret, rc; /* ours; libgit2's */

	if ((!parts->author && repo_author(&author, r, e) < 0) ||
	    repo_committer(&committer, r, e) < 0)
		return -1;
	rc = git_commit_create_buffer(&text, r->git,
				      parts->author ? parts->author : author,
				      committer, NULL, parts->message,
				      parts->tree, n,
				      (const git_commit **)parts->parents);
	if (rc < 0)
		return repo_fail(e, rc, "cannot make a commit");
	ret = repo_sign(&signature, r, text.ptr, e);
	if (ret == 0)
		rc = git_commit_create_with_signature(
			out, r->git, text.ptr,
			signature.len ? signature.s : NULL, NULL);
	if (ret == 0 && rc < 0)
		ret = repo_fail(e, rc, "cannot write a commit");
	git_buf_dispose(&text);
	return ret;
}

/* The blob of @bytes, as git would make it of a file. */
static int make_blob(git_oid *out, struct repo *r, const void *bytes,
		     size_t len, struct err *e)
{
	AUTO(auto_git_filter_list_free) git_filter_list *filters = NULL;
	git_buf clean = { 0 };
	int rc = git_filter_list_load(&filters, r->git, NULL, r->path,
				      GIT_FILTER_TO_ODB, GIT_FILTER_DEFAULT);

	if (rc == 0 && filters)
		rc = git_filter_list_apply_to_buffer(&clean, filters, bytes,
						     len);
	if (rc == 0)
		rc = git_blob_create_from_buffer(out, r->git,
						 filters ? clean.ptr : bytes,
						 filters ? clean.size : len);
	git_buf_dispose(&clean);
	if (rc < 0)
		return repo_fail(e, rc, "cannot write '%s' into git", r->path);
	return 0;
}

int repo_begin_commit(struct repo *r, const git_oid *blob,
		      const git_oid *commit, const git_commit *parent,
		      bool pulled, struct err *e)
{
	struct journal next = { .branch = repo_branch_ref(r),
				.pulled = pulled };

	if (!next.branch)
		return err_set(e, ERR_CONFLICT, "HEAD names no branch any "
			       "more");
	git_oid_cpy(&next.blob, blob);
	git_oid_cpy(&next.commit, commit);
	if (parent)
		git_oid_cpy(&next.parent, git_commit_id(parent));
	journal_done(&r->now);
	r->now = next;
	return journal_write(r, &r->now, e);
}

/* A commit of @head's tree (NULL: none) with @blob; @author as in the parts. */
static int commit_blob(git_oid *out, struct repo *r, const git_commit *head,
		       const git_oid *blob, const struct commit_parts *like,
		       struct err *e)
{
	AUTO(auto_git_tree_free) git_tree *before = NULL;
	AUTO(auto_git_tree_free) git_tree *tree = NULL;
	struct commit_parts parts = *like;
	git_oid old;
	unsigned mode;
	int rc = head ? git_commit_tree(&before, head) : 0;

	if (rc < 0)
		return repo_fail(e, rc, "cannot read the tree of HEAD");
	if (repo_entry(&old, &mode, r, head, e) < 0 ||
	    repo_tree_with(&tree, r, before, blob,
			   mode ? mode : GIT_FILEMODE_BLOB, e) < 0)
		return -1;
	parts.tree = tree;
	parts.parents[0] = head;
	return repo_make_commit(out, r, &parts, e);
}

int repo_begin(struct repo *r, const void *bytes, size_t len,
	       const char *message, struct err *e)
{
	AUTO(auto_git_commit_free) git_commit *head = NULL;
	const struct commit_parts parts = { .message = message };
	git_oid blob, commit;
	unsigned mode;

	if (repo_head_commit(&head, r, e) < 0)
		return -1;
	if (bytes ? make_blob(&blob, r, bytes, len, e) < 0
		  : repo_entry(&blob, &mode, r, head, e) < 0)
		return -1;
	if (!bytes && !mode)
		return err_set(e, ERR_CONFLICT, "git does not have '%s' yet",
			       r->path);
	if (commit_blob(&commit, r, head, &blob, &parts, e) < 0)
		return -1;
	/* a journal that may not last may yet be there: then it goes */
	r->begun = true;
	if (repo_begin_commit(r, &blob, &commit, head, false, e) == 0)
		return 0;
	repo_abort(r);
	return -1;
}

void repo_abort(struct repo *r)
{
	struct err ignored;

	if (r->begun)
		journal_remove(r, &ignored);
	r->begun = false;
}

/* Others have committed: make ours anew on top, if they left the file alone. */
static int make_anew(struct repo *r, struct err *e)
{
	AUTO(auto_git_commit_free) git_commit *ours = NULL;
	AUTO(auto_git_commit_free) git_commit *parent = NULL;
	AUTO(auto_git_commit_free) git_commit *head = NULL;
	struct commit_parts parts = { 0 };
	git_oid then, now, commit;
	unsigned mode;
	int rc = git_commit_lookup(&ours, r->git, &r->now.commit);

	if (rc == 0 && !git_oid_is_zero(&r->now.parent))
		rc = git_commit_lookup(&parent, r->git, &r->now.parent);
	if (rc < 0)
		return repo_fail(e, rc, "cannot read a commit of ours");
	if (repo_head_commit(&head, r, e) < 0 ||
	    repo_entry(&then, &mode, r, parent, e) < 0 ||
	    repo_entry(&now, &mode, r, head, e) < 0)
		return -1;
	if (r->now.pulled || !git_oid_equal(&then, &now))
		return err_set(e, ERR_CONFLICT, "'%s' was committed by "
			       "somebody else meanwhile; ours is in the work "
			       "tree and not committed: compare them with "
			       "'git diff'", r->path);
	parts.message = git_commit_message_raw(ours);
	parts.author = git_commit_author(ours);
	if (commit_blob(&commit, r, head, &r->now.blob, &parts, e) < 0)
		return -1;
	return repo_begin_commit(r, &r->now.blob, &commit, head, false, e);
}

/* One try; *@moved is false when the branch is not where it was. */
static int move_branch(struct repo *r, bool *moved, struct err *e)
{
	AUTO(auto_git_transaction_free) git_transaction *tx = NULL;
	AUTO(auto_git_signature_free) git_signature *who = NULL;
	AUTO(auto_git_commit_free) git_commit *commit = NULL;
	AUTO(auto_free) char *text = NULL; /* of the reflog, as git words it */
	const char *subject = NULL;
	git_oid now = { { 0 } };
	int tries = LOCK_TRIES;
	int rc;

	if (git_commit_lookup(&commit, r->git, &r->now.commit) == 0)
		subject = git_commit_summary(commit);
	text = mem_printf("%s: %s", r->now.pulled ? "pull" : "commit",
			  subject ? subject : "");
	rc = git_transaction_new(&tx, r->git);
	if (rc < 0)
		return repo_fail(e, rc, "cannot change a branch");
	if (repo_committer(&who, r, e) < 0)
		return -1;
	while ((rc = git_transaction_lock_ref(tx, r->now.branch)) ==
		       GIT_ELOCKED && tries-- > 0)
		repo_pause();
	if (rc < 0)
		return repo_fail(e, rc, "cannot lock the branch '%s'",
				 r->now.branch);
	rc = git_reference_name_to_id(&now, r->git, r->now.branch);
	*moved = git_oid_equal(&now, &r->now.commit);
	if (*moved)
		return 0; /* by us, before we were killed */
	if (rc < 0 && rc != GIT_ENOTFOUND)
		return repo_fail(e, rc, "cannot read the branch '%s'",
				 r->now.branch);
	/* a branch without a commit and no parent: both are zero */
	*moved = git_oid_equal(&now, &r->now.parent);
	if (!*moved)
		return 0;
	rc = git_transaction_set_target(tx, r->now.branch, &r->now.commit, who,
					text);
	if (rc == 0)
		rc = git_transaction_commit(tx);
	if (rc < 0)
		return repo_fail(e, rc, "cannot move the branch '%s'",
				 r->now.branch);
	return 0;
}

int repo_settle(struct repo *r, struct err *e)
{
	struct err inner;
	bool moved = false;

	r->begun = false; /* from here on the journal is to stay */
	utime(r->journal, NULL); /* see journal_clear_locks() */
	for (int i = 0; !moved; i++) {
		if (i == LOCK_TRIES)
			return err_set(e, ERR_CONFLICT, "the branch '%s' is "
				       "changed all the time", r->now.branch);
		if ((i && make_anew(r, e) < 0) ||
		    move_branch(r, &moved, e) < 0)
			return -1;
	}
	if (repo_refresh_index(r, &r->now.blob, &inner) < 0) {
		repo_add_note(r, "'%s' is committed, and git's index will be "
			      "brought up by the next command: %s", r->path,
			      inner.msg);
		return 0;
	}
	return journal_remove(r, e);
}

int repo_finish(struct repo *r, struct err *e)
{
	if (!r->begun)
		return err_set(e, ERR_BUG, "no commit was begun");
	return repo_settle(r, e);
}
