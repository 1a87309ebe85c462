/*
 * Commit messages: a subject, a body, trailers; written, and read strictly.
 * What is written comes from names in the mesh, and a line of theirs must not
 * become a trailer of ours.
 */
#include "state/git/message.h"

#include "base/auto.h"
#include "base/text.h"

#include <git2.h>
#include <string.h>
#include <strings.h>

#define SUBJECT_MAX 160    /* bytes, as are the next ones */
#define LINE_MAX_BYTES 400
#define FOLD_AT 72         /* a column: git's own lines end there, too */
/* More of a message than this is nobody's trailers. */
#define MESSAGE_READ_MAX (2 << 20)

void trailers_add(struct trailers *v, const char *key, const char *value)
{
	struct trailer *t = vec_add(v);

	t->key = mem_strdup(key);
	t->value = mem_strdup(value);
}

const char *trailers_find(const struct trailers *v, const char *key)
{
	for (size_t i = 0; i < v->len; i++)
		if (strcasecmp(v->items[i].key, key) == 0)
			return v->items[i].value;
	return NULL;
}

void trailers_done(struct trailers *v)
{
	for (size_t i = 0; i < v->len; i++) {
		free(v->items[i].key);
		free(v->items[i].value);
	}
	vec_done(v);
}

/* Append @s escaped, at most about @max bytes of it. */
static void add_line(struct sbuf *out, const char *s, size_t max)
{
	size_t len = strlen(s);
	size_t cut = len > max ? max : len;

	/* not within a character of UTF-8 (RFC 3629, 3) */
	while (cut < len && cut && ((unsigned char)s[cut] & 0xc0) == 0x80)
		cut--;
	/* to git such a line ends the message, and trailers behind are none */
	if (strncmp(s, "---", 3) == 0)
		sbuf_putc(out, ' ');
	text_escape(out, s, cut, false);
	sbuf_puts(out, cut < len ? "...\n" : "\n");
}

/* Append "Key: words", broken at blanks into lines that begin with one. */
static void add_trailer(struct sbuf *out, const struct trailer *t)
{
	AUTO(auto_free) char *value = text_escaped(t->value);
	size_t column = strlen(t->key) + 1, written = 0;
	char *rest = value;
	char *word;

	sbuf_printf(out, "%s:", t->key);
	while ((word = strsep(&rest, " ")) && written < MESSAGE_VALUE_MAX) {
		size_t len = strlen(word);

		if (!len)
			continue;
		if (written && column + 1 + len > FOLD_AT) {
			sbuf_putc(out, '\n');
			column = 0;
		}
		sbuf_printf(out, " %s", word);
		column += 1 + len;
		written += 1 + len;
	}
	sbuf_puts(out, word ? " ...\n" : "\n");
}

void message_write(struct sbuf *out, const struct message *m)
{
	size_t lines = m->body ? m->body->len : 0;

	add_line(out, m->subject, SUBJECT_MAX);
	if (lines)
		sbuf_putc(out, '\n');
	for (size_t i = 0; i < lines && i < MESSAGE_LINES_MAX; i++)
		add_line(out, m->body->items[i], LINE_MAX_BYTES);
	if (lines > MESSAGE_LINES_MAX)
		sbuf_printf(out, "... and %zu more\n",
			    lines - MESSAGE_LINES_MAX);
	if (!m->trailers || !m->trailers->len)
		return;
	sbuf_putc(out, '\n');
	for (size_t i = 0; i < m->trailers->len; i++)
		add_trailer(out, &m->trailers->items[i]);
}

/* Make one line of a folded value. */
static void unfold(char *s)
{
	char *to = s;

	for (const char *p = s; *p;) {
		if (*p != '\n' && *p != '\r') {
			*to++ = *p++;
			continue;
		}
		p += strspn(p, "\r\n \t");
		if (*p)
			*to++ = ' ';
	}
	*to = '\0';
}

void message_trailers(struct trailers *out, const char *message)
{
	git_message_trailer_array found = { 0 };

	if (strnlen(message, MESSAGE_READ_MAX) == MESSAGE_READ_MAX)
		return;
	git_libgit2_init();
	if (git_message_trailers(&found, message) < 0)
		found.count = 0;
	for (size_t i = 0; i < found.count; i++) {
		trailers_add(out, found.trailers[i].key,
			     found.trailers[i].value);
		unfold(out->items[out->len - 1].value);
	}
	git_message_trailer_array_free(&found);
}
