/*
 * The state file's text, laid out as the Go tool does: its encoding/json with
 * MarshalIndent, to the byte, so that a state that both write has no
 * differences in git. json-c's layout is another one, and changes with its
 * version.
 */
#include "state/json/json.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* The text so far, how deep we are, and whether a comma is due. */
struct writer {
	struct sbuf *out;
	unsigned depth;
	bool first;
};

static void new_line(struct writer *w)
{
	sbuf_putc(w->out, '\n');
	for (unsigned i = 0; i < w->depth; i++)
		sbuf_puts(w->out, "  ");
}

static void open_with(struct writer *w, char c)
{
	sbuf_putc(w->out, c);
	w->depth++;
	w->first = true;
}

/* An empty list or object stays on its line, as in Go. */
static void close_with(struct writer *w, char c)
{
	w->depth--;
	if (!w->first)
		new_line(w);
	sbuf_putc(w->out, c);
	w->first = false;
}

/* Begin the next item. */
static void next_item(struct writer *w)
{
	if (!w->first)
		sbuf_putc(w->out, ',');
	w->first = false;
	new_line(w);
}

/* How the Go tool writes a character that may not stand for itself. */
static const char *short_escape(unsigned cp)
{
	switch (cp) {
	case '"': return "\\\"";
	case '\\': return "\\\\";
	case '\b': return "\\b";
	case '\f': return "\\f";
	case '\n': return "\\n";
	case '\r': return "\\r";
	case '\t': return "\\t";
	}
	return NULL;
}

/* Go escapes what a browser could take for HTML or the end of a script line. */
static bool needs_code(unsigned cp)
{
	return cp < 0x20 || cp == '<' || cp == '>' || cp == '&' ||
	       cp == 0x2028 || cp == 0x2029;
}

/* Bytes that are no UTF-8 become U+FFFD, as in the Go tool. */
static void put_text(struct writer *w, const char *s)
{
	size_t len = s ? strlen(s) : 0;

	sbuf_putc(w->out, '"');
	while (len) {
		unsigned cp = 0;
		size_t n = text_utf8_length(s, len, &cp);

		if (n == 0)
			sbuf_puts(w->out, "\xef\xbf\xbd");
		else if (short_escape(cp))
			sbuf_puts(w->out, short_escape(cp));
		else if (needs_code(cp))
			sbuf_printf(w->out, "\\u%04x", cp);
		else
			sbuf_add(w->out, s, n);
		s += n ? n : 1;
		len -= n ? n : 1;
	}
	sbuf_putc(w->out, '"');
}

static void put_key(struct writer *w, const char *name)
{
	next_item(w);
	put_text(w, name);
	sbuf_puts(w->out, ": ");
}

/*
 * Copy a string token of JSON text, opening quote taken; returns its end.
 * json-c's escapes stay; what only Go escapes (needs_code()) is added.
 */
static const char *copy_string(struct writer *w, const char *s)
{
	sbuf_putc(w->out, '"');
	while (*s && *s != '"') {
		unsigned cp = 0;
		size_t n = text_utf8_length(s, strnlen(s, 4), &cp);

		if (*s == '\\' && s[1]) {
			sbuf_add(w->out, s, 2);
			s += 2;
			continue;
		}
		if (needs_code(cp))
			sbuf_printf(w->out, "\\u%04x", cp);
		else
			sbuf_add(w->out, s, n ? n : 1);
		s += n ? n : 1;
	}
	sbuf_putc(w->out, '"');
	return *s ? s + 1 : s;
}

/*
 * Copy the compact JSON text of an unknown member, laid out as the rest. It is
 * json-c's own text, so brackets come in pairs; a broken one ends with its NUL.
 */
static void copy_json(struct writer *w, const char *s)
{
	while (*s) {
		char c = *s++;

		if (w->first && c != '}' && c != ']') {
			new_line(w);
			w->first = false;
		}
		if (c == '"') {
			s = copy_string(w, s);
		} else if (c == '{' || c == '[') {
			open_with(w, c);
		} else if (c == '}' || c == ']') {
			close_with(w, c);
		} else {
			sbuf_putc(w->out, c);
			if (c == ',')
				new_line(w);
			else if (c == ':')
				sbuf_putc(w->out, ' ');
		}
	}
}

