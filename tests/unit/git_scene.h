/*
 * What the tests of state/git/ share: a folder with a HOME, stock git, and
 * the steps of a command that changes a state.
 */
#ifndef WGMESH_TESTS_GIT_SCENE_H
#define WGMESH_TESTS_GIT_SCENE_H

#include "base/atomic.h"
#include "base/auto.h"
#include "base/mem.h"
#include "state/git/git.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

DEFINE_AUTO(struct repo *, repo_close)

#define STATE "mesh-state.json"

static char scene_folder[] = "/tmp/wgmesh-git-XXXXXX";

/*
 * Run a shell text; its exit status, and what it prints (both kinds) in @out.
 */
__attribute__((format(printf, 2, 0))) static inline int
shell_status(struct sbuf *out, const char *fmt, va_list ap)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	char chunk[4096];
	size_t n;
	FILE *f;
	int status;

	sbuf_puts(&text, "exec 2>&1; set -e; ");
	sbuf_vprintf(&text, fmt, ap);
	f = popen(sbuf_str(&text), "re");
	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		sbuf_add(out, chunk, n);
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/*
 * Run a shell text that must succeed; what it prints, freed at the next call.
 */
__attribute__((format(printf, 1, 2))) static inline const char *
shell(const char *fmt, ...)
{
	static struct sbuf out = SBUF_INIT;
	va_list ap;
	int status;

	sbuf_clear(&out);
	va_start(ap, fmt);
	status = shell_status(&out, fmt, ap);
	va_end(ap);
	if (status)
		fail_msg("'%s' ended with %d: %s", fmt, status, sbuf_str(&out));
	return sbuf_str(&out);
}

__attribute__((format(printf, 2, 3))) static inline void
assert_shell(const char *want, const char *fmt, ...)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	va_list ap;
	int status;

	va_start(ap, fmt);
	status = shell_status(&out, fmt, ap);
	va_end(ap);
	assert_string_equal(sbuf_str(&out), want);
	assert_int_equal(status, 0);
}

static inline void need(const char *program)
{
	AUTO(auto_free) char *command =
		mem_printf("command -v %s >/dev/null", program);

	if (pclose(popen(command, "re")) != 0) {
		print_message("skipped: no %s\n", program);
		skip();
	}
}

/* A HOME of its own for each test, which stands in the folder work there. */
static inline int scene_begin(void **state)
{
	static const char *const unset[] = {
		"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE",
		"GIT_OBJECT_DIRECTORY",
		"GIT_SSH_COMMAND", "GIT_SSH", "GIT_AUTHOR_NAME",
		"GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME",
		"GIT_COMMITTER_EMAIL", "XDG_CONFIG_HOME", "EMAIL",
	};
	FILE *f;

	(void)state;
	memcpy(strrchr(scene_folder, '-') + 1, "XXXXXX", 6);
	if (!mkdtemp(scene_folder) || chdir(scene_folder) < 0)
		return -1;
	for (size_t i = 0; i < sizeof unset / sizeof *unset; i++)
		unsetenv(unset[i]);
	setenv("HOME", scene_folder, 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	setenv("GIT_CEILING_DIRECTORIES", "/tmp", 1);
	setenv("LC_ALL", "C", 1);
	f = fopen(".gitconfig", "we");
	if (!f)
		return -1;
	fputs("[user]\n\tname = Ann Admin\n\temail = ann@example.org\n"
	      "[init]\n\tdefaultBranch = main\n[advice]\n"
	      "\tdetachedHead = false\n[safe]\n\tdirectory = *\n", f);
	return fclose(f) < 0 || mkdir("work", 0700) < 0 ? -1 : chdir("work");
}

static inline int scene_end(void **state)
{
	AUTO(auto_free) char *command =
		mem_printf("chmod -R u+w '%s'; rm -rf '%s'", scene_folder,
			   scene_folder);

	(void)state;
	return chdir("/") < 0 ? -1 : pclose(popen(command, "re"));
}

/* Open the repository of @file; there must be one. */
static inline struct repo *open_repo(const char *file)
{
	struct repo *r = NULL;
	struct err e = { 0 };

	if (repo_open(&r, file, &e) < 0)
		fail_msg("%s", e.msg);
	assert_non_null(r);
	return r;
}

static inline void put_file(const char *path, const char *text)
{
	const struct atomic_how how = { 0 };
	struct err e;

	assert_int_equal(atomic_write(path, text, strlen(text), &how, &e), 0);
}

/* What a command does that gives the state @text; -1 with @e. */
static inline int try_change(const char *file, const char *text,
			     const char *message, struct err *e)
{
	AUTO(auto_repo_close) struct repo *r = open_repo(file);

	if (repo_ready(r, e) < 0 ||
	    repo_begin(r, text, strlen(text), message, e) < 0)
		return -1;
	put_file(file, text);
	return repo_finish(r, e);
}

static inline void change(const char *file, const char *text,
			  const char *message)
{
	struct err e = { 0 };

	if (try_change(file, text, message, &e) < 0)
		fail_msg("%s", e.msg);
}

/* It must be refused so, with a text that has @words, and change nothing. */
static inline void assert_refused(const char *file, enum err_code code,
				  const char *words)
{
	AUTO(auto_free) char *before =
		mem_strdup(shell("git rev-parse -q --verify HEAD || :"));
	struct err e = { 0 };

	assert_int_equal(try_change(file, "{\"refused\": 1}\n", "no", &e), -1);
	if (e.code != code || !strstr(e.msg, words))
		fail_msg("expected %d '%s', got %d '%s'", code, words, e.code,
			 e.msg);
	assert_int_equal(e.advice, ADVICE_NO_COMMIT);
	assert_shell(before, "git rev-parse -q --verify HEAD || :");
	assert_shell("", "grep -sl refused %s || :", file);
}

/* git itself finds nothing wrong and nothing to commit. */
static inline void assert_clean(void)
{
	assert_shell("", "git fsck --strict --no-dangling --no-progress");
	assert_shell("", "git status --porcelain");
}

#endif
