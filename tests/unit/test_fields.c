/*
 * state/model/field: a walk along the rows. What a row says holds in every form:
 * in the state file, in mesh.yaml, for `set` and `unset`, in a difference, in a
 * merge by its kind; and the documents have it.
 */
#include "state/yaml/yaml.h"

#include "merging.h"

#define SECRET_0 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define SECRET_1 "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="
#define NODE(members) "'network6':'fd99::/64','nodes':{'a':{" members "}}"

/* A kind of object, and a mesh in which one has the members "%s". */
static const struct kind {
	const struct mesh_object *of;
	enum mesh_part part;
	const char *name; /* in a merge */
	const char *around;
} kinds[] = {
	{ &object_mesh, PART_MESH, NULL, "%s" },
	{ &object_node, PART_NODE, "a", NODE("%s") },
	{ &object_group, PART_GROUP, "g", "'groups':{'g':{%s}}" },
	{ &object_policy, PART_POLICY, "p",
	  "'access_policies':[{'name':'p',%s}]" },
	{ &object_facts, PART_NODE, "a", NODE("'facts':{%s}") },
	{ &object_external, PART_NODE, "a",
	  NODE("'external_peers':[{'name':'x','public_key':'" KEY_C
	       "',%s}]") },
};

#define KINDS (sizeof kinds / sizeof *kinds)

/* Values of texts that have a syntax; others are words. */
static const char *const texts[][3] = {
	{ "public_endpoint", "203.0.113.1:1", "203.0.113.1:2" },
	{ "endpoint", "203.0.113.1:1", "203.0.113.1:2" },
	{ "key", "host", "state" },
	{ "mesh_id", MESH_ID, "ffeeddccbbaa99887766554433221100" },
	{ "address", "192.0.2.1", "192.0.2.2" },
	{ "dialled", "192.0.2.1", "192.0.2.2" },
	{ "public_key", KEY_A, KEY_B },
	{ "private_key", KEY_A, KEY_B },
	{ "preshared_key", KEY_A, KEY_B },
	{ "mesh_secret", SECRET_0, SECRET_1 },
};

static const char *text_of(const struct mesh_field *f, size_t nth)
{
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (strcmp(texts[i][0], f->json) == 0)
			return texts[i][1 + nth];
	return nth ? "word2" : "word1";
}

/* The @nth value of a row as JSON; NULL: it is made of objects. */
static char *value_of(const struct mesh_field *f, size_t nth)
{
	switch (f->value) {
	case VALUE_TEXT:
	case VALUE_OPTIONAL:
	case VALUE_KEY_PLACE:
	case VALUE_SECRET:
		return mem_printf("'%s'", text_of(f, nth));
	case VALUE_NUMBER:
		return mem_printf("%ld", f->max ? f->max - (long)nth
						: 2201 + (long)nth);
	case VALUE_SERIAL:
		return mem_printf("%zu", 7 + nth);
	case VALUE_BOOL:
		return mem_strdup(nth == (size_t)f->unsaid ? "true" : "false");
	case VALUE_IP:
		return mem_printf(f->min == 6 ? "'fd99::%zu'" : "'10.99.0.%zu'",
				  7 + nth);
	case VALUE_NETWORK:
		return mem_printf(f->min == 6 ? "'fd9%zu::/64'"
					      : "'10.9%zu.0.0/16'", 1 + nth);
	case VALUE_NETWORKS:
	case VALUE_ADDRESSES:
		return mem_printf("['192.168.%zu.0/24']", 1 + nth);
	case VALUE_STRINGS:
		return mem_printf("['word%zu']", 1 + nth);
	case VALUE_SECRETS:
		return mem_printf("['%s']", nth ? SECRET_1 : SECRET_0);
	default:
		return NULL;
	}
}

/* A mesh in which an object of this kind says "f: value" (NULL: null). */
static void mesh_with(struct mesh *m, const struct kind *k,
		      const struct mesh_field *f, const char *value)
{
	AUTO(auto_free) char *member =
		mem_printf("'%s':%s", f->json, value ? value : "null");
	AUTO(auto_free) char *text = NULL;
	const char *gap = strstr(k->around, "%s");

	text = mem_printf("%.*s%s%s", (int)(gap - k->around), k->around, member,
			  gap + 2);
	mesh_of(m, text);
}

static char *file_of(const struct mesh *m)
{
	struct sbuf text = SBUF_INIT;

	state_format(&text, m);
	return sbuf_detach(&text);
}

