/*
 * Bringing the branch, the file and the rest of the work tree to what the
 * upstream has. The order is that of least harm: fetch, judge who signed, merge
 * in memory, ask, and only then touch the work tree. Until then a refusal has
 * changed nothing that the user sees.
 */
#include "state/git/net.h"

#include "base/atomic.h"
#include "base/text.h"
#include "state/git/child.h"
#include "state/store/store.h"

#include <string.h>
#include <sys/stat.h>

DEFINE_AUTO(struct lock *, lock_free)

/* What a pull has to do with. */
struct pull {
	struct repo *r;
	git_commit *head; /* NULL: the branch has none */
	git_commit *upstream;
	size_t ahead, behind;
};

static void pull_done(struct pull *p)
{
	git_commit_free(p->head);
	git_commit_free(p->upstream);
}

/* The commit that the last fetch saw; *@out is NULL when there is none. */
static int upstream_commit(git_commit **out, struct repo *r, struct err *e)
{
	AUTO(auto_free) char *branch = repo_branch_ref(r);
	git_buf name = { 0 };
	git_oid id;
	int rc = branch ? git_branch_upstream_name(&name, r->git, branch)
			: GIT_ENOTFOUND;

	if (rc == GIT_ENOTFOUND)
		return err_set(e, ERR_INPUT, "the branch '%s' has no upstream:"
			       " git push -u origin %s", repo_branch(r),
			       repo_branch(r));
	if (rc == 0)
		rc = git_reference_name_to_id(&id, r->git, name.ptr);
	git_buf_dispose(&name);
	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc == 0)
		rc = git_commit_lookup(out, r->git, &id);
	return rc < 0 ? repo_fail(e, rc, "cannot read the upstream") : 0;
}

/*
 * Fetch the upstream, with the whole history if @whole. One that is not there
 * yet is fine, one that went is not.
 */
static int fetch_upstream(struct repo *r, bool whole, git_commit **out,
			  struct err *e)
{
	AUTO(net_done) struct net n = { 0 };
	bool found;

	if (net_init(&n, r, e) < 0 || upstream_commit(out, r, e) < 0)
		return -1;
	n.whole = whole;
	if (net_fetch(&n, n.upstream, &found, e) < 0)
		return -1;
	if (!found && *out)
		return err_set(e, ERR_CONFLICT, "the remote '%s' has no '%s' "
			       "any more: git branch -u %s/BRANCH names "
			       "another upstream", n.remote, n.upstream,
			       n.remote);
	git_commit_free(STEAL(*out));
	return upstream_commit(out, r, e);
}

static int fetch_and_compare(struct pull *p, struct err *e)
{
	const git_oid *ours, *theirs;
	int rc;

	if (repo_head_commit(&p->head, p->r, e) < 0 ||
	    fetch_upstream(p->r, false, &p->upstream, e) < 0)
		return -1;
	if (!p->upstream || !p->head) {
		p->behind = p->upstream != NULL;
		return 0;
	}
	ours = git_commit_id(p->head);
	theirs = git_commit_id(p->upstream);
	if (git_oid_equal(ours, theirs))
		return 0;
	/* who has what is told by the history, which a pipeline often lacks */
	if (git_repository_is_shallow(p->r->git) == 1) {
		git_commit_free(STEAL(p->upstream));
		if (fetch_upstream(p->r, true, &p->upstream, e) < 0)
			return -1;
		theirs = git_commit_id(p->upstream);
	}
	rc = git_graph_ahead_behind(&p->ahead, &p->behind, p->r->git, ours,
				    theirs);
	return rc < 0 ? repo_fail(e, rc, "cannot compare with the upstream")
		      : 0;
}

int repo_behind(struct repo *r, size_t *commits, struct err *e)
{
	AUTO(pull_done) struct pull p = { .r = r };

	if (fetch_and_compare(&p, e) < 0)
		return -1;
	*commits = p.behind;
	return 0;
}

/* ---- both sides have commits ---- */

/* The file at the three commits; zero where it is not. */
struct versions {
	git_oid base, ours, theirs;
};

/* Let @how make one content of the versions, which all differ. */
static int merge_content(git_oid *out, struct pull *p,
			 const struct versions *v,
			 const struct repo_merge *how, struct err *e)
{
	AUTO(sbuf_done) struct sbuf base = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf ours = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf theirs = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf merged = SBUF_SECRET;
	int rc;

	if (git_oid_is_zero(&v->ours) || git_oid_is_zero(&v->theirs))
		return err_set(e, ERR_CONFLICT, "'%s' was removed on one side "
			       "and changed on the other", p->r->path);
	if ((!git_oid_is_zero(&v->base) &&
	     repo_blob(&base, p->r, &v->base, e) < 0) ||
	    repo_blob(&ours, p->r, &v->ours, e) < 0 ||
	    repo_blob(&theirs, p->r, &v->theirs, e) < 0 ||
	    how->content(&merged, &base, &ours, &theirs, how->arg, e) < 0)
		return -1;
	rc = git_blob_create_from_buffer(out, p->r->git, sbuf_str(&merged),
					 merged.len);
	return rc < 0 ? repo_fail(e, rc, "cannot write into git") : 0;
}

