/*
 * state/git/remote.h: pull, push and the deploy lock, against a bare repository
 * as it is, and behind an ssh that is a script here.
 */
#include "tests/unit/git_scene.h"

#include "state/git/git.h"

#include <signal.h>
#include <sys/wait.h>

/* libgit2 1.5 forgets to free after each regular expression without a match. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpcre2\n";
}

#define MESH "0123456789abcdef0123456789abcdef"
/* SHA-256 of "wgmesh lock " and that, cut */
#define LOCK_NAME "d64eaaf21ce73d95dc0d55352d540260"
#define RACERS 6

/* Two clones of a bare repository, a/ and b/, with a state. */
static int begin(void **state)
{
	need("git");
	if (scene_begin(state) < 0)
		return -1;
	signal(SIGPIPE, SIG_IGN);
	shell("git init -q --bare hub.git; git clone -q hub.git a 2>/dev/null;"
	      "cd a; echo 1 >f; git add f; git commit -qm root;"
	      "git push -q origin main");
	change("a/" STATE, "{}\n", "one\n");
	shell("git -C a push -q; git clone -q hub.git b");
	return 0;
}

/* A merge that any reader can check. */
static int merge_words(struct sbuf *out, const struct sbuf *base,
		       const struct sbuf *ours, const struct sbuf *theirs,
		       void *arg, struct err *e)
{
	(void)arg;
	if (strstr(ours->s, "clash") && strstr(theirs->s, "clash"))
		return err_set(e, ERR_CONFLICT, "both say clash");
	sbuf_printf(out, "%.*s|%.*s|%.*s\n", (int)base->len - 1, base->s,
		    (int)ours->len - 1, ours->s, (int)theirs->len - 1,
		    theirs->s);
	return 0;
}

static int need_none(const struct sbuf *ours, void *arg, struct err *e)
{
	(void)ours;
	(void)arg;
	(void)e;
	return 0;
}

static int refuse_evil(const struct sbuf *ours, const struct sbuf *comes,
		       void *arg, struct err *e)
{
	(void)ours;
	(void)arg;
	if (strstr(comes->s, "evil"))
		return err_set(e, ERR_CONFLICT, "nobody wants that");
	return 0;
}

static const struct repo_merge how = {
	.is_signed = need_none, .content = merge_words, .review = refuse_evil,
	.message = "merged\n",
};

static int try_pull(const char *file, enum repo_pulled *out, struct err *e)
{
	AUTO(auto_repo_close) struct repo *r = open_repo(file);

	return repo_pull(r, &how, out, e);
}

