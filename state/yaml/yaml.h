/*
 * mesh.yaml: a mesh as people write it (docs/mesh-yaml.md). Strict: a subset of
 * YAML 1.2 without anchors, aliases and tags, in which a value that YAML
 * readers disagree about must be quoted. No keys or other secrets are in it.
 */
#ifndef WGMESH_STATE_YAML_YAML_H
#define WGMESH_STATE_YAML_YAML_H

#include "base/err.h"
#include "base/sbuf.h"
#include "state/model/model.h"
#include "state/yaml/stream.h"

/**
 * A key at the top of the file that holds more keys: what the documentation and
 * `wgmesh schema` are made from, too.
 */
struct yaml_section {
	const char *key;
	/* the keys of one thing; of things by their names; of listed ones */
	enum { YAML_ONE, YAML_BY_NAME, YAML_IN_LIST } shape;
	const struct mesh_fields *fields; /* of it, or of each item */
	const char *meaning; /* one sentence, no full stop */
};

#define YAML_SECTIONS 4
extern const struct yaml_section yaml_sections[YAML_SECTIONS];

/** Where in the text something stands. Opaque. */
struct yaml_marks;

/**
 * Parse @len bytes into @out, a mesh that says what the text says and nothing
 * else: no keys, no facts; a node without an address has `auto`. Nodes and
 * groups are sorted. @marks (freed with yaml_marks_free()) may be NULL.
 * 0, or -1 with ERR_INPUT: "FILE:LINE:COLUMN: what was found, what is
 * expected"; @out is untouched then. @file is for messages.
 */
int yaml_parse(struct mesh *out, struct yaml_marks **marks, const char *text,
	       size_t len, const char *file, struct err *e);

/**
 * The nearest known place of @p: its value, key, object, section. Line 0 when
 * the text says nothing of it at all.
 */
struct yaml_mark yaml_find(const struct yaml_marks *marks,
			   const struct finding_place *p);

/** Free; NULL is allowed. */
void yaml_marks_free(struct yaml_marks *marks);

/**
 * Append the text of @m, in one canonical form: what yaml_parse() and an apply
 * of it change nothing in @m. Keys, facts, tombstones and external peers are
 * not in it.
 */
void yaml_write(struct sbuf *out, const struct mesh *m);

#endif
