/*
 * state/git/repo.h, state/git/message.h: messages, and the history of the file.
 */
#include "tests/unit/git_scene.h"

static int begin(void **state)
{
	need("git");
	return scene_begin(state);
}

/* What stock git reads, and we, of what we write. */
static void test_message(void **state)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf names = SBUF_INIT;
	AUTO(trailers_done) struct trailers t = { 0 };
	AUTO(trailers_done) struct trailers back = { 0 };
	struct strings body = { 0 };
	const struct message m = { "add db1\nWgmesh-Serial: 9", &body, &t };

	(void)state;
	for (int i = 0; i < 2000; i++)
		sbuf_printf(&names, "%snode%d", i ? " " : "", i);
	for (int i = 0; i < 300; i++)
		strings_add(&body, "~ node db1: port 1 -> 2");
	strings_add(&body, "Wgmesh-Serial: 8");
	trailers_add(&t, TRAILER_SERIAL, "12");
	trailers_add(&t, TRAILER_HOST, "a\nWgmesh-Serial: 7\x1b[m");
	trailers_add(&t, TRAILER_CONVERGED, sbuf_str(&names));
	message_write(&text, &m);
	strings_done(&body);
	assert_non_null(strstr(text.s, "\n... and 101 more\n"));
	message_trailers(&back, text.s);
	assert_int_equal(back.len, 3);
	assert_string_equal(trailers_find(&back, "wgmesh-serial"), "12");
	assert_string_equal(trailers_find(&back, TRAILER_CONVERGED),
			    sbuf_str(&names));
	assert_string_equal(trailers_find(&back, TRAILER_HOST),
			    "a\\x0aWgmesh-Serial: 7\\x1b[m");
	shell("git init -q");
	change(STATE, "{}\n", text.s);
	assert_shell("12\n", "git log --format='%%(trailers:key=Wgmesh-Serial,"
		     "valueonly,separator=|)'");
	sbuf_putc(&names, '\n');
	assert_shell(sbuf_str(&names), "git log --format='%%(trailers:key="
		     "Wgmesh-Converged,valueonly,unfold,separator=)'");
}

static void test_no_trailers(void **state)
{
	static const char *const messages[] = {
		"", "\n", "Wgmesh-Serial: 1", "Wgmesh-Serial: 1\n", "a\n\nb\n",
		"a\n\n:\n", "a\n\n\n\n", "a\n\nkey\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
		AUTO(trailers_done) struct trailers t = { 0 };

		message_trailers(&t, messages[i]);
		assert_int_equal(t.len, 0);
	}
}

static void commit_deploy(const char *mesh)
{
	AUTO(auto_repo_close) struct repo *r = open_repo(STATE);
	AUTO(auto_free) char *text = mem_printf(
		"deploy\n\nWgmesh-Deploy: serial 2\nWgmesh-Mesh: %s\n", mesh);
	struct err e = { 0 };

	assert_int_equal(repo_ready(r, &e), 0);
	assert_int_equal(repo_begin(r, NULL, 0, text, &e), 0);
	assert_int_equal(repo_finish(r, &e), 0);
}

