/*
 * One entry of git's index, read and written by git itself: there are indexes
 * (split, sparse) that libgit2 cannot read. The lock is ours and says so, git
 * works on a copy: one of ours that was killed is told from another git's.
 */
#include "state/git/internal.h"

#include "base/atomic.h"
#include "state/git/child.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Put what @from has into the new file @to; an index that is not there is none.
 */
static int copy_index(const char *from, const char *to, struct err *e)
{
	const struct atomic_how how = { .locked = true };
	AUTO(sbuf_done) struct sbuf bytes = { .max = (size_t)1 << 30 };
	AUTO(auto_close) int fd = -1;

	unlink(to);
	fd = open(from, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || sbuf_read(&bytes, fd) < 0)
		return err_sys(e, "cannot read '%s'", from);
	return atomic_write(to, sbuf_str(&bytes), bytes.len, &how, e);
}

int repo_staged(git_oid out[4], struct repo *r, struct err *e)
{
	const char *const words[] = { "--literal-pathspecs", "ls-files",
				      "--stage", "--", r->path, NULL };
	AUTO(child_done) struct child c = { 0 };
	AUTO(auto_free) char *why = NULL;
	struct view rest, line;
	int status = repo_git(&c, r, words, e);

	memset(out, 0, 4 * sizeof *out);
	if (status < 0)
		return -1;
	if (status) {
		why = child_words(&c);
		err_set_(e, ERR_SYSTEM, "cannot read git's index%s", why);
		return err_advise(e, ADVICE_NO_COMMIT, NULL);
	}
	/* "MODE ID STAGE\tPATH", of this path alone */
	rest = VIEW(sbuf_str(&c.out), c.out.len);
	while (view_line(&rest, &line)) {
		const char *id = (const char *)line.at + 7;
		unsigned stage;

		if (line.len < 7 + GIT_OID_HEXSZ + 3)
			continue;
		stage = (unsigned)(id[GIT_OID_HEXSZ + 1] - '0');
		if (stage < 4 && git_oid_fromstrn(&out[stage], id,
						  GIT_OID_HEXSZ) < 0)
			memset(&out[stage], 0, sizeof *out);
	}
	return 0;
}

/* Replace the index, whose lock we hold, by one with @blob for the file. */
static int replace_index(struct repo *r, const char *path, const git_oid *blob,
			 unsigned mode, struct err *e)
{
	AUTO(auto_free) char *work = mem_printf("%s.index", r->journal);
	AUTO(auto_free) char *lock = mem_printf("%s.lock", work);
	AUTO(auto_free) char *set = mem_printf("GIT_INDEX_FILE=%s", work);
	AUTO(auto_free) char *entry = NULL;
	AUTO(auto_free) char *why = NULL;
	const char *const env[] = { "LC_ALL=C", set, NULL };
	AUTO(child_done) struct child add = { .set = env };
	AUTO(child_done) struct child refresh = { .set = env };
	char id[REPO_ID_TEXT];
	struct stat st;
	int status;

	unlink(lock); /* of one of us that was killed: the index's is ours */
	if (copy_index(path, work, e) < 0)
		return -1;
	git_oid_tostr(id, sizeof id, blob);
	entry = mem_printf("%o,%s,%s", mode, id, r->path);
	status = repo_git(&add, r,
			  (const char *const[]){ "update-index", "--add",
						 "--cacheinfo", entry, NULL },
			  e);
	if (status < 0)
		return -1;
	why = child_words(&add);
	if (status)
		return err_set(e, ERR_SYSTEM, "cannot change git's index%s",
			       why);
	/* the times of the file, if it is that: git need not read it then */
	if (repo_git(&refresh, r,
		     (const char *const[]){ "--literal-pathspecs", "add",
					    "--refresh", "--", r->path, NULL },
		     e) < 0)
		return -1;
	/* as it was, for the repositories that a group shares */
	if (stat(path, &st) == 0)
		chmod(work, st.st_mode & 0777);
	if (rename(work, path) < 0)
		return err_sys(e, "cannot replace '%s'", path);
	return 0;
}

/* Make the lock file, which says that it is ours. */
static int take_index_lock(struct repo *r, const char *path, struct err *e)
{
	AUTO(auto_free) char *mark = journal_mark(r);
	int tries = LOCK_TRIES;
	int ret = 0;
	int fd;

	while ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			  0666)) < 0 && errno == EEXIST && tries-- > 0)
		repo_pause();
	if (fd < 0 && errno == EEXIST)
		return err_set(e, ERR_CONFLICT, "another git works in the "
			       "repository; if none runs, delete '%s'", path);
	if (fd < 0)
		return err_sys(e, "cannot make '%s'", path);
	if (write(fd, mark, strlen(mark)) != (ssize_t)strlen(mark))
		ret = err_sys(e, "cannot write '%s'", path);
	if (close(fd) < 0 && ret == 0)
		ret = err_sys(e, "cannot write '%s'", path);
	if (ret < 0)
		unlink(path);
	return ret;
}

int repo_refresh_index(struct repo *r, const git_oid *blob, struct err *e)
{
	AUTO(auto_free) char *index =
		mem_printf("%sindex", git_repository_path(r->git));
	AUTO(auto_free) char *lock = mem_printf("%s.lock", index);
	AUTO(auto_git_commit_free) git_commit *head = NULL;
	git_oid id;
	unsigned mode;
	int ret;

	if (repo_head_commit(&head, r, e) < 0 ||
	    repo_entry(&id, &mode, r, head, e) < 0 ||
	    take_index_lock(r, lock, e) < 0)
		return -1;
	ret = replace_index(r, index, blob, mode ? mode : GIT_FILEMODE_BLOB,
			    e);
	unlink(lock);
	return ret;
}
