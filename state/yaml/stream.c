/*
 * libyaml's events, without anchors, aliases, tags and second documents: an
 * alias is refused before it could multiply what a short text says. The number
 * of items is bounded.
 */
#include "state/yaml/stream.h"

#include "base/text.h"
#include "state/model/model.h"

#include <string.h>
#include <yaml.h>

/** So many items are no mesh any more, and would take much memory. */
#define ITEMS_MAX 1000000

struct yaml_stream {
	yaml_parser_t parser;
	yaml_event_t event; /* the last one: owns the text of its item */
	const char *text;
	size_t len;
	char *file; /* escaped */
	size_t items, documents;
};

/* What libyaml says in other words; of those that fit the first one holds. */
static const struct trouble {
	const char *problem;  /* a part of libyaml's text */
	bool context;         /* the place is where the thing began */
	const char *expected;
} troubles[] = {
	{ "tab character", false, "spaces" },
	{ "mapping values are not allowed", false,
	  "one 'key: value' on a line, and quotes around text with ': ' in it" },
	{ "could not find expected ':'", true, "'key: value'" },
	{ "did not find expected key", false,
	  "a key, indented like the keys before it" },
	{ "did not find expected '-'", false,
	  "'- ', indented like the items before it" },
	{ "',' or ']'", false, "',' or ']'" },
	{ "',' or '}'", false, "',' or '}'" },
	{ "block sequence entries", false, "the list on lines of its own" },
	{ "mapping keys are not allowed", false, "a key on a line of its own" },
	{ "cannot start any token", false,
	  "quotes around text that begins with such a character" },
	{ "unexpected end of stream", true, "a closing quote" },
	{ "unexpected document indicator", true, "a closing quote" },
	{ "unknown escape", false,
	  "only \\\", \\\\, \\n, \\t, \\xNN, \\uNNNN as escapes" },
	{ "hexdecimal", false, "hexadecimal digits behind \\x, \\u and \\U" },
	{ "Unicode character escape", false, "a character that exists" },
	{ "unexpected ':'", false, "a blank behind ':'" },
	{ "node content", false, "a value" },
	{ "alphabetic or numeric", true,
	  "quotes around text that begins with such a character" },
	{ "tag", true, "a value without a tag" },
	{ "URI", true, "a value without a tag" },
	{ "'!'", true, "a value without a tag" },
	{ "document start", false, "nothing behind the mesh" },
	{ "directive", true, "%YAML 1.2 or no directive" },
	{ "YAML document", true, "%YAML 1.2 or no directive" },
	{ "version number", true, "%YAML 1.2 or no directive" },
	{ "digit or '.'", true, "%YAML 1.2 or no directive" },
	{ "comment or line break", true, "nothing behind it in the line" },
};

static struct yaml_mark from_one(const yaml_mark_t *m)
{
	return (struct yaml_mark){ m->line + 1, m->column + 1 };
}

int yaml_refuse(const struct yaml_stream *s, struct yaml_mark at,
		struct err *e, const char *fmt, ...)
{
	AUTO(sbuf_done) struct sbuf b = SBUF_INIT;
	va_list ap;

	sbuf_printf(&b, "%s:%zu:%zu: ", s->file, at.line, at.column);
	va_start(ap, fmt);
	sbuf_vprintf(&b, fmt, ap);
	va_end(ap);
	return err_set(e, ERR_INPUT, "%s", sbuf_str(&b));
}

/* What stands at this place, in words. */
static char *found_at(const struct yaml_stream *s, struct yaml_mark at)
{
	const char *p = s->text, *end = s->text + s->len;
	AUTO(auto_free) char *word = NULL;
	AUTO(auto_free) char *shown = NULL;
	size_t n = 0;

	while (p < end && --at.line) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));

		p = newline ? newline + 1 : end;
	}
	while (p < end && *p != '\n' && --at.column)
		for (p++; p < end && ((unsigned char)*p & 0xc0) == 0x80;)
			p++;
	if (p >= end)
		return mem_strdup("the end of the text");
	if (*p == '\n' || *p == '\r')
		return mem_strdup("the end of the line");
	if (*p == '\t')
		return mem_strdup("a tab");
	while (p + n < end && !strchr(" \t\r\n", p[n]))
		n++;
	word = mem_strndup(p, n);
	shown = check_shown(word);
	return mem_printf("'%s'", shown);
}

/*
 * libyaml's problem in our words: what stands there, and what is expected. A
 * version of libyaml that words it anew is quoted.
 */
static int refuse_problem(const struct yaml_stream *s, struct err *e)
{
	const yaml_parser_t *p = &s->parser;
	const char *problem = p->problem ? p->problem : "";
	struct yaml_mark at = from_one(&p->problem_mark);
	const struct trouble *t = troubles;
	const struct trouble *end = t + sizeof troubles / sizeof *troubles;
	AUTO(auto_free) char *found = NULL;

	if (p->error == YAML_MEMORY_ERROR)
		return err_set(e, ERR_SYSTEM, "out of memory");
	while (t < end && !strstr(problem, t->problem))
		t++;
	if (t < end && t->context && p->context)
		at = from_one(&p->context_mark);
	found = found_at(s, at);
	if (t == end)
		return yaml_refuse(s, at, e, "%s found, expected YAML (%s)",
				   found, problem);
	if (strcmp(found, "a tab") == 0)
		return yaml_refuse(s, at, e, "a tab found, expected spaces");
	return yaml_refuse(s, at, e, "%s found, expected %s", found,
			   t->expected);
}

