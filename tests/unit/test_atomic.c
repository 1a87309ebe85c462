/*
 * base/atomic.h: a file is replaced whole or not at all, and no other is
 * touched.
 */
#include "base/atomic.h"
#include "base/auto.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char folder[] = "/tmp/wgmesh-atomic-XXXXXX";

static int begin(void **state)
{
	(void)state;
	memcpy(strrchr(folder, '-') + 1, "XXXXXX", 6);
	return !mkdtemp(folder) || chdir(folder) < 0 ? -1 : 0;
}

static void each_name(void (*fn)(const char *name, void *arg), void *arg)
{
	DIR *d = opendir(folder);
	struct dirent *entry;

	assert_non_null(d);
	while ((entry = readdir(d)))
		if (*entry->d_name != '.')
			fn(entry->d_name, arg);
	closedir(d);
}

static void remove_name(const char *name, void *arg)
{
	(void)arg;
	assert_int_equal(remove(name), 0);
}

static int end(void **state)
{
	(void)state;
	each_name(remove_name, NULL);
	return chdir("/") < 0 ? -1 : rmdir(folder);
}

static void count_name(const char *name, void *arg)
{
	(void)name;
	++*(size_t *)arg;
}

static size_t files(void)
{
	size_t n = 0;

	each_name(count_name, &n);
	return n;
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void assert_has(const char *path, const char *text)
{
	AUTO(auto_fclose) FILE *f = fopen(path, "re");
	char got[256] = "";

	assert_non_null(f);
	got[fread(got, 1, sizeof got - 1, f)] = '\0';
	assert_string_equal(got, text);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

/* Two writers of one name: each has a file of its own, the last one stays. */
static void test_two_at_once(void **state)
{
	const struct atomic_how how = { 0 };
	AUTO(temporary_done) struct temporary a = TEMPORARY_NONE;
	AUTO(temporary_done) struct temporary b = TEMPORARY_NONE;
	struct err e;

	(void)state;
	put("x", "old");
	put("x.new", "the user's");
	assert_int_equal(temporary_open(&a, "x", &how, &e), 0);
	assert_int_equal(temporary_write(&a, "first", 2, &e), 0);
	assert_int_equal(temporary_open(&b, "x", &how, &e), 0);
	assert_int_equal(temporary_write(&b, "second", 6, &e), 0);
	assert_int_equal(temporary_write(&a, "rst", 3, &e), 0);
	assert_int_equal(temporary_commit(&b, "x", &how, &e), 0);
	assert_has("x", "second");
	assert_int_equal(temporary_commit(&a, "x", &how, &e), 0);
	assert_has("x", "first");
	assert_has("x.new", "the user's");
	assert_int_equal(files(), 2);
}

static void test_gone_unless_committed(void **state)
{
	const struct atomic_how how = { 0 };
	struct temporary t;
	struct err e;

	(void)state;
	put("x", "old");
	assert_int_equal(temporary_open(&t, "x", &how, &e), 0);
	assert_int_equal(temporary_write(&t, "half", 4, &e), 0);
	assert_int_equal(files(), 2);
	temporary_done(&t);
	temporary_done(&t);
	assert_int_equal(files(), 1);
	assert_has("x", "old");
}

static void test_fresh(void **state)
{
	const struct atomic_how how = { .fresh = true };
	struct err e;

	(void)state;
	assert_int_equal(atomic_write("x", "one", 3, &how, &e), 0);
	assert_int_equal(atomic_write("x", "two", 3, &how, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_has("x", "one");
	assert_int_equal(files(), 1);
}

/* Under a lock the leftover of a killed writer is taken away, not followed. */
static void test_locked(void **state)
{
	const struct atomic_how how = { .locked = true };
	struct err e;

	(void)state;
	put("else", "not ours");
	assert_int_equal(symlink("else", "x.new"), 0);
	assert_int_equal(atomic_write("x", "new", 3, &how, &e), 0);
	assert_has("x", "new");
	assert_has("else", "not ours");
	assert_int_equal(files(), 2);
}

static void test_modes(void **state)
{
	const struct atomic_how secret = { 0 }, script = { .mode = 0777 };
	struct err e;
	mode_t before = umask(027);

	(void)state;
	assert_int_equal(atomic_write("s", "", 0, &secret, &e), 0);
	assert_int_equal(atomic_write("x", "", 0, &script, &e), 0);
	umask(before);
	assert_int_equal(mode_of("s"), 0600);
	assert_int_equal(mode_of("x"), 0750);
}

static void test_no_regular_file(void **state)
{
	const struct atomic_how how = { 0 };
	struct err e;
	struct stat st;

	(void)state;
	assert_int_equal(mkfifo("pipe", 0600), 0);
	assert_int_equal(symlink("pipe", "link"), 0);
	assert_int_equal(atomic_write("pipe", "x", 1, &how, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_int_equal(atomic_write("link", "x", 1, &how, &e), -1);
	assert_int_equal(lstat("pipe", &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(files(), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_two_at_once, begin, end),
		cmocka_unit_test_setup_teardown(test_gone_unless_committed,
						begin, end),
		cmocka_unit_test_setup_teardown(test_fresh, begin, end),
		cmocka_unit_test_setup_teardown(test_locked, begin, end),
		cmocka_unit_test_setup_teardown(test_modes, begin, end),
		cmocka_unit_test_setup_teardown(test_no_regular_file, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
