/*
 * What the readers of inventories share. For state/inventory*.c alone.
 */
#ifndef WGMESH_STATE_INVENTORY_INTERNAL_H
#define WGMESH_STATE_INVENTORY_INTERNAL_H

#include "base/sbuf.h"
#include "state/inventory/inventory.h"

/** One file that is being read. */
struct inventory {
	const struct inventory_file *file;
	size_t at;   /* what is read so far */
	size_t line; /* the number of the line read last, from 1 */
	struct mesh *mesh;
	struct strings *notes;
	struct cidrs spans; /* addresses, with the prefix lengths given */
};

/** An error in line @n: "FILE:LINE: ...". Yields -1. */
#define inventory_error(in, n, e, fmt, ...)                                    \
	err_set(e, ERR_INPUT, "%s:%zu: " fmt, (in)->file->name, (size_t)(n),   \
		##__VA_ARGS__)

/** Put "FILE:LINE: " before the error that a check has set. Yields -1. */
#define inventory_wrap(in, n, e)                                               \
	err_wrap(e, "%s:%zu", (in)->file->name, (size_t)(n))

/** Append a sentence to the notes, behind the file's name. */
void inventory_note(const struct inventory *in, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** Replace @line by the next one without its line end; false at the end. */
bool inventory_line(struct inventory *in, struct sbuf *line);

/** Cut blanks off both ends of @s, in place; returns where it begins. */
char *inventory_trim(char *s);

/** The next item of a list with commas, trimmed, cut off @list; NULL: none. */
char *inventory_item(char **list);

/**
 * Take an address with or without prefix length for @n: one of each family, a
 * further one is noted and left out. @n is where the spans and messages are.
 */
int inventory_address(struct inventory *in, struct node *n, const char *text,
		      struct err *e);

/**
 * Take what stands behind a node: networks that cannot be routed are noted and
 * left out, a default route makes it an exit.
 */
void inventory_route(struct inventory *in, struct node *n, struct cidr c);

/** Sort every node's routes, and leave each there once. */
void inventory_sort_routes(struct mesh *m);

/** Set the mesh's networks to the smallest that hold the spans and nodes. */
int inventory_networks(struct inventory *in, struct err *e);

/** Names with numbers; zeroed is empty. The names are borrowed. */
struct inventory_index {
	void *root;
};

/** The number of @name; @fresh, kept for it, when it has none. */
size_t inventory_index(struct inventory_index *ix, const char *name,
		       size_t fresh);
void inventory_index_done(struct inventory_index *ix);

/**
 * Expand the ranges of an Ansible host pattern ("web[01:10].example.org") into
 * @out. ERR_INPUT without a place; also for more than @max names.
 */
int inventory_range(struct strings *out, const char *pattern, size_t max,
		    struct err *e);

/** A node's or peer's name out of a comment's text; NULL: none is in it. */
char *inventory_comment_name(const char *comment);

/**
 * @s with what cannot stand in the name of a node and of a host replaced, at
 * most 55 bytes; the caller frees.
 */
char *inventory_name(const char *s);

/** The readers: into in->mesh, whose nodes need not be sorted. */
int inventory_conf(struct inventory *in, struct err *e);
int inventory_csv(struct inventory *in, struct err *e);
int inventory_ini(struct inventory *in, struct err *e);
int inventory_yaml(struct inventory *in, struct err *e);

#endif
