/*
 * Any bytes as a commit that the branch has, whoever made it: its history cannot
 * be read, or the records in it are of one line each.
 */
#include "folder.h"
#include "state/git/internal.h"

#include <git2/sys/mempack.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MESH "00112233445566778899aabbccddeeff"
#define TREE "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

static char *file, *head;
static char commit[REPO_ID_TEXT]; /* that the branch has */
static git_odb_backend *memory; /* what a run adds stays out of the disk */
static struct repo *repo;
static git_odb *odb;

static void begin(void)
{
	const char *folder = fuzz_begin();
	git_treebuilder *none = NULL;
	struct err e;
	git_oid id;

	if (repo)
		return;
	file = mem_printf("%s/mesh-state.json", folder);
	head = mem_printf("%s/.git/refs/heads/main", folder);
	setenv("HOME", folder, 1);
	if (repo_init(folder, &e) < 0 || repo_open(&repo, file, &e) < 0 ||
	    git_repository_set_head(repo->git, "refs/heads/main") < 0 ||
	    git_treebuilder_new(&none, repo->git, NULL) < 0 ||
	    git_treebuilder_write(&id, none) < 0 ||
	    git_repository_odb(&odb, repo->git) < 0 ||
	    git_mempack_new(&memory) < 0 ||
	    git_odb_add_backend(odb, memory, 999) < 0)
		abort();
	git_treebuilder_free(none);
}

static void check(const struct revisions *all)
{
	for (size_t i = 0; i < all->len; i++) {
		const struct revision *v = &all->items[i];

		if (strpbrk(v->subject, "\n") || strlen(v->id) != 40)
			abort();
		for (size_t t = 0; t < v->trailers.len; t++)
			if (strpbrk(v->trailers.items[t].value, "\r\n"))
				abort();
	}
}

/* Its history, as 'history', deploys and 'pull' ask for it. */
static void read_history(void)
{
	AUTO(revisions_done) struct revisions all = { 0 }, ours = { 0 };
	AUTO(revision_done) struct revision v = { 0 };
	AUTO(sbuf_done) struct sbuf bytes = SBUF_INIT;
	struct err e = { 0 };

	if (repo_log(repo, NULL, 0, &all, &e) == 0)
		check(&all);
	if (repo_log(repo, MESH, 1, &ours, &e) == 0)
		check(&ours);
	if (ours.len > 1 || ours.len > all.len)
		abort();
	/* not by "HEAD": libgit2 1.5 loses memory when that is no commit */
	repo_read(repo, commit, &bytes, &v, &e);
}

static void put_commit(const void *data, size_t size)
{
	git_oid id;

	if (git_odb_write(&id, odb, data, size, GIT_OBJECT_COMMIT) < 0)
		abort();
	git_oid_tostr(commit, sizeof commit, &id);
	fuzz_put(head, commit, strlen(commit));
}

/* A record of a deploy: one parent, the same tree, the bytes as message. */
static void put_record(const void *data, size_t size)
{
	static const char who[] = "author a <a@b> 1 +0000\n"
				  "committer a <a@b> 1 +0000\n\n";
	AUTO(sbuf_done) struct sbuf b = SBUF_INIT;
	char parent[REPO_ID_TEXT];
	git_oid id;

	sbuf_printf(&b, "tree " TREE "\n%s", who);
	if (git_odb_write(&id, odb, b.s, b.len, GIT_OBJECT_COMMIT) < 0)
		abort();
	git_oid_tostr(parent, sizeof parent, &id);
	sbuf_clear(&b);
	sbuf_printf(&b, "tree " TREE "\nparent %s\n%s", parent, who);
	sbuf_add(&b, data, size);
	put_commit(b.s, b.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	begin();
	put_commit(data, size);
	read_history();
	put_record(data, size);
	read_history();
	git_mempack_reset(memory);
	return 0;
}
