/*
 * What checks find in a mesh: errors, which stop, and warnings, which are
 * shown. Each says where it is, so that a message can point into the file.
 */
#ifndef WGMESH_STATE_MODEL_FINDING_H
#define WGMESH_STATE_MODEL_FINDING_H

#include "base/err.h"
#include "state/model/mesh.h"

struct finding {
	bool error;       /* else a warning */
	const char *code; /* a stable word for --json, "duplicate_endpoint" */
	enum mesh_part part;
	char *name;  /* which node, group or policy; NULL for the mesh */
	const char *key; /* the key of mesh.yaml, "routes"; NULL: all of it */
	char *value; /* the item of a list, as its text; NULL: none */
	char *text;  /* one sentence that names everything, escaped */
	enum advice advice; /* what would help; about nothing by name */
};

struct findings { VEC_OF(struct finding); };

/** Where a finding is; @name, @key, @value as in struct finding. */
struct finding_place {
	enum mesh_part part;
	const char *name, *key, *value;
};

/** Append one; @code and @place->key are kept as pointers to literals. */
void finding_add(struct findings *out, bool error, const char *code,
		 struct finding_place place, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/** How many are errors. */
size_t findings_errors(const struct findings *f);

/** Sort for findings_have(): by code and place. */
void findings_sort(struct findings *f);

/**
 * Is there one of the same code and place in @sorted? The text counts only
 * where the place is the whole mesh.
 */
bool findings_have(const struct findings *sorted, const struct finding *f);

/** 0, or -1 with ERR_INPUT and text and advice of the first error there. */
int findings_refuse(const struct findings *f, struct err *e);

/** Free; for AUTO(findings_done). */
void findings_done(struct findings *f);

#endif
