/*
 * What people may say about a mesh, key by key: one table for mesh.yaml, its
 * documentation and JSON Schema, `set`, `unset`, `show` and the differences
 * between two meshes. Keys, facts and host keys are not among them.
 */
#ifndef WGMESH_STATE_FIELD_H
#define WGMESH_STATE_FIELD_H

#include "base/err.h"
#include "state/mesh.h"

enum mesh_field_type { FIELD_TEXT, FIELD_NUMBER, FIELD_BOOL, FIELD_LIST };

/**
 * One key. The object that set, clear and get work on is the struct mesh for
 * PART_MESH and the defaults, else the struct node, group or policy.
 */
struct mesh_field {
	const char *key;
	enum mesh_field_type type;
	const char *form;     /* of the value, or of each item: "CIDR" */
	long min, max;        /* of a number */
	const char *fallback; /* what holds when it is not said */
	const char *meaning;  /* one sentence, no full stop */
	const char *example;  /* a value, as YAML */
	/** Take a value from its text; a list: one more item. ERR_INPUT. */
	int (*set)(void *object, const char *value, struct err *e);
	/** Say nothing about it any more. */
	void (*clear)(void *object);
	/** Append its value or items as text; nothing when it is not said, or
	 * only says what the mesh says anyway. */
	void (*get)(const struct mesh *m, const void *object,
		    struct strings *out);
};

struct mesh_fields {
	const struct mesh_field *items;
	size_t len;
};

/** The top of the file: interface, network, network6. */
extern const struct mesh_fields fields_mesh;
/** For all nodes that do not say otherwise: port, mtu, keepalive, key. */
extern const struct mesh_fields fields_defaults;
/**
 * A node. An empty "address" is `auto`. "groups" has no functions: a
 * membership stands in the group.
 */
extern const struct mesh_fields fields_node;
extern const struct mesh_fields fields_group;
extern const struct mesh_fields fields_policy;

/** The field with this key, or NULL. */
const struct mesh_field *field_find(const struct mesh_fields *fields,
				    const char *key);

/** The key nearest to a mistyped @key, or NULL when none is near. */
const char *field_nearest(const struct mesh_fields *fields, const char *key);

/**
 * Make @to say what @values say. 0, or -1 with ERR_INPUT at the first value
 * that is none; @to may be half changed then.
 */
int field_assign(const struct mesh_field *f, void *to,
		 const struct strings *values, struct err *e);

#endif
