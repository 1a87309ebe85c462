/*
 * Commit messages: a subject, a body, trailers; written, and read strictly.
 */
#include "state/git/message.h"

#include "base/auto.h"
#include "base/text.h"

#include <git2.h>
#include <string.h>
#include <strings.h>

#define SUBJECT_MAX 160
#define LINE_MAX_BYTES 400
#define FOLD_AT 72
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

static void add_body(struct sbuf *out, const struct strings *body)
{
	size_t shown = body->len > MESSAGE_LINES_MAX ? MESSAGE_LINES_MAX
						     : body->len;

	sbuf_putc(out, '\n');
	for (size_t i = 0; i < shown; i++)
		add_line(out, body->items[i], LINE_MAX_BYTES);
	if (shown < body->len)
		sbuf_printf(out, "... and %zu more\n", body->len - shown);
}

void message_write(struct sbuf *out, const struct message *m)
{
	add_line(out, m->subject, SUBJECT_MAX);
	if (m->body && m->body->len)
		add_body(out, m->body);
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
