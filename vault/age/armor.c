/* The strict PEM (RFC 7468) around an age file. */
#include "vault/age/internal.h"

#include "base/auto.h"
#include "base/base64.h"

#define BEGIN "-----BEGIN AGE ENCRYPTED FILE-----"
#define END "-----END AGE ENCRYPTED FILE-----"
#define COLUMNS 64

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct view *v)
{
	while (v->len && is_blank(*v->at))
		*v = VIEW(v->at + 1, v->len - 1);
}

static bool is_text(struct view line, const char *text)
{
	return line.len == strlen(text) && memcmp(line.at, text, line.len) == 0;
}

/* Take a line off, without its LF or CRLF; the last one may lack that. */
static bool take_line(struct view *rest, struct view *line)
{
	const unsigned char *end;

	if (!rest->len)
		return false;
	end = memchr(rest->at, '\n', rest->len);
	*line = VIEW(rest->at, end ? (size_t)(end - rest->at) : rest->len);
	*rest = VIEW(rest->at + line->len + !!end, rest->len - line->len - !!end);
	if (line->len && line->at[line->len - 1] == '\r')
		line->len--;
	return true;
}

bool age_armored(const void *text, size_t len)
{
	struct view rest = VIEW(text, len);

	skip_blanks(&rest);
	return rest.len >= sizeof BEGIN - 1 &&
	       memcmp(rest.at, BEGIN, sizeof BEGIN - 1) == 0;
}

static int damaged(struct err *e, const char *what)
{
	return err_set(e, ERR_INPUT, "is damaged: its ASCII armour %s", what);
}

/* All lines up to the last one, joined. */
static int join(struct sbuf *joined, struct view *rest, struct err *e)
{
	struct view line = { NULL, 0 };
	bool last = false;

	while (take_line(rest, &line)) {
		if (is_text(line, END))
			return 0;
		if (last || !line.len || line.len > COLUMNS)
			return damaged(e, "has a line that is not of 64 columns");
		last = line.len < COLUMNS;
		sbuf_add(joined, line.at, line.len);
	}
	return damaged(e, "lacks its last line, '" END "'");
}

int age_armor_read(struct sbuf *out, struct view text, struct err *e)
{
	AUTO(sbuf_done) struct sbuf joined = SBUF_INIT;
	const unsigned char *start = text.at;
	struct view line = { NULL, 0 };

	joined.max = text.len;
	skip_blanks(&text);
	if (text.at > start && text.at[-1] != '\n')
		return damaged(e, "has blanks before its first line");
	if (!take_line(&text, &line) || !is_text(line, BEGIN))
		return damaged(e, "does not begin with '" BEGIN "'");
	if (join(&joined, &text, e) < 0)
		return -1;
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