/* The blob that the file is to have when both sides are one, and its mode. */
static int merge_file(git_oid *out, unsigned *mode, struct pull *p,
		      const struct repo_merge *how, struct err *e)
{
	AUTO(auto_git_commit_free) git_commit *base = NULL;
	struct versions v;
	unsigned before, ours, theirs;
	git_oid id;
	int rc = git_merge_base(&id, p->r->git, git_commit_id(p->head),
				git_commit_id(p->upstream));

	if (rc == 0)
		rc = git_commit_lookup(&base, p->r->git, &id);
	if (rc == GIT_ENOTFOUND)
		return err_set(e, ERR_CONFLICT, "the branch and its upstream "
			       "have no commit in common");
	if (rc < 0)
		return repo_fail(e, rc, "cannot compare with the upstream");
	if (repo_entry(&v.base, &before, p->r, base, e) < 0 ||
	    repo_entry(&v.ours, &ours, p->r, p->head, e) < 0 ||
	    repo_entry(&v.theirs, &theirs, p->r, p->upstream, e) < 0)
		return -1;
	*mode = ours ? ours : theirs;
	if (git_oid_equal(&v.theirs, &v.base) ||
	    git_oid_equal(&v.theirs, &v.ours))
		git_oid_cpy(out, &v.ours);
	else if (git_oid_equal(&v.ours, &v.base))
		git_oid_cpy(out, &v.theirs);
	else
		return merge_content(out, p, &v, how, e);
	if (git_oid_is_zero(out))
		return err_set(e, ERR_CONFLICT, "'%s' was removed from git",
			       p->r->path);
	return 0;
}

/* The tree of both sides, with @blob as the file. */
static int merge_trees(git_tree **out, struct pull *p, const git_oid *blob,
		       unsigned mode, struct err *e)
{
	AUTO(auto_git_index_free) git_index *index = NULL;
	AUTO(auto_free) char *shown = NULL;
	git_index_conflict_iterator *it = NULL;
	const git_index_entry *a, *b, *c; /* base, ours, theirs */
	git_index_entry entry = { .mode = mode, .path = p->r->path };
	git_oid id;
	int rc = git_merge_commits(&index, p->r->git, p->head, p->upstream,
				   NULL);

	git_oid_cpy(&entry.id, blob);
	if (rc == 0) {
		git_index_conflict_remove(index, p->r->path);
		rc = git_index_add(index, &entry);
	}
	if (rc < 0)
		return repo_fail(e, rc, "cannot merge");
	if (git_index_has_conflicts(index)) {
		/* of the others the first is named */
		if (git_index_conflict_iterator_new(&it, index) == 0 &&
		    git_index_conflict_next(&a, &b, &c, it) == 0)
			shown = text_escaped((b ? b : c ? c : a)->path);
		git_index_conflict_iterator_free(it);
		return err_set(e, ERR_CONFLICT, "both sides changed '%.200s': "
			       "merge with git ('git pull')",
			       shown ? shown : "?");
	}
	rc = git_index_write_tree_to(&id, index, p->r->git);
	if (rc == 0)
		rc = git_tree_lookup(out, p->r->git, &id);
	return rc < 0 ? repo_fail(e, rc, "cannot merge") : 0;
}

static int merge_upstream(git_commit **out, struct pull *p,
			  const struct repo_merge *how, struct err *e)
{
	AUTO(auto_git_tree_free) git_tree *tree = NULL;
	struct commit_parts parts = { .message = how->message,
				      .parents = { p->head, p->upstream } };
	git_oid id;
	unsigned mode;
	int rc;

	if (merge_file(&id, &mode, p, how, e) < 0 ||
	    merge_trees(&tree, p, &id, mode, e) < 0)
		return -1;
	parts.tree = tree;
	if (repo_make_commit(&id, p->r, &parts, e) < 0)
		return -1;
	rc = git_commit_lookup(out, p->r->git, &id);
	return rc < 0 ? repo_fail(e, rc, "cannot merge") : 0;
}

/* ---- the work tree ---- */

/*
 * Bring all files but the state to @target, which loses no change: by git
 * itself, for its filters, and for work trees that are sparse.
 */
