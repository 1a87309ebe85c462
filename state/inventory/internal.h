/*
 * What the readers of inventories share. For state/inventory/ alone. Whatever
 * is in the text, an error shows where it is and no value that may be a secret.
 */
#ifndef WGMESH_STATE_INVENTORY_INTERNAL_H
#define WGMESH_STATE_INVENTORY_INTERNAL_H

#include "base/sbuf.h"
#include "state/inventory/inventory.h"

/** What stands between words. A line's end may be one of MS-DOS. */
#define INVENTORY_BLANKS " \t\r\v\f"

/** What to say of a key that is none. It may be a secret: it is not shown. */
#define INVENTORY_KEY_FORM                                                     \
	"expected a WireGuard key, 44 characters of base64"

/** One file that is being read. */
struct inventory {
	const struct inventory_file *file;
	size_t at;   /* bytes read so far */
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

/** Note the names of what is not carried over, if there are any. */
void inventory_note_left(const struct inventory *in,
			 const struct strings *left);

/** Replace @line by the next one without its line end; false at the end. */
bool inventory_line(struct inventory *in, struct sbuf *line);

/** Cut blanks off both ends of @s, in place; returns where it begins. */
char *inventory_trim(char *s);

/** The next item of a list with commas, trimmed, cut off @list; NULL: none. */
char *inventory_item(char **list);

/** Take @value as the private key of @n. ERR_INPUT without a place. */
int inventory_private_key(struct node *n, const char *value, struct err *e);

/**
 * Take the host to log in to; an IPv6 address may be in brackets, as others
 * write it. ERR_INPUT without a place.
 */
int inventory_host(struct node *n, const char *value, struct err *e);

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

/** Note and leave out endpoints that can't be, when the networks are known. */
void inventory_drop_endpoints(struct inventory *in);

/** Names with numbers, in a tree, so that 10,000 hosts cost no square. */
struct inventory_index {
	void *root; /* of tsearch(3); zeroed is empty */
};

/** A name that has its number; it stays where it is until the index ends. */
struct inventory_entry {
	char *name;
	size_t number;
};

/** The entry of @name, which gets a copy of it and @fresh when it has none. */
const struct inventory_entry *inventory_index(struct inventory_index *ix,
					      const char *name, size_t fresh);

/** Free the entries; for AUTO(inventory_index_done). */
void inventory_index_done(struct inventory_index *ix);

/**
 * Expand the ranges of an Ansible host pattern ("web[01:10].example.org") into
 * the empty @names. ERR_INPUT without a place; also for more than @max names.
 */
int inventory_range(struct strings *names, const char *pattern, size_t max,
		    struct err *e);

/**
 * A node's or peer's name out of a comment's text, and what it is worth; the
 * caller frees. NULL: none is in it. What looks like a key is none.
 */
char *inventory_comment_name(const char *comment, enum name_worth *worth);

/**
 * @s with what cannot stand in the name of a node and of a host replaced, at
 * most 55 bytes; the caller frees.
 */
char *inventory_name(const char *s);

/**
 * The readers: into in->mesh, whose nodes need not be sorted. ERR_INPUT with
 * its place; what they have read by then stays in the mesh, for the caller to
 * free. Of wg-quick:
 */
int inventory_conf(struct inventory *in, struct err *e);

/** Of wg-meshconf. */
int inventory_csv(struct inventory *in, struct err *e);

/** Of Ansible, in its older form. */
int inventory_ini(struct inventory *in, struct err *e);

/** Of Ansible; ERR_SYSTEM, too, where there is no memory for libyaml. */
int inventory_yaml(struct inventory *in, struct err *e);

#endif
