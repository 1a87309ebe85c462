/*
 * The strict PEM (RFC 7468) around an age file: one text for each file, so that
 * nobody can change it unseen or hide something in it.
 */
#include "vault/age/internal.h"

#include "base/auto.h"
#include "base/base64.h"

#define BEGIN "-----BEGIN AGE ENCRYPTED FILE-----"
#define END "-----END AGE ENCRYPTED FILE-----"
#define COLUMNS 64 /* of each line but the last; age allows no other */

static void skip_blanks(struct view *v)
{
	while (v->len && memchr(" \t\r\n", *v->at, 4))
		*v = VIEW(v->at + 1, v->len - 1);
}

bool age_armored(const void *text, size_t len)
{
	struct view rest = VIEW(text, len);

	skip_blanks(&rest);
	return view_begins(rest, BEGIN);
}

/* @what never holds any of the text, which a terminal could obey. */
static int damaged(struct err *e, const char *what)
{
	return err_set(e, ERR_INPUT, "is damaged: its ASCII armour %s", what);
}

int age_armor_read(struct sbuf *out, struct view text, struct err *e)
{
	AUTO(sbuf_done) struct sbuf joined = SBUF_INIT;
	const unsigned char *start = text.at;
	struct view line = { NULL, 0 };
	bool last = false; /* only the last line may be short */

	joined.max = text.len;
	skip_blanks(&text);
	if (text.at > start && text.at[-1] != '\n')
		return damaged(e, "has blanks before its first line");
	if (!view_line(&text, &line) || !view_is(line, BEGIN))
		return damaged(e, "does not begin with '" BEGIN "'");
	for (;;) {
		if (!view_line(&text, &line))
			return damaged(e, "lacks its last line, '" END "'");
		if (view_is(line, END))
			break;
		if (last || !line.len || line.len > COLUMNS)
			return damaged(e, "has a line that is not of 64 "
				       "columns");
		last = line.len < COLUMNS;
		sbuf_add(&joined, line.at, line.len);
	}
	skip_blanks(&text);
	if (text.len)
		return damaged(e, "is followed by something else");
	if (!base64_decode(out, VIEW(joined.s, joined.len), BASE64_PADDED))
		return damaged(e, "is not strict base64");
	return 0;
}

void age_armor_write(struct sbuf *out, struct view file)
{
	sbuf_puts(out, BEGIN "\n");
	base64_add_lines(out, file);
	sbuf_puts(out, END "\n");
}