/* Does the file say "key": value, blanks apart? */
static bool file_says(const char *file, const struct mesh_field *f,
		      const char *value)
{
	AUTO(auto_free) char *wanted = mem_printf("\"%s\":%s", f->json, value);
	AUTO(auto_free) char *flat = mem_strdup(file);
	char *to = flat;

	for (char *p = wanted; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	for (const char *p = flat; *p; p++)
		if (!strchr(" \n", *p))
			*to++ = *p;
	*to = '\0';
	return strstr(flat, wanted) != NULL;
}

/* ---- the state file ---- */

static void round_trip(const struct kind *k, const struct mesh_field *f,
		       size_t nth)
{
	AUTO(auto_free) char *value = value_of(f, nth), *file = NULL;
	AUTO(auto_free) char *again = NULL;
	AUTO(mesh_done) struct mesh m = { 0 };

	if (!value)
		return;
	mesh_with(&m, k, f, value);
	file = file_of(&m);
	if (!file_says(file, f, value) &&
	    !(f->value == VALUE_BOOL && !f->always && nth))
		fail_msg("%s: %s is not in\n%s", f->json, value, file);
	reread(&m);
	again = file_of(&m);
	assert_string_equal(file, again);
}

static void test_file(void **state)
{
	size_t rows = 0;

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		const struct mesh_field *all[OBJECT_MEMBERS];
		size_t n = object_members(kinds[i].of, all);

		rows += n;
		for (size_t k = 0; k < n; k++) {
			round_trip(&kinds[i], all[k], 0);
			round_trip(&kinds[i], all[k], 1);
			/* each has its place, and is found by its key */
			assert_true(!k || all[k - 1]->nth < all[k]->nth);
			assert_ptr_equal(object_member(kinds[i].of,
						       all[k]->json), all[k]);
		}
	}
	assert_true(rows > 50);
}

/* ---- what people write ---- */

/* The places in a mesh.yaml, as in YAML's own tests. */
static const struct {
	const struct mesh_fields *fields;
	const char *before, *behind;
} sections[] = {
	{ &fields_mesh, "", "" },
	{ &fields_defaults, "defaults: {", "}" },
	{ &fields_node, "nodes: {a: {", "}}" },
	{ &fields_group, "groups: {a: {", "}}" },
	{ &fields_policy, "policies: [{", "}]" },
};

static void yaml_mesh(struct mesh *m, const char *text)
{
	struct err e;

	memset(m, 0, sizeof *m);
	if (yaml_parse(m, NULL, text, strlen(text), "f", &e) < 0)
		fail_msg("%s\n%s", e.msg, text);
}

/* Bring an empty mesh to what the text says, and compare. */
static void apply_row(const struct mesh_field *f, const struct mesh *wanted)
{
	AUTO(mesh_done) struct mesh m = { 0 }, before = { 0 };
	AUTO(changes_done) struct changes all = { 0 };
	AUTO(strings_done) struct strings kept = { 0 };
	AUTO(auto_free) char *file = NULL;
	struct finding_place failed;
	struct err e;
	bool told = false;

	mesh_init(&m);
	mesh_init(&before);
	if (mesh_apply(&m, wanted, APPLY_WHOLE, &kept, &failed, &e) < 0)
		fail_msg("%s: %s", f->key, e.msg);
	mesh_diff(&all, &before, &m);
	for (size_t i = 0; i < all.len; i++)
		told = told || (all.items[i].sign == '+'
				? strcmp(f->key, "name") == 0 ||
				  (all.items[i].after &&
				   strstr(all.items[i].after, f->key)) ||
				  strcmp(f->key, "groups") == 0
				: strcmp(all.items[i].field, f->key) == 0);
	/* an example that is the default is no change */
	if (!told && !strstr(f->meaning, f->example) &&
	    !(f->fallback && strcmp(f->fallback, f->example) == 0))
		fail_msg("%s: no difference", f->key);
	file = file_of(&m);
	if (f->json && !strstr(file, f->json))
		fail_msg("%s is not in\n%s", f->json, file);
}

static void test_yaml(void **state)
{
	size_t rows = 0;

	(void)state;
	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
		for (size_t k = 0; k < sections[i].fields->len; k++, rows++) {
			const struct mesh_field *f =
				&sections[i].fields->items[k];
			AUTO(auto_free) char *text = mem_printf(
				"%s%s: %s%s", sections[i].before, f->key,
				f->example, sections[i].behind);
			AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
			AUTO(sbuf_done) struct sbuf twice = SBUF_INIT;
			AUTO(mesh_done) struct mesh m = { 0 }, again = { 0 };
			AUTO(auto_free) char *line = mem_printf("%s: ", f->key);

			yaml_mesh(&m, text);
			yaml_write(&out, &m);
			if (!strstr(sbuf_str(&out), line) &&
			    !(f->fallback &&
			      strcmp(f->fallback, f->example) == 0))
				fail_msg("no '%s' in\n%s", line,
					 sbuf_str(&out));
			yaml_mesh(&again, sbuf_str(&out));
			yaml_write(&twice, &again);
			assert_string_equal(sbuf_str(&out), sbuf_str(&twice));
			apply_row(f, &m);
		}
	}
	assert_true(rows > 20);
}

