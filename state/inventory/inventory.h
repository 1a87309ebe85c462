/*
 * What other tools know about hosts, read as a description of a mesh: a
 * wg-quick file, the CSV of wg-meshconf, an Ansible inventory (docs/import.md).
 */
#ifndef WGMESH_STATE_INVENTORY_INVENTORY_H
#define WGMESH_STATE_INVENTORY_INVENTORY_H

#include "base/err.h"
#include "base/sbuf.h"
#include "state/model/model.h"

/** Largest text that is read, in bytes. */
#define INVENTORY_SIZE_MAX (16 << 20)
/**
 * Most hosts of one file, ranges expanded; more is taken for a slip in a range.
 */
#define INVENTORY_HOSTS_MAX 10000

/** Which of the forms; Ansible's two are told apart, as their syntaxes are. */
enum inventory_kind {
	INVENTORY_CONF, /* wg-quick: one node, its peers as external ones */
	INVENTORY_CSV,  /* wg-meshconf */
	INVENTORY_INI,  /* Ansible */
	INVENTORY_YAML, /* Ansible */
};

/** A file in the folders group_vars/ and host_vars/ beside an inventory. */
struct inventory_beside {
	char *name; /* "group_vars/NAME.yml", "host_vars/NAME/10.yml" */
	char *path; /* for messages */
	struct sbuf text;
};

/** Sorted by name, in the order of their bytes. */
struct inventory_besides {
	struct inventory_beside *items;
	size_t len;
	size_t cap;
};

/** Where a wg-quick file without a private key says so. */
struct inventory_no_key {
	size_t line;  /* of PostUp if that sets it, else of [Interface] */
	bool post_up;
};

/** What is read. Borrowed. */
struct inventory_file {
	const char *name; /* for messages; its ending helps to tell the kind */
	const char *text;
	size_t len;
	/* sorted by name; NULL: none */
	const struct inventory_besides *beside;
	struct inventory_no_key *no_key; /* filled in by a read; may be NULL */
	bool hooks; /* take PostUp and PreDown of a wg-quick file */
	bool *hooks_left; /* set by a read that left some; may be NULL */
};

/**
 * What a text is: by its first line that says something if that is wg-quick's,
 * else by the file's ending, else by that line: Ansible's files may have none.
 */
enum inventory_kind inventory_kind(const struct inventory_file *f);

/**
 * Read @f into @out, a mesh that says what the file says, for mesh_apply().
 * Nodes whose address it does not say have none; private keys stand in it where
 * the file has them, and make it secret. The networks are those that hold the
 * addresses; without any the default. Sentences about what is not carried over
 * are appended to @notes; no secret is in them.
 * 0, or -1 with ERR_INPUT: "FILE:LINE: what was found, what is expected";
 * @out is untouched then.
 */
int inventory_read(struct mesh *out, const struct inventory_file *f,
		   struct strings *notes, struct err *e);

/**
 * Make a node of each external peer of the only node of @m, as far as its
 * allowed IPs and endpoint tell: the first address in the mesh's network is its
 * own, the rest are its routes, and the endpoint's host is where to log in. A
 * peer without one is reached by its name, which the notes say. The peers end.
 * @file is for the notes.
 */
void inventory_peers_to_nodes(struct mesh *m, const char *file,
			      struct strings *notes);

/** How much a comment says of a name. */
enum name_worth {
	NAME_NONE,
	NAME_WORDS,   /* a few words: "alice (laptop)" */
	NAME_LABELED, /* a tool or a person says that it is one: "Name: alice" */
};

/** A line of a wg-quick file, as far as comments name what it is of. */
enum naming_line {
	NAMING_COMMENT,   /* alone, or a blank line */
	NAMING_INTERFACE, /* the header of that section */
	NAMING_PEER,
	NAMING_KEY,       /* the public key of a peer, the first one of it */
	NAMING_OTHER,     /* another setting */
};

/** Which name the comments give to the section that is read. Zeroed: none yet. */
struct naming {
	char *name;  /* of the section, or NULL; the caller may take it */
	enum name_worth worth;
	char *above; /* in the comments right above, or NULL */
	enum name_worth above_worth;
	bool inside, peer; /* a section, one of a peer */
	bool begun;        /* with a setting */
};

/**
 * Take in the next line; @comment is what stands behind '#', NULL without one.
 * At a header the name of the section before it must have been taken.
 */
void naming_line(struct naming *n, enum naming_line kind, const char *comment);

/** Free; for AUTO(naming_done). */
void naming_done(struct naming *n);

#endif
