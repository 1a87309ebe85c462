/*
 * Where in a mesh.yaml things stand: a mark for each object, key and item of a
 * list, added while the text is read, then sorted, then looked for.
 */
#ifndef WGMESH_STATE_YAML_MARKS_H
#define WGMESH_STATE_YAML_MARKS_H

#include "state/yaml/yaml.h"

/** None yet; freed with yaml_marks_free(). */
struct yaml_marks *yaml_marks_new(void);

/** Keep a copy of @s as long as the marks. */
const char *yaml_marks_keep(struct yaml_marks *marks, const char *s);

/**
 * Add the place of @p, whose texts the caller keeps. An address or network as
 * value is found by its usual text.
 */
void yaml_marks_add(struct yaml_marks *marks, struct finding_place p,
		    struct yaml_mark at);

/**
 * How many there are; give those from @first on the name @name, which the
 * caller keeps: a policy's name is read after other keys of it.
 */
size_t yaml_marks_len(const struct yaml_marks *marks);
void yaml_marks_name(struct yaml_marks *marks, size_t first, const char *name);

/**
 * Make them ready for yaml_find(). Returns NULL, or the name of a node or group
 * that is there twice, with the first such place in the text and the one
 * before.
 */
const char *yaml_marks_sort(struct yaml_marks *marks, struct finding_place *p,
			    struct yaml_mark *again, struct yaml_mark *first);

#endif
