/*
 * state/git/repo.h: what is committed and what is not, and the odd states that a
 * repository can be in. Stock git says what came of it.
 */
#include "tests/unit/git_scene.h"

#include <sys/wait.h>

static int begin(void **state)
{
	need("git");
	return scene_begin(state);
}

static void test_first_commit(void **state)
{
	(void)state;
	shell("git init -q && printf '{}\\n' >" STATE);
	change(STATE, "{\"a\": 1}\n", "add a\n\nWgmesh-Serial: 1\n");
	change(STATE, "{\"a\": 2}\n", "set a\n");
	assert_clean();
	assert_shell("set a|Ann Admin <ann@example.org>|Ann Admin\n"
		     "add a|Ann Admin <ann@example.org>|Ann Admin\n",
		     "git log --format='%%s|%%an <%%ae>|%%cn' main");
	assert_shell("{\"a\": 2}\n", "git show main:" STATE);
	assert_shell("{\"a\": 1}\n", "git show main~:" STATE);
	assert_shell("1\n", "git log -1 --format='%%(trailers:key=Wgmesh-Serial"
		     ",valueonly,separator=)' main~");
	assert_shell("commit: set a\n", "git reflog -1 --format=%%gs");
	assert_shell("100644\n", "git ls-tree main | cut -d' ' -f1");
	assert_shell("", "ls .git/wgmesh");
}

/* Neither committed nor lost: staged, half staged, new, removed files. */
static void test_others_stay(void **state)
{
	static const char status[] = "M  half\nMM other\nD  sub/gone\n"
				     "A  sub/new\n?? loose\n";

	(void)state;
	shell("git init -q; mkdir sub; echo 1 >other; echo gone >sub/gone;"
	      "echo 1 >half; echo '{}' >sub/" STATE "; git add other half sub;"
	      "git commit -qm one; echo 2 >half; echo 2 >other;"
	      "git add half other; echo 3 >other; git rm -q sub/gone;"
	      "echo 1 >sub/new; git add sub/new; echo 1 >loose");
	assert_shell(status, "git status --porcelain");
	change("sub/" STATE, "{\"a\": 1}\n", "add a\n");
	assert_shell(status, "git status --porcelain");
	assert_shell("sub/" STATE "\n", "git show --format= --name-only");
	assert_shell("3\n", "cat other");
	assert_shell("2\n", "git show :other");
	shell("git commit -qm two");
	assert_shell("2\n", "git show HEAD:other");
	assert_shell("{\"a\": 1}\n", "git show HEAD:sub/" STATE);
	assert_shell("", "git fsck --strict --no-dangling");
}

/* git does not look at the content again, and finds what it expects. */
static void test_index_is_fresh(void **state)
{
	(void)state;
	shell("git init -q");
	change(STATE, "{}\n", "one\n");
	assert_shell("", "git diff-files --name-only");
	assert_shell("", "git diff-index --cached HEAD");
	shell("git update-index --index-version 4; touch x; git add x");
	change(STATE, "{\"a\": 1}\n", "two\n");
	assert_shell("", "git diff-files --name-only");
	assert_shell("A  x\n", "git status --porcelain -uno");
}

/* A record that changes no file. */
static void test_record(void **state)
{
	AUTO(auto_repo_close) struct repo *r = NULL;
	struct err e = { 0 };

	(void)state;
	shell("git init -q");
	change(STATE, "{}\n", "one\n");
	r = open_repo(STATE);
	assert_int_equal(repo_ready(r, &e), 0);
	assert_int_equal(repo_begin(r, NULL, 0, "deploy\n", &e), 0);
	assert_int_equal(repo_finish(r, &e), 0);
	assert_shell("", "git diff-tree -r HEAD~ HEAD");
	assert_shell("deploy\n", "git log -1 --format=%%s");
	assert_clean();
}

static void test_outside_edits(void **state)
{
	(void)state;
	shell("git init -q");
	change(STATE, "{}\n", "one\n");
	shell("echo '{\"mine\": 1}' >" STATE);
	assert_refused(STATE, ERR_CONFLICT, "changes that are not committed");
	shell("git add " STATE);
	assert_refused(STATE, ERR_CONFLICT, "changes that are not committed");
	shell("git show HEAD:" STATE " >" STATE);
	assert_refused(STATE, ERR_CONFLICT, "staged");
	shell("git reset -q; git rm -q --cached " STATE);
	assert_refused(STATE, ERR_CONFLICT, "staged");
	shell("git reset -q; rm " STATE);
	assert_refused("./" STATE, ERR_CONFLICT, "was removed");
	shell("git restore " STATE);
	change(STATE, "{\"a\": 1}\n", "two\n");
	assert_clean();
}

