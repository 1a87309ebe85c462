/*
 * One entry of git's index. libgit2 takes the lock of the index only to write
 * it, so that what another git stages in between would be lost; hence the lock
 * is ours, and libgit2 works on a copy.
 */
#include "state/git/internal.h"

#include "base/atomic.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/*
 * The entry as git would write it after a checkout (gitformat-index(5)): with
 * the times and numbers of stat(2), cut to 32 bits, git need not read the file.
 */
static void fill_entry(git_index_entry *entry, struct repo *r,
		       const git_oid *blob, unsigned mode)
{
	git_oid now;
	bool exists = false;
	struct stat st;
	struct err ignored;

	memset(entry, 0, sizeof *entry);
	git_oid_cpy(&entry->id, blob);
	entry->mode = mode;
	entry->path = r->path;
	if (repo_file_blob(&now, &exists, r, &ignored) < 0 || !exists ||
	    !git_oid_equal(&now, blob) || stat(r->file, &st) < 0)
		return; /* git looks at the content then */
	entry->ctime.seconds = (int32_t)st.st_ctim.tv_sec;
	entry->ctime.nanoseconds = (uint32_t)st.st_ctim.tv_nsec;
	entry->mtime.seconds = (int32_t)st.st_mtim.tv_sec;
	entry->mtime.nanoseconds = (uint32_t)st.st_mtim.tv_nsec;
	entry->dev = (uint32_t)st.st_dev;
	entry->ino = (uint32_t)st.st_ino;
	entry->uid = st.st_uid;
	entry->gid = st.st_gid;
	entry->file_size = (uint32_t)st.st_size;
}

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

/* Replace the index, whose lock we hold, by one with @entry for its path. */
static int replace_index(struct repo *r, const char *path,
			 const git_index_entry *entry, struct err *e)
{
	AUTO(auto_free) char *work = mem_printf("%s.index", r->journal);
	AUTO(auto_free) char *lock = mem_printf("%s.lock", work);
	AUTO(auto_git_index_free) git_index *index = NULL;
	struct stat st;
	int rc;

	unlink(lock); /* of one of us that was killed: the index's is ours */
	if (copy_index(path, work, e) < 0)
		return -1;
	rc = git_index_open(&index, work);
	if (rc == 0)
		rc = git_index_add(index, entry); /* and no conflict of it */
	if (rc == 0)
		rc = git_index_write(index);
	if (rc < 0)
		return repo_fail(e, rc, "cannot change git's index");
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
	git_index_entry entry;
	git_oid id;
	unsigned mode;
	int ret;

	if (repo_head_commit(&head, r, e) < 0 ||
	    repo_entry(&id, &mode, r, head, e) < 0 ||
	    take_index_lock(r, lock, e) < 0)
		return -1;
	fill_entry(&entry, r, blob, mode ? mode : GIT_FILEMODE_BLOB);
	ret = replace_index(r, index, &entry, e);
	unlink(lock);
	return ret;
}
