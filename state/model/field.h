/*
 * What people may say about a mesh, key by key: one table for mesh.yaml, its
 * documentation and JSON Schema, `set`, `unset`, `show` and the differences
 * between two meshes. Keys, facts and host keys are not among them.
 */
#ifndef WGMESH_STATE_MODEL_FIELD_H
#define WGMESH_STATE_MODEL_FIELD_H

#include "base/err.h"
#include "state/model/mesh.h"

enum mesh_field_type { FIELD_TEXT, FIELD_NUMBER, FIELD_BOOL, FIELD_LIST };

/** Who reads and writes the value in its object. For field*.c alone. */
struct field_kind;

/**
 * One key. The object that it belongs to is the struct mesh for fields_mesh and
 * fields_defaults, else the struct node, group or policy.
 */
struct mesh_field {
	const char *key;
	enum mesh_field_type type;
	const char *form;     /* of the value, or of each item: "CIDR" */
	const char *fallback; /* what holds when it is not said */
	const char *meaning;  /* one sentence, no full stop */
	const char *example;  /* a value, as YAML */
	long min, max;        /* of a number */
	const struct field_kind *kind;
	size_t offset;      /* in the object */
	size_t mesh_offset; /* in the mesh: what holds for all; 0: none */
	long unsaid;        /* the number or truth that says nothing */
	int (*check)(const char *value, struct err *e); /* of a text */
};

struct mesh_fields {
	const struct mesh_field *items;
	size_t len;
};

/** The top of the file: interface, network, network6, verify-signatures. */
extern const struct mesh_fields fields_mesh;
/** For all nodes that do not say otherwise: port, mtu, keepalive, key. */
extern const struct mesh_fields fields_defaults;
/**
 * A node. An empty "address" is `auto`. "groups" has no kind, and no value
 * here: a membership stands in the group.
 */
extern const struct mesh_fields fields_node;
extern const struct mesh_fields fields_group;
extern const struct mesh_fields fields_policy;

/**
 * Take a value from its text; of a list: one more item. 0, or -1 with ERR_INPUT:
 * "'x' found, expected ...".
 */
int field_set(const struct mesh_field *f, void *object, const char *value,
	      struct err *e);

/** Say nothing about it any more. */
void field_clear(const struct mesh_field *f, void *object);

/**
 * Append its value or items as text: nothing when it is not said, or only says
 * what @m, the mesh that the object is in, says anyway.
 */
void field_get(const struct mesh_field *f, const struct mesh *m,
	       const void *object, struct strings *out);

/** The field with this key, or NULL. */
const struct mesh_field *field_find(const struct mesh_fields *fields,
				    const char *key);

/** The key nearest to a mistyped @key, or NULL when none is near. */
const char *field_nearest(const struct mesh_fields *fields, const char *key);

/**
 * Edits (a letter more, less, another, two swapped) from @a to @b; 24 for long
 * words.
 */
size_t field_distance(const char *a, const char *b);

/**
 * Make @to say what @values say. 0, or -1 with ERR_INPUT at the first value
 * that is none; @to may be half changed then.
 */
int field_assign(const struct mesh_field *f, void *to,
		 const struct strings *values, struct err *e);

#endif
