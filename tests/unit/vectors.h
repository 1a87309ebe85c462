/*
 * What the tests of recorded vectors share: where the vectors are, how a case
 * is read, how cases are counted, and that each difference on purpose is
 * listed in docs/compatibility.md.
 */
#ifndef WGMESH_TESTS_VECTORS_H
#define WGMESH_TESTS_VECTORS_H

#include "base/auto.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <json-c/json.h>
#include <string.h>

#define VECTORS_DOCUMENT "docs/compatibility.md"

/* The project's folder, where the program was started: tests go elsewhere. */
static char *vectors_root;

__attribute__((constructor)) static inline void vectors_begin(void)
{
	vectors_root = realpath(".", NULL);
}

__attribute__((destructor)) static inline void vectors_done(void)
{
	free(vectors_root);
}

typedef struct json_object json;

/** The cases of one kind, as they were checked. */
struct tally {
	const char *kind;
	size_t checked, differ, failed;
};

/** The file of that path among the vectors; the caller frees the name. */
static inline char *vectors_path(const char *path)
{
	return mem_printf("%s/tests/vectors/%s", vectors_root, path);
}

/** The JSON file of that path among the vectors; the caller puts it. */
static inline json *vectors_load(const char *path)
{
	char *full = vectors_path(path);
	json *v = json_object_from_file(full);

	if (!v)
		fail_msg("cannot read %s: are you in the project's folder?",
			 full);
	free(full);
	return v;
}

/** The member @key of @v, or NULL. */
static inline json *vectors_get(json *v, const char *key)
{
	json *member = NULL;

	json_object_object_get_ex(v, key, &member);
	return member;
}

/** The text of the member @key, "" when there is none. */
static inline const char *vectors_text(json *v, const char *key)
{
	json *member = vectors_get(v, key);

	return member ? json_object_get_string(member) : "";
}

/** Item @i of the list @v, and the list's length (0 for NULL). */
static inline json *vectors_item(json *v, size_t i)
{
	return json_object_array_get_idx(v, i);
}

static inline size_t vectors_len(json *v)
{
	return v && json_object_is_type(v, json_type_array)
		       ? json_object_array_length(v)
		       : 0;
}

/** The right result of a case, where the record has it, else the Go tool's. */
static inline json *vectors_right(json *c)
{
	json *correct = vectors_get(c, "correct");

	return correct ? correct : vectors_get(c, "reference_result");
}

/** Report one case that failed. */
static inline void tally_failed(struct tally *t, const char *name,
				const char *what)
{
	t->failed++;
	print_message("vectors/%s: '%s': %s\n", t->kind, name, what);
}

/** Print the sums; fails the test when a case failed. */
static inline void tally_end(const struct tally *t)
{
	print_message("vectors/%s: %zu cases checked, %zu differ on purpose\n",
		      t->kind, t->checked, t->differ);
	assert_true(t->checked > 0);
	assert_int_equal(t->failed, 0);
}

/** The whole text of the document; the caller frees it. */
static inline char *vectors_document(void)
{
	char *path = mem_printf("%s/" VECTORS_DOCUMENT, vectors_root);
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!f || getdelim(&text, &size, '\0', f) < 0)
		fail_msg("cannot read %s", path);
	fclose(f);
	free(path);
	return text;
}

/** Does the document list the difference @name (in backquotes)? */
static inline bool vectors_listed(const char *document, const char *name)
{
	char *quoted = mem_printf("`%s`", name);
	bool found = strstr(document, quoted);

	if (!found)
		print_message(VECTORS_DOCUMENT " does not list %s\n", quoted);
	free(quoted);
	return found;
}

/** A recorded case that wgmesh takes otherwise on purpose. */
struct difference {
	const char *name;
	const char *why;
};

/** The line of the table (ended by a NULL name), or NULL. */
static inline const struct difference *
difference_find(const struct difference *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

/**
 * Count one case. @wrong says what is not as recorded (NULL: nothing): that
 * must be so exactly when the table lists the case.
 */
static inline void tally_case(struct tally *t, const struct difference *table,
			      const char *name, const char *wrong)
{
	bool listed = difference_find(table, name);

	t->checked++;
	if (listed && wrong)
		t->differ++;
	else if (listed)
		tally_failed(t, name, "listed, but it does not differ");
	else if (wrong)
		tally_failed(t, name, wrong);
}

/** Call @check for each case of the file. */
static inline void vectors_each(struct tally *t, const char *path,
		      void (*check)(struct tally *t, json *c))
{
	json *cases = vectors_load(path);

	assert_true(vectors_len(cases) > 0);
	for (size_t i = 0; i < vectors_len(cases); i++)
		check(t, vectors_item(cases, i));
	json_object_put(cases);
}

/** Every line of the table stands in the document. */
static inline void check_documented(const struct difference *table)
{
	char *document = vectors_document();
	size_t missing = 0;

	for (; table->name; table++)
		missing += !vectors_listed(document, table->name);
	free(document);
	assert_int_equal(missing, 0);
}

#endif
