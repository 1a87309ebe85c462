/*
 * How yaml_parse() reads: for state/yaml/ alone. yaml.c knows sections, objects
 * and their keys, value.c what stands behind a key. Errors are ERR_INPUT with
 * the place in front, and end the reading: there is one for each text.
 */
#ifndef WGMESH_STATE_YAML_READ_H
#define WGMESH_STATE_YAML_READ_H

#include "state/yaml/marks.h"
#include "state/yaml/stream.h"

/** More keys than any table has. */
#define YAML_KEYS_MAX 16

/* A node's word that it is in a group; both names are kept by the marks. */
struct yaml_membership {
	const char *group, *node;
};

struct yaml_reader {
	struct yaml_stream *in;
	struct yaml_marks *marks;
	struct mesh mesh; /* what was read so far; unsorted */
	VEC(struct yaml_membership) memberships; /* in the order of the text */
};

/* What a map of known keys is read into. */
struct yaml_target {
	const struct mesh_fields *fields;
	void *object;
	struct finding_place place; /* part and name */
	struct yaml_mark seen[YAML_KEYS_MAX]; /* each key; line 0: not yet */
};

/** Note where @key, and @value of it, of the target's object stands. */
void yaml_mark_add(struct yaml_reader *r, const struct yaml_target *t,
		   const char *key, const char *value, struct yaml_mark at);

/** Refuse @item: "WHAT found, expected WANTED". */
int yaml_wrong_kind(struct yaml_reader *r, const struct yaml_item *item,
		    const char *wanted, struct err *e);

/** Give the error that a check of the value there left its place. */
int yaml_bad_value(struct yaml_reader *r, struct yaml_mark at, struct err *e);

/** Is it one text that every YAML reader takes for text? @form is expected. */
int yaml_check_text(struct yaml_reader *r, const struct yaml_item *item,
		    const char *form, struct err *e);

/** Read the value of @f that @item is or begins. */
int yaml_take_value(struct yaml_reader *r, const struct yaml_target *t,
		    const struct mesh_field *f, const struct yaml_item *item,
		    struct err *e);

#endif