static void test_under_way(void **state)
{
	(void)state;
	shell("git init -q; echo 1 >f; git add f; git commit -qm one");
	change(STATE, "{}\n", "state\n");
	shell("git checkout -q -b side; echo 2 >f; git commit -qam side;"
	      "git checkout -q main; echo 3 >f; git commit -qam main");
	shell("! git merge -q side");
	assert_refused(STATE, ERR_CONFLICT, "a merge is under way");
	shell("git merge --abort; ! git cherry-pick side");
	assert_refused(STATE, ERR_CONFLICT, "a cherry-pick is under way");
	shell("git cherry-pick --abort; ! git rebase -q side");
	assert_refused(STATE, ERR_CONFLICT, "a rebase is under way");
	shell("git rebase --abort; git checkout -q HEAD~0");
	assert_refused(STATE, ERR_CONFLICT, "HEAD is detached");
	shell("git checkout -q main");
	change(STATE, "{\"a\": 1}\n", "two\n");
	assert_shell("", "git fsck --strict --no-dangling");
}

static void test_identity(void **state)
{
	(void)state;
	shell("git init -q; git config --global --unset user.email;"
	      "git config --global user.useConfigOnly true");
	assert_refused(STATE, ERR_INPUT, "user.email");
	shell("git config --global --unset user.name");
	assert_refused(STATE, ERR_INPUT, "user.name");
	setenv("GIT_AUTHOR_NAME", "Env", 1);
	setenv("GIT_AUTHOR_EMAIL", "env@x", 1);
	setenv("GIT_COMMITTER_NAME", "Pipe", 1);
	setenv("GIT_COMMITTER_EMAIL", "pipe@x", 1);
	change(STATE, "{}\n", "one\n");
	assert_shell("Env env@x Pipe pipe@x\n",
		     "git log --format='%%an %%ae %%cn %%ce'");
}

/* Whatever tells git who commits tells us. */
static void test_identity_of_git(void **state)
{
	static const struct {
		const char *config, *name, *mail;
	} cases[] = {
		{ "git config --global includeIf."
		  "'hasconfig:remote.*.url:git@example.org:*/**'.path "
		  "$HOME/mine", "Ann Admin", "work@example.org" },
		{ "git config --global includeIf.gitdir:~/.path $HOME/mine",
		  "Ann Admin", "work@example.org" },
		{ "git config --global includeIf.onbranch:main.path "
		  "$HOME/mine", "Ann Admin", "work@example.org" },
		{ "git config include.path $HOME/mine", "Ann Admin",
		  "work@example.org" },
		{ "git config author.email role@example.org; git config "
		  "committer.email role@example.org", "Ann Admin",
		  "role@example.org" },
		{ "git config user.name '  Ben <b> \"B\"., '; git config "
		  "user.email ' <ben@x>'", "Ben b \"B", "ben@x" },
	};

	(void)state;
	shell("printf '[user]\nemail = work@example.org\n' >~/mine;"
	      "cp ~/.gitconfig ~/before");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(auto_free) char *want = mem_printf(
			"%s %s %s %s\n", cases[i].name, cases[i].mail,
			cases[i].name, cases[i].mail);

		shell("rm -rf .git " STATE "; cp ~/before ~/.gitconfig;"
		      "git init -q; git remote add origin "
		      "git@example.org:x/y.git; %s", cases[i].config);
		change(STATE, "{}\n", "one\n");
		assert_shell(want, "git log --format='%%an %%ae %%cn %%ce'");
	}
	shell("cp ~/before ~/.gitconfig; rm -rf .git " STATE "; git init -q;"
	      "git config --global --unset user.email");
	setenv("EMAIL", "env@example.org", 1);
	change(STATE, "{}\n", "one\n");
	unsetenv("EMAIL");
	assert_shell("env@example.org\n", "git log --format=%%ae");
}

