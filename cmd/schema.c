/*
 * wgmesh schema: the JSON Schema (draft 2020-12) of mesh.yaml, out of the
 * table of fields. Editors read it; wgmesh itself does not, and says more
 * (render/validate.c).
 */
#include "cmd/cmd.h"

#include "base/num.h"
#include "cmd/jout.h"
#include "state/yaml/yaml.h"

#include <string.h>

/* One value, in JSON's kinds. */
static void add_value(struct jout *j, const char *key,
		      const struct mesh_field *f, const char *value)
{
	long n;

	if (f->type == FIELD_NUMBER && num_parse(&n, value, f->min, f->max))
		jout_number(j, key, n);
	else if (f->type == FIELD_BOOL)
		jout_bool(j, key, strcmp(value, "true") == 0);
	else
		jout_text(j, key, value);
}

/* The field's example, which is YAML: one value or a list. */
static void add_example(struct jout *j, const struct mesh_field *f)
{
	AUTO(auto_yaml_stream_close) struct yaml_stream *in = NULL;
	struct yaml_item item = { 0 };
	size_t depth = 0;
	struct err e;

	jout_list(j, "examples");
	in = yaml_stream_open(f->example, strlen(f->example), f->key, &e);
	while (in && yaml_stream_next(in, &item, &e) == 0) {
		if (item.kind == ITEM_TEXT)
			add_value(j, NULL, f, item.text);
		else if (item.kind == ITEM_LIST && ++depth)
			jout_list(j, NULL);
		else if (depth-- > 0)
			jout_end(j);
		else
			break;
	}
	jout_end(j);
}

/*
 * A list with one item may be written as that item, if the field has a
 * fallback.
 */
static void add_schema_type(struct jout *j, const struct mesh_field *f)
{
	static const char *const names[] = { [FIELD_TEXT] = "string",
					     [FIELD_NUMBER] = "integer",
					     [FIELD_BOOL] = "boolean",
					     [FIELD_LIST] = "array" };
	const char *form = f->form;

	if (f->type == FIELD_LIST && f->fallback) { /* or one text */
		jout_list(j, "type");
		jout_text(j, NULL, "string");
		jout_text(j, NULL, "array");
		jout_end(j);
	} else {
		jout_text(j, "type", names[f->type]);
	}
	if (f->type == FIELD_LIST) {
		jout_open(j, "items");
		jout_text(j, "type", "string");
		jout_end(j);
	} else if (f->type == FIELD_NUMBER) {
		jout_number(j, "minimum", f->min);
		jout_number(j, "maximum", f->max);
	} else if (f->type == FIELD_TEXT && strstr(f->form, " or ")) {
		/* a text of which there are a few: "host or state" */
		jout_list(j, "enum");
		while (*form) {
			size_t n = strcspn(form, " ");
			AUTO(auto_free) char *word = mem_strndup(form, n);

			if (strcmp(word, "or") != 0)
				jout_text(j, NULL, word);
			form += n + (form[n] == ' ');
		}
		jout_end(j);
	}
}

/* An object with these keys; what is open then are its members. */
static void open_object(struct jout *j, const struct mesh_fields *fields)
{
	jout_text(j, "type", "object");
	jout_bool(j, "additionalProperties", false);
	jout_open(j, "properties");
	for (size_t i = 0; i < fields->len; i++) {
		const struct mesh_field *f = &fields->items[i];
		AUTO(auto_free) char *about =
			mem_printf("%s: %s", f->form, f->meaning);

		jout_open(j, f->key);
		add_schema_type(j, f);
		jout_text(j, "description", about);
		if (f->fallback)
			add_value(j, "default", f, f->fallback);
		add_example(j, f);
		jout_end(j);
	}
}

int cmd_schema(struct cmd_env *env)
{
	struct jout *j = jout_new();

	(void)env;
	jout_text(j, "$schema", "https://json-schema.org/draft/2020-12/schema");
	jout_text(j, "title", "a wgmesh mesh, mesh.yaml");
	open_object(j, &fields_mesh); /* the sections are members of it, too */
	for (size_t i = 0; i < YAML_SECTIONS; i++) {
		const struct yaml_section *s = &yaml_sections[i];
		bool list = s->shape == YAML_IN_LIST;
		bool one = s->shape == YAML_ONE;

		jout_open(j, s->key);
		jout_text(j, "description", s->meaning);
		if (!one) {
			jout_text(j, "type", list ? "array" : "object");
			jout_open(j, list ? "items" : "additionalProperties");
		}
		open_object(j, s->fields);
		jout_end(j);
		if (!one)
			jout_end(j);
		jout_end(j);
	}
	jout_end(j);
	jout_print(j);
	return EXIT_DONE;
}
