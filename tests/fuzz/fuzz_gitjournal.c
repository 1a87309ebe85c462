/*
 * Any bytes as the journal of a commit, those behind a NUL as the lock that lies
 * on git's index: nothing, or a commit that is written again as it was read; and
 * a lock that somebody else wrote stays.
 */
#include "folder.h"
#include "state/git/internal.h"

#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct repo repo;
static char *lock;

static void begin(void)
{
	const char *folder = fuzz_begin();

	if (repo.git)
		return;
	git_libgit2_init();
	if (git_repository_init(&repo.git, folder, false) < 0)
		abort();
	repo.journal = mem_printf("%s/.git/wgmesh/0123456789abcdef", folder);
	lock = mem_printf("%s/.git/index.lock", folder);
}

static void write_again(const struct journal *j)
{
	AUTO(journal_done) struct journal again = { 0 };
	struct err e = { 0 };
	bool found;

	if (journal_write(&repo, j, &e) < 0 ||
	    journal_read(&again, &found, &repo, &e) < 0 || !found ||
	    strcmp(again.branch, j->branch) != 0 ||
	    again.pulled != j->pulled || !git_oid_equal(&again.blob, &j->blob) ||
	    !git_oid_equal(&again.commit, &j->commit) ||
	    !git_oid_equal(&again.parent, &j->parent))
		abort();
}

static void clear_lock(const struct journal *j, const char *text, size_t len)
{
	AUTO(auto_free) char *mark = journal_mark(&repo);
	char commit[REPO_ID_TEXT];
	struct stat st;
	bool ours;

	git_oid_tostr(commit, sizeof commit, &j->commit);
	ours = len == 0 || j->pulled || strcmp(text, mark) == 0 ||
	       strncmp(text, commit, strlen(commit)) == 0;
	fuzz_put(lock, text, len);
	journal_clear_locks(&repo, j);
	if (!ours && stat(lock, &st) < 0)
		abort();
	unlink(lock);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = strnlen((const char *)data, size);
	AUTO(auto_free) char *text = NULL;
	AUTO(journal_done) struct journal j = { 0 };
	struct err e = { 0 };
	bool found;

	begin();
	fuzz_begin();
	text = len < size ? mem_strndup((const char *)data + len + 1,
					size - len - 1)
			  : mem_strdup("");
	if (journal_write(&repo, &(struct journal){ .branch = text }, &e) < 0)
		abort();
	fuzz_put(repo.journal, data, len);
	if (journal_read(&j, &found, &repo, &e) < 0)
		abort();
	if (!found)
		return 0;
	clear_lock(&j, text, strlen(text));
	write_again(&j);
	if (journal_remove(&repo, &e) < 0)
		abort();
	return 0;
}
