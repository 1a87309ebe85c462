/*
 * mesh.yaml into a mesh that says what the text says, and nothing else. By the
 * stream of pieces and not a tree, for each thing has to know its line, and a
 * key that comes twice is an error, not the last of both.
 */
#include "state/yaml/yaml.h"

#include "base/text.h"
#include "state/model/model.h"
#include "state/yaml/read.h"

#include <assert.h>
#include <string.h>

const struct yaml_section yaml_sections[YAML_SECTIONS] = {
	{ "defaults", YAML_ONE, &fields_defaults,
	  "what holds for every node that does not say otherwise" },
	{ "nodes", YAML_BY_NAME, &fields_node,
	  "the hosts, by name: letters, digits, '.', '_', '-'" },
	{ "groups", YAML_BY_NAME, &fields_group,
	  "groups of nodes, by name, as far as there is more to say than who is "
	  "in them" },
	{ "policies", YAML_IN_LIST, &fields_policy,
	  "who may reach whom; with none and without groups everybody reaches "
	  "everybody" },
};

/* What was read so far is freed where an error ends it. */
static void reader_done(struct yaml_reader *r)
{
	yaml_stream_close(r->in);
	yaml_marks_free(r->marks);
	mesh_done(&r->mesh);
	vec_done(&r->memberships);
}

static int refuse_key(struct yaml_reader *r, const struct yaml_target *t,
		      const struct yaml_item *key, struct err *e)
{
	const char *near = field_nearest(t->fields, key->text);
	AUTO(auto_free) char *shown = check_shown(key->text);
	AUTO(sbuf_done) struct sbuf all = SBUF_INIT;

	if (strcmp(key->text, "<<") == 0)
		return yaml_refuse(r->in, key->at, e, "the merge key '<<' "
				   "found, expected keys without merging");
	for (size_t i = 0; i < t->fields->len; i++)
		sbuf_printf(&all, "%s%s", i ? ", " : "",
			    t->fields->items[i].key);
	if (!near)
		return yaml_refuse(r->in, key->at, e, "the unknown key '%s' "
				   "found, expected one of %s", shown,
				   sbuf_str(&all));
	return yaml_refuse(r->in, key->at, e, "the unknown key '%s' found, "
			   "expected one of %s; did you mean '%s'?", shown,
			   sbuf_str(&all), near);
}

/* The next key of a map, or ITEM_END behind the last. */
static int next_key(struct yaml_reader *r, struct yaml_item *key, struct err *e)
{
	if (yaml_stream_next(r->in, key, e) < 0)
		return -1;
	if (key->kind == ITEM_END)
		return 0;
	if (key->kind != ITEM_TEXT || (key->plain && !*key->text))
		return yaml_wrong_kind(r, key, "a key", e);
	return 0;
}

static int read_section(struct yaml_reader *r, const char *key,
			const struct yaml_item *value, struct err *e);

/* Read the keys and values that @start begins. */
static int read_object(struct yaml_reader *r, struct yaml_target *t,
		       const struct yaml_item *start, struct err *e)
{
	struct yaml_item key, value;

	assert(t->fields->len <= YAML_KEYS_MAX);
	if (start->kind != ITEM_MAP)
		return yaml_wrong_kind(r, start,
				       "keys and values, or {} for none", e);
	for (size_t i = 0; i < t->fields->len; i++)
		field_clear(&t->fields->items[i], t->object);
	while (true) {
		const struct mesh_field *f;
		struct yaml_mark *seen;

		if (next_key(r, &key, e) < 0)
			return -1;
		if (key.kind == ITEM_END)
			return 0;
		f = field_find(t->fields, key.text);
		if (!f)
			return refuse_key(r, t, &key, e);
		seen = &t->seen[f - t->fields->items];
		if (seen->line)
			return yaml_refuse(r->in, key.at, e, "the key '%s' "
					   "found again, expected it once; the "
					   "first is in line %zu, column %zu",
					   f->key, seen->line, seen->column);
		*seen = key.at;
		yaml_mark_add(r, t, f->key, NULL, key.at);
		if (yaml_stream_next(r->in, &value, e) < 0)
			return -1;
		/* a section has no form: it is made of keys itself */
		if ((f->form ? yaml_take_value(r, t, f, &value, e)
			     : read_section(r, f->key, &value, e)) < 0)
			return -1;
	}
}

/*
 * A node or group under its name. That one is there twice shows when the marks
 * are sorted, not by a search for each.
 */
static int read_named(struct yaml_reader *r, const struct yaml_section *s,
		      const struct yaml_item *key, struct err *e)
{
	bool node = s->fields == &fields_node;
	struct yaml_target t = { .fields = s->fields };
	struct yaml_item start;

	if (yaml_check_text(r, key, "a name", e) < 0)
		return -1;
	if ((node ? check_node_name : check_group_name)(key->text, e) < 0)
		return yaml_bad_value(r, key->at, e);
	t.place.part = node ? PART_NODE : PART_GROUP;
	t.place.name = yaml_marks_keep(r->marks, key->text);
	yaml_mark_add(r, &t, NULL, NULL, key->at);
	if (node) {
		t.object = vec_add(&r->mesh.nodes);
		node_init(t.object, t.place.name);
	} else {
		struct group *g = t.object = vec_add(&r->mesh.groups);

		g->name = mem_strdup(t.place.name);
	}
	if (yaml_stream_next(r->in, &start, e) < 0)
		return -1;
	return read_object(r, &t, &start, e);
}