/* Without the program nothing can be asked, and it is said which. */
static void test_no_git(void **state)
{
	AUTO(auto_free) char *path = mem_strdup(getenv("PATH"));
	struct err e = { 0 };

	(void)state;
	shell("git init -q");
	change(STATE, "{}\n", "one\n");
	setenv("PATH", "/none", 1);
	assert_int_equal(try_change(STATE, "{\"a\": 1}\n", "two\n", &e), -1);
	setenv("PATH", path, 1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_non_null(strstr(e.msg, "cannot run 'git'"));
	assert_int_equal(e.advice, ADVICE_NO_COMMIT);
}

static void assert_no_repo(const char *file)
{
	struct repo *r = (struct repo *)file;
	struct err e = { 0 };

	assert_int_equal(repo_open(&r, file, &e), 0);
	assert_null(r);
}

static void test_not_held(void **state)
{
	struct repo *r;
	struct err e = { 0 };

	(void)state;
	assert_no_repo(STATE);
	shell("git init -q; echo '*.json' >.gitignore; echo '{}' >" STATE);
	assert_no_repo(STATE);
	assert_no_repo(".git/" STATE);
	shell("git add -f " STATE "; git commit -qm one");
	change(STATE, "{\"a\": 1}\n", "tracked all the same\n");
	shell("git init -q --bare bare.git");
	assert_int_equal(repo_open(&r, "bare.git/" STATE, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_non_null(strstr(e.msg, "bare"));
	assert_int_equal(e.advice, ADVICE_NO_COMMIT);
}

/* Ignored or not is what git says, whatever the name. */
static void test_ignored(void **state)
{
	static const struct {
		const char *file, *rules;
		bool ignored;
	} cases[] = {
		{ STATE, "echo '*' >.gitignore", true },
		{ STATE, "printf '*\n!" STATE "\n' >.gitignore", false },
		{ STATE, "echo mesh-state.json >.git/info/exclude", true },
		{ STATE, "echo '*.json' >~/out; git config "
			 "core.excludesFile ~/out", true },
		{ STATE, "printf '[core]\nexcludesFile = ~/out\n' >~/more;"
			 "git remote add origin git@hub:x; git config "
			 "includeIf.'hasconfig:remote.*.url:git@hub:*'.path "
			 "~/more", true },
		{ ":(top)[x].json", "echo '*.jsox' >.gitignore", false },
		{ ":(top)[x].json", "echo '\\[x\\].json' >.gitignore;"
				    "echo ':(top)*' >>.gitignore", true },
		{ "sub/" STATE, "echo '/sub/' >.gitignore", true },
		{ "sub/" STATE, "echo '/" STATE "' >.gitignore", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct repo *r = NULL;
		struct err e = { 0 };

		shell("rm -rf .git .gitignore; git init -q; mkdir -p sub; %s",
		      cases[i].rules);
		if (repo_open(&r, cases[i].file, &e) < 0)
			fail_msg("%s", e.msg);
		if (!r != cases[i].ignored)
			fail_msg("case %zu", i);
		repo_close(r);
	}
}

/* Indexes that git writes where a work tree is large; libgit2 reads none. */
static void test_strange_indexes(void **state)
{
	static const char *const kinds[] = {
		"git config core.splitIndex true; git update-index "
		"--split-index",
		"git sparse-checkout set --cone --sparse-index sub",
		"git sparse-checkout set --no-cone /sub /" STATE,
		"git update-index --index-version 4",
		"git config core.untrackedCache true; git update-index "
		"--untracked-cache",
		"git config feature.manyFiles true; git update-index "
		"--index-version 4; git status",
		"git config index.skipHash true; git status",
	};

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		shell("rm -rf .git *; git init -q; mkdir big sub;"
		      "echo 1 >big/f; echo 2 >sub/f; git add .;"
		      "git commit -qm files");
		change(STATE, "{}\n", "one\n");
		shell("%s >/dev/null", kinds[i]);
		change(STATE, "{\"a\": 1}\n", "two\n");
		shell("echo 3 >sub/f; echo x >sub/mine; git add sub/mine");
		change(STATE, "{\"a\": 2}\n", "three\n");
		assert_shell(" M sub/f\nA  sub/mine\n",
			     "git status --porcelain");
		assert_shell("three\ntwo\none\nfiles\n",
			     "git log --format=%%s");
		/* a sparse index names trees that git has yet to write */
		assert_shell("", "git write-tree >/dev/null; git fsck --strict "
			     "--no-dangling --no-progress; git diff-files "
			     STATE);
		shell("echo edited >" STATE);
		assert_refused(STATE, ERR_CONFLICT, "not committed");
		shell("git add " STATE "; git show HEAD:" STATE " >" STATE);
		assert_refused(STATE, ERR_CONFLICT, "staged");
	}
}

/* As git does: another user's repository is left alone. */
static void test_owner(void **state)
{
	struct repo *r = NULL;
	struct err e = { 0 };

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: needs root to give files away\n");
		skip();
	}
	shell("git init -q r; chown -R 12345 r");
	shell("git config --global --unset safe.directory");
	assert_int_equal(repo_open(&r, "r/" STATE, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_non_null(strstr(e.msg, "safe.directory"));
	assert_int_equal(e.advice, ADVICE_NO_COMMIT);
	shell("git config --global safe.directory %s/work/r", scene_folder);
	r = open_repo("r/" STATE);
	repo_close(r);
	shell("git config --global safe.directory '*'");
	r = open_repo("r/" STATE);
	repo_close(r);
	shell("git config --global --add safe.directory ''");
	assert_int_equal(repo_open(&r, "r/" STATE, &e), -1);
}

/* Root writes anywhere, so a process of another user has to try. */
static void test_read_only(void **state)
{
	struct err e = { 0 };
	int status;
	pid_t pid;

	(void)state;
	shell("git init -q; chmod 755 .. .; chmod -R a-w .git");
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && setresuid(12345, 12345, 12345) < 0)
			_exit(2);
		_exit(try_change(STATE, "{}\n", "one\n", &e) == -1 &&
				      e.code == ERR_SYSTEM &&
				      strstr(e.msg, "cannot be written") &&
				      e.advice == ADVICE_NO_COMMIT
			      ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_shell("", "ls " STATE " 2>/dev/null || :");
}

static void test_worktree(void **state)
{
	(void)state;
	shell("git init -q one; cd one; echo '{}' >" STATE "; git add .;"
	      "git commit -qm one; git worktree add -q ../two -b side");
	change("two/" STATE, "{\"a\": 1}\n", "in two\n");
	assert_shell("in two\n", "git -C one log -1 --format=%%s side");
	assert_shell("one\n", "git -C one log -1 --format=%%s main");
	assert_shell("", "git -C two status --porcelain");
	assert_shell("", "git -C one status --porcelain");
	shell("cd two; touch .git.lock; rm .git.lock");
	assert_shell("", "git -C one fsck --strict --no-dangling");
}

static void test_locks(void **state)
{
	(void)state;
	shell("git init -q");
	change(STATE, "{}\n", "one\n");
	shell("touch .git/index.lock");
	assert_refused(STATE, ERR_CONFLICT, "index.lock");
	shell("rm .git/index.lock; touch .git/refs/heads/main.lock");
	assert_refused(STATE, ERR_CONFLICT, "main.lock");
	shell("rm .git/refs/heads/main.lock");
	/* a git that ends soon is waited for */
	shell("touch .git/index.lock; (sleep 0.3; rm .git/index.lock) "
	      ">/dev/null 2>&1 &");
	change(STATE, "{\"a\": 1}\n", "two\n");
	assert_clean();
}

static void test_filters(void **state)
{
	(void)state;
	shell("git init -q; echo '*.json filter=secret' >.gitattributes;"
	      "git config filter.secret.clean 'tr a b'");
	assert_refused(STATE, ERR_INPUT, "filter 'secret'");
	shell("echo '*.json text eol=lf' >.gitattributes");
	change(STATE, "{\"a\":\r\n1}\n", "one\n");
	assert_shell("{\"a\":\n1}\n", "git show HEAD:" STATE);
	change(STATE, "{\"a\": 2}\n", "two\n");
	assert_shell("", "git status --porcelain -uno");
}

/* Somebody commits between our begin and our finish. */
static void test_moved_branch(void **state)
{
	AUTO(auto_repo_close) struct repo *r = NULL;
	struct err e = { 0 };

	(void)state;
	shell("git init -q");
	change(STATE, "{}\n", "one\n");
	r = open_repo(STATE);
	assert_int_equal(repo_ready(r, &e), 0);
	assert_int_equal(repo_begin(r, "{\"b\": 1}\n", 9, "ours\n", &e), 0);
	shell("echo 1 >f; git add f; git commit -qm theirs");
	put_file(STATE, "{\"b\": 1}\n");
	assert_int_equal(repo_finish(r, &e), 0);
	assert_shell("ours\ntheirs\none\n", "git log --format=%%s");
	assert_clean();
	assert_int_equal(repo_begin(r, "{\"b\": 2}\n", 9, "ours\n", &e), 0);
	shell("echo '{\"c\": 3}' >" STATE "; git commit -qam theirs");
	put_file(STATE, "{\"b\": 2}\n");
	assert_int_equal(repo_finish(r, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_shell("theirs\n", "git log -1 --format=%%s");
	assert_shell("{\"b\": 2}\n", "cat " STATE);
}

static void test_init(void **state)
{
	struct err e = { 0 };

	(void)state;
	shell("mkdir r");
	assert_int_equal(repo_init("r", &e), 0);
	assert_int_equal(repo_init("r", &e), 0);
	change("r/" STATE, "{}\n", "one\n");
	assert_shell("one\n", "git -C r log --format=%%s main");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, scene_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_first_commit), CASE(test_others_stay),
		CASE(test_index_is_fresh), CASE(test_record),
		CASE(test_outside_edits), CASE(test_under_way),
		CASE(test_identity), CASE(test_identity_of_git),
		CASE(test_no_git), CASE(test_ignored),
		CASE(test_strange_indexes), CASE(test_not_held),
		CASE(test_owner), CASE(test_read_only), CASE(test_worktree),
		CASE(test_locks), CASE(test_filters), CASE(test_moved_branch),
		CASE(test_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
