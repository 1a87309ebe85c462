/*
 * The mesh as data: what the state file says, parsed. A plain model: fields are
 * read and written by everybody, functions keep it sorted and find things.
 * Zero, NULL and empty mean "not said", without exception; the effective value
 * of such a field is given by the functions below, never repeated elsewhere.
 */
#ifndef WGMESH_STATE_MODEL_MESH_H
#define WGMESH_STATE_MODEL_MESH_H

#include "base/addr.h"
#include "base/secret.h"
#include "base/vec.h"
#include "vault/wgkey.h"

#include <stdbool.h>
#include <stdint.h>

#define MESH_DEFAULT_INTERFACE "wg0"
#define MESH_DEFAULT_NETWORK "10.99.0.0/16"
#define MESH_DEFAULT_PORT 51820

/** A mesh's or node's keepalive_s: no keepalives, as a file says with 0. */
#define KEEPALIVE_OFF (-1)

/** A member of the file that we do not know: kept as its JSON text. */
struct extra {
	char *key;
	char *json;
};

struct extras { VEC_OF(struct extra); };

/** Where a private key lives. */
enum key_place {
	KEY_UNSAID, /* a node: as the mesh says; the mesh: in the state */
	KEY_IN_STATE,
	KEY_ON_HOST,
};

/** What something in a mesh is a part of. */
enum mesh_part { PART_MESH, PART_NODE, PART_GROUP, PART_POLICY, PARTS };

/**
 * A peer on a node's interface that is no node of the mesh: `import` found it
 * there. It is kept and shown, and no deploy changes it.
 */
struct external {
	char *name;       /* for people, unique on its node; as check_node_name() */
	char *public_key; /* base64 text */
	struct secret preshared_key; /* base64 text; empty for none */
	char *endpoint;              /* "host:port", NULL: none */
	struct cidrs allowed_ips;
	struct cidrs routes; /* untagged ones on the interface that lead to it */
	int keepalive_s;     /* seconds, 0: off */
	struct extras extras;
};

struct externals { VEC_OF(struct external); };

/** Where a fact comes from: what we saw, or what the host says of itself. */
#define FACT_DIALLED "dialled"
#define FACT_SAID "said"
/** What others say of it begins with this, then the names of those who do. */
#define FACT_SEEN_BY "seen by "

/** What a deploy found out about a host; saved with the state. */
struct node_facts {
	struct cidrs addresses;  /* the host's own as it says, with prefix
				    length; not the mesh interface's; sorted */
	char *dialled;           /* the address at which we last reached it
				    without a proxy; NULL: not known */
	char *address;           /* its own address under which others reach
				    it; NULL: not known. Where it comes from:
				    node_address_from() */
	char *nat_from;          /* from where it is known to be behind NAT;
				    NULL: it is not, or the user said so */
	int mtu;                 /* of its interface, by its ways to its peers;
				    0: not known */
	bool mtu_kept;           /* no: what the interface had when it was
				    taken over */
	int listen_port;         /* of its interface, where that is not yet the
				    one that it is to have; 0: it is */
	bool deployed;           /* a deploy has written to this host */
	struct extras extras;
};

struct node {
	char *name;     /* the key in "nodes"; unique */
	char *hostname; /* the Go tool's copy of the name; kept as it is */
	struct ip mesh_ip;  /* family 0: none */
	struct ip mesh_ip6;
	char *public_key;  /* base64 text as in the file, "" for none */
	struct secret private_key; /* base64 text; empty for none */
	enum key_place key;
	char *ssh_host;
	char *ssh_user; /* NULL: ssh_config's, else root */
	int ssh_port;   /* 0: ssh_config's, else 22 */
	char *public_endpoint; /* "host:port" set by the user; wins; or NULL */
	int listen_port; /* 0: the mesh's */
	int mtu;         /* bytes, 0: the mesh's */
	int keepalive_s; /* seconds or KEEPALIVE_OFF, 0: the mesh's */
	bool behind_nat;
	bool is_local; /* somebody said so; where it is true: local_is_here() */
	char *local_machine; /* the image of the machine on which the user said
				so (state/model/local.h); "": this one, to be filled
				in; NULL: the Go tool, or nobody, said so */
	struct cidrs routable_networks; /* masked */
	bool exit; /* a default route may be among them */
	struct strings post_up, pre_down; /* commands of its boot file, for
					     wg-quick; as check_hook() */
	struct externals externals; /* sorted by public key */
	char *actual_hostname; /* NULL: not known */
	char *fqdn;
	struct strings ssh_host_keys; /* pinned: "type base64" */
	struct node_facts facts;
	struct extras extras;
};