/* The example as `set` takes it: no quotes, no brackets around a list. */
static char *plain(const char *example)
{
	bool list = *example == '[';
	char *out = mem_strndup(example + list, strlen(example) - 2 * list);
	char *to = out;

	for (const char *p = out; *p; p++)
		if (*p != '"')
			*to++ = *p;
	*to = '\0';
	return out;
}

static void test_set(void **state)
{
	(void)state;
	for (size_t i = 0; i < fields_node.len; i++) {
		const struct mesh_field *f = &fields_node.items[i];
		AUTO(auto_free) char *value = plain(f->example), *bare = NULL;
		AUTO(auto_free) char *now = NULL, *then = NULL;
		AUTO(mesh_done) struct mesh m = { 0 };
		AUTO(strings_done) struct strings said = { 0 };
		struct err e;
		struct node *n;

		mesh_of(&m, "'network6':'fd99:1:2:3::/64','nodes':{'a':{"
			"'ssh_port':22,'mesh_ip':'10.99.0.9',"
			"'mesh_ip6':'fd99:1:2:3::9'}},'groups':{'production':{'members':[]},"
			"'web':{'members':[]}}");
		bare = file_of(&m);
		n = nodes_find(&m.nodes, "a");
		if (edit_set(&m, n, f->key, value, &e) < 0)
			fail_msg("%s=%s: %s", f->key, value, e.msg);
		field_get(f, &m, n, &said);
		now = file_of(&m);
		assert_true(f->value == VALUE_NONE || said.len > 0);
		assert_string_not_equal(now, bare);
		assert_int_equal(edit_unset(&m, n, f->key, &e), 0);
		then = file_of(&m);
		if (f->value != VALUE_ADDRESS) /* it keeps the one it has */
			assert_string_equal(then, bare);
	}
}

/* ---- merges ---- */

/* Merge three values of a row; NULL: not said. */
static void merge_values(struct merged *m, const struct kind *k,
			 const struct mesh_field *f, const char *base,
			 const char *ours, const char *theirs)
{
	mesh_with(&m->base, k, f, base);
	mesh_with(&m->ours, k, f, ours);
	mesh_with(&m->theirs, k, f, theirs);
	m->theirs.serial = m->ours.serial + 1;
	merge_sides(m);
}

static void check_says(const struct merged *m, const struct mesh_field *f,
		       const char *value, bool yes)
{
	AUTO(auto_free) char *file = file_of(&m->out);

	if (file_says(file, f, value) != yes)
		fail_msg("%s: %s %s\n%s", f->json, value,
			 yes ? "is not in" : "is in", file);
}

static const char *conflict_word(const struct mesh_field *f)
{
	const struct mesh_field *unit = f->unit ? member_find(f->unit) : f;

	return unit->key ? unit->key : unit->json;
}

/* Two values, one on each side. */
static void merge_both(const struct kind *k, const struct mesh_field *f,
		       enum merge_how how)
{
	AUTO(merged_done) struct merged m = { 0 };
	AUTO(auto_free) char *one = value_of(f, 0), *two = value_of(f, 1);
	AUTO(auto_free) char *both = NULL;

	merge_values(&m, k, f, how == MERGE_SET ? "[]" : NULL, one, two);
	if (how == MERGE_LEAF) {
		assert_int_equal(m.conflicts.len, 1);
		assert_int_equal(m.conflicts.items[0].part, k->part);
		assert_string_equal(m.conflicts.items[0].field,
				    conflict_word(f));
		assert_int_equal(mesh_has_conflicts(&m.out), true);
		return;
	}
	if (m.conflicts.len)
		fail_msg("%s is in conflict", f->json);
	if (how == MERGE_NEWEST) {
		check_says(&m, f, two, true);
		check_says(&m, f, one, false);
		return;
	}
	one[strlen(one) - 1] = '\0';
	both = mem_printf("%s,%s", one, two + 1); /* "['a'" and "'b']" */
	check_says(&m, f, both, true);
}

