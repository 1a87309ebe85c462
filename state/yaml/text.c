/*
 * What no YAML text here may hold, and scalars that YAML readers disagree
 * about: the types of YAML 1.1 (a bare `no`, 010, 12:30:45) are still read by
 * many.
 */
#include "state/yaml/stream.h"

#include "base/text.h"

#include <string.h>
#include <strings.h>

#define DIGITS "0123456789"

/* What stands at @s, where @n is the length of its character or 0. */
static char *describe_character(const char *s, size_t n, unsigned cp)
{
	if (n == 0)
		return mem_printf("the byte \\x%02x found, expected UTF-8 text",
				  (unsigned char)*s);
	if (cp == 0xfeff)
		return mem_strdup("a byte order mark found, expected UTF-8 text "
				  "without one");
	if (cp == '\r')
		return mem_strdup("a carriage return found, expected it only "
				  "before a line feed");
	return mem_printf("the character U+%04X found, which is not shown, "
			  "expected text without such", cp);
}

bool yaml_is_shown(const char *s, size_t n, unsigned cp)
{
	char one[5] = { 0 };

	if (n == 0 || cp == 0 || cp == 0xfffe || cp == 0xffff)
		return false;
	memcpy(one, s, n);
	return cp == '\t' || text_is_printable(one);
}

char *yaml_bad_character(const char *text, size_t len, struct yaml_mark *at)
{
	const char *end = text + len;
	bool indent = true;

	*at = (struct yaml_mark){ 1, 1 };
	while (text < end) {
		unsigned cp = 0;
		size_t n = text_utf8_length(text, (size_t)(end - text), &cp);

		if (cp == '\n') {
			at->line++;
			at->column = 0;
		} else if (indent && cp == '\t') {
			return mem_strdup("a tab found, expected spaces");
		} else if (cp == '\r' && end - text > 1 && text[1] == '\n') {
			/* the end of a line, as others write it */
		} else if (!yaml_is_shown(text, n, cp)) {
			return describe_character(text, n, cp);
		}
		indent = cp == '\n' || (indent && cp == ' ');
		at->column++;
		text += n;
	}
	return NULL;
}

/*
 * Is @s in the blank-separated list, in any letter case? YAML 1.1 has `no`,
 * `No`, `NO`.
 */
static bool one_of(const char *list, const char *s)
{
	size_t len = strlen(s);

	for (const char *p = list; *p; p += strspn(p, " ")) {
		size_t word = strcspn(p, " ");

		if (word == len && strncasecmp(p, s, len) == 0)
			return true;
		p += word;
	}
	return false;
}

/* Digits with a base before them: 0x1F, 0o10, 0b1. */
static bool is_based(const char *s)
{
	return *s == '0' && s[1] && strchr("xXoObB", s[1]) && s[2] &&
	       !s[2 + strspn(s + 2, DIGITS "abcdefABCDEF_")];
}

/* 10, 010, 1_000, 12:30:45, 1.5, 1e3, also with a sign, and .inf. */
static bool is_number(const char *s)
{
	size_t n, exponent;

	s += *s == '-' || *s == '+';
	n = strspn(s, DIGITS "_,");
	if (!strpbrk(s, DIGITS) || is_based(s) || *s == '_' || *s == ',')
		return one_of(".inf .nan", s) || is_based(s);
	while (n && s[n] == ':' && s[n + 1])
		n += 1 + strspn(s + n + 1, DIGITS "_");
	if (s[n] == '.')
		n += 1 + strspn(s + n + 1, DIGITS "_");
	if (n && (s[n] == 'e' || s[n] == 'E')) {
		n += s[n + 1] == '-' || s[n + 1] == '+' ? 2 : 1;
		exponent = strspn(s + n, DIGITS);
		return exponent && !s[n + exponent];
	}
	return n && !s[n];
}

/* 2024-01-31, with whatever time behind it. */
static bool is_date(const char *s)
{
	for (int part = 0; part < 3; part++) {
		size_t n = strspn(s, DIGITS);

		if (part == 0 ? n != 4 : n < 1 || n > 2)
			return false;
		s += n;
		if (part < 2 && *s++ != '-')
			return false;
	}
	return !*s || strchr("Tt \t", *s);
}

const char *yaml_surprise(const char *s)
{
	if (one_of("~ null", s) || !*s)
		return "no value";
	if (one_of("y n yes no on off true false", s))
		return "true or false";
	if (is_number(s))
		return "a number";
	if (is_date(s))
		return "a date";
	return one_of("= <<", s) ? "a special value" : NULL;
}
