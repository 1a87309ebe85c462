/*
 * docs/mesh-yaml.md says what the tables say: every key with the same type,
 * default, meaning and example, and no other key; its examples can be read.
 */
#include "state/yaml/yaml.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <string.h>

#define DOCUMENT "docs/mesh-yaml.md"

static char *document;
static size_t rows;

static int load(void **state)
{
	AUTO(auto_fclose) FILE *f = fopen(DOCUMENT, "re");
	size_t size = 0;

	(void)state;
	if (!f)
		fail_msg("cannot read " DOCUMENT);
	return getdelim(&document, &size, '\0', f) > 0 ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	free(document);
	return 0;
}

static char *type_of(const struct mesh_field *f)
{
	switch (f->type) {
	case FIELD_TEXT:
		return strcmp(f->form, "text") == 0
			       ? mem_strdup("text")
			       : mem_printf("text: %s", f->form);
	case FIELD_NUMBER:
		return mem_printf("number: %s", f->form);
	case FIELD_BOOL:
		return mem_strdup(f->form);
	case FIELD_LIST:
		return mem_printf("%slist: %s", f->fallback ? "text or " : "",
				  f->form);
	}
	return NULL;
}

/* Must stand in the document, word for word. */
static void stands(const char *text, const char *title)
{
	if (!strstr(document, text))
		fail_msg(DOCUMENT " lacks, under '%s':\n%s", title, text);
}

/* The table under the heading of that name. */
static void check_table(const char *title, const struct mesh_fields *fields)
{
	AUTO(sbuf_done) struct sbuf table = SBUF_INIT;

	sbuf_puts(&table, "| key | type | default | meaning | example |\n"
			  "| --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < fields->len; i++) {
		const struct mesh_field *f = &fields->items[i];
		AUTO(auto_free) char *type = type_of(f);

		sbuf_printf(&table, "| `%s` | %s | %s | %s | `%s` |\n", f->key,
			    type, f->fallback ? f->fallback : "-", f->meaning,
			    f->example);
	}
	rows += fields->len;
	sbuf_puts(&table, "\n");
	stands(sbuf_str(&table), title);
}

static void test_tables(void **state)
{
	size_t keys = 0;

	(void)state;
	rows = 0;
	check_table("The mesh", &fields_mesh);
	for (size_t i = 0; i < YAML_SECTIONS; i++) {
		const struct yaml_section *s = &yaml_sections[i];
		AUTO(auto_free) char *heading =
			mem_printf("\n### `%s`\n\n%s.\n\n| key | type ", s->key,
				   s->meaning);

		char *meaning = strstr(heading, s->meaning);

		*meaning = (char)toupper(*meaning);
		stands(heading, s->key);
		check_table(s->key, s->fields);
	}
	for (const char *p = document; (p = strstr(p, "\n| `")); p++)
		keys++;
	assert_int_equal(keys, rows);
}

static void parses(const char *text, size_t len)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	struct err e;

	if (yaml_parse(&m, NULL, text, len, DOCUMENT, &e) < 0)
		fail_msg("%s\n%.*s", e.msg, (int)len, text);
}

/* The examples in the tables. */
static void test_examples(void **state)
{
	static const char *const around[YAML_SECTIONS + 1][2] = {
		{ "defaults: {", "}" }, { "nodes: {a: {", "}}" },
		{ "groups: {a: {", "}}" }, { "policies: [{", "}]" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i <= YAML_SECTIONS; i++) {
		const struct mesh_fields *fields =
			i < YAML_SECTIONS ? yaml_sections[i].fields
					  : &fields_mesh;

		for (size_t k = 0; k < fields->len; k++) {
			AUTO(auto_free) char *text = mem_printf(
				"%s%s: %s%s", around[i][0],
				fields->items[k].key, fields->items[k].example,
				around[i][1]);

			parses(text, strlen(text));
		}
	}
}

/* The texts in the document that are a mesh.yaml. */
static void test_texts(void **state)
{
	static const char start[] = "\n```yaml\n";
	const char *p = document;
	size_t n = 0;

	(void)state;
	while ((p = strstr(p, start))) {
		const char *end;

		p += strlen(start);
		end = strstr(p, "```\n");
		assert_non_null(end);
		parses(p, (size_t)(end - p));
		n++;
	}
	assert_true(n >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