/* A value that only they have: taken, and with a yes where it is one to ask for. */
static void merge_one(const struct kind *k, const struct mesh_field *f)
{
	AUTO(merged_done) struct merged m = { 0 };
	AUTO(conflicts_done) struct conflicts asked = { 0 };
	AUTO(auto_free) char *one = value_of(f, 0), *two = value_of(f, 1);
	struct err e;

	merge_values(&m, k, f, two, two, one);
	assert_int_equal(m.conflicts.len, 0);
	check_says(&m, f, one, true);
	if (mesh_trust_changes(&asked, &m.ours, &m.theirs, &e) < 0)
		fail_msg("%s", e.msg);
	if (asked.len != (f->trust != 0))
		fail_msg("%s: a yes is asked for %zu times", f->json,
			 asked.len);
	if (asked.len)
		assert_string_equal(asked.items[0].field, conflict_word(f));
}

/* On a node that only they have, or where nothing was said. */
static void merge_new(const struct kind *k, const struct mesh_field *f)
{
	AUTO(conflicts_done) struct conflicts fresh = { 0 }, first = { 0 };
	AUTO(mesh_done) struct mesh none = { 0 }, unsaid = { 0 }, m = { 0 };
	AUTO(auto_free) char *one = value_of(f, 0);
	struct err e;

	mesh_of(&none, "'nodes':{}");
	mesh_with(&unsaid, k, f, NULL);
	mesh_with(&m, k, f, one);
	assert_int_equal(mesh_trust_changes(&first, &unsaid, &m, &e), 0);
	assert_int_equal(first.len, f->trust && !(f->trust & TRUST_LEARNT));
	assert_int_equal(mesh_trust_changes(&fresh, &none, &m, &e), 0);
	assert_int_equal(fresh.len, k->part == PART_NODE
					    ? (f->trust & TRUST_NEW) != 0
					    : first.len);
}

static void test_merge(void **state)
{
	size_t seen[MERGE_APART + 1] = { 0 };

	(void)state;
	for (size_t i = 0; i + 1 < KINDS; i++) {
		const struct kind *kind = &kinds[i];
		const struct mesh_field *all[OBJECT_MEMBERS];
		size_t n = object_members(kind->of, all);

		for (size_t k = 0; k < n; k++) {
			const struct mesh_field *f = all[k];
			enum merge_how how = kind->of == &object_facts
						     ? MERGE_NEWEST
						     : f->how;
			AUTO(auto_free) char *value = value_of(f, 0);

			seen[how]++;
			/* objects have rows of their own; these two decide what
			   is merged with what */
			if (!value || how == MERGE_APART ||
			    strcmp(f->json, "mesh_id") == 0 ||
			    kind->of->by)
				continue;
			if (f->value != VALUE_BOOL) /* which has no third */
				merge_both(kind, f, how);
			if (f->value != VALUE_BOOL || f->always)
				merge_one(kind, f);
			merge_new(kind, f);
		}
	}
	for (size_t i = 0; i <= MERGE_APART; i++)
		assert_true(seen[i] > 0 || i == MERGE_FIELDS);
}

/* Of a unit, what each side changed is one conflict. */
static void test_units(void **state)
{
	const struct mesh_field *all[OBJECT_MEMBERS];
	size_t n = object_members(&object_node, all), units = 0;
	const struct kind *k = &kinds[1];

	(void)state;
	for (size_t i = 0; i < n; i++) {
		AUTO(merged_done) struct merged m = { 0 };
		AUTO(auto_free) char *one = value_of(all[i], 0), *two = NULL;
		const struct mesh_field *f = all[i], *first;

		if (!f->unit || strcmp(f->unit, f->json) == 0)
			continue;
		first = object_member(&object_node, f->unit);
		assert_non_null(first);
		two = value_of(first, 1);
		mesh_with(&m.base, k, f, NULL);
		mesh_with(&m.ours, k, f, one);
		mesh_with(&m.theirs, k, first, two);
		merge_sides(&m);
		assert_int_equal(m.conflicts.len, 1);
		assert_string_equal(m.conflicts.items[0].field,
				    conflict_word(f));
		units++;
	}
	assert_true(units >= 6);
}

/* ---- documents ---- */

static void test_documented(void **state)
{
	AUTO(auto_fclose) FILE *f = fopen("docs/state-file.md", "re");
	AUTO(auto_free) char *text = NULL;
	size_t size = 0;

	(void)state;
	assert_non_null(f);
	assert_true(getdelim(&text, &size, '\0', f) > 0);
	for (size_t i = 0; i < KINDS; i++) {
		const struct mesh_field *all[OBJECT_MEMBERS];
		size_t n = object_members(kinds[i].of, all);

		for (size_t k = 0; k < n; k++) {
			AUTO(auto_free) char *key =
				mem_printf("`%s`", all[k]->json);

			if (!strstr(text, key) &&
			    all[k]->value != VALUE_NAT_SEEN)
				fail_msg("docs/state-file.md lacks %s", key);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_yaml),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
