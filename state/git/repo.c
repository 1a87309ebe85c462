/*
 * The repository that the state's file is in, opened for that file alone. Whose
 * repository it is counts: its configuration names programs that would be run
 * (safe.directory in git-config(1)).
 */
#include "state/git/internal.h"

#include "base/path.h"
#include "base/text.h"
#include "state/git/child.h"
#include "vault/crypto/digest.h"

#include <git2/sys/index.h>
#include <git2/sys/repository.h>
#include <string.h>

void repo_fail_(struct err *e, int rc, const char *fmt, ...)
{
	const git_error *last = git_error_last();
	AUTO(auto_free) char *words =
		text_escaped(last && last->message ? last->message : "?");
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	enum err_code code = ERR_SYSTEM;
	va_list ap;

	if (rc == GIT_ENOTFOUND || rc == GIT_EINVALIDSPEC ||
	    rc == GIT_EAMBIGUOUS || rc == GIT_EINVALID)
		code = ERR_INPUT;
	if (rc == GIT_ELOCKED || rc == GIT_ECONFLICT || rc == GIT_EMODIFIED)
		code = ERR_CONFLICT;
	va_start(ap, fmt);
	sbuf_vprintf(&text, fmt, ap);
	va_end(ap);
	err_set_(e, code, "%s: %s", sbuf_str(&text), words);
}

void repo_add_note(struct repo *r, const char *fmt, ...)
{
	AUTO(auto_free) char *before = STEAL(r->note);
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	va_list ap;

	if (before)
		sbuf_printf(&text, "%s; ", before);
	va_start(ap, fmt);
	sbuf_vprintf(&text, fmt, ap);
	va_end(ap);
	r->note = mem_strdup(sbuf_str(&text));
}

char *repo_note(struct repo *r)
{
	return STEAL(r->note);
}

/* The path in the work tree @top of @name in @folder; NULL: outside of it. */
static char *path_inside(const char *top, const char *folder, const char *name)
{
	AUTO(auto_free) char *whole =
		mem_printf("%s/%s", strcmp(folder, "/") ? folder : "", name);
	size_t len = top ? strlen(top) : 0;

	if (!len || strncmp(whole, top, len) != 0)
		return NULL;
	/* git's own folder has no files of the work tree */
	if (strncmp(whole + len, ".git/", 5) == 0)
		return NULL;
	return mem_strdup(whole + len);
}

/* One safe.directory after the other; an empty one forgets those before. */
static int see_safe(const git_config_entry *entry, void *all)
{
	if (strcmp(entry->value, "*") == 0)
		*(bool *)all = true;
	else if (!*entry->value)
		*(bool *)all = false;
	return 0;
}

static int open_above(git_repository **out, const char *folder)
{
	int rc = git_repository_open_ext(out, folder, 0,
					 getenv("GIT_CEILING_DIRECTORIES"));

	/*
	 * libgit2 1.5 looks for safe.directory, and stumbles when it is not set
	 */
	if (rc == GIT_ENOTFOUND && git_error_last() &&
	    git_error_last()->klass == GIT_ERROR_CONFIG)
		rc = GIT_EOWNER;
	return rc;
}

/* Find the repository above @folder; *@out is NULL when there is none. */
static int find_repository(git_repository **out, const char *folder,
			   struct err *e)
{
	AUTO(auto_git_config_free) git_config *c = NULL;
	bool trusts_all = false;
	int rc = open_above(out, folder);

	/* libgit2 1.5 knows nothing of "*" */
	if (rc == GIT_EOWNER && git_config_open_default(&c) == 0)
		git_config_get_multivar_foreach(c, "safe.directory", NULL,
						see_safe, &trusts_all);
	if (trusts_all) {
		git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
		rc = open_above(out, folder);
		git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 1);
	}
	if (rc == 0 || rc == GIT_ENOTFOUND)
		return 0;
	if (rc == GIT_EOWNER)
		err_set(e, ERR_INPUT, "the git repository that holds '%s' "
			"belongs to somebody else; git config --global --add "
			"safe.directory its folder", folder);
	else
		repo_fail_(e, rc, "cannot open the git repository that holds "
			   "'%s' (mend it)", folder);
	return err_advise(e, ADVICE_NO_COMMIT, NULL);
}

/* Does git leave the file alone: ignored, and not in it? 1, 0 or -1. */
static int left_alone(struct repo *r, struct err *e)
{
	/* a path, whatever it begins with: ":" would be magic */
	AUTO(auto_free) char *path = mem_printf("./%s", r->path);
	const char *const words[] = { "check-ignore", "-q", "--", path, NULL };
	AUTO(auto_git_commit_free) git_commit *head = NULL;
	AUTO(child_done) struct child c = { 0 };
	struct err ignored;
	git_oid id;
	unsigned mode;
	int status;

	if (repo_head_commit(&head, r, &ignored) < 0 ||
	    repo_entry(&id, &mode, r, head, &ignored) < 0 || mode)
		return 0; /* it is in git, whatever it is there */
	status = repo_git(&c, r, words, e);
	return status < 0 ? -1 : status == 0;
}

