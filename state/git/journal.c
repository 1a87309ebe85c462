/*
 * What a command was about to commit, and what it leaves when it is killed. A
 * text of six lines and no more: it is read back strictly, since what stands
 * there is given to a branch.
 */
#include "state/git/internal.h"

#include "base/atomic.h"
#include "base/path.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define JOURNAL_MAX 2048 /* bytes; a branch's name takes most */
/* A killed process took its locks within this time of its journal. */
#define WINDOW_S 60

void journal_done(struct journal *j)
{
	free(j->branch);
	memset(j, 0, sizeof *j);
}

int journal_write(struct repo *r, const struct journal *j, struct err *e)
{
	const struct atomic_how how = { .locked = true };
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	char blob[REPO_ID_TEXT], commit[REPO_ID_TEXT], parent[REPO_ID_TEXT];
	AUTO(auto_free) char *folder = path_folder(r->journal);

	git_oid_tostr(blob, sizeof blob, &j->blob);
	git_oid_tostr(commit, sizeof commit, &j->commit);
	git_oid_tostr(parent, sizeof parent, &j->parent);
	sbuf_printf(&text, "wgmesh 1\n%s\n%s\n%s\n%s\n%s\n", blob, commit,
		    parent, j->pulled ? "pull" : "commit", j->branch);
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "cannot make the folder '%s'", folder);
	return atomic_write(r->journal, text.s, text.len, &how, e);
}

/* False when it is not whole: then it is of no commit. */
static bool parse_journal(struct journal *out, char *text)
{
	char *line[6];

	for (size_t i = 0; i < 6; i++) {
		line[i] = strsep(&text, "\n");
		if (!text)
			return false;
	}
	if (strcmp(line[0], "wgmesh 1") != 0 || *text ||
	    git_oid_fromstr(&out->blob, line[1]) < 0 ||
	    git_oid_fromstr(&out->commit, line[2]) < 0 ||
	    git_oid_fromstr(&out->parent, line[3]) < 0)
		return false;
	out->pulled = strcmp(line[4], "pull") == 0;
	out->branch = mem_strdup(line[5]);
	return true;
}

/*
 * The first bytes of a small file; false when there is none. What is longer is
 * none of ours, so that it is neither read whole nor an error.
 */
static bool read_small(const char *path, char out[JOURNAL_MAX], struct stat *st)
{
	AUTO(auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
						     O_NONBLOCK);
	ssize_t n;

	if (fd < 0 || fstat(fd, st) < 0 || !S_ISREG(st->st_mode))
		return false;
	n = read(fd, out, JOURNAL_MAX - 1);
	out[n > 0 ? n : 0] = '\0';
	return n >= 0;
}

int journal_read(struct journal *out, bool *found, struct repo *r,
		 struct err *e)
{
	char text[JOURNAL_MAX];
	struct stat st;

	memset(out, 0, sizeof *out);
	*found = read_small(r->journal, text, &st);
	if (!*found && errno != ENOENT && errno != ENOTDIR)
		return err_sys(e, "cannot read '%s'", r->journal);
	if (*found)
		*found = parse_journal(out, text);
	return 0;
}

int journal_remove(struct repo *r, struct err *e)
{
	if (unlink(r->journal) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove '%s'", r->journal);
	return 0;
}

char *journal_mark(const struct repo *r)
{
	return mem_printf("wgmesh %s\n", path_name(r->journal));
}

/* The lock of git's index; of HEAD; of the branch. The caller frees. */
static char *lock_path(struct repo *r, size_t i)
{
	AUTO(auto_free) char *branch = repo_branch_ref(r);

	if (i < 2)
		return mem_printf("%s%s.lock", git_repository_path(r->git),
				  i ? "HEAD" : "index");
	return mem_printf("%s%s.lock", git_repository_commondir(r->git),
			  branch ? branch : "HEAD");
}

/*
 * Was the lock made by who wrote @j? Whoever holds the lock of the state file
 * knows that that process is gone.
 */
static bool lock_is_ours(struct repo *r, const struct journal *j,
			 const char *path)
{
	AUTO(auto_free) char *mark = journal_mark(r);
	char text[JOURNAL_MAX];
	char commit[REPO_ID_TEXT];
	struct stat lock, journal;

	if (!read_small(path, text, &lock) || stat(r->journal, &journal) < 0)
		return false;
	git_oid_tostr(commit, sizeof commit, &j->commit);
	if (strcmp(text, mark) == 0 ||
	    strncmp(text, commit, strlen(commit)) == 0)
		return true;
	/* libgit2's locks say nothing yet, and a checkout writes the index */
	return (lock.st_size == 0 || j->pulled) &&
	       lock.st_mtime >= journal.st_mtime &&
	       lock.st_mtime - journal.st_mtime <= WINDOW_S;
}

void journal_clear_locks(struct repo *r, const struct journal *j)
{
	for (size_t i = 0; i < 3; i++) {
		AUTO(auto_free) char *path = lock_path(r, i);

		if (lock_is_ours(r, j, path))
			unlink(path);
	}
}

void repo_pause(void)
{
	const struct timespec pause = { 0, 20 * 1000000L };

	nanosleep(&pause, NULL);
}

int repo_wait_locks(struct repo *r, struct err *e)
{
	for (size_t i = 0; i < 3; i++) {
		AUTO(auto_free) char *path = lock_path(r, i);
		int tries = LOCK_TRIES;

		while (access(path, F_OK) == 0)
			if (tries-- > 0)
				repo_pause();
			else {
				err_set(e, ERR_CONFLICT, "another git works in "
					"the repository; if none runs, delete "
					"'%s'", path);
				return err_advise(e, ADVICE_NO_COMMIT, NULL);
			}
	}
	return 0;
}
