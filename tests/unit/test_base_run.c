/*
 * base/: the pool, errors, secrets, allocation.
 */
#include "base/auto.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/secret.h"
#include "base/text.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* ---- the pool ---- */

struct work {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned char times[1000]; /* how often each item was worked on */
	size_t running, most, wanted;
	size_t last_progress;
	pthread_t caller;
};

static void count(size_t i, void *arg)
{
	struct work *w = arg;

	pthread_mutex_lock(&w->lock);
	w->times[i]++;
	if (++w->running > w->most)
		w->most = w->running;
	pthread_cond_broadcast(&w->changed);
	/* hold on until as many run as should */
	while (w->most < w->wanted)
		pthread_cond_wait(&w->changed, &w->lock);
	w->running--;
	pthread_mutex_unlock(&w->lock);
}

static void progress(size_t done, void *arg)
{
	struct work *w = arg;

	assert_true(pthread_equal(w->caller, pthread_self()));
	assert_true(done >= w->last_progress);
	w->last_progress = done;
}

/* Each item once, and just @parallel of them at a time. */
static void run_pool(size_t n, unsigned parallel, size_t wanted)
{
	struct work *w = mem_calloc(1, sizeof *w);

	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	w->caller = pthread_self();
	w->wanted = wanted;
	pool_run(n, parallel, count, progress, w);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(w->times[i], 1);
	assert_int_equal(w->running, 0);
	assert_int_equal(w->most, wanted);
	assert_int_equal(w->last_progress, n);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static void test_pool(void **state)
{
	(void)state;
	run_pool(0, 8, 0);
	run_pool(1, 64, 1);
	run_pool(5, 1, 1);
	run_pool(1000, 1, 1);
	run_pool(1000, 16, 16);
	run_pool(3, 64, 3);
}

static void nothing(size_t i, void *arg)
{
	(void)i;
	(void)arg;
}

static void test_pool_without_progress(void **state)
{
	(void)state;
	pool_run(100, 10, nothing, NULL, NULL);
	pool_run(0, 10, nothing, NULL, NULL);
}

/* ---- errors ---- */

static void test_err(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_set(&e, ERR_INPUT, "no '%s'", "x"), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_string_equal(e.msg, "no 'x'");
	assert_int_equal(err_wrap(&e, "place %d", 3), -1);
	assert_string_equal(e.msg, "place 3: no 'x'");
	assert_int_equal(e.code, ERR_INPUT);
	errno = ENOENT;
	assert_int_equal(err_sys(&e, "cannot open '%s'", "f"), -1);
	assert_string_equal(e.msg, "cannot open 'f': No such file or directory");
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_int_equal(e.sys_errno, ENOENT);
	err_wrap(&e, "outer");
	assert_int_equal(e.sys_errno, ENOENT);
	err_set(&e, ERR_REMOTE, "%s", "");
	assert_int_equal(e.sys_errno, 0);
}

/* Advice stays with its error, and not with the next one; never half a name. */
static void test_err_advice(void **state)
{
	char name[ERR_ABOUT_MAX + 1] = "";
	struct err e;

	(void)state;
	memset(name, 'x', ERR_ABOUT_MAX);
	err_set(&e, ERR_INPUT, "no");
	assert_int_equal(err_advise(&e, ADVICE_SAY_WHERE, name), -1);
	assert_int_equal(e.advice, ADVICE_NONE);
	name[ERR_ABOUT_MAX - 1] = '\0';
	err_advise(&e, ADVICE_SAY_WHERE, name);
	err_wrap(&e, "node");
	assert_int_equal(e.advice, ADVICE_SAY_WHERE);
	assert_string_equal(e.about, name);
	assert_string_equal(e.msg, "node: no");
	err_advise(&e, ADVICE_NO_COMMIT, NULL);
	assert_string_equal(e.about, "");
	err_set(&e, ERR_INPUT, "no");
	assert_int_equal(e.advice, ADVICE_NONE);
}

/* A message that is too long is cut, and never inside a character. */
static void test_err_long(void **state)
{
	char text[2 * ERR_MSG_MAX];
	struct err e;

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		size_t len = shift;

		memset(text, 'x', shift);
		while (len + 4 < sizeof text) {
			memcpy(text + len, "\xf0\x9f\x98\x80", 4);
			len += 4;
		}
		text[len] = '\0';
		err_set(&e, ERR_INPUT, "%s", text);
		assert_true(strlen(e.msg) < ERR_MSG_MAX);
		assert_true(strlen(e.msg) > ERR_MSG_MAX - 10);
		assert_true(text_is_printable(e.msg));
		err_wrap(&e, "%s", text);
		assert_true(text_is_printable(e.msg));
		err_wrap(&e, "short");
		assert_true(text_is_printable(e.msg));
		assert_memory_equal(e.msg, "short: ", 7);
		errno = EACCES;
		err_sys(&e, "%s", text);
		assert_true(text_is_printable(e.msg));
	}
}

static void test_err_names(void **state)
{
	(void)state;
	assert_string_equal(err_code_name(ERR_UNREACHABLE), "unreachable");
	assert_string_equal(err_code_name(ERR_HOSTKEY), "hostkey");
	assert_string_equal(err_code_name((enum err_code)99), "bug");
}

/* ---- secrets and memory ---- */

static void test_secret(void **state)
{
	struct secret a = { 0 }, b = { 0 };

	(void)state;
	assert_string_equal(secret_text(&a), "");
	assert_true(secret_equal(&a, &b));
	secret_set(&a, "k\0y", 3);
	assert_false(secret_equal(&a, &b));
	secret_copy(&b, &a);
	assert_true(secret_equal(&a, &b));
	assert_ptr_not_equal(a.bytes, b.bytes);
	assert_int_equal(b.len, 3);
	assert_int_equal(b.bytes[3], 0);
	secret_set(&a, a.bytes + 1, 2);
	assert_memory_equal(a.bytes, "\0y", 3);
	b.bytes[2] = 'x';
	secret_set(&a, "k\0z", 3);
	assert_false(secret_equal(&a, &b));
	errno = 5;
	secret_done(&a);
	assert_int_equal(errno, 5);
	secret_copy(&b, &a);
	assert_null(b.bytes);
	secret_done(&b);
}

static void test_mem(void **state)
{
	AUTO(auto_free) char *s = mem_printf("%s-%d", "a", 5);
	char *none = mem_strdup(NULL);

	(void)state;
	assert_string_equal(s, "a-5");
	assert_null(none);
	mem_replace(&s, "b");
	assert_string_equal(s, "b");
	mem_replace(&s, s);
	assert_string_equal(s, "b");
	mem_replace(&s, NULL);
	assert_null(s);
	s = mem_strndup("abc", 2);
	assert_string_equal(s, "ab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_pool_without_progress),
		cmocka_unit_test(test_err),
		cmocka_unit_test(test_err_advice),
		cmocka_unit_test(test_err_long),
		cmocka_unit_test(test_err_names),
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_mem),
	};

	return cmocka_run_group_tests_name("base at work", tests, NULL, NULL);
}
