/*
 * May the file be committed now, and was a commit of ours interrupted? Asked
 * before anything is changed: what a user can mend is told while nothing is
 * half done. What a killed command left is finished or forgotten, never guessed
 * at.
 */
#include "state/git/internal.h"

#include <string.h>

/* What git says is under way; NULL: nothing. */
static const char *under_way(git_repository *git)
{
	switch (git_repository_state(git)) {
	case GIT_REPOSITORY_STATE_NONE:
		return NULL;
	case GIT_REPOSITORY_STATE_MERGE:
		return "a merge";
	case GIT_REPOSITORY_STATE_REVERT:
	case GIT_REPOSITORY_STATE_REVERT_SEQUENCE:
		return "a revert";
	case GIT_REPOSITORY_STATE_CHERRYPICK:
	case GIT_REPOSITORY_STATE_CHERRYPICK_SEQUENCE:
		return "a cherry-pick";
	case GIT_REPOSITORY_STATE_BISECT:
		return "a bisect";
	case GIT_REPOSITORY_STATE_APPLY_MAILBOX:
		return "a 'git am'";
	default:
		return "a rebase";
	}
}

/* What a filter makes of the file only git can tell, by running it. */
static int check_filter(struct repo *r, struct err *e)
{
	const char *filter = NULL;
	AUTO(auto_free) char *key = NULL;
	AUTO(auto_free) char *process = NULL;
	AUTO(auto_free) char *clean = NULL;

	if (git_attr_get(&filter, r->git, 0, r->path, "filter") < 0 ||
	    git_attr_value(filter) != GIT_ATTR_VALUE_STRING)
		return 0;
	key = mem_printf("filter.%s.clean", filter);
	clean = repo_config(r, key);
	free(key);
	key = mem_printf("filter.%s.process", filter);
	process = repo_config(r, key);
	if (!*clean && !*process)
		return 0;
	err_set(e, ERR_INPUT, "'%s' goes through the filter '%s', which git "
		"alone can run: take it out of .gitattributes", r->path,
		filter);
	return err_advise(e, ADVICE_NO_COMMIT, NULL);
}

/* Does it change no file at all, and is it to be the next one? */
static bool is_record(struct repo *r, const git_commit *head,
		      const git_commit *commit)
{
	return head && git_commit_parentcount(commit) == 1 &&
	       git_oid_equal(git_commit_parent_id(commit, 0),
			     git_commit_id(head)) &&
	       git_oid_equal(git_commit_tree_id(commit),
			     git_commit_tree_id(head)) &&
	       !r->now.pulled;
}

/*
 * Give the branch the commit that a killed command had begun, if its file was
 * replaced before the kill; else forget it. The work tree tells which.
 */
static int finish_interrupted(struct repo *r, struct err *e)
{
	AUTO(auto_git_commit_free) git_commit *head = NULL;
	AUTO(auto_git_commit_free) git_commit *commit = NULL;
	AUTO(auto_free) char *branch = NULL;
	git_oid file, ours;
	bool found, exists = false;
	unsigned mode;

	journal_done(&r->now);
	if (journal_read(&r->now, &found, r, e) < 0)
		return -1;
	if (found)
		journal_clear_locks(r, &r->now);
	if (repo_wait_locks(r, e) < 0)
		return -1;
	if (!found)
		return journal_remove(r, e);
	if (repo_head_commit(&head, r, e) < 0 ||
	    repo_file_blob(&file, &exists, r, e) < 0 ||
	    repo_entry(&ours, &mode, r, head, e) < 0)
		return -1;
	/* on the branch already: its index is to follow */
	if (head && git_oid_equal(git_commit_id(head), &r->now.commit))
		return repo_refresh_index(r, &r->now.blob, e) < 0
			       ? err_wrap(e, "an interrupted commit")
			       : journal_remove(r, e);
	branch = repo_branch_ref(r);
	if (!branch || strcmp(branch, r->now.branch) != 0 || !exists ||
	    !git_oid_equal(&file, &r->now.blob) ||
	    git_commit_lookup(&commit, r->git, &r->now.commit) < 0 ||
	    (git_oid_equal(&file, &ours) && !is_record(r, head, commit)))
		return journal_remove(r, e);
	if (repo_settle(r, e) < 0)
		return err_wrap(e, "an interrupted commit");
	repo_add_note(r, "finished the commit of a command that was "
		      "interrupted ('%s')", git_commit_summary(commit));
	return 0;
}