struct nodes { VEC_OF(struct node); };

struct group {
	char *name;
	char *description; /* NULL: none */
	struct strings members;
	bool members_null; /* the file says null, kept so */
	struct extras extras;
};

struct policy {
	char *name;
	char *description; /* NULL: none */
	struct strings from_groups;
	struct strings to_groups;
	bool from_null, to_null; /* the file says null, kept so */
	bool allow_mesh_ips;
	bool allow_routable_networks;
	struct extras extras;
};

struct groups { VEC_OF(struct group); };

struct policies { VEC_OF(struct policy); };

struct secrets { VEC_OF(struct secret); };

struct mesh {
	char *mesh_id;   /* 32 hex digits; NULL until the first init or deploy */
	uint64_t serial; /* counts saved changes */
	char *interface_name;
	struct cidr network;  /* version 4, masked; family 0: none */
	struct cidr network6; /* version 6, masked; family 0: none */
	int listen_port;
	int mtu;         /* bytes, 0: each host's own (facts) */
	int keepalive_s; /* seconds or KEEPALIVE_OFF, 0: by rule */
	enum key_place key; /* of nodes that do not say it */
	char *local_hostname;
	struct nodes nodes;   /* sorted by name */
	struct nodes removed; /* tombstones, sorted by name: nodes that may
				 still be set up on their host */
	struct groups groups; /* sorted by name */
	struct policies policies; /* in file order */
	bool verify_signatures; /* of commits that a pull takes the state from */
	struct secret mesh_secret; /* base64 text, see state/model/mesh_secret.h;
				      empty for none */
	struct secrets former_secrets; /* those before, oldest first */
	struct strings recipients; /* who a sealed state is sealed to, when
				      not to a passphrase: "age1...", ... */
	struct strings jump_host_keys; /* pinned: "PLACE type base64", the
					  place as in known_hosts */
	struct extras extras;
};

/** Make @m an empty mesh with the defaults; no local host name, no id. */
void mesh_init(struct mesh *m);

/** Give @m a random id unless it has one. -1 with ERR_SYSTEM. */
int mesh_make_id(struct mesh *m, struct err *e);

/** Changes that no work comes to between two looks at one mesh. */
#define SERIAL_JUMP 1000000

/** Give @m the serial after @serial. -1 with ERR_INPUT: there is none. */
int mesh_serial_next(struct mesh *m, uint64_t serial, struct err *e);

/** Does the serial go up by more than SERIAL_JUMP? */
bool mesh_serial_jumps(const struct mesh *before, const struct mesh *after);

/** Free everything (secrets are wiped); @m is zeroed. For AUTO(mesh_done). */
void mesh_done(struct mesh *m);

/** Free what the item holds; it is zeroed. */
void node_done(struct node *n);
void external_done(struct external *x);
void externals_done(struct externals *list);
void group_done(struct group *g);
void policy_done(struct policy *p);
void extras_done(struct extras *x);

/** Find by name; NULL when absent. Valid until the list changes. */
struct node *nodes_find(const struct nodes *nodes, const char *name);
struct group *mesh_group(const struct mesh *m, const char *name);

