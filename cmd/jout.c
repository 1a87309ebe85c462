/*
 * JSON output, through json-c: the one place where a command's JSON is made.
 */
#include "cmd/jout.h"

#include "base/auto.h"
#include "base/text.h"

#include <assert.h>
#include <json-c/json.h>
#include <stdio.h>

struct jout {
	VEC(struct json_object *) open; /* the root first */
};

struct jout *jout_new(void)
{
	struct jout *j = mem_calloc(1, sizeof *j);

	vec_push(&j->open, json_object_new_object());
	return j;
}

static void add_value(struct jout *j, const char *key,
		      struct json_object *value)
{
	struct json_object *parent = j->open.items[j->open.len - 1];

	if (json_object_is_type(parent, json_type_array))
		json_object_array_add(parent, value);
	else
		json_object_object_add(parent, key, value);
}

void jout_open(struct jout *j, const char *key)
{
	struct json_object *o = json_object_new_object();

	add_value(j, key, o);
	vec_push(&j->open, o);
}

void jout_list(struct jout *j, const char *key)
{
	struct json_object *a = json_object_new_array();

	add_value(j, key, a);
	vec_push(&j->open, a);
}

void jout_end(struct jout *j)
{
	assert(j->open.len > 1);
	j->open.len--;
}

void jout_text(struct jout *j, const char *key, const char *value)
{
	add_value(j, key, value ? json_object_new_string(value) : NULL);
}

void jout_number(struct jout *j, const char *key, long value)
{
	add_value(j, key, json_object_new_int64(value));
}

void jout_bool(struct jout *j, const char *key, bool value)
{
	add_value(j, key, json_object_new_boolean(value));
}

void jout_strings(struct jout *j, const char *key, const struct strings *v)
{
	jout_list(j, key);
	for (size_t i = 0; i < v->len; i++)
		jout_text(j, NULL, v->items[i]);
	jout_end(j);
}

void jout_cidrs(struct jout *j, const char *key, const struct cidrs *v)
{
	char text[ADDR_TEXT_MAX];

	jout_list(j, key);
	for (size_t i = 0; i < v->len; i++)
		jout_text(j, NULL, cidr_text(&v->items[i], text));
	jout_end(j);
}

void jout_ip(struct jout *j, const char *key, const struct ip *a)
{
	char text[ADDR_TEXT_MAX];

	jout_text(j, key, a->family ? ip_text(a, text) : NULL);
}

/* As one text that ends with a newline; @j goes. */
static void format_json(struct jout *j, int flags, struct sbuf *out)
{
	text_escape_json(out, json_object_to_json_string_ext(
				      j->open.items[0],
				      flags | JSON_C_TO_STRING_NOSLASHESCAPE));
	sbuf_putc(out, '\n');
	json_object_put(j->open.items[0]);
	vec_done(&j->open);
	free(j);
}

void jout_print(struct jout *j)
{
	AUTO(sbuf_done) struct sbuf text = { .max = SIZE_MAX };

	format_json(j, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED,
		    &text);
	fwrite(sbuf_str(&text), 1, text.len, stdout);
}

void jout_line(struct jout *j, struct sbuf *out)
{
	format_json(j, JSON_C_TO_STRING_PLAIN, out);
}