static void put_object(struct writer *w, const struct mesh_object *of,
		       const void *object);

/*
 * A list of whatever kind. Only the Go tool's own are ever null: it writes a
 * list that was never filled so, and the same text is to come out.
 */
static void put_list(struct writer *w, const struct mesh_field *f,
		     const char *object)
{
	const void *slot = object + f->offset;
	size_t len = field_len(f, object);
	bool map = f->value == VALUE_MAP;
	char buf[ADDR_TEXT_MAX];

	if (len == 0 && f->null_at && *(const bool *)(object + f->null_at)) {
		sbuf_puts(w->out, "null");
		return;
	}
	open_with(w, map ? '{' : '[');
	for (size_t i = 0; i < len; i++) {
		if (map)
			put_key(w, *(char *const *)field_item(f, object, i));
		else
			next_item(w);
		if (f->of)
			put_object(w, f->of, field_item(f, object, i));
		else if (f->value == VALUE_STRINGS)
			put_text(w, ((const struct strings *)slot)->items[i]);
		else if (f->value == VALUE_SECRETS)
			put_text(w, secret_text(((const struct secrets *)slot)
							->items + i));
		else
			put_text(w, cidr_text(((const struct cidrs *)slot)
						      ->items + i, buf));
	}
	close_with(w, map ? '}' : ']');
}

static void put_value(struct writer *w, const struct mesh_field *f,
		      const char *object)
{
	const void *slot = object + f->offset;
	char buf[ADDR_TEXT_MAX] = "";
	int n;

	switch (f->value) {
	case VALUE_TEXT:
	case VALUE_OPTIONAL:
		put_text(w, *(char *const *)slot);
		break;
	case VALUE_KEY_PLACE:
		put_text(w, key_place_word(*(const enum key_place *)slot));
		break;
	case VALUE_SECRET:
		put_text(w, secret_text(slot));
		break;
	case VALUE_NUMBER:
		n = *(const int *)slot;
		sbuf_printf(w->out, "%d", n == f->zero ? 0 : n);
		break;
	case VALUE_SERIAL:
		sbuf_printf(w->out, "%" PRIu64, *(const uint64_t *)slot);
		break;
	case VALUE_BOOL:
		sbuf_puts(w->out, *(const bool *)slot ? "true" : "false");
		break;
	case VALUE_IP:
		put_text(w, ip_text(slot, buf));
		break;
	case VALUE_NETWORK:
		put_text(w, field_says(f, object) ? cidr_text(slot, buf) : "");
		break;
	case VALUE_OBJECT:
		put_object(w, f->of, slot);
		break;
	case VALUE_NETWORKS:
	case VALUE_ADDRESSES:
	case VALUE_STRINGS:
	case VALUE_SECRETS:
	case VALUE_LIST:
	case VALUE_MAP:
		put_list(w, f, object);
		break;
	default:
		break; /* not in the file */
	}
}

static void put_object(struct writer *w, const struct mesh_object *of,
		       const void *object)
{
	const struct mesh_field *rows[OBJECT_MEMBERS];
	const struct extras *extras =
		(const void *)((const char *)object + of->extras);
	size_t n = object_members(of, rows);

	open_with(w, '{');
	for (size_t i = 0; i < n; i++) {
		if (!rows[i]->always && !field_says(rows[i], object))
			continue;
		put_key(w, rows[i]->json);
		put_value(w, rows[i], object);
	}
	for (size_t i = 0; i < extras->len; i++) {
		put_key(w, extras->items[i].key);
		copy_json(w, extras->items[i].json);
	}
	close_with(w, '}');
}

void state_format(struct sbuf *out, const struct mesh *m)
{
	struct writer w = { out, 0, true };

	put_object(&w, &object_mesh, m);
}
