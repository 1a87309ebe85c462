/*
 * Text that goes somewhere else: quoted for a shell, escaped for a terminal or for
 * JSON, each in one place only.
 */
#include "base/text.h"

#include <stdint.h>
#include <string.h>

void text_quote(struct sbuf *out, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789%+,-./:=@_";

	if (*s && strspn(s, plain) == strlen(s)) {
		sbuf_puts(out, s);
		return;
	}
	sbuf_putc(out, '\'');
	for (; *s; s++) {
		if (*s == '\'') /* out of the quotes, a quote, in again */
			sbuf_puts(out, "'\\''");
		else
			sbuf_putc(out, *s);
	}
	sbuf_putc(out, '\'');
}

/* How many bytes a sequence that starts with @c has, 0 if none can. */
static size_t sequence_length(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if ((c & 0xf0) == 0xe0)
		return 3;
	return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

size_t text_utf8_length(const char *s, size_t len, unsigned *code_point)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t n = len ? sequence_length(u[0]) : 0;
	unsigned cp;

	if (n == 0 || n > len)
		return 0;
	cp = n == 1 ? u[0] : u[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (u[i] & 0x3f);
	}
	/* overlong forms, surrogates, past the end: other programs stumble */
	if ((n == 3 && cp < 0x800) || (n == 4 && cp < 0x10000) ||
	    (cp >= 0xd800 && cp <= 0xdfff) || cp > 0x10ffff)
		return 0;
	*code_point = cp;
	return n;
}

/* Characters that steer a terminal or reorder what it shows (Unicode's format
 * characters for bidirectional text, zero width, line and paragraph breaks). */
static bool steers(unsigned cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || cp == 0x61c ||
	       (cp >= 0x200b && cp <= 0x200f) ||
	       (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069) || cp == 0xfeff;
}

void text_escape(struct sbuf *out, const char *s, size_t len, bool keep_lines)
{
	while (len) {
		unsigned cp = 0;
		size_t n = text_utf8_length(s, len, &cp);

		if (n == 0)
			sbuf_printf(out, "\\x%02x", (unsigned char)*s);
		else if (keep_lines && (cp == '\n' || cp == '\t'))
			sbuf_putc(out, *s);
		else if (steers(cp))
			sbuf_printf(out, cp < 0x80 ? "\\x%02x" : "\\u{%04x}",
				    cp);
		else
			sbuf_add(out, s, n);
		s += n ? n : 1;
		len -= n ? n : 1;
	}
}

void text_escape_json(struct sbuf *out, const char *s)
{
	size_t len = strlen(s);

	while (len) {
		unsigned cp = 0;
		size_t n = text_utf8_length(s, len, &cp);

		if (n == 0)
			sbuf_puts(out, "\\ufffd");
		/* below, json-c has escaped it, or it is the layout */
		else if (cp >= 0x7f && steers(cp))
			sbuf_printf(out, "\\u%04x", cp);
		else
			sbuf_add(out, s, n);
		s += n ? n : 1;
		len -= n ? n : 1;
	}
}

char *text_escaped(const char *s)
{
	struct sbuf b = SBUF_INIT;

	text_escape(&b, s, strlen(s), false);
	return sbuf_detach(&b);
}

bool text_is_printable(const char *s)
{
	size_t len = strlen(s);

	while (len) {
		unsigned cp;
		size_t n = text_utf8_length(s, len, &cp);

		if (n == 0 || steers(cp))
			return false;
		s += n;
		len -= n;
	}
	return true;
}

bool text_is_ssh_name(const char *s)
{
	return *s && *s != '-' && text_is_printable(s) &&
	       !strpbrk(s, "'`\"$\\;&<>|(){} \t");
}

size_t text_conflict_line(const char *s, size_t len)
{
	static const char *const marks[] = { "<<<<<<< ", "||||||| ",
					     ">>>>>>> " };
	struct view rest = VIEW(s, len), line;

	for (size_t n = 1; view_line(&rest, &line); n++) {
		if (view_is(line, "======="))
			return n;
		for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
			if (view_begins(line, marks[i]))
				return n;
	}
	return 0;
}

const char *text_behind(const char *line, const char *word)
{
	size_t len = strlen(word);

	return strncasecmp(line, word, len) == 0 && line[len] == ' '
		       ? line + len + 1 : NULL;
}

void text_hex(char *out, const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *b = bytes;

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[b[i] >> 4];
		*out++ = digits[b[i] & 15];
	}
	*out = '\0';
}

uint64_t text_hash(uint64_t hash, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)s[i]) * UINT64_C(0x100000001b3);
	return hash;
}
