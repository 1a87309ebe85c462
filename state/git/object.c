/*
 * What the other files of state/git/ ask a repository for: settings, the
 * branch, the one path in a commit or a tree, who commits. Nothing here changes
 * a ref.
 */
#include "state/git/internal.h"

#include "state/git/child.h"
#include "state/store/store.h"

#include <string.h>

char *repo_config(struct repo *r, const char *name)
{
	AUTO(auto_git_config_free) git_config *c = NULL;
	git_buf value = { 0 };
	char *text;

	if (git_repository_config(&c, r->git) < 0 ||
	    git_config_get_string_buf(&value, c, name) < 0)
		return mem_strdup("");
	text = mem_strdup(value.ptr);
	git_buf_dispose(&value);
	return text;
}

bool repo_config_bool(struct repo *r, const char *name, bool dflt)
{
	AUTO(auto_git_config_free) git_config *c = NULL;
	int value;

	if (git_repository_config(&c, r->git) < 0 ||
	    git_config_get_bool(&value, c, name) < 0)
		return dflt;
	return value;
}

char *repo_branch_ref(struct repo *r)
{
	AUTO(auto_git_reference_free) git_reference *head = NULL;

	if (git_reference_lookup(&head, r->git, "HEAD") < 0 ||
	    git_reference_type(head) != GIT_REFERENCE_SYMBOLIC)
		return NULL;
	return mem_strdup(git_reference_symbolic_target(head));
}

int repo_head_commit(git_commit **out, struct repo *r, struct err *e)
{
	git_oid id;
	int rc = git_reference_name_to_id(&id, r->git, "HEAD");

	*out = NULL;
	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc == 0)
		rc = git_commit_lookup(out, r->git, &id);
	if (rc < 0)
		return repo_fail(e, rc, "cannot read the commit of HEAD");
	return 0;
}

int repo_entry(git_oid *blob, unsigned *mode, struct repo *r,
	       const git_commit *commit, struct err *e)
{
	AUTO(auto_git_tree_free) git_tree *tree = NULL;
	AUTO(auto_git_tree_entry_free) git_tree_entry *entry = NULL;
	int rc;

	*mode = 0;
	memset(blob, 0, sizeof *blob);
	if (!commit)
		return 0;
	rc = git_commit_tree(&tree, commit);
	if (rc == 0)
		rc = git_tree_entry_bypath(&entry, tree, r->path);
	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc < 0)
		return repo_fail(e, rc, "cannot read the tree of a commit");
	/* a symlink in git would be followed in the work tree, out of it */
	*mode = git_tree_entry_filemode(entry);
	if (*mode != GIT_FILEMODE_BLOB &&
	    *mode != GIT_FILEMODE_BLOB_EXECUTABLE)
		return err_set(e, ERR_INPUT, "'%s' is no regular file in git, "
			       "expected one", r->path);
	git_oid_cpy(blob, git_tree_entry_id(entry));
	return 0;
}

/* Let git bring an object that a partial clone does not have yet. */
static void bring_object(struct repo *r, const git_oid *id)
{
	char hex[REPO_ID_TEXT];
	const char *const words[] = {
		"cat-file", "-e", git_oid_tostr(hex, sizeof hex, id), NULL
	};
	AUTO(child_done) struct child c = { 0 };
	struct err ignored;

	repo_git(&c, r, words, &ignored); /* whoever reads it next tells */
}

int repo_blob(struct sbuf *out, struct repo *r, const git_oid *id,
	      struct err *e)
{
	AUTO(auto_git_blob_free) git_blob *blob = NULL;
	git_odb *odb = NULL;
	git_object_t type;
	size_t len = 0;
	int rc = git_repository_odb(&odb, r->git);

	if (rc == 0)
		rc = git_odb_read_header(&len, &type, odb, id);
	if (rc == GIT_ENOTFOUND) {
		bring_object(r, id);
		rc = git_odb_read_header(&len, &type, odb, id);
	}
	git_odb_free(odb);
	/* from the header: a blob of gigabytes is not unpacked for that */
	if (rc == 0 && len > FILE_SIZE_MAX)
		return err_set(e, ERR_INPUT, "'%s' has more than %d MiB there",
			       r->path, FILE_SIZE_MAX >> 20);
	if (rc == 0)
		rc = git_blob_lookup(&blob, r->git, id);
	if (rc < 0)
		return repo_fail(e, rc, "cannot read '%s' from git", r->path);
	sbuf_add(out, git_blob_rawcontent(blob),
		 (size_t)git_blob_rawsize(blob));
	return 0;
}