static int check_out(struct pull *p, git_commit *target, struct err *e)
{
	AUTO(auto_git_tree_free) git_tree *whole = NULL;
	AUTO(auto_git_tree_free) git_tree *others = NULL;
	AUTO(child_done) struct child refresh = { 0 }, c = { 0 };
	AUTO(auto_free) char *why = NULL;
	/* git knows the tree without anything, whether it is there or not */
	char from[REPO_ID_TEXT] = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
	char to[REPO_ID_TEXT];
	const char *const words[] = {
		"read-tree", "-m", "-u",
		"--no-recurse-submodules", from, to, NULL
	};
	git_oid ours;
	unsigned mode;
	int status, rc = git_commit_tree(&whole, target);

	if (rc < 0)
		return repo_fail(e, rc, "cannot read the upstream");
	if (repo_entry(&ours, &mode, p->r, p->head, e) < 0 ||
	    repo_tree_with(&others, p->r, whole, &ours, mode, e) < 0)
		return -1;
	if (p->head)
		git_oid_tostr(from, sizeof from, git_commit_id(p->head));
	git_oid_tostr(to, sizeof to, git_tree_id(others));
	/* files that were touched and are the same count as such then */
	status = repo_git(&refresh, p->r,
			  (const char *const[]){ "update-index", "-q",
						 "--refresh", NULL }, e);
	if (status >= 0)
		status = repo_git(&c, p->r, words, e);
	if (status <= 0)
		return status;
	why = child_words(&c);
	return err_set(e, ERR_CONFLICT, "files that the upstream changed "
		       "cannot be brought up%s", why);
}

/* Replace the state file by @blob; atomic_sync() is for later. */
static int write_file(struct repo *r, const git_oid *blob, struct err *e)
{
	AUTO(sbuf_done) struct sbuf bytes = SBUF_SECRET;
	struct atomic_how how = { .locked = true };
	struct stat st;

	if (repo_blob(&bytes, r, blob, e) < 0)
		return -1;
	if (stat(r->file, &st) == 0) {
		how.uid = st.st_uid;
		how.gid = st.st_gid;
	}
	return atomic_replace(r->file, sbuf_str(&bytes), bytes.len, &how, e);
}

/* Bring the work tree and the branch to @target. */
static int go_to(struct pull *p, git_commit *target, struct err *e)
{
	struct err ignored, unsynced = { 0 };
	git_oid blob, ours, file;
	unsigned mode;
	bool exists;

	if (repo_entry(&blob, &mode, p->r, target, e) < 0)
		return -1;
	if (!mode)
		return err_set(e, ERR_CONFLICT, "the upstream does not have "
			       "'%s': pull with git", p->r->path);
	if (repo_entry(&ours, &mode, p->r, p->head, e) < 0 ||
	    repo_file_blob(&file, &exists, p->r, e) < 0)
		return -1;
	/* a file that git does not have would be lost */
	if (!mode && exists && !git_oid_equal(&file, &blob))
		return err_set(e, ERR_CONFLICT, "'%s' is not in git here, and "
			       "the upstream has another one: move it away",
			       p->r->path);
	if (repo_begin_commit(p->r, &blob, git_commit_id(target), p->head,
			      true, e) < 0 ||
	    check_out(p, target, e) < 0 || write_file(p->r, &blob, e) < 0) {
		journal_remove(p->r, &ignored);
		return -1;
	}
	atomic_sync(p->r->file, &unsynced); /* the branch follows the file */
	if (repo_settle(p->r, e) < 0)
		return -1;
	if (unsynced.code == ERR_NONE)
		return 0;
	*e = unsynced;
	return -1;
}

/* ---- who signed, and who agrees ---- */

/*
 * Has @commit another file than one of its parents? Not git log's rule: a merge
 * that took one side's file decided which, and is to be signed as well.
 */
static int touches_file(bool *out, struct repo *r, const git_commit *commit,
		   struct err *e)
{
	unsigned n = git_commit_parentcount(commit), mode;
	git_oid ours, theirs;

	if (repo_entry(&ours, &mode, r, commit, e) < 0)
		return -1;
	*out = n == 0 && mode;
	for (unsigned i = 0; i < n && !*out; i++) {
		AUTO(auto_git_commit_free) git_commit *parent = NULL;
		int rc = git_commit_parent(&parent, commit, i);

		if (rc < 0)
			return repo_fail(e, rc, "cannot read the history");
		if (repo_entry(&theirs, &mode, r, parent, e) < 0)
			return -1;
		*out = !git_oid_equal(&ours, &theirs);
	}
	return 0;
}