/**
 * The policy of @list that is called as item @at of @from and has as many of
 * that name before it; NULL when there are fewer.
 */
struct policy *policies_same(const struct policies *list,
			     const struct policies *from, size_t at);

/** Deep copy of @from into the zeroed @to. */
void external_copy(struct external *to, const struct external *from);

/** The external peer of @n that has this public key, or NULL. */
struct external *node_external(const struct node *n, const char *public_key);

/** Insert an empty group at its sorted place; the name must be new. */
struct group *mesh_add_group(struct mesh *m, const char *name);

/** Order by name, for vec_sort() after a batch of vec_add(). */
int node_compare(const void *a, const void *b);
int group_compare(const void *a, const void *b);
int external_compare(const void *a, const void *b); /* by public key */

/** Make a zeroed node one that says nothing but its name (copied). */
void node_init(struct node *n, const char *name);

/** Insert an empty node at its sorted place; the name must be new. */
struct node *nodes_insert(struct nodes *nodes, const char *name);

/**
 * Move @name from @from to @to (for a tombstone), where it takes the place of
 * one of its name; false when absent.
 */
bool nodes_move(struct nodes *from, struct nodes *to, const char *name);

/** Take @name out and free it; false when absent. */
bool nodes_drop(struct nodes *nodes, const char *name);

/** The node that has this public key (base64), or NULL. */
struct node *mesh_by_key(const struct mesh *m, const char *public_key);

/** Effective values: the node's own, else the mesh's, else the default. */
int node_port(const struct mesh *m, const struct node *n);
int node_mtu(const struct mesh *m, const struct node *n);

/** The port that its host has, which may not be the one that it is to have. */
int node_live_port(const struct mesh *m, const struct node *n);

/**
 * Nodes of @m whose port is another one than in @before, which was deployed,
 * are reached at the old one until their host has been told.
 */
void mesh_hold_ports(struct mesh *m, const struct mesh *before);

/**
 * The keepalive that @n or the mesh says: @seconds, 0 for none. False, and
 * @seconds untouched, when neither does: then render/desired.h has the rule.
 */
bool node_keepalive(const struct mesh *m, const struct node *n, int *seconds);

/**
 * FACT_DIALLED when the address under which others reach @n is the one that we
 * dialled, FACT_SAID when the host alone says so; NULL without one.
 */
const char *node_address_from(const struct node *n);

/**
 * Is @n behind NAT, so that its own address is no place for others? What others
 * only saw of it (FACT_SEEN_BY) is a hint and takes no endpoint away.
 */
bool node_is_hidden(const struct node *n);

/** Its word in files: "state", "host", "" for KEY_UNSAID. */
const char *key_place_word(enum key_place place);

/** The place of a word, "" included; false when it is none. */
bool key_place_parse(enum key_place *out, const char *word);

/** Does the private key live on the host, and nowhere else? */
bool node_key_on_host(const struct mesh *m, const struct node *n);

/**
 * Where peers reach it ("host:port"): the user's, else the found address with
 * the port it listens on now unless it is behind NAT, else "". The caller
 * frees.
 */
char *node_endpoint(const struct mesh *m, const struct node *n);

/**
 * The port to log in to, 0 for ssh_config's: 22 stands in every state file and
 * is no wish.
 */
int node_ssh_port(const struct node *n);

/**
 * Fill @n slots with the lowest free addresses of @network, in their order, as
 * mesh_free_ip() does; those of @more (may be NULL) are not free, either.
 */
int mesh_free_ips(const struct mesh *m, const struct nodes *more,
		  const struct cidr *network, struct ip *const *slots,
		  size_t n, struct err *e);

/**
 * The lowest free address of @network: not the network address, the broadcast
 * address, or one that a node, tombstone or external peer has.
 * Returns 0, or -1 with ERR_INPUT when the network is full.
 */
int mesh_free_ip(const struct mesh *m, const struct cidr *network,
		 struct ip *out, struct err *e);

#endif