struct yaml_stream *yaml_stream_open(const char *text, size_t len,
				     const char *file, struct err *e)
{
	AUTO(auto_yaml_stream_close) struct yaml_stream *s =
		mem_calloc(1, sizeof *s);
	AUTO(auto_free) char *bad = NULL;
	struct yaml_mark at = { 1, 1 };

	s->file = text_escaped(file);
	s->text = text;
	s->len = len;
	if (!yaml_parser_initialize(&s->parser)) {
		err_set(e, ERR_SYSTEM, "out of memory");
		return NULL;
	}
	/* else it would guess UTF-16 from the first bytes */
	yaml_parser_set_encoding(&s->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&s->parser, (const unsigned char *)text,
				     len);
	if (len > YAML_SIZE_MAX)
		bad = mem_printf("%zu bytes found, expected at most %d", len,
				 YAML_SIZE_MAX);
	else
		bad = yaml_bad_character(text, len, &at);
	if (bad) {
		yaml_refuse(s, at, e, "%s", bad);
		return NULL;
	}
	return STEAL(s);
}

void yaml_stream_close(struct yaml_stream *s)
{
	if (!s)
		return;
	yaml_event_delete(&s->event);
	yaml_parser_delete(&s->parser);
	free(s->file);
	free(s);
}

/* A second document, or directives before the first. */
static int check_document(struct yaml_stream *s, struct err *e)
{
	const yaml_version_directive_t *version =
		s->event.data.document_start.version_directive;
	const yaml_tag_directive_t *tags =
		s->event.data.document_start.tag_directives.start;
	struct yaml_mark at = from_one(&s->event.start_mark);

	if (s->documents++)
		return yaml_refuse(s, at, e, "a second document found, "
				   "expected one");
	if (tags || (version && version->minor != 2))
		return yaml_refuse(s, at, e, "a directive found, expected "
				   "%%YAML 1.2 or no directive");
	return 0;
}

/* An anchor is refused where it is set: no alias can come to mean anything. */
static int check_properties(struct yaml_stream *s, const unsigned char *anchor,
			    const unsigned char *tag, struct err *e)
{
	struct yaml_mark at = from_one(&s->event.start_mark);
	AUTO(auto_free) char *found = NULL;

	if (!anchor && !tag)
		return 0;
	found = found_at(s, at);
	return yaml_refuse(s, at, e, "the %s %s found, expected a value without "
			   "one", anchor ? "anchor" : "tag", found);
}

static int take_scalar(struct yaml_stream *s, struct yaml_item *out,
		       struct err *e)
{
	yaml_scalar_style_t style = s->event.data.scalar.style;
	const char *text = (const char *)s->event.data.scalar.value;

	if (check_properties(s, s->event.data.scalar.anchor,
			     s->event.data.scalar.tag, e) < 0)
		return -1;
	/* "\\0" in double quotes */
	if (strlen(text) != s->event.data.scalar.length)
		return yaml_refuse(s, out->at, e, "the character U+0000 found, "
				   "expected text without it");
	out->kind = ITEM_TEXT;
	out->text = text;
	out->plain = style == YAML_PLAIN_SCALAR_STYLE;
	out->exact = style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	return 0;
}

/* 1 when the event is no item: the start of the text, the end of a document. */
static int take_event(struct yaml_stream *s, struct yaml_item *out,
		      struct err *e)
{
	AUTO(auto_free) char *shown = NULL;

	switch (s->event.type) {
	case YAML_DOCUMENT_START_EVENT:
		return check_document(s, e) < 0 ? -1 : 1;
	case YAML_ALIAS_EVENT:
		shown = check_shown((char *)s->event.data.alias.anchor);
		return yaml_refuse(s, out->at, e, "the alias '*%s' found, "
				   "expected a value without aliases", shown);
	case YAML_SCALAR_EVENT:
		return take_scalar(s, out, e);
	case YAML_SEQUENCE_START_EVENT:
		out->kind = ITEM_LIST;
		return check_properties(s,
					s->event.data.sequence_start.anchor,
					s->event.data.sequence_start.tag, e);
	case YAML_MAPPING_START_EVENT:
		out->kind = ITEM_MAP;
		return check_properties(s, s->event.data.mapping_start.anchor,
					s->event.data.mapping_start.tag, e);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
	case YAML_STREAM_END_EVENT:
		out->kind = ITEM_END;
		return 0;
	default:
		return 1;
	}
}

int yaml_stream_next(struct yaml_stream *s, struct yaml_item *out,
		     struct err *e)
{
	int ret;

	do {
		yaml_event_delete(&s->event);
		if (!yaml_parser_parse(&s->parser, &s->event))
			return refuse_problem(s, e);
		*out = (struct yaml_item){ 0 };
		out->at = from_one(&s->event.start_mark);
		if (++s->items > ITEMS_MAX)
			return yaml_refuse(s, out->at, e, "more than %d items "
					   "found, expected fewer", ITEMS_MAX);
		ret = take_event(s, out, e);
	} while (ret > 0);
	return ret;
}