static int refuse_edited(struct repo *r, const char *what, struct err *e)
{
	err_set(e, ERR_CONFLICT, "'%s' %s: commit that with git ('git commit "
		"%s'), take it back ('git restore --staged --worktree %s')",
		r->path, what, r->path, r->path);
	return err_advise(e, ADVICE_NO_COMMIT, NULL);
}

/* Is the file, in the work tree and in git's index, what the commit has? */
static int check_edits(struct repo *r, struct err *e)
{
	AUTO(auto_git_commit_free) git_commit *head = NULL;
	git_oid committed, file, staged[4];
	unsigned mode;
	bool exists;

	if (repo_head_commit(&head, r, e) < 0 ||
	    repo_entry(&committed, &mode, r, head, e) < 0 ||
	    repo_file_blob(&file, &exists, r, e) < 0)
		return -1;
	if (mode && !exists)
		return refuse_edited(r, "is in git and was removed", e);
	if (mode && !git_oid_equal(&file, &committed))
		return refuse_edited(r, "has changes that are not committed",
				     e);
	if (repo_staged(staged, r, e) < 0)
		return -1;
	for (size_t i = 1; i < 4; i++)
		if (!git_oid_is_zero(&staged[i]))
			return refuse_edited(r, "is unmerged in git", e);
	if (mode && !git_oid_equal(&staged[0], &committed))
		return refuse_edited(r, "has changes that are staged and not "
				     "committed", e);
	return 0;
}

int repo_check(struct repo *r, struct err *e)
{
	const char *what = under_way(r->git);
	AUTO(auto_free) char *branch = repo_branch_ref(r);
	AUTO(auto_free) char *objects =
		mem_printf("%sobjects", git_repository_commondir(r->git));

	if (what || !branch) {
		if (what)
			err_set(e, ERR_CONFLICT, "%s is under way in the git "
				"repository: 'git status' tells how to end it",
				what);
		else
			err_set(e, ERR_CONFLICT, "HEAD is detached, a commit "
				"would be on no branch: git switch BRANCH");
		return err_advise(e, ADVICE_NO_COMMIT, NULL);
	}
	if (access(git_repository_path(r->git), W_OK) < 0 ||
	    access(objects, W_OK) < 0) {
		err_sys(e, "the git repository '%s' cannot be written",
			git_repository_path(r->git));
		return err_advise(e, ADVICE_NO_COMMIT, NULL);
	}
	if (check_filter(r, e) < 0 || finish_interrupted(r, e) < 0)
		return -1;
	return r->edits_allowed ? 0 : check_edits(r, e);
}

bool repo_is_unmerged(struct repo *r)
{
	struct err ignored;
	git_oid file, staged[4];
	bool exists;

	return repo_staged(staged, r, &ignored) == 0 &&
	       !git_oid_is_zero(&staged[3]) &&
	       repo_file_blob(&file, &exists, r, &ignored) == 0 && exists &&
	       git_oid_equal(&file, &staged[2]);
}

void repo_allow_edits(struct repo *r)
{
	r->edits_allowed = true;
}

int repo_ready(struct repo *r, struct err *e)
{
	AUTO(auto_git_signature_free) git_signature *author = NULL;
	AUTO(auto_git_signature_free) git_signature *committer = NULL;

	if (repo_author(&author, r, e) < 0 ||
	    repo_committer(&committer, r, e) < 0 ||
	    repo_check_signing(r, e) < 0)
		return -1;
	return repo_check(r, e);
}
