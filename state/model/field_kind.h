/*
 * How a field's value is read and written, by its kind. For field*.c alone.
 */
#ifndef WGMESH_STATE_MODEL_FIELD_KIND_H
#define WGMESH_STATE_MODEL_FIELD_KIND_H

#include "state/model/field.h"

struct field_kind {
	int (*set)(const struct mesh_field *f, void *object, const char *value,
		   struct err *e);
	void (*clear)(const struct mesh_field *f, void *object);
	void (*get)(const struct mesh_field *f, const struct mesh *m,
		    const void *object, struct strings *out);
};

extern const struct field_kind field_number;  /* int */
extern const struct field_kind field_bool;    /* bool */
extern const struct field_kind field_text;    /* char *, NULL: not said */
extern const struct field_kind field_strings; /* struct strings */
extern const struct field_kind field_network; /* struct cidr, by f->min 4 or 6 */
extern const struct field_kind field_ssh;     /* struct node, as address, */
extern const struct field_kind field_address;
extern const struct field_kind field_routes;

#endif
