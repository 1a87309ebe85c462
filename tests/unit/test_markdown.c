/*
 * render/markdown: nothing that a name, a step or an error says leaves its place.
 */
#include "base/text.h"
#include "render/markdown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_code(const char *s, const char *want)
{
	struct sbuf out = SBUF_INIT;

	markdown_code(&out, s);
	assert_string_equal(sbuf_str(&out), want);
	sbuf_done(&out);
}

static void assert_line(const char *s, const char *want)
{
	struct sbuf out = SBUF_INIT;

	markdown_line(&out, s);
	assert_string_equal(sbuf_str(&out), want);
	sbuf_done(&out);
}

static void test_code(void **state)
{
	(void)state;
	assert_code("n1", "`n1`");
	assert_code("", "` `");
	assert_code("@all <b>[x](http://y)</b> *a* _b_ \\",
		    "`@all <b>[x](http://y)</b> *a* _b_ \\`");
	assert_code("a` @all `b", "`a' @all 'b`");
	assert_code("a`` | b |", "`a'' ? b ?`");
	assert_code("a\n\n# b\r", "`a\\x0a\\x0a# b\\x0d`");
	assert_code("\x1b[31m\xe2\x80\xae\xff", "`\\x1b[31m\\u{202e}\\xff`");
}

static void test_line(void **state)
{
	(void)state;
	assert_line("+ peer a: 10.99.0.1/32", "+ peer a: 10.99.0.1/32\n");
	assert_line("```\n@all", "'''\\x0a@all\n");
	assert_line("  ````", "  ''''\n");
	assert_line("<script>|a|", "<script>|a|\n");
	assert_line("\x1b[2J", "\\x1b[2J\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code),
		cmocka_unit_test(test_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
