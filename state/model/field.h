/*
 * All that a mesh holds, a row for each thing: one table for the state file's
 * JSON, mesh.yaml, its documentation and JSON Schema, `set`, `unset`, `show`,
 * the differences between two meshes, and merges of them. What people say and
 * what deploys find, keys and tombstones too. CONTRIBUTING.md has how to add a
 * row.
 */
#ifndef WGMESH_STATE_MODEL_FIELD_H
#define WGMESH_STATE_MODEL_FIELD_H

#include "base/err.h"
#include "base/sbuf.h"
#include "state/model/mesh.h"

enum mesh_field_type { FIELD_TEXT, FIELD_NUMBER, FIELD_BOOL, FIELD_LIST };

/** What holds the value in its object; what reads and writes it follows. */
enum field_value {
	VALUE_NONE,      /* none here: a membership stands in the group */
	VALUE_SSH,       /* of a node: several members in one text */
	VALUE_ADDRESS,   /* of a node: both addresses in one list */
	VALUE_TEXT,      /* char *, "": not said */
	VALUE_OPTIONAL,  /* char *, NULL: not said */
	VALUE_KEY_PLACE, /* enum key_place */
	VALUE_SECRET,    /* struct secret */
	VALUE_NUMBER,    /* int */
	VALUE_SERIAL,    /* uint64_t */
	VALUE_BOOL,      /* bool */
	VALUE_IP,        /* struct ip, by min of version 4 or 6 */
	VALUE_NETWORK,   /* struct cidr, the same */
	VALUE_NETWORKS,  /* struct cidrs, without host bits */
	VALUE_ADDRESSES, /* struct cidrs, with them */
	VALUE_STRINGS,   /* struct strings */
	VALUE_SECRETS,   /* struct secrets */
	VALUE_NAT_SEEN,  /* char *, another key of nat_from: of old files */
	VALUE_OBJECT,    /* an object of @of */
	VALUE_LIST,      /* objects of @of, in a list of the file */
	VALUE_MAP,       /* the same by name, in an object of the file */
	VALUES,
};

/** How the changes of both sides to one thing come together. */
enum merge_how {
	MERGE_LEAF,    /* they do not: a conflict */
	MERGE_SET,     /* a list: both do what they did to its items */
	MERGE_NEWEST,  /* the side with the higher serial wins */
	MERGE_FIELDS,  /* member by member, each by its own row */
	MERGE_ENTRIES, /* entry by entry, each as @each says */
	MERGE_APART,   /* not by their content: state/merge/ has its own way */
};

/** What their side may not change without a yes, see state/merge/trust.c. */
enum field_trust {
	TRUST = 1,        /* it decides whom to trust, or what runs where */
	TRUST_NEW = 2,    /* of a node that is new, too: it reaches beyond it */
	TRUST_LEARNT = 4, /* a first value is no change */
	TRUST_WAY = 8,    /* it decides where a deploy of the node goes */
};

/**
 * One row. The object that it belongs to is the struct mesh for fields_mesh and
 * fields_defaults, else the struct node, group or policy.
 */
struct mesh_field {
	/* for people; of what they cannot say: a word for it, or none */
	const char *key;
	enum mesh_field_type type;
	const char *form;     /* of the value, or of each item: "CIDR" */
	const char *fallback; /* what holds when it is not said */
	const char *meaning;  /* one sentence, no full stop */
	const char *example;  /* a value, as YAML */
	bool ordered;         /* a list of texts with an order, and commas
				 within: `set` takes one, whole */
	bool stays;           /* a mesh.yaml without it leaves it as it is */
	/** What holds where a node does not say it; NULL: nothing special. */
	char *(*otherwise)(const struct mesh *m, const struct node *n);

