/*
 * Where secrets come from, words of a command line, and where in a text an
 * error is.
 */
#include "base/auto.h"
#include "state/json/json.h"
#include "vault/source.h"
#include "vault/words.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void words_are(const char *line, const char *joined)
{
	struct strings words = { 0 };
	struct sbuf got = SBUF_INIT;
	struct err e;

	assert_int_equal(words_split(&words, line, &e), 0);
	for (size_t i = 0; i < words.len; i++)
		sbuf_printf(&got, "%s|", words.items[i]);
	assert_string_equal(sbuf_str(&got), joined);
	sbuf_done(&got);
	strings_done(&words);
}

static void test_words(void **state)
{
	struct strings words = { 0 };
	struct err e;

	(void)state;
	words_are("pass show wgmesh", "pass|show|wgmesh|");
	words_are("  a\t'b c'  \"d \\\" e\" f\\ g '$HOME;`x`' ",
		  "a|b c|d \" e|f g|$HOME;`x`|");
	words_are("'' \"\"x", "|x|");
	assert_int_equal(words_split(&words, "a 'b", &e), -1);
	assert_int_equal(words_split(&words, " \t", &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	strings_done(&words);
}

static int answers;

static int answer(const char *prompt, struct secret *out, struct err *e)
{
	(void)prompt;
	(void)e;
	answers++;
	secret_set(out, "typed", 5);
	return 0;
}

static void test_order(void **state)
{
	AUTO(secret_done) struct secret got = { 0 };
	AUTO(secret_done) struct secret env = { 0 };
	struct source s = { .password = &env, .ask = answer };
	struct err e;

	(void)state;
	answers = 0;
	assert_int_equal(source_passphrase(&got, &s, &e), 0);
	assert_string_equal(secret_text(&got), "typed");
	secret_set(&env, "from env", 8);
	assert_int_equal(source_passphrase(&got, &s, &e), 0);
	assert_string_equal(secret_text(&got), "from env");
	s.password_command = "printf 'a b\\r\\n'";
	assert_int_equal(source_passphrase(&got, &s, &e), 0);
	assert_string_equal(secret_text(&got), "a b");
	assert_int_equal(answers, 1);
	s = (struct source){ .ask = answer };
	assert_int_equal(source_new_passphrase(&got, &s, &e), 0);
	assert_int_equal(answers, 3);
	s.ask = NULL;
	assert_int_equal(source_passphrase(&got, &s, &e), -1);
	assert_int_equal(e.advice, ADVICE_GIVE_PASSPHRASE);
}

static void test_file(void **state)
{
	AUTO(secret_done) struct secret got = { 0 };
	char path[] = "/tmp/wgmesh-source-XXXXXX";
	int fd = mkstemp(path);
	struct err e;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "line 1\nline 2\n", 14), 14);
	assert_int_equal(source_read_file(&got, path, &e), 0);
	assert_int_equal(got.len, 14);
	fchmod(fd, 0640);
	assert_int_equal(source_read_file(&got, path, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	close(fd);
	unlink(path);
	assert_int_equal(source_read_file(&got, path, &e), -1);
	assert_int_equal(source_read_file(&got, "/tmp", &e), -1);
}

static void test_locate(void **state)
{
	static const char text[] = "{\n  \"listen_port\": 1,\n  \"nodes\": {\n"
				   "    \"a\": {\n      \"ssh_port\": 0\n"
				   "    },\n    \"b\": {\n      \"mesh_ip\": \"x\"\n"
				   "    }\n  }\n}\n";

	(void)state;
	assert_int_equal(state_locate(text, "listen_port: 0 is no port"), 2);
	assert_int_equal(state_locate(text, "node 'a': ssh_port: bad"), 5);
	assert_int_equal(state_locate(text, "node 'b': mesh_ip: bad"), 8);
	assert_int_equal(state_locate(text, "node 'b': has no key"), 7);
	assert_int_equal(state_locate(text, "node 'zz': mesh_ip: bad"), 0);
	assert_int_equal(state_locate(text, "line 3, column 4: bad"), 0);
	assert_int_equal(state_locate(text, "something else"), 0);
	assert_int_equal(state_locate("", "node 'a"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_locate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
