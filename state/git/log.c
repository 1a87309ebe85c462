/*
 * The history of the file: which commits are about it, and what it was in one
 * of them. Anybody may have written them; a clone may be shallow, so that a
 * parent is missing.
 */
#include "state/git/internal.h"

#include <string.h>

void revision_done(struct revision *v)
{
	free(v->author);
	free(v->subject);
	trailers_done(&v->trailers);
	memset(v, 0, sizeof *v);
}

void revisions_done(struct revisions *v)
{
	for (size_t i = 0; i < v->len; i++)
		revision_done(&v->items[i]);
	vec_done(v);
}

static void fill_revision(struct revision *v, git_commit *commit)
{
	const git_signature *who = git_commit_author(commit);
	const char *subject = git_commit_summary(commit);

	git_oid_tostr(v->id, sizeof v->id, git_commit_id(commit));
	v->time = git_commit_time(commit);
	v->author = mem_printf("%s <%s>", who->name, who->email);
	v->subject = mem_strdup(subject ? subject : "");
	v->merge = git_commit_parentcount(commit) > 1;
	message_trailers(&v->trailers, git_commit_message(commit));
}

/* The file there; the zero id when there is none, whatever is in its place. */
static void blob_at(git_oid *out, struct repo *r, const git_commit *commit)
{
	struct err ignored;
	unsigned mode;

	if (repo_entry(out, &mode, r, commit, &ignored) < 0)
		memset(out, 0, sizeof *out);
}

/* A commit cannot be read: it may never have been fetched. */
static int fail_history(struct repo *r, struct err *e)
{
	if (git_repository_is_shallow(r->git) == 1)
		return err_set(e, ERR_SYSTEM, "the history is cut off, this is "
			       "a shallow clone: git fetch --unshallow");
	return repo_fail(e, GIT_ERROR, "cannot read the history");
}

/*
 * Is its file another one than that of each parent? git log's rule for a path:
 * a merge that took one side's file has changed nothing.
 */
static int find_changed(bool *out, struct repo *r, git_commit *commit,
			struct err *e)
{
	unsigned n = git_commit_parentcount(commit);
	git_oid ours, theirs;

	blob_at(&ours, r, commit);
	*out = n > 0 || !git_oid_is_zero(&ours);
	for (unsigned i = 0; i < n && *out; i++) {
		AUTO(auto_git_commit_free) git_commit *parent = NULL;
		int rc = git_commit_parent(&parent, commit, i);

		if (rc < 0)
			return fail_history(r, e);
		blob_at(&theirs, r, parent);
		*out = !git_oid_equal(&ours, &theirs);
	}
	return 0;
}

/* Does it record a deploy of this file, or (an older one) of that mesh? */
static bool is_deploy(const struct repo *r, const struct revision *v,
		      const char *mesh_id)
{
	const char *file = trailers_find(&v->trailers, TRAILER_STATE);
	const char *mesh = trailers_find(&v->trailers, TRAILER_MESH);

	if (!trailers_find(&v->trailers, TRAILER_DEPLOY))
		return false;
	if (file)
		return strcmp(file, r->path) == 0;
	return !mesh_id || (mesh && strcmp(mesh, mesh_id) == 0);
}

/* Append the commit @id if it is one of those that repo_log() tells of. */
static int add_if_ours(struct revisions *out, struct repo *r, const git_oid *id,
		       const char *mesh_id, struct err *e)
{
	AUTO(auto_git_commit_free) git_commit *commit = NULL;
	AUTO(revision_done) struct revision v = { 0 };
	int rc = git_commit_lookup(&commit, r->git, id);

	if (rc < 0)
		return repo_fail(e, GIT_ERROR, "cannot read the history");
	if (find_changed(&v.changed, r, commit, e) < 0)
		return -1;
	/* a record has one parent: its message need not be read else */
	if (!v.changed && git_commit_parentcount(commit) != 1)
		return 0;
	fill_revision(&v, commit);
	if (!v.changed && !is_deploy(r, &v, mesh_id))
		return 0;
	vec_push(out, v);
	memset(&v, 0, sizeof v);
	return 0;
}

int repo_log(struct repo *r, const char *mesh_id, size_t max,
	     struct revisions *out, struct err *e)
{
	AUTO(auto_git_revwalk_free) git_revwalk *walk = NULL;
	AUTO(auto_git_commit_free) git_commit *head = NULL;
	size_t before = out->len;
	git_oid id;
	int rc;

	if (repo_head_commit(&head, r, e) < 0)
		return -1;
	if (!head)
		return 0;
	rc = git_revwalk_new(&walk, r->git);
	if (rc == 0)
		rc = git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL |
						       GIT_SORT_TIME);
	if (rc == 0)
		rc = git_revwalk_push(walk, git_commit_id(head));
	while (rc == 0 && (!max || out->len - before < max) &&
	       (rc = git_revwalk_next(&id, walk)) == 0)
		if (add_if_ours(out, r, &id, mesh_id, e) < 0)
			return -1;
	if (rc < 0 && rc != GIT_ITEROVER)
		return fail_history(r, e);
	return 0;
}

int repo_read(struct repo *r, const char *rev, struct sbuf *out,
	      struct revision *info, struct err *e)
{
	AUTO(auto_git_object_free) git_object *object = NULL;
	AUTO(auto_git_commit_free) git_commit *commit = NULL;
	AUTO(revision_done) struct revision v = { 0 };
	git_oid blob;
	unsigned mode;
	int rc;

	if (!*rev || strnlen(rev, REPO_REV_MAX + 1) > REPO_REV_MAX)
		return err_set(e, ERR_INPUT, "expected a revision, as 'HEAD~2'"
			       " or the id of a commit");
	rc = git_revparse_single(&object, r->git, rev);
	if (rc == 0)
		rc = git_object_peel((git_object **)&commit, object,
				     GIT_OBJECT_COMMIT);
	if (rc < 0)
		return repo_fail(e, GIT_ENOTFOUND, "revision");
	if (repo_entry(&blob, &mode, r, commit, e) < 0)
		return -1;
	if (!mode)
		return err_set(e, ERR_INPUT, "'%s' is not in that revision",
			       r->path);
	if (info && find_changed(&v.changed, r, commit, e) < 0)
		return -1;
	if (out && repo_blob(out, r, &blob, e) < 0)
		return -1;
	if (info) {
		fill_revision(&v, commit);
		*info = v;
		memset(&v, 0, sizeof v);
	}
	return 0;
}