/* Its name stands somewhere in it: the marks get it when all is read. */
static int read_policy(struct yaml_reader *r, const struct yaml_section *s,
		       const struct yaml_item *start, struct err *e)
{
	size_t first = yaml_marks_len(r->marks);
	struct policy *p = vec_add(&r->mesh.policies);
	struct yaml_target t = { .fields = s->fields, .object = p,
				 .place.part = PART_POLICY };

	yaml_mark_add(r, &t, NULL, NULL, start->at);
	if (read_object(r, &t, start, e) < 0)
		return -1;
	yaml_marks_name(r->marks, first,
			yaml_marks_keep(r->marks, p->name ? p->name : ""));
	return 0;
}

static int read_section(struct yaml_reader *r, const char *key,
			const struct yaml_item *value, struct err *e)
{
	const struct yaml_section *s = yaml_sections;
	struct yaml_item item;

	while (strcmp(s->key, key) != 0)
		s++;
	if (s->shape == YAML_ONE)
		return read_object(r,
				   &(struct yaml_target){ .fields = s->fields,
							  .object = &r->mesh },
				   value, e);
	if (value->kind != (s->shape == YAML_IN_LIST ? ITEM_LIST : ITEM_MAP))
		return yaml_wrong_kind(
			r, value, s->shape == YAML_IN_LIST
				? "a list of policies, or [] for none"
				: "names with keys and values, or {} for none",
			e);
	while (true) {
		if (s->shape == YAML_IN_LIST
			    ? yaml_stream_next(r->in, &item, e)
			    : next_key(r, &item, e))
			return -1;
		if (item.kind == ITEM_END)
			return 0;
		if ((s->shape == YAML_IN_LIST ? read_policy : read_named)(
			    r, s, &item, e) < 0)
			return -1;
	}
}

/* The whole text; its keys are the mesh's and the sections. */
static int read_top(struct yaml_reader *r, struct err *e)
{
	struct mesh_field keys[YAML_KEYS_MAX] = { 0 };
	struct mesh_fields fields = { keys, fields_mesh.len };
	struct yaml_target t = { .fields = &fields, .object = &r->mesh };
	struct yaml_item item;

	memcpy(keys, fields_mesh.items, fields_mesh.len * sizeof *keys);
	for (size_t i = 0; i < YAML_SECTIONS; i++)
		keys[fields.len++].key = yaml_sections[i].key;
	if (yaml_stream_next(r->in, &item, e) < 0)
		return -1;
	if (item.kind != ITEM_MAP)
		return yaml_wrong_kind(r, &item, "a mesh: keys and values like "
				  "'network: 10.99.0.0/16'", e);
	/* a file without `defaults` takes away what they said */
	for (size_t i = 0; i < fields_defaults.len; i++)
		field_clear(&fields_defaults.items[i], &r->mesh);
	if (read_object(r, &t, &item, e) < 0)
		return -1;
	return yaml_stream_next(r->in, &item, e);
}

static int compare_memberships(const void *a, const void *b)
{
	const struct yaml_membership *left = a, *right = b;

	return strcmp(left->group, right->group);
}

/* Nodes say which groups they are in: so do the groups now, sorted. */
static void join_groups(struct yaml_reader *r)
{
	struct mesh *m = &r->mesh;
	size_t n = m->groups.len;

	vec_sort(&m->groups, group_compare);
	vec_sort(&r->memberships, compare_memberships);
	for (size_t i = 0; i < r->memberships.len; i++) {
		struct yaml_membership *s = &r->memberships.items[i];
		struct group wanted = { .name = (char *)s->group };

		/*
		 * among those that were there: what is added is in order, too
		 */
		if ((i && compare_memberships(s - 1, s) == 0) ||
		    (n && bsearch(&wanted, m->groups.items, n, sizeof wanted,
				  group_compare)))
			continue;
		vec_add(&m->groups)->name = mem_strdup(s->group);
	}
	vec_sort(&m->groups, group_compare);
	for (size_t i = 0; i < r->memberships.len; i++) {
		struct yaml_membership *s = &r->memberships.items[i];

		strings_add(&mesh_group(m, s->group)->members, s->node);
	}
	for (size_t i = 0; i < m->groups.len; i++)
		strings_make_set(&m->groups.items[i].members);
}

int yaml_parse(struct mesh *out, struct yaml_marks **marks, const char *text,
	       size_t len, const char *file, struct err *e)
{
	AUTO(reader_done) struct yaml_reader r = { .marks = yaml_marks_new() };
	struct yaml_mark again, first;
	struct finding_place p;
	const char *twice;
	size_t marked = text_conflict_line(text, len);

	if (marked)
		return err_set(e, ERR_INPUT, "%s:%zu:1: a conflict marker of "
			       "git found, expected one of the two sides: edit "
			       "it, or git checkout --ours (--theirs) it", file,
			       marked);
	r.in = yaml_stream_open(text, len, file, e);
	if (!r.in || read_top(&r, e) < 0)
		return -1;
	twice = yaml_marks_sort(r.marks, &p, &again, &first);
	if (twice)
		return yaml_refuse(r.in, again, e, "the %s '%s' found again, "
				   "expected it once; the first is in line "
				   "%zu, column %zu",
				   part_word(p.part), twice, first.line,
				   first.column);
	vec_sort(&r.mesh.nodes, node_compare);
	join_groups(&r);
	*out = r.mesh;
	memset(&r.mesh, 0, sizeof r.mesh);
	if (marks)
		*marks = STEAL(r.marks);
	return 0;
}