/* As git itself judges it, by the user's keys and configuration. */
static int check_signature(struct repo *r, const git_oid *id, struct err *e)
{
	char hex[REPO_ID_TEXT];
	const char *const verify[] = {
		"verify-commit", git_oid_tostr(hex, sizeof hex, id), NULL
	};
	AUTO(child_done) struct child c = { 0 };
	AUTO(auto_free) char *words = NULL;
	int status = repo_git(&c, r, verify, e);

	if (status <= 0)
		return status;
	words = child_words(&c);
	return err_set(e, ERR_CONFLICT, "commit %s changes the state and has "
		       "no signature that 'git verify-commit' accepts "
		       "(verify-signatures of the mesh)%s", hex, words);
}

/* The bytes of the file in @commit; none when it has none. */
static int read_file(struct sbuf *out, struct repo *r,
		     const git_commit *commit, struct err *e)
{
	git_oid id;
	unsigned mode;

	if (repo_entry(&id, &mode, r, commit, e) < 0)
		return -1;
	return mode ? repo_blob(out, r, &id, e) : 0;
}

/* Where the mesh wants it: every new commit that touches the file is signed. */
static int check_commits(struct pull *p, const struct repo_merge *how,
			 struct err *e)
{
	AUTO(sbuf_done) struct sbuf content = SBUF_SECRET;
	AUTO(auto_git_revwalk_free) git_revwalk *walk = NULL;
	git_oid ours, theirs, id;
	unsigned a, b;
	int wanted, rc;

	if (repo_entry(&ours, &a, p->r, p->head, e) < 0 ||
	    repo_entry(&theirs, &b, p->r, p->upstream, e) < 0)
		return -1;
	if (!b || git_oid_equal(&ours, &theirs))
		return 0;
	if (read_file(&content, p->r, p->head, e) < 0)
		return -1;
	wanted = how->is_signed(&content, how->arg, e);
	if (wanted != 1)
		return wanted;
	rc = git_revwalk_new(&walk, p->r->git);
	if (rc == 0)
		rc = git_revwalk_push(walk, git_commit_id(p->upstream));
	if (rc == 0 && p->head)
		rc = git_revwalk_hide(walk, git_commit_id(p->head));
	while (rc == 0 && (rc = git_revwalk_next(&id, walk)) == 0) {
		AUTO(auto_git_commit_free) git_commit *commit = NULL;
		bool touched;

		rc = git_commit_lookup(&commit, p->r->git, &id);
		if (rc == 0 &&
		    (touches_file(&touched, p->r, commit, e) < 0 ||
		     (touched && check_signature(p->r, &id, e) < 0)))
			return -1;
	}
	return rc == GIT_ITEROVER ? 0
				  : repo_fail(e, rc, "cannot read the history");
}

/* Let the caller see what the file becomes, and refuse. */
static int review_file(struct pull *p, git_commit *target,
		       const struct repo_merge *how, struct err *e)
{
	AUTO(sbuf_done) struct sbuf ours = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf comes = SBUF_SECRET;

	if (read_file(&ours, p->r, p->head, e) < 0 ||
	    read_file(&comes, p->r, target, e) < 0)
		return -1;
	if (comes.len == 0 ||
	    (ours.len == comes.len &&
	     memcmp(sbuf_str(&ours), sbuf_str(&comes), ours.len) == 0))
		return 0;
	return how->review(&ours, &comes, how->arg, e);
}

int repo_pull(struct repo *r, const struct repo_merge *how,
	      enum repo_pulled *out, struct err *e)
{
	AUTO(auto_lock_free) struct lock *lock = NULL;
	AUTO(auto_free) char *path = mem_printf("%s.lock", r->file);
	AUTO(auto_free) char *note = NULL;
	AUTO(auto_git_commit_free) git_commit *merged = NULL;
	git_commit *target;
	AUTO(pull_done) struct pull p = { .r = r };

	if (lock_take(&lock, path, how->lock_ms, &note, e) < 0)
		return err_wrap(e, "state '%s'", r->file);
	if (note)
		repo_add_note(r, "%s", note);
	if (repo_check(r, e) < 0 || fetch_and_compare(&p, e) < 0)
		return -1;
	*out = REPO_SAME;
	if (p.behind == 0)
		return 0;
	if (check_commits(&p, how, e) < 0)
		return -1;
	if (p.ahead && merge_upstream(&merged, &p, how, e) < 0)
		return err_wrap(e, "cannot merge the upstream");
	target = p.ahead ? merged : p.upstream;
	if (review_file(&p, target, how, e) < 0 || go_to(&p, target, e) < 0)
		return -1;
	*out = p.ahead ? REPO_MERGED : REPO_FORWARDED;
	return 0;
}