static void assert_log(const char *mesh, size_t max, const char *want)
{
	AUTO(auto_repo_close) struct repo *r = open_repo(STATE);
	AUTO(revisions_done) struct revisions v = { 0 };
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	struct err e = { 0 };

	if (repo_log(r, mesh, max, &v, &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < v.len; i++)
		sbuf_printf(&text, "%s%s%s ", v.items[i].subject,
			    v.items[i].changed ? "" : "*",
			    v.items[i].merge ? "^" : "");
	assert_string_equal(sbuf_str(&text), want);
}

/* How many commits there are in all, which sides of a merge do not alter. */
static size_t log_length(void)
{
	AUTO(auto_repo_close) struct repo *r = open_repo(STATE);
	AUTO(revisions_done) struct revisions v = { 0 };
	struct err e = { 0 };

	assert_int_equal(repo_log(r, "none", 0, &v, &e), 0);
	return v.len;
}

static void test_log(void **state)
{
	(void)state;
	shell("git init -q");
	assert_log(NULL, 0, "");
	shell("git commit -q --allow-empty -m root");
	change(STATE, "{}\n", "one\n");
	shell("echo 1 >f; git add f; git commit -qm other");
	change(STATE, "{\"a\": 1}\n", "two\n");
	commit_deploy("m1");
	commit_deploy("m2");
	assert_log(NULL, 0, "deploy* deploy* two one ");
	assert_log("m1", 0, "deploy* two one ");
	assert_log("m1", 2, "deploy* two ");
	/* sides: one changes the file, the other does not, then both */
	shell("git checkout -qb side");
	change(STATE, "{\"a\": 2}\n", "side\n");
	shell("git checkout -q main; echo 2 >f; git commit -qam other2;"
	      "git merge -q side -m merged");
	assert_log("m1", 0, "side deploy* two one ");
	shell("git checkout -qb left");
	change(STATE, "{\"a\": 3}\n", "left\n");
	shell("git checkout -q main");
	change(STATE, "{\"a\": 4}\n", "right\n");
	shell("git merge -q left || :; echo '{\"a\": 5}' >" STATE
	      "; git commit -qam both");
	assert_log("m1", 1, "both^ ");
	assert_int_equal(log_length(), 6); /* both left right side two one */
	shell("git rm -q " STATE "; git commit -qm gone");
	assert_log(NULL, 1, "gone ");
}

static void assert_no_revision(struct repo *r, const char *rev)
{
	struct err e = { 0 };

	assert_int_equal(repo_read(r, rev, NULL, NULL, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
}

static void test_read(void **state)
{
	AUTO(auto_repo_close) struct repo *r = NULL;
	AUTO(revision_done) struct revision info = { 0 };
	AUTO(sbuf_done) struct sbuf bytes = SBUF_SECRET;
	AUTO(auto_free) char *longest = mem_calloc(1, 400);
	struct err e = { 0 };

	(void)state;
	shell("git init -q; git commit -q --allow-empty -m root");
	change(STATE, "{}\n", "one\n");
	change(STATE, "{\"a\": 1}\n", "two\n\nWgmesh-Serial: 2\n");
	shell("git tag -a v1 -m v1");
	r = open_repo(STATE);
	assert_int_equal(repo_read(r, "HEAD~1", &bytes, NULL, &e), 0);
	assert_string_equal(bytes.s, "{}\n");
	assert_int_equal(repo_read(r, "v1", NULL, &info, &e), 0);
	assert_string_equal(info.subject, "two");
	assert_string_equal(info.author, "Ann Admin <ann@example.org>");
	assert_string_equal(trailers_find(&info.trailers, TRAILER_SERIAL),
			    "2");
	assert_true(info.changed && !info.merge);
	assert_no_revision(r, "HEAD~2");
	assert_no_revision(r, "HEAD~9");
	assert_no_revision(r, "nothing");
	assert_no_revision(r, "");
	assert_no_revision(r, "HEAD:" STATE);
	memset(longest, 'a', 399);
	assert_no_revision(r, longest);
	assert_string_equal(repo_branch(r), "main");
	assert_string_equal(repo_path(r), STATE);
}

/* A commit from somewhere else, whose texts are anything. */
static void test_hostile(void **state)
{
	AUTO(auto_repo_close) struct repo *r = NULL;
	struct err e = { 0 };

	(void)state;
	shell("git init -q; ln -s /etc/passwd " STATE "; git add " STATE ";"
	      "git commit -qm link; rm " STATE "; echo '{}' >" STATE ";"
	      "printf '\\033]0;x\\007\\377\\n\\nWgmesh-Deploy: \\033[2J\\n' | "
	      "git -c i18n.commitEncoding=none commit -qaF -");
	assert_log(NULL, 0, "\x1b]0;x\x07\xff ");
	r = open_repo(STATE);
	assert_int_equal(repo_read(r, "HEAD~", NULL, NULL, &e), -1);
	assert_non_null(strstr(e.msg, "no regular file"));
	repo_close(r);
	/* all but the commit: where that is gone, libgit2 forgets a reference */
	shell("f=.git/objects/$(git rev-parse HEAD | sed 's|^..|&/|');"
	      "find .git/objects -type f ! -path $f -delete");
	r = open_repo(STATE);
	assert_int_equal(repo_read(r, "HEAD", NULL, NULL, &e), -1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, scene_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_message), CASE(test_no_trailers), CASE(test_log),
		CASE(test_read), CASE(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