int repo_file_blob(git_oid *out, bool *exists, struct repo *r, struct err *e)
{
	int rc;

	*exists = access(r->file, F_OK) == 0;
	if (!*exists)
		return 0;
	rc = git_repository_hashfile(out, r->git, r->path, GIT_OBJECT_BLOB,
				     NULL);
	if (rc < 0)
		return repo_fail(e, rc, "cannot read '%s'", r->path);
	return 0;
}

int repo_tree_with(git_tree **out, struct repo *r, git_tree *base,
		   const git_oid *blob, unsigned mode, struct err *e)
{
	AUTO(auto_git_tree_free) git_tree *none = NULL;
	git_treebuilder *builder = NULL;
	git_tree_update update = { .action = mode ? GIT_TREE_UPDATE_UPSERT
						  : GIT_TREE_UPDATE_REMOVE,
				   .filemode = mode, .path = r->path };
	git_oid id;
	int rc = 0;

	git_oid_cpy(&update.id, blob);
	if (!base) {
		/* an update needs a tree: one without anything */
		rc = git_treebuilder_new(&builder, r->git, NULL);
		if (rc == 0)
			rc = git_treebuilder_write(&id, builder);
		git_treebuilder_free(builder);
		if (rc == 0)
			rc = git_tree_lookup(&none, r->git, &id);
	}
	if (rc == 0 && !base && !mode) {
		*out = STEAL(none);
		return 0;
	}
	if (rc == 0)
		rc = git_tree_create_updated(&id, r->git, base ? base : none, 1,
					     &update);
	if (rc == 0)
		rc = git_tree_lookup(out, r->git, &id);
	if (rc < 0)
		return repo_fail(e, rc, "cannot make a tree with '%s'",
				 r->path);
	return 0;
}

int repo_git(struct child *c, struct repo *r, const char *const words[],
	     struct err *e)
{
	static const char *const plain[] = { "LC_ALL=C", NULL };
	/* nothing of the clone's runs: no hook, no watcher of files */
	static const char *const start[] = {
		"git", "-c", "core.hooksPath=/dev/null", "-c",
		"core.fsmonitor=false",
	};
	AUTO(strings_done) struct strings given = c->argv;
	int status;

	c->folder = r->folder;
	if (!c->set)
		c->set = plain;
	c->argv = (struct strings){ 0 };
	for (size_t i = 0; i < sizeof start / sizeof *start; i++)
		strings_add(&c->argv, start[i]);
	for (size_t i = 0; i < given.len; i++)
		strings_add(&c->argv, given.items[i]);
	for (size_t i = 0; words[i]; i++)
		strings_add(&c->argv, words[i]);
	status = child_run(c, e);
	if (status >= 0)
		return status;
	err_wrap_(e, "the state is in a git repository");
	return err_advise(e, ADVICE_NO_COMMIT, NULL);
}

/* "Name <mail>" and the time, as git has it: what it includes only it knows. */
static int ask_identity(git_signature **out, struct repo *r,
			const char *variable, struct err *e)
{
	const char *const words[] = { "var", variable, NULL };
	AUTO(child_done) struct child c = { 0 };
	AUTO(auto_free) char *name = NULL;
	int status = repo_git(&c, r, words, e);

	if (status < 0)
		return -1;
	if (status == 0 &&
	    git_signature_from_buffer(out, sbuf_str(&c.out)) == 0)
		return 0;
	name = repo_config(r, "user.name");
	err_set_(e, ERR_INPUT, "git does not know who commits: git config "
		 "--global user.%s %s", *name ? "email" : "name",
		 *name ? "you@example.org" : "'Your Name'");
	return err_advise(e, ADVICE_NO_COMMIT, NULL);
}

/* A copy of what was asked once, @known, with the time of now. */
static int signature(git_signature **out, struct repo *r,
		     git_signature **known, const char *variable,
		     struct err *e)
{
	int rc;

	if (!*known && ask_identity(known, r, variable, e) < 0)
		return -1;
	rc = git_signature_now(out, (*known)->name, (*known)->email);
	return rc < 0 ? repo_fail(e, rc, "cannot make a signature") : 0;
}

int repo_author(git_signature **out, struct repo *r, struct err *e)
{
	return signature(out, r, &r->author, "GIT_AUTHOR_IDENT", e);
}

int repo_committer(git_signature **out, struct repo *r, struct err *e)
{
	return signature(out, r, &r->committer, "GIT_COMMITTER_IDENT", e);
}
