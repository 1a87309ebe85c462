/*
 * Reads an object of a file into its struct, by the rows that say which member
 * goes where. For json.c and saved_plan.c alone.
 */
#ifndef WGMESH_STATE_JSON_VALUE_H
#define WGMESH_STATE_JSON_VALUE_H

#include "base/err.h"
#include "state/model/model.h"

struct json_object;

/**
 * Read @v into @object, which object_init() made; members without a row become
 * extras. 0, or -1 with ERR_INPUT: the place in the object, what was found and
 * what is expected.
 */
int json_read_object(const struct mesh_object *of, void *object,
		     struct json_object *v, struct err *e);

/**
 * Its text in one line, the same by every version of json-c; owned by @v and
 * valid until the next call.
 */
const char *json_text(struct json_object *v);

/** Set "A found, expected @wanted". */
int json_wrong_type(struct json_object *v, const char *wanted, struct err *e);

#endif
