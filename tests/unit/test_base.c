/*
 * base/: growing strings, quoting and escaping, numbers, addresses, lists.
 */
#include "base/addr.h"
#include "base/auto.h"
#include "base/num.h"
#include "base/text.h"
#include "base/vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <limits.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* ---- sbuf ---- */

static void test_sbuf_grows(void **state)
{
	AUTO(sbuf_done) struct sbuf b = SBUF_INIT;

	(void)state;
	assert_string_equal(sbuf_str(&b), "");
	for (int i = 0; i < 1000; i++)
		sbuf_printf(&b, "%d,", i % 10);
	assert_int_equal(b.len, 2000);
	assert_int_equal(strlen(sbuf_str(&b)), 2000);
	sbuf_add(&b, "a\0b", 3);
	assert_int_equal(b.len, 2003);
	assert_memory_equal(b.s + 2000, "a\0b", 4);
	sbuf_clear(&b);
	assert_string_equal(sbuf_str(&b), "");
	sbuf_puts(&b, "again");
	assert_string_equal(sbuf_str(&b), "again");
}

static void test_sbuf_maximum(void **state)
{
	AUTO(sbuf_done) struct sbuf b = { .max = 8 };

	(void)state;
	sbuf_puts(&b, "12345678");
	assert_false(b.failed);
	sbuf_putc(&b, '9');
	assert_true(b.failed);
	assert_string_equal(sbuf_str(&b), "12345678");
	sbuf_add(&b, "", 0);
	sbuf_printf(&b, "%s", "x");
	assert_string_equal(sbuf_str(&b), "12345678");
	sbuf_clear(&b);
	assert_false(b.failed);
	sbuf_add(&b, "x", SIZE_MAX - 1);
	assert_true(b.failed);
	sbuf_done(&b);
	sbuf_puts(&b, "123456789");
	assert_true(b.failed);
	assert_string_equal(sbuf_str(&b), "");
}

static void test_sbuf_detach(void **state)
{
	struct sbuf b = SBUF_SECRET;
	char *s = sbuf_detach(&b);

	(void)state;
	assert_string_equal(s, "");
	free(s);
	for (int i = 0; i < 500; i++)
		sbuf_puts(&b, "key");
	s = sbuf_detach(&b);
	assert_int_equal(strlen(s), 1500);
	assert_null(b.s);
	assert_true(b.secret);
	free(s);
	sbuf_done(&b);
}

/* ---- quoting ---- */

/* What a real shell makes of the quoted word must be the word. */
static void assert_shell_reads(const char *word)
{
	AUTO(sbuf_done) struct sbuf command = SBUF_INIT;
	char got[512] = "";
	FILE *shell;
	size_t n;

	sbuf_puts(&command, "printf %s ");
	text_quote(&command, word);
	shell = popen(sbuf_str(&command), "re");
	assert_non_null(shell);
	n = fread(got, 1, sizeof got - 1, shell);
	assert_int_equal(pclose(shell), 0);
	got[n] = '\0';
	assert_string_equal(got, word);
}

static void test_quote(void **state)
{
	static const char *const words[] = {
		"plain", "", " ", "a b", "'", "''", "a'b'c", "\"", "$HOME",
		"$(id)", "`id`", "\\", "\\'", "a\nb", "*", "?", "~", "!", "#",
		";", "&", "|", "<", ">", "(", ")", "{a,b}", "[a]", "-n", "--",
		"=", "\t", "\x01", "\xff", "ä", "%s", "a=b", "10.0.0.0/8",
	};
	AUTO(sbuf_done) struct sbuf b = SBUF_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++)
		assert_shell_reads(words[i]);
	text_quote(&b, "plain-10.0.0.1/8:51820,x=@a_%");
	text_quote(&b, "");
	text_quote(&b, "it's");
	assert_string_equal(sbuf_str(&b), "plain-10.0.0.1/8:51820,x=@a_%"
					  "'''it'\\''s'");
}

/* ---- escaping ---- */

