/*
 * Where in a mesh.yaml each thing stands, so that a finding about the mesh can
 * name the line. The mesh itself keeps no places: it mostly comes from a state.
 */
#include "state/yaml/marks.h"

#include "base/addr.h"

#include <string.h>

struct mark {
	struct finding_place place;
	struct yaml_mark at;
};

struct yaml_marks {
	VEC(struct mark) all; /* by place, then line and column */
	struct strings texts;
};

struct yaml_marks *yaml_marks_new(void)
{
	return mem_calloc(1, sizeof(struct yaml_marks));
}

void yaml_marks_free(struct yaml_marks *marks)
{
	if (!marks)
		return;
	vec_done(&marks->all);
	strings_done(&marks->texts);
	free(marks);
}

const char *yaml_marks_keep(struct yaml_marks *marks, const char *s)
{
	strings_add(&marks->texts, s);
	return marks->texts.items[marks->texts.len - 1];
}

void yaml_marks_add(struct yaml_marks *marks, struct finding_place p,
		    struct yaml_mark at)
{
	char text[ADDR_TEXT_MAX];
	struct cidr c;

	/*
	 * findings name an address as we write it, whoever wrote it otherwise
	 */
	if (p.value && ip_parse(&c.ip, p.value))
		p.value = yaml_marks_keep(marks, ip_text(&c.ip, text));
	else if (p.value && cidr_parse(&c, p.value))
		p.value = yaml_marks_keep(marks, cidr_text(&c, text));
	vec_push(&marks->all, ((struct mark){ p, at }));
}

size_t yaml_marks_len(const struct yaml_marks *marks)
{
	return marks->all.len;
}

void yaml_marks_name(struct yaml_marks *marks, size_t first, const char *name)
{
	for (size_t i = first; i < marks->all.len; i++)
		marks->all.items[i].place.name = name;
}

/* Nothing before something: an object's own mark is the first of its marks. */
static int compare_names(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int compare_places(const struct finding_place *a,
			  const struct finding_place *b)
{
	int order = (int)a->part - (int)b->part;

	if (!order)
		order = compare_names(a->name, b->name);
	if (!order)
		order = compare_names(a->key, b->key);
	return order ? order : compare_names(a->value, b->value);
}

static bool before(struct yaml_mark a, struct yaml_mark b)
{
	return a.line < b.line || (a.line == b.line && a.column < b.column);
}

static int compare_marks(const void *a, const void *b)
{
	const struct mark *left = a;
	const struct mark *right = b;
	int order = compare_places(&left->place, &right->place);

	return order ? order : before(left->at, right->at) ? -1 : 1;
}

const char *yaml_marks_sort(struct yaml_marks *marks, struct finding_place *p,
			    struct yaml_mark *again, struct yaml_mark *first)
{
	const char *twice = NULL;

	vec_sort(&marks->all, compare_marks);
	for (size_t i = 1; i < marks->all.len; i++) {
		const struct mark *m = &marks->all.items[i];
		bool unique = !m->place.key && (m->place.part == PART_NODE ||
						m->place.part == PART_GROUP);

		if (!unique || compare_places(&m[-1].place, &m->place) != 0 ||
		    (twice && !before(m->at, *again)))
			continue;
		twice = m->place.name;
		*p = m->place;
		*first = m[-1].at;
		*again = m->at;
	}
	return twice;
}

static int compare_to_place(const void *mark, const void *place)
{
	return compare_places(&((const struct mark *)mark)->place, place);
}

/*
 * The first mark of @p or, if not @exact, of whatever of its part and name;
 * marks are sorted by place.
 */
static bool find_mark(const struct yaml_marks *marks, struct finding_place p,
		      bool exact, struct yaml_mark *out)
{
	size_t at = vec_place(&marks->all, &p, compare_to_place);
	const struct finding_place *found;

	if (at == marks->all.len)
		return false;
	found = &marks->all.items[at].place;
	if (exact ? compare_places(found, &p) != 0
		  : found->part != p.part || compare_names(found->name, p.name))
		return false;
	*out = marks->all.items[at].at;
	return true;
}

struct yaml_mark yaml_find(const struct yaml_marks *marks,
			   const struct finding_place *p)
{
	static const char *const sections[] = { [PART_NODE] = "nodes",
						[PART_GROUP] = "groups",
						[PART_POLICY] = "policies" };
	_Static_assert(sizeof sections / sizeof *sections == PARTS,
		       "a section is missing");
	struct finding_place near = *p;
	struct yaml_mark at = { 0, 0 };

	if (find_mark(marks, near, true, &at))
		return at;
	near.value = NULL;
	if (near.key && find_mark(marks, near, true, &at))
		return at;
	near.key = NULL;
	if (p->part != PART_MESH && p->name &&
	    find_mark(marks, near, false, &at))
		return at;
	if (p->part != PART_MESH)
		find_mark(marks,
			  (struct finding_place){ .part = PART_MESH,
						  .key = sections[p->part] },
			  true, &at);
	return at;
}