static void pull(const char *file, enum repo_pulled want)
{
	enum repo_pulled got = REPO_SAME;
	struct err e = { 0 };

	if (try_pull(file, &got, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(got, want);
}

static void assert_pull_refused(const char *file, enum err_code code,
				const char *words)
{
	AUTO(auto_free) char *before = mem_strdup(
		shell("cd $(dirname %s); git rev-parse HEAD; git status "
		      "--porcelain; cat " STATE, file));
	enum repo_pulled got;
	struct err e = { 0 };

	assert_int_equal(try_pull(file, &got, &e), -1);
	if (e.code != code || !strstr(e.msg, words))
		fail_msg("expected %d '%s', got %d '%s'", code, words, e.code,
			 e.msg);
	assert_shell(before, "cd $(dirname %s); git rev-parse HEAD; git status"
		     " --porcelain; cat " STATE, file);
}

static int try_push(const char *file, struct err *e)
{
	AUTO(auto_repo_close) struct repo *r = open_repo(file);

	return repo_push(r, e);
}

static void push(const char *file)
{
	struct err e = { 0 };

	if (try_push(file, &e) < 0)
		fail_msg("%s", e.msg);
}

static void assert_sound(const char *folder)
{
	assert_shell("", "cd %s; git status --porcelain; git fsck --strict "
		     "--no-dangling --no-progress", folder);
}

static void test_forward(void **state)
{
	AUTO(auto_repo_close) struct repo *r = NULL;
	struct err e = { 0 };
	size_t behind;

	(void)state;
	pull("b/" STATE, REPO_SAME);
	shell("cd a; echo 2 >f; mkdir d; echo 1 >d/new; git add .;"
	      "git commit -qm files");
	change("a/" STATE, "{\"a\": 1}\n", "two\n");
	push("a/" STATE);
	assert_shell("two\n", "git -C hub.git log -1 --format=%%s");
	assert_shell("", "cd a; git rev-list origin/main..main");
	r = open_repo("b/" STATE);
	assert_int_equal(repo_behind(r, &behind, &e), 0);
	assert_int_equal(behind, 2);
	pull("b/" STATE, REPO_FORWARDED);
	assert_shell("{\"a\": 1}\n", "cat b/" STATE);
	assert_shell("2\n1\n", "cat b/f b/d/new");
	assert_shell("600\n", "stat -c %%a b/" STATE);
	assert_sound("b");
	/* in a hook of another repository */
	setenv("GIT_OBJECT_DIRECTORY", "/none", 1);
	push("b/" STATE);
	pull("b/" STATE, REPO_SAME);
	unsetenv("GIT_OBJECT_DIRECTORY");
}

static void test_merge(void **state)
{
	struct err e = { 0 };

	(void)state;
	change("a/" STATE, "{\"a\": 1}\n", "in a\n");
	push("a/" STATE);
	change("b/" STATE, "{\"b\": 1}\n", "in b\n");
	shell("cd b; echo 2 >g; git add g; git commit -qm g;"
	      "cd ../a; echo 3 >f; git commit -qam f; git push -q");
	assert_int_equal(try_push("b/" STATE, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_non_null(strstr(e.msg, "pull"));
	pull("b/" STATE, REPO_MERGED);
	assert_shell("{}|{\"b\": 1}|{\"a\": 1}\n", "cat b/" STATE);
	assert_shell("3\n2\n", "cat b/f b/g");
	assert_shell("merged\n", "git -C b log -1 --format=%%s");
	assert_sound("b");
	push("b/" STATE);
	pull("a/" STATE, REPO_FORWARDED);
	assert_sound("a");
	/* one side alone changed it: no merge of contents */
	change("a/" STATE, "{\"only\": 1}\n", "in a\n");
	push("a/" STATE);
	shell("cd b; echo 4 >g; git commit -qam g2");
	pull("b/" STATE, REPO_MERGED);
	assert_shell("{\"only\": 1}\n", "cat b/" STATE);
	assert_sound("b");
}

/* Nothing is changed when it cannot be all changed. */
static void test_pull_refused(void **state)
{
	(void)state;
	change("a/" STATE, "{\"clash\": 1}\n", "in a\n");
	shell("cd a; echo 2 >f; echo 1 >new; git add .; git commit -qm f");
	push("a/" STATE);
	shell("echo mine >b/f");
	assert_pull_refused("b/" STATE, ERR_CONFLICT, "'f'");
	shell("git -C b restore f; echo mine >b/new");
	assert_pull_refused("b/" STATE, ERR_CONFLICT, "'new'");
	shell("rm b/new; echo mine >b/" STATE);
	assert_pull_refused("b/" STATE, ERR_CONFLICT, "not committed");
	shell("git -C b restore " STATE);
	change("b/" STATE, "{\"clash\": 2}\n", "in b\n");
	assert_pull_refused("b/" STATE, ERR_CONFLICT, "both say clash");
	shell("cd b; git reset -q --hard HEAD~; echo 9 >f; git commit -qam f");
	assert_pull_refused("b/" STATE, ERR_CONFLICT, "both sides changed 'f'");
	shell("cd b; git reset -q --hard HEAD~2; echo mine >" STATE);
	assert_pull_refused("b/" STATE, ERR_CONFLICT, "not in git here");
	shell("cd b; git branch --unset-upstream");
	assert_pull_refused("b/" STATE, ERR_INPUT, "has no upstream");
	shell("cd b; git remote remove origin");
	assert_pull_refused("b/" STATE, ERR_INPUT, "has no remote");
	shell("rm b/" STATE);
	assert_sound("b");
}

/* What is nobody's business stays: edits and staged files elsewhere. */
static void test_pull_keeps_edits(void **state)
{
	(void)state;
	change("a/" STATE, "{\"a\": 1}\n", "in a\n");
	push("a/" STATE);
	shell("cd b; echo mine >f; echo 1 >g; git add g");
	pull("b/" STATE, REPO_FORWARDED);
	assert_shell(" M f\nA  g\n", "git -C b status --porcelain");
	assert_shell("mine\n", "cat b/f");
}

/* Work trees and indexes that are not whole, and files that git filters. */
static void test_pull_strange(void **state)
{
	static const struct {
		const char *setup, *f;
	} kinds[] = {
		{ "git config core.splitIndex true; git update-index "
		  "--split-index", "2\n" },
		{ "git sparse-checkout set --cone --sparse-index d", "2\n" },
		{ "git sparse-checkout set --no-cone /d /" STATE, "" },
		{ "git config core.autocrlf true", "2\r\n" },
		{ "printf '* filter=up\\n" STATE " -filter\\n' "
		  ">.git/info/attributes; git config "
		  "filter.up.smudge 'sed s/^/up:/'; git config filter.up.clean "
		  "'sed s/^up://'; sed -i s/^/up:/ f; git add f", "up:2\n" },
		{ "touch -d 2001-01-01 f", "2\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		AUTO(auto_free) char *text = mem_printf("{\"n\": %zu}\n", i);

		shell("cd a; git reset -q --hard $(git rev-list --max-parents=0"
		      " HEAD); mkdir d; echo 1 >d/f; echo '" STATE " -filter "
		      "-text' >.gitattributes; git add .; git commit -qm d");
		change("a/" STATE, "{}\n", "one\n");
		shell("git -C a push -qf; rm -rf b; git clone -q hub.git b");
		shell("cd b; %s", kinds[i].setup);
		shell("cd a; echo 2 >f; echo 2 >d/f; git commit -qam f");
		change("a/" STATE, text, "two\n");
		push("a/" STATE);
		pull("b/" STATE, REPO_FORWARDED);
		assert_shell(text, "cat b/" STATE);
		assert_shell(kinds[i].f, "cat b/f 2>/dev/null || :");
		assert_sound("b");
	}
}

/* Hooks and watchers of a clone are not run: neither by a save nor a pull. */
static void test_runs_nothing(void **state)
{
	(void)state;
	shell("printf '#!/bin/sh\necho $0 >>%s/ran\nexit 1\n' >hook; chmod +x "
	      "hook; for r in a b; do for h in pre-push pre-commit "
	      "post-checkout post-merge post-index-change "
	      "reference-transaction; do cp hook $r/.git/hooks/$h; done;"
	      "git -C $r config core.fsmonitor $PWD/hook; done",
	      scene_folder);
	change("a/" STATE, "{\"a\": 1}\n", "in a\n");
	push("a/" STATE);
	pull("b/" STATE, REPO_FORWARDED);
	assert_shell("", "cat %s/ran 2>&- || :", scene_folder);
}

static void test_refusing_remote(void **state)
{
	struct err e = { 0 };

	(void)state;
	shell("printf '#!/bin/sh\\nexit 1\\n' >hub.git/hooks/update;"
	      "chmod +x hub.git/hooks/update");
	change("a/" STATE, "{\"a\": 1}\n", "in a\n");
	assert_int_equal(try_push("a/" STATE, &e), -1);
	assert_int_equal(e.code, ERR_REMOTE);
	assert_non_null(strstr(e.msg, "hook declined"));
	shell("cd a; git remote set-url origin ../none.git");
	assert_int_equal(try_push("a/" STATE, &e), -1);
	assert_int_equal(e.code, ERR_UNREACHABLE);
	assert_non_null(strstr(e.msg, "none.git"));
}

/*
 * Words that would be options to ssh or git, in every dress, and programs to
 * run: nothing is run but ssh, and no word is its option.
 */
static void test_strange_remotes(void **state)
{
	static const char *const urls[] = {
		"ssh://-oProxyCommand=x/y", "ssh://[-oProxyCommand=x]/y",
		"ssh://%2doProxyCommand=x/y", "ssh://[%2DoProxyCommand=x]/y",
		"ssh://%5b-oProxyCommand=x%5d/y", "ssh://ann@-ox/y",
		"ssh://ann@[-ox]/y", "ssh://-oProxyCommand=x@hub/y",
		"ssh://%2doProxyCommand=x@hub/y", "ssh://@hub/y", "ssh:///y",
		"ssh://[]/y", "ssh://[[-ox]]/y", "ssh://hub:-ox/y",
		"ssh://hub:0/y", "ssh://hub:22x/y", "ssh://hu$(touch x)b/y",
		"ssh://hub%20x/y", "ssh://hub%0ax/y", "ssh://hub%00x/y",
		"ssh://a`touch x`@hub/y", "git+ssh://[-ox]/y",
		"ssh+git://[-ox]/y", "[-oProxyCommand=x]:y",
		"-oProxyCommand=x:y", "ann@[-ox]:y", "-ox@hub:y", "ann@-ox:y",
		"hub:-y", "--upload-pack=touch x", "--receive-pack=touch x",
		"-y", "file:///", "file://%2dx/y", "hub/x://y",
	};
	/* these are no remotes at all */
	static const char *const programs[] = {
		"ext::sh -c \"touch x\"", "fd::3", "x::y", "ftp://hub/y",
		"git://127.0.0.1:1/y", "no-such://y",
	};
	struct err e = { 0 };

	(void)state;
	shell("printf '#!/bin/sh\nfor w; do echo \"$w\" >>%s/calls; done\n"
	      "exit 1\n' >ssh; chmod +x ssh; cd a; git config core.sshCommand "
	      "\"'$PWD/../ssh'\"; git config protocol.allow always",
	      scene_folder);
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		shell("cd a; git config remote.origin.url '%s'", urls[i]);
		assert_int_equal(try_push("a/" STATE, &e), -1);
	}
	assert_shell("-p\n", "grep '^-' %s/calls | sort -u", scene_folder);
	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
		shell("cd a; git config remote.origin.url '%s'", programs[i]);
		assert_int_equal(try_push("a/" STATE, &e), -1);
		if (e.code != ERR_INPUT || !strstr(e.msg, "expected https://"))
			fail_msg("'%s': %d %s", programs[i], e.code, e.msg);
	}
	assert_shell("", "find .. -name x");
}

/* ssh gets what git would give it; its words come back. */
static void test_ssh(void **state)
{
	struct err e = { 0 };

	(void)state;
	shell("mkdir \"it's\"; mv hub.git \"it's/\";"
	      "printf '#!/bin/sh\\necho \"$@\" >>'$PWD'/calls\\n"
	      "while [ $# -gt 1 ]; do shift; done\\n"
	      "exec sh -c \"$1\"\\n' >ssh; chmod +x ssh;"
	      "cd a; git remote set-url origin \"ann@hub:$PWD/../it's/hub.git"
	      "\"; git config core.sshCommand \"'$PWD/../ssh' -F none\"");
	change("a/" STATE, "{\"a\": 1}\n", "in a\n");
	push("a/" STATE);
	assert_shell("in a\n", "git -C \"it's/hub.git\" log -1 --format=%%s");
	assert_non_null(strstr(shell("cat calls"),
			       "-F none ann@hub git-receive-pack '"));
	shell("cd b; git remote set-url origin \"ssh://[::1]:2222$PWD/../it's/"
	      "hub.git\"; rm ../calls");
	setenv("GIT_SSH_COMMAND", "../ssh", 1);
	pull("b/" STATE, REPO_FORWARDED);
	assert_non_null(strstr(shell("cat calls"),
			       "-p 2222 ::1 git-upload-pack '"));
	shell("printf '#!/bin/sh\\necho Host key verification failed. >&2;"
	      "exit 255\\n' >ssh");
	assert_int_equal(try_push("b/" STATE, &e), -1);
	assert_int_equal(e.code, ERR_HOSTKEY);
	shell("printf '#!/bin/sh\\necho \"ann@hub: Permission denied "
	      "(publickey).\\033[2J\" >&2\\nexit 255\\n' >ssh");
	assert_int_equal(try_push("b/" STATE, &e), -1);
	assert_int_equal(e.code, ERR_AUTH);
	assert_non_null(strstr(e.msg, "(publickey).\\x1b[2J"));
	setenv("GIT_SSH_COMMAND", "/none/ssh -x", 1);
	assert_int_equal(try_push("b/" STATE, &e), -1);
	assert_non_null(strstr(e.msg, "/none/ssh"));
	unsetenv("GIT_SSH_COMMAND");
}

static void test_lock(void **state)
{
	AUTO(auto_repo_close) struct repo *a = open_repo("a/" STATE);
	AUTO(auto_repo_close) struct repo *b = open_repo("b/" STATE);
	AUTO(repo_lock_done) struct repo_lock mine = { 0 };
	AUTO(repo_lock_done) struct repo_lock seen = { 0 };
	struct repo_lock none = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(repo_lock_show(b, MESH, &none, &e), 0);
	assert_string_equal(none.id, "");
	if (repo_lock_take(a, MESH, "ann@laptop", &mine, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(repo_lock_take(b, MESH, "ben@ci", &none, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_non_null(strstr(e.msg, "ann@laptop, since "));
	assert_int_equal(repo_lock_take(a, MESH, "ann@laptop", &none, &e), -1);
	assert_int_equal(repo_lock_show(b, MESH, &seen, &e), 0);
	assert_string_equal(seen.id, mine.id);
	assert_string_equal(seen.owner, "ann@laptop");
	assert_true(seen.since > 1700000000 && seen.since <= time(NULL));
	/* broken on purpose, taken anew: the first is not the owner any more */
	assert_int_equal(repo_unlock(b, MESH, &seen, &e), 0);
	assert_int_equal(repo_unlock(a, MESH, &mine, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_int_equal(repo_lock_take(b, MESH, "ben@ci", &none, &e), 0);
	assert_int_equal(repo_unlock(a, MESH, &mine, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_shell("1\n", "git -C hub.git for-each-ref refs/wgmesh | wc -l");
	assert_int_equal(repo_unlock(b, MESH, &none, &e), 0);
	repo_lock_done(&none);
	assert_shell("", "git -C hub.git for-each-ref refs/wgmesh");
	assert_int_equal(repo_lock_take(a, "../../heads/main", "x", &none,
					&e), -1);
	assert_sound("a");
}

/* What a racer tells: it got the lock, or another had it. */
static int race_lock(const char *folder)
{
	AUTO(auto_free) char *file = mem_printf("%s/" STATE, folder);
	struct repo *r = open_repo(file);
	struct repo_lock l = { 0 };
	struct err e = { 0 };

	if (repo_lock_take(r, MESH, "racer", &l, &e) == 0)
		return 0;
	return e.code == ERR_CONFLICT ? 1 : 2;
}

static int race_push(const char *folder)
{
	AUTO(auto_free) char *file = mem_printf("%s/" STATE, folder);
	struct err e = { 0 };

	if (try_push(file, &e) == 0)
		return 0;
	return e.code == ERR_CONFLICT ? 1 : 2;
}

/* Run @run in RACERS clones at once; how many of each answer. */
static void race(int (*run)(const char *folder), int counts[3])
{
	int gate[2];

	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	for (int i = 0; i < RACERS; i++) {
		char folder[16];
		char byte;

		if (fork())
			continue;
		close(gate[1]);
		snprintf(folder, sizeof folder, "r%d", i);
		_exit(read(gate[0], &byte, 1) == 0 ? run(folder) : 2);
	}
	close(gate[0]);
	close(gate[1]); /* all of them start */
	memset(counts, 0, 3 * sizeof *counts);
	for (int i = 0; i < RACERS; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 3);
		counts[WEXITSTATUS(status)]++;
	}
}

/* The other side checks: whoever comes between our look and our push wins. */
static void test_races(void **state)
{
	int counts[3];

	(void)state;
	for (int i = 0; i < RACERS; i++)
		shell("git clone -q hub.git r%d; cd r%d; echo %d >only%d;"
		      "git add .; git commit -qm c%d", i, i, i, i, i);
	for (int round = 0; round < 5; round++) {
		race(race_lock, counts);
		assert_int_equal(counts[0], 1);
		assert_int_equal(counts[1], RACERS - 1);
		shell("git -C hub.git update-ref -d refs/wgmesh/lock/" LOCK_NAME);
	}
	race(race_push, counts);
	assert_int_equal(counts[0], 1);
	assert_int_equal(counts[1], RACERS - 1);
	assert_shell("3\n", "git -C hub.git rev-list --count main");
}

/*
 * The same without luck: a hook of the other side lets somebody else in after
 * it told us what it has, and before it takes ours.
 */
static void test_lost_between(void **state)
{
	AUTO(auto_repo_close) struct repo *a = open_repo("a/" STATE);
	struct repo_lock l = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(repo_lock_take(a, MESH, "ann", &l, &e), 0);
	shell("cat >hub.git/hooks/pre-receive <<'X'\n#!/bin/sh\n"
	      "unset GIT_QUARANTINE_PATH\n"
	      "cat >/dev/null\ngit update-ref refs/wgmesh/lock/" LOCK_NAME
	      " main\ngit update-ref refs/heads/main "
	      "$(git commit-tree -p main -m other main^{tree})\nX\n"
	      "chmod +x hub.git/hooks/pre-receive");
	assert_int_equal(repo_unlock(a, MESH, &l, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	repo_lock_done(&l);
	shell("git -C hub.git update-ref -d refs/wgmesh/lock/" LOCK_NAME);
	assert_int_equal(repo_lock_take(a, MESH, "ann", &l, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_shell("1\n", "git -C hub.git for-each-ref refs/wgmesh | wc -l");
	shell("cd a; git pull -q");
	change("a/" STATE, "{\"a\": 1}\n", "in a\n");
	assert_int_equal(repo_push(a, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_shell("other\n", "git -C hub.git log -1 --format=%%s");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, scene_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_forward), CASE(test_merge), CASE(test_pull_refused),
		CASE(test_pull_keeps_edits), CASE(test_pull_strange),
		CASE(test_runs_nothing), CASE(test_refusing_remote),
		CASE(test_strange_remotes), CASE(test_ssh), CASE(test_lock),
		CASE(test_races), CASE(test_lost_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
