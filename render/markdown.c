/*
 * Text that a forge shows as text: nothing in it is a link, an image or a
 * mention.
 */
#include "render/markdown.h"

#include "base/auto.h"
#include "base/text.h"

#include <string.h>

/* Escaped as for a terminal, and without the characters that end a code. */
static char *plain(const char *s, const char *bad)
{
	char *text = text_escaped(s);

	for (char *c = text; (c = strpbrk(c, bad)); )
		*c = *c == '`' ? '\'' : '?';
	return text;
}

void markdown_code(struct sbuf *out, const char *s)
{
	AUTO(auto_free) char *text = plain(s, "`|");

	sbuf_printf(out, "`%s`", *text ? text : " ");
}

void markdown_line(struct sbuf *out, const char *s)
{
	AUTO(auto_free) char *text = plain(s, "`");

	sbuf_printf(out, "%s\n", text);
}
