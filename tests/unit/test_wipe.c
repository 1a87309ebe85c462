/*
 * base/wipe.c: nothing of what was in memory is there when it has been freed,
 * by us or by a library.
 */
#include "base/auto.h"
#include "tests/unit/sealing.h"

#include <fcntl.h>
#include <json-c/json.h>

/* The allocator itself writes over the first bytes. */
#define OWN 16

static const size_t lengths[] = { 24, 32, 45, 100, 1000, 1033, 5000, 70000 };

/* How many of @n bytes at @at are still the secret's; read without touching. */
static size_t left(uintptr_t at, size_t n)
{
	AUTO(auto_close) int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	static char copy[1 << 20];
	ssize_t got = pread(mem, copy, n, (off_t)at);
	size_t count = 0;

	for (ssize_t i = 0; i < got; i++)
		count += copy[i] == '\x7e';
	return count;
}

static void skip_sanitized(void)
{
	if (SANITIZED) {
		print_message("skipped: a sanitizer has its own malloc\n");
		skip();
	}
}

static void test_freed(void **state)
{
	(void)state;
	skip_sanitized();
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		volatile char *p = malloc(lengths[i]);
		uintptr_t at = (uintptr_t)p;

		for (size_t k = 0; k < lengths[i]; k++)
			p[k] = '\x7e';
		assert_int_equal(left(at, lengths[i]), lengths[i]);
		free((void *)p);
		assert_int_equal(left(at + OWN, lengths[i] - OWN), 0);
	}
}

static void test_grown(void **state)
{
	(void)state;
	skip_sanitized();
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		volatile char *p = malloc(lengths[i]);
		uintptr_t at = (uintptr_t)p;
		volatile char *q;

		for (size_t k = 0; k < lengths[i]; k++)
			p[k] = '\x7e';
		q = realloc((void *)p, 4 * lengths[i]);
		for (size_t k = 0; k < lengths[i]; k++)
			assert_int_equal(q[k], '\x7e');
		if ((uintptr_t)q != at)
			assert_int_equal(left(at + OWN, lengths[i] - OWN), 0);
		free((void *)q);
	}
}

/* As a private key is read from a state. */
static void test_library(void **state)
{
	struct json_object *o;
	uintptr_t at;
	char key[45];

	(void)state;
	skip_sanitized();
	memset(key, '\x7e', 44);
	key[44] = '\0';
	o = json_object_new_string(key);
	at = (uintptr_t)json_object_get_string(o);
	assert_int_equal(left(at, 44), 44);
	json_object_put(o);
	assert_int_equal(left(at, 44), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_freed),
		cmocka_unit_test(test_grown),
		cmocka_unit_test(test_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