/* For good: its end would take libcrypto's cleaning up of threads along. */
static int start_libgit2(struct err *e)
{
	static const char *extensions[] = {
		"worktreeConfig", "worktreeconfig", "partialClone",
		"partialclone", "preciousObjects", "preciousobjects",
	};

	if (git_libgit2_init() < 0)
		return err_set(e, ERR_SYSTEM, "cannot start libgit2");
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	/* what these change, git does: it reads the index, fetches objects */
	git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions,
			 sizeof extensions / sizeof *extensions);
	/* $HOME as it is now */
	git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_GLOBAL,
			 NULL);
	git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_XDG, NULL);
	return 0;
}

int repo_open(struct repo **out, const char *file, struct err *e)
{
	AUTO(auto_free) char *folder = path_folder(file);
	AUTO(auto_free) char *real = NULL;
	AUTO(auto_free) char *path = NULL;
	AUTO(auto_git_repository_free) git_repository *git = NULL;
	AUTO(auto_git_index_free) git_index *none = NULL;
	AUTO(auto_repo_close) struct repo *r = NULL;
	char digest[DIGEST_HEX + 1];
	int ignored;

	if (start_libgit2(e) < 0)
		return -1;
	*out = NULL;
	real = realpath(folder, NULL);
	if (!real)
		return err_sys(e, "cannot find the folder '%s'", folder);
	if (find_repository(&git, real, e) < 0)
		return -1;
	if (!git)
		return 0;
	if (git_repository_is_bare(git)) {
		err_set(e, ERR_INPUT, "'%s' is in a bare git repository, which "
			"has no work tree: keep it in a clone", file);
		return err_advise(e, ADVICE_NO_COMMIT, NULL);
	}
	path = path_inside(git_repository_workdir(git), real,
			   path_name(file));
	if (!path)
		return 0;
	/* git alone reads the index: libgit2 would fail at what it cannot */
	if (git_index_new(&none) < 0 || git_repository_set_index(git, none) < 0)
		return repo_fail(e, GIT_ERROR, "cannot make an index");
	r = mem_calloc(1, sizeof *r);
	r->file = mem_strdup(file);
	r->folder = mem_strdup(git_repository_workdir(git));
	/* a digest: whatever is in the path, it is one name */
	digest_sha256(path, strlen(path), digest);
	r->journal = mem_printf("%swgmesh/%s", git_repository_path(git),
				digest);
	r->path = STEAL(path);
	r->git = STEAL(git);
	ignored = left_alone(r, e);
	if (ignored == 0)
		*out = STEAL(r);
	return ignored < 0 ? -1 : 0;
}

void repo_close(struct repo *r)
{
	if (!r)
		return;
	repo_abort(r);
	git_repository_free(r->git);
	git_signature_free(r->author);
	git_signature_free(r->committer);
	journal_done(&r->now);
	free(r->file);
	free(r->path);
	free(r->folder);
	free(r->branch);
	free(r->journal);
	free(r->note);
	free(r);
}

int repo_init(const char *folder, struct err *e)
{
	git_repository *git = NULL;
	int ret = 0;
	int rc;

	if (start_libgit2(e) < 0)
		return -1;
	rc = git_repository_open_ext(&git, folder,
				     GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
	if (rc == GIT_ENOTFOUND)
		rc = git_repository_init(&git, folder, 0);
	if (rc < 0)
		ret = repo_fail(e, rc, "cannot make a git repository of '%s'",
				folder);
	git_repository_free(git);
	return ret;
}

const char *repo_path(const struct repo *r)
{
	return r->path;
}

const char *repo_folder(const struct repo *r)
{
	return r->folder;
}

const char *repo_branch(struct repo *r)
{
	AUTO(auto_free) char *ref = repo_branch_ref(r);
	const char *name = ref && strncmp(ref, "refs/heads/", 11) == 0
				   ? ref + 11 : "";

	/* who got it before still has it unless the branch changed */
	if (!r->branch || strcmp(r->branch, name) != 0)
		mem_replace(&r->branch, name);
	return r->branch;
}

int repo_head(struct repo *r, char out[REPO_ID_TEXT], struct err *e)
{
	AUTO(auto_git_commit_free) git_commit *head = NULL;

	if (repo_head_commit(&head, r, e) < 0)
		return -1;
	*out = '\0';
	if (head)
		git_oid_tostr(out, REPO_ID_TEXT, git_commit_id(head));
	return 0;
}