static void test_escape(void **state)
{
	static const struct { const char *in, *out; } cases[] = {
		{ "", "" },
		{ "plain ~ text", "plain ~ text" },
		{ "back\\slash", "back\\slash" },
		{ "a\nb\tc\r", "a\\x0ab\\x09c\\x0d" },
		{ "\x1b[31m", "\\x1b[31m" },
		{ "\x7f", "\\x7f" },
		{ "ä€😀", "ä€😀" },
		{ "\xc2\x80\xc2\x9b\xc2\x9f", "\\u{0080}\\u{009b}\\u{009f}" },
		{ "\xc2\xa0", "\xc2\xa0" },
		{ "\xe2\x80\x8b", "\\u{200b}" },
		{ "\xe2\x80\x8e\xe2\x80\x8f", "\\u{200e}\\u{200f}" },
		{ "\xe2\x80\xaa\xe2\x80\xae", "\\u{202a}\\u{202e}" },
		{ "\xe2\x80\xa8\xe2\x80\xa9", "\\u{2028}\\u{2029}" },
		{ "\xe2\x81\xa6\xe2\x81\xa9", "\\u{2066}\\u{2069}" },
		{ "\xef\xbb\xbf", "\\u{feff}" },
		{ "\x80", "\\x80" },
		{ "\xff\xfe", "\\xff\\xfe" },
		{ "\xc3", "\\xc3" },
		{ "\xc3(", "\\xc3(" },
		{ "\xe2\x82", "\\xe2\\x82" },
		{ "\xc0\xaf", "\\xc0\\xaf" },
		{ "\xc1\xbf", "\\xc1\\xbf" },
		{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
		{ "\xe0\x9f\xbf", "\\xe0\\x9f\\xbf" },
		{ "\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(auto_free) char *out = text_escaped(cases[i].in);

		assert_string_equal(out, cases[i].out);
		assert_true(text_is_printable(out));
		assert_int_equal(text_is_printable(cases[i].in),
				 strcmp(cases[i].in, out) == 0);
	}
}

/* The same JSON, and nothing in it that a terminal would obey. */
static void test_escape_json(void **state)
{
	AUTO(sbuf_done) struct sbuf b = SBUF_INIT;

	(void)state;
	text_escape_json(&b, "{ \"a\": \"\xc2\x9b" "31m \xe2\x80\xae \x7f "
			     "\xff \xc3\xa9 \\n\" }\n");
	assert_string_equal(sbuf_str(&b), "{ \"a\": \"\\u009b31m \\u202e "
			    "\\u007f \\ufffd \xc3\xa9 \\n\" }\n");
}

static void test_escape_lines(void **state)
{
	AUTO(sbuf_done) struct sbuf b = SBUF_INIT;

	(void)state;
	text_escape(&b, "a\n\tb\r\0c", 7, true);
	assert_string_equal(sbuf_str(&b), "a\n\tb\\x0d\\x00c");
}

static void test_utf8_length(void **state)
{
	unsigned cp = 0;

	(void)state;
	assert_int_equal(text_utf8_length("a", 1, &cp), 1);
	assert_int_equal(cp, 'a');
	assert_int_equal(text_utf8_length("\xf4\x8f\xbf\xbf", 4, &cp), 4);
	assert_int_equal(cp, 0x10ffff);
	assert_int_equal(text_utf8_length("\xef\xbf\xbf", 3, &cp), 3);
	assert_int_equal(cp, 0xffff);
	assert_int_equal(text_utf8_length("\xe2\x82\xac", 2, &cp), 0);
	assert_int_equal(text_utf8_length("", 0, &cp), 0);
	assert_int_equal(text_utf8_length("\0", 1, &cp), 1);
}

/* ---- numbers ---- */

static void test_numbers(void **state)
{
	static const char *const bad[] = {
		"", " ", "-", "+1", " 1", "1 ", "1\n", "0x10", "1e3", "1.0",
		"a", "1a", "-0x1", "--1", "9223372036854775808",
		"99999999999999999999", "\xd9\xa1",
	};
	uint64_t u = 7;
	long n = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(num_parse(&n, bad[i], LONG_MIN, LONG_MAX));
	assert_false(num_parse(&n, "-1", 0, 10));
	assert_false(num_parse(&n, "-0", 0, 10));
	assert_false(num_parse(&n, "11", 0, 10));
	assert_int_equal(n, 7);
	assert_true(num_parse(&n, "-5", -5, 5));
	assert_int_equal(n, -5);
	assert_true(num_parse(&n, "0010", 0, 10));
	assert_int_equal(n, 10);
	assert_false(num_parse_u64(&u, "18446744073709551616"));
	assert_false(num_parse_u64(&u, "-1"));
	assert_int_equal(u, 7);
	assert_true(num_parse_u64(&u, "18446744073709551615"));
	assert_true(u == UINT64_MAX);
}

/* ---- addresses ---- */

static struct ip ip_of(const char *s)
{
	struct ip a = { 0 };

	assert_true(ip_parse(&a, s));
	return a;
}

static struct cidr cidr_of(const char *s)
{
	struct cidr c = { 0 };

	assert_true(cidr_parse(&c, s));
	return c;
}

static void test_ip_parse(void **state)
{
	static const struct { const char *in, *out; } good[] = {
		{ "0.0.0.0", "0.0.0.0" }, { "10.99.0.1", "10.99.0.1" },
		{ "255.255.255.255", "255.255.255.255" }, { "::", "::" },
		{ "FD00:0:0::01", "fd00::1" }, { "::ffff:10.0.0.1", "10.0.0.1" },
		{ "::ffff:a00:1", "10.0.0.1" }, { "::1.2.3.4", "::1.2.3.4" },
		{ "64:ff9b::1.2.3.4", "64:ff9b::102:304" },
	};
	static const char *const bad[] = {
		"", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4",
		"1.2.3.04", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4/8", "0x1.2.3.4",
		":::", "1::2::3", "fe80::1%eth0", "[::1]", "::g", "12345::",
		"1.2.3.4\n", "1:2:3:4:5:6:7:8:9", "-1.2.3.4",
	};
	struct ip a = { .family = 4, .b = { 9 } };
	char text[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct ip b = ip_of(good[i].in);

		assert_string_equal(ip_text(&b, text), good[i].out);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(ip_parse(&a, bad[i]));
	assert_int_equal(a.b[0], 9);
	a.family = 0;
	assert_string_equal(ip_text(&a, text), "");
}

static void test_ip_kinds(void **state)
{
	static const char *const special[] = {
		"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.255",
		"169.254.1.1", "224.0.0.1", "239.1.1.1", "255.255.255.255",
		"::", "::1", "fe80::1", "febf::1", "ff02::1",
	};
	static const char *const private[] = {
		"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"100.64.0.1", "100.127.255.255", "fd00::1", "fc00::1",
	};
	static const char *const public[] = {
		"9.255.255.255", "11.0.0.0", "172.15.0.1", "172.32.0.0",
		"192.167.1.1", "100.63.0.1", "100.128.0.0", "2001:db8::1",
		"fe00::1", "8.8.8.8",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(special); i++) {
		struct ip a = ip_of(special[i]);

		assert_true(ip_is_special(&a));
		assert_false(ip_is_private(&a));
	}
	for (size_t i = 0; i < COUNT(private); i++) {
		struct ip a = ip_of(private[i]);

		assert_true(ip_is_private(&a));
		assert_false(ip_is_special(&a));
	}
	for (size_t i = 0; i < COUNT(public); i++) {
		struct ip a = ip_of(public[i]);

		assert_false(ip_is_private(&a) || ip_is_special(&a));
	}
}

static void test_ip_order(void **state)
{
	struct ip a = ip_of("10.0.0.255"), b = ip_of("fd00::ffff");
	struct ip last4 = ip_of("255.255.255.255");
	struct ip last6 = ip_of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_true(ip_compare(&a, &b) < 0);
	assert_true(ip_compare(&b, &a) > 0);
	assert_true(ip_next(&a));
	assert_string_equal(ip_text(&a, text), "10.0.1.0");
	assert_true(ip_next(&b));
	assert_string_equal(ip_text(&b, text), "fd00::1:0");
	assert_false(ip_next(&last4));
	assert_false(ip_next(&last6));
	assert_int_equal(ip_bits(&a), 32);
	assert_int_equal(ip_bits(&b), 128);
}

static void test_cidr(void **state)
{
	static const char *const bad[] = {
		"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
		"10.0.0.0/8/8", "10.0.0.0/ 8", "10.0.0.0/8 ", "fd00::/129",
		"10.0.0/8", "10.0.0.0/255.0.0.0", "::ffff:10.0.0.0/95",
		"10.0.0.0/+8", "fd00::%e/64",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111/64",
	};
	struct cidr c = cidr_of("10.1.2.3/9");
	char text[ADDR_TEXT_MAX];
	struct ip last;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(cidr_parse(&c, bad[i]));
	assert_string_equal(cidr_text(&c, text), "10.1.2.3/9");
	cidr_mask(&c);
	assert_string_equal(cidr_text(&c, text), "10.0.0.0/9");
	last = cidr_last(&c);
	assert_string_equal(ip_text(&last, text), "10.127.255.255");
	c = cidr_of("10.0.0.1");
	assert_int_equal(c.plen, 32);
	c = cidr_of("::ffff:10.0.0.0/120");
	assert_string_equal(cidr_text(&c, text), "10.0.0.0/24");
	c = cidr_of("fd00:1:2:3::5/0");
	cidr_mask(&c);
	assert_string_equal(cidr_text(&c, text), "::/0");
	c = cidr_of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
	assert_int_equal(strlen(cidr_text(&c, text)), 43);
}

static void test_cidr_relations(void **state)
{
	struct cidr wide = cidr_of("10.0.0.0/8"), narrow = cidr_of("10.9.0.0/16");
	struct cidr all6 = cidr_of("::/0"), odd = cidr_of("10.9.128.0/17");
	struct ip in = ip_of("10.9.1.1"), out = ip_of("11.0.0.1");
	struct ip six = ip_of("fd00::1");
	struct cidr host = cidr_host(&in);
	struct cidrs list = { 0 };

	(void)state;
	assert_true(cidr_contains(&wide, &in));
	assert_false(cidr_contains(&wide, &out));
	assert_false(cidr_contains(&wide, &six));
	assert_true(cidr_contains(&all6, &six));
	assert_false(cidr_contains(&all6, &in));
	assert_false(cidr_contains(&odd, &in));
	assert_true(cidr_overlaps(&wide, &narrow));
	assert_true(cidr_overlaps(&narrow, &wide));
	assert_false(cidr_overlaps(&odd, &host));
	assert_false(cidr_overlaps(&wide, &all6));
	assert_false(cidr_equal(&wide, &narrow));
	vec_push(&list, all6);
	vec_push(&list, narrow);
	vec_push(&list, wide);
	cidrs_sort(&list);
	assert_true(cidr_equal(&list.items[0], &wide));
	assert_true(cidr_equal(&list.items[2], &all6));
	vec_done(&list);
}

static void test_endpoint(void **state)
{
	static const char *const bad[] = {
		"", "h", ":1", "h:", "h:0", "h:65536", "h:-1", "h: 1", "h:1 ",
		"fd00::1:1", "[fd00::1]", "[fd00::1]1", "[fd00::1", "[]:1",
		"[h]:1", "fd00::1]:1", "[[::1]]:1", "h:1:2",
	};
	struct ip six = ip_of("fd00::1"), four = ip_of("192.0.2.1");
	char text[ENDPOINT_TEXT_MAX];
	struct err e = { 0 };
	char *host = NULL;
	int port = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (endpoint_parse(bad[i], &host, &port, &e) == 0)
			fail_msg("'%s' accepted", bad[i]);
		assert_int_equal(e.code, ERR_INPUT);
		assert_null(host);
		assert_int_equal(port, 7);
	}
	assert_int_equal(endpoint_parse("a.example:51820", &host, &port, &e), 0);
	assert_string_equal(host, "a.example");
	assert_int_equal(port, 51820);
	free(host);
	assert_int_equal(endpoint_parse("[fd00::1]:65535", &host, &port, &e), 0);
	assert_string_equal(host, "fd00::1");
	free(host);
	assert_string_equal(endpoint_text(&six, 1, text), "[fd00::1]:1");
	assert_string_equal(endpoint_text(&four, 51820, text),
			    "192.0.2.1:51820");
}

/* ---- lists ---- */

static void test_vec(void **state)
{
	VEC(int) v = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		vec_push(&v, i);
	vec_remove(&v, 0);
	vec_remove(&v, 98);
	vec_remove(&v, 49);
	assert_int_equal(v.len, 97);
	assert_int_equal(v.items[0], 1);
	assert_int_equal(v.items[48], 49);
	assert_int_equal(v.items[49], 51);
	assert_int_equal(v.items[96], 98);
	assert_int_equal(*vec_add(&v), 0);
	vec_done(&v);
	assert_null(v.items);
	vec_done(&v);
}

static void test_strings(void **state)
{
	struct strings a = { 0 }, b = { 0 };

	(void)state;
	strings_sort(&a);
	strings_add(&a, "b");
	strings_add(&a, "");
	strings_add(&a, "ä");
	strings_add(&a, "B");
	strings_copy(&b, &a);
	strings_sort(&a);
	assert_string_equal(a.items[0], "");
	assert_string_equal(a.items[1], "B");
	assert_string_equal(a.items[3], "ä");
	assert_int_equal(strings_find(&b, "b"), 0);
	assert_int_equal(strings_find(&b, "c"), -1);
	strings_done(&a);
	assert_int_equal(strings_find(&b, "ä"), 2);
	strings_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sbuf_grows),
		cmocka_unit_test(test_sbuf_maximum),
		cmocka_unit_test(test_sbuf_detach),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_escape_json),
		cmocka_unit_test(test_escape_lines),
		cmocka_unit_test(test_utf8_length),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_ip_parse),
		cmocka_unit_test(test_ip_kinds),
		cmocka_unit_test(test_ip_order),
		cmocka_unit_test(test_cidr),
		cmocka_unit_test(test_cidr_relations),
		cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_vec),
		cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
