/*
 * Is it JSON? By hand, because json-c takes more than RFC 8259 allows and has
 * no lines. The text may be anybody's: no look goes past its end, and the depth
 * is bounded before json-c, which recurses, sees it.
 */
#include "state/json/json.h"

#include "base/num.h"
#include "base/text.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

/* Where we are. Every function leaves `at` at the first byte not taken. */
struct scan {
	const char *start;
	const char *at;
	const char *end;
	unsigned depth;
	struct err *e;
};

static int scan_value(struct scan *s);

/* The byte at hand, or -1 at the end. */
static int peek(const struct scan *s)
{
	return s->at < s->end ? (unsigned char)*s->at : -1;
}

/* Columns count characters: bytes that go on with one (10xxxxxx) are none. */
static int fail_at_byte(const struct scan *s, const char *what)
{
	unsigned long line = 1;
	unsigned long column = 1;

	for (const char *p = s->start; p < s->at; p++) {
		if (*p == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*p & 0xc0) != 0x80) {
			column++;
		}
	}
	return err_set(s->e, ERR_INPUT, "line %lu, column %lu: %s", line,
		       column, what);
}

/* As fail_at_byte(), for something else than what is expected here. */
static int expected(const struct scan *s, const char *what)
{
	int c = peek(s);
	char text[96];

	if (c < 0)
		snprintf(text, sizeof text, "ends here, expected %s", what);
	else if (c > 0x20 && c < 0x7f)
		snprintf(text, sizeof text, "'%c' found, expected %s", c, what);
	else
		snprintf(text, sizeof text, "byte 0x%02x found, expected %s",
			 (unsigned)c, what);
	return fail_at_byte(s, text);
}

static void skip_blanks(struct scan *s)
{
	while (s->at < s->end && memchr(" \t\r\n", *s->at, 4))
		s->at++;
}

static bool take_byte(struct scan *s, char c)
{
	if (peek(s) != (unsigned char)c)
		return false;
	s->at++;
	return true;
}

/* Behind a backslash. U+0000 would end the text too early wherever it goes. */
static int scan_escape(struct scan *s)
{
	int c = peek(s);

	if (c < 0 || !memchr("\"\\/bfnrtu", c, 9))
		return expected(s, "one of \"\\/bfnrtu after a backslash");
	s->at++;
	for (int i = 0; c == 'u' && i < 4; i++, s->at++)
		if (peek(s) < 0 || !isxdigit(peek(s)))
			return expected(s, "four hexadecimal digits");
	if (c == 'u' && memcmp(s->at - 4, "0000", 4) == 0)
		return fail_at_byte(s, "text cannot hold the character "
				    "\\u0000");
	return 0;
}

static int scan_string(struct scan *s)
{
	unsigned cp;
	size_t n;

	s->at++;
	while (!take_byte(s, '"')) {
		if (peek(s) < 0x20)
			return expected(s, "text or '\"'");
		if (take_byte(s, '\\')) {
			if (scan_escape(s) < 0)
				return -1;
			continue;
		}
		n = text_utf8_length(s->at, (size_t)(s->end - s->at), &cp);
		if (n == 0)
			return fail_at_byte(s, "this is not UTF-8");
		s->at += n;
	}
	return 0;
}

static int scan_digits(struct scan *s)
{
	if (peek(s) < 0 || !isdigit(peek(s)))
		return expected(s, "a digit");
	while (peek(s) >= 0 && isdigit(peek(s)))
		s->at++;
	return 0;
}

static int scan_number(struct scan *s)
{
	bool negative = take_byte(s, '-'), integer = true;
	const char *start = s->at;
	char digits[24];
	uint64_t value;
	size_t n;

	if (!take_byte(s, '0') && scan_digits(s) < 0)
		return -1;
	if (take_byte(s, '.')) {
		integer = false;
		if (scan_digits(s) < 0)
			return -1;
	}
	if (take_byte(s, 'e') || take_byte(s, 'E')) {
		integer = false;
		if (!take_byte(s, '+'))
			take_byte(s, '-');
		if (scan_digits(s) < 0)
			return -1;
	}
	if (!integer)
		return 0;
	/* json-c would replace an integer that it cannot hold by another one */
	n = (size_t)(s->at - start);
	if (n < sizeof digits) {
		memcpy(digits, start, n);
		digits[n] = '\0';
		if (num_parse_u64(&value, digits) &&
		    (!negative || value <= (uint64_t)INT64_MAX + 1))
			return 0;
	}
	s->at = start;
	return fail_at_byte(s, "this number has more than 64 bits");
}

static int scan_member(struct scan *s)
{
	skip_blanks(s);
	if (peek(s) != '"')
		return expected(s, "a key in double quotes");
	if (scan_string(s) < 0)
		return -1;
	skip_blanks(s);
	if (!take_byte(s, ':'))
		return expected(s, "':'");
	return scan_value(s);
}

/*
 * The members of an object or array up to @close; the opening is taken. RFC
 * 8259 allows no comma behind the last one; json-c would let it pass.
 */
static int scan_members(struct scan *s, char close,
			int (*member)(struct scan *), const char *want)
{
	skip_blanks(s);
	if (take_byte(s, close))
		return 0;
	while (true) {
		if (member(s) < 0)
			return -1;
		skip_blanks(s);
		if (take_byte(s, close))
			return 0;
		if (!take_byte(s, ','))
			return expected(s, want);
	}
}

/* An array or object, which is at hand. */
static int scan_nested(struct scan *s)
{
	int ret;

	if (s->depth == JSON_DEPTH_MAX)
		return fail_at_byte(s, "nested too deeply");
	s->depth++;
	if (take_byte(s, '{')) {
		ret = scan_members(s, '}', scan_member, "',' or '}'");
	} else {
		s->at++;
		ret = scan_members(s, ']', scan_value, "',' or ']'");
	}
	s->depth--;
	return ret;
}

static int scan_value(struct scan *s)
{
	const char *word;
	int c;

	skip_blanks(s);
	c = peek(s);
	if (c == '{' || c == '[')
		return scan_nested(s);
	if (c == '"')
		return scan_string(s);
	if (c == '-' || (c >= 0 && isdigit(c)))
		return scan_number(s);
	word = c == 't' ? "true" : c == 'f' ? "false" : "null";
	if ((size_t)(s->end - s->at) < strlen(word) ||
	    memcmp(s->at, word, strlen(word)) != 0)
		return expected(s, "a value");
	s->at += strlen(word);
	return 0;
}

int json_check_syntax(const char *text, size_t len, struct err *e)
{
	struct scan s = { text, text, text + len, 0, e };

	skip_blanks(&s);
	if (s.at == s.end)
		return err_set(e, ERR_INPUT, "empty, expected a JSON object");
	if (peek(&s) != '{')
		return expected(&s, "a JSON object");
	if (scan_value(&s) < 0)
		return -1;
	skip_blanks(&s);
	if (s.at != s.end)
		return expected(&s, "the end after the object");
	return 0;
}