	/* in its object */
	enum field_value value;
	long min, max;      /* of a number */
	size_t offset;
	size_t mesh_offset; /* in the mesh: what holds for all; 0: none */
	long unsaid;        /* the number or truth that says nothing */
	int zero;           /* a number's 0 in its object, where 0 is unsaid */
	int (*check)(const char *value, struct err *e); /* of a text */
	int (*check_number)(long n, struct err *e); /* of one in the file */

	/* in the file; without a key it is not there */
	const char *json;
	unsigned nth;   /* by this they are written, after Go's order */
	bool always;    /* as the Go tool does: also where it says nothing */
	size_t null_at; /* a bool, whether it was no list but null; 0: none */
	const struct mesh_object *of;

	/* in a merge */
	enum merge_how how, each;
	bool fits;        /* must fit to other such values of the mesh */
	const char *unit; /* the first key of those that change together */
	unsigned trust;   /* of enum field_trust */
};

struct mesh_fields {
	const struct mesh_field *items;
	size_t len;
};

/** The top of the file: interface, network, network6, verify-signatures. */
extern const struct mesh_fields fields_mesh;
/** For all nodes that do not say otherwise: port, mtu, keepalive, key. */
extern const struct mesh_fields fields_defaults;
/** A node. An empty "address" is `auto`. "groups" has no value here. */
extern const struct mesh_fields fields_node;
extern const struct mesh_fields fields_group;
extern const struct mesh_fields fields_policy;

#define OBJECT_TABLES 3
/** Most rows of an object that are in the file. */
#define OBJECT_MEMBERS 32

/** One kind of object: its rows, those for people first. */
struct mesh_object {
	struct mesh_fields tables[OBJECT_TABLES];
	enum mesh_part part;
	size_t size, extras; /* bytes; where its struct extras is */
	bool named;          /* its first member is its name */
	const char *by;      /* in a merge, the key that tells listed ones apart */
	int (*compare)(const void *a, const void *b); /* NULL: file order */
};

extern const struct mesh_object object_mesh, object_node, object_group,
	object_policy, object_external, object_facts;

/** The kind of object that @part is. */
const struct mesh_object *object_of_part(enum mesh_part part);

/** Its word in messages, in JSON and on the command line: "node". */
const char *part_word(enum mesh_part part);

/** The part with this word; false when there is none. */
bool part_find(enum mesh_part *out, const char *word);

/** Append what messages call a part of a mesh: "node db1"; "mesh", no @name. */
void part_text(struct sbuf *out, enum mesh_part part, const char *name);

/** The row with this key in the file, in any letter case, or NULL. */
const struct mesh_field *object_member(const struct mesh_object *of,
				       const char *json);

/** The first such row of a mesh, node, group, policy or external peer. */
const struct mesh_field *member_find(const char *json);

/**
 * Write the rows that are in the file to @out, in its order; returns how many.
 */
size_t object_members(const struct mesh_object *of,
		      const struct mesh_field *out[OBJECT_MEMBERS]);

/** Make a zeroed object one that says nothing, as an empty one of the file. */
void object_init(const struct mesh_object *of, void *object);

/** Free what it holds; it is zeroed. */
void object_done(const struct mesh_object *of, void *object);

/** Does @object say it? */
bool field_says(const struct mesh_field *f, const void *object);

/** Free what it holds; it is zeroed. */
void field_done(const struct mesh_field *f, void *object);

/** The objects of a VALUE_LIST or VALUE_MAP. */
size_t field_len(const struct mesh_field *f, const void *object);
const void *field_item(const struct mesh_field *f, const void *object,
		       size_t i);
/** One more, zeroed, for object_init(). */
void *field_add(const struct mesh_field *f, void *object);
void field_sort(const struct mesh_field *f, void *object);

/**
 * Take a value from its text; of a list: one more item. 0, or -1 with
 * ERR_INPUT: "'x' found, expected ...".
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
 * The name nearest to @name of @len items of @size bytes that begin with a
 * `char *`, their name: at most two edits, and half its length, away. Else
 * NULL.
 */
const char *nearest_name(const void *items, size_t len, size_t size,
			 const char *name);

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
