/*
 * state/git/repo.h: commands that were killed between two steps, and what the next
 * one makes of what they left.
 */
#include "tests/unit/git_scene.h"

#include <sys/wait.h>

#define NEW "{\"new\": 1}\n"

static int begin(void **state)
{
	need("git");
	if (scene_begin(state) < 0)
		return -1;
	shell("git init -q");
	change(STATE, "{}\n", "one\n");
	return 0;
}

/* A command that is killed after it began, and after @replaced the file. */
static void killed(bool replaced)
{
	struct err e = { 0 };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct repo *r = open_repo(STATE);

		if (repo_ready(r, &e) < 0 ||
		    repo_begin(r, NEW, strlen(NEW), "killed\n", &e) < 0)
			_exit(1);
		if (replaced)
			put_file(STATE, NEW);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_shell("1\n", "ls .git/wgmesh | wc -l");
}

/* repo_ready(), whose note has @words (NULL: it has none). */
static void assert_ready(const char *words)
{
	AUTO(auto_repo_close) struct repo *r = open_repo(STATE);
	AUTO(auto_free) char *text = NULL;
	struct err e = { 0 };

	if (repo_ready(r, &e) < 0)
		fail_msg("%s", e.msg);
	text = repo_note(r);
	if (!words)
		assert_null(text);
	else if (!text || !strstr(text, words))
		fail_msg("note: %s", text ? text : "none");
	assert_shell("", "ls .git/wgmesh");
}

static void test_before_the_file(void **state)
{
	(void)state;
	killed(false);
	assert_ready(NULL);
	assert_shell("one\n", "git log --format=%%s");
	assert_clean();
}

static void test_after_the_file(void **state)
{
	(void)state;
	killed(true);
	assert_ready("interrupted ('killed')");
	assert_shell("killed\none\n", "git log --format=%%s");
	assert_shell(NEW, "git show HEAD:" STATE);
	assert_clean();
	change(STATE, "{\"next\": 1}\n", "next\n");
	assert_clean();
}

/* Another commit came in between, and the user's edit on top of ours. */
static void test_then_others(void **state)
{
	(void)state;
	killed(true);
	shell("echo 1 >f; git add f; git commit -qm theirs");
	assert_ready("interrupted");
	assert_shell("killed\ntheirs\none\n", "git log --format=%%s");
	assert_clean();
}

static void test_then_edited(void **state)
{
	(void)state;
	killed(true);
	shell("echo '{\"mine\": 1}' >" STATE);
	assert_refused(STATE, ERR_CONFLICT, "not committed");
	assert_shell("{\"mine\": 1}\n", "cat " STATE);
}

static void test_then_another_branch(void **state)
{
	(void)state;
	killed(true);
	shell("git switch -qc side");
	assert_refused(STATE, ERR_CONFLICT, "not committed");
	assert_shell(NEW, "cat " STATE);
	assert_shell("one\n", "git log --format=%%s main");
}

/* What it had locked is free again, what others lock is not. */
static void test_locks_left(void **state)
{
	(void)state;
	killed(true);
	shell("printf 'wgmesh %%s\\n' $(ls .git/wgmesh) >.git/index.lock;"
	      ": >.git/refs/heads/main.lock");
	assert_ready("interrupted");
	assert_clean();
	shell("echo '{}' >" STATE "; git commit -qam back");
	killed(true);
	shell("echo DIRC >.git/index.lock");
	assert_refused(STATE, ERR_CONFLICT, "index.lock");
	shell("rm .git/index.lock; : >.git/refs/heads/main.lock;"
	      "touch -d '1 hour ago' .git/wgmesh/*");
	assert_refused(STATE, ERR_CONFLICT, "main.lock");
}

/* The commit is made, the index could not be written. */
static void test_index_later(void **state)
{
	AUTO(auto_repo_close) struct repo *r = open_repo(STATE);
	AUTO(auto_free) char *text = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(repo_ready(r, &e), 0);
	assert_int_equal(repo_begin(r, NEW, strlen(NEW), "two\n", &e), 0);
	put_file(STATE, NEW);
	shell("touch .git/index.lock");
	assert_int_equal(repo_finish(r, &e), 0);
	text = repo_note(r);
	assert_non_null(strstr(text, "index"));
	shell("rm .git/index.lock");
	assert_shell("two\none\n", "git log --format=%%s");
	assert_ready(NULL);
	assert_clean();
}

static void test_abort(void **state)
{
	struct repo *r = open_repo(STATE);
	struct err e = { 0 };

	(void)state;
	assert_int_equal(repo_ready(r, &e), 0);
	assert_int_equal(repo_begin(r, NEW, strlen(NEW), "two\n", &e), 0);
	repo_close(r);
	assert_shell("", "ls .git/wgmesh");
	assert_clean();
}

static void test_broken_journal(void **state)
{
	(void)state;
	shell("true >.git/wgmesh/$(printf " STATE " | sha256sum | cut -c-64)");
	assert_ready(NULL);
	shell("head -c 5000 /dev/zero >.git/wgmesh/$(printf " STATE
	      " | sha256sum | cut -c-64)");
	assert_ready(NULL);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, scene_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_before_the_file), CASE(test_after_the_file),
		CASE(test_then_others), CASE(test_then_edited),
		CASE(test_then_another_branch), CASE(test_locks_left),
		CASE(test_index_later), CASE(test_abort),
		CASE(test_broken_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
