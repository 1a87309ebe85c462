/*
 * What may stand in a state: one rule per kind of value, used on entry and on
 * load alike. Each error names the thing, its place, and what would be right;
 * text from outside is escaped in it.
 */
#ifndef WGMESH_STATE_MODEL_CHECK_H
#define WGMESH_STATE_MODEL_CHECK_H

#include "base/err.h"
#include "state/model/finding.h"
#include "state/model/mesh.h"

/** @s as messages show it: escaped, cut when long; the caller frees. */
char *check_shown(const char *s);

/** Letters, digits, '.', '_', '-'; starts with a letter or digit; 1 to 63. */
int check_node_name(const char *s, struct err *e);

/** Printable text without control characters, at most 128 bytes, not empty. */
int check_group_name(const char *s, struct err *e);

/** Most commands of a kind, and bytes of one. */
#define HOOKS_MAX 32
#define HOOK_BYTES_MAX 1000

/**
 * A command that wg-quick is to read from its line of the boot file: printable,
 * not blank, without '#', which ends the line there. The error shows nothing of
 * it.
 */
int check_hook(const char *s, struct err *e);

/**
 * The kernel's rules (15 bytes, no '/' or blank, not "." or "..") and
 * wg-quick's ([a-zA-Z0-9_=+.-]); starts with a letter.
 */
int check_interface(const char *s, struct err *e);

/** A DNS name, an IPv4 or an IPv6 address without brackets; to 253 bytes. */
int check_host(const char *s, struct err *e);

/** A login name: [a-zA-Z0-9_.-], not starting with '-' or '.', 1 to 32. */
int check_user(const char *s, struct err *e);

/** "host:port" or "[v6]:port" whose host passes check_host(). */
int check_endpoint(const char *s, struct err *e);

/** 1 to 65535. */
int check_port(long port, struct err *e);

/** 576 to 65535 bytes. */
int check_mtu(long mtu, struct err *e);

/** 0 (off) to 65535 seconds. */
int check_keepalive(long keepalive_s, struct err *e);

/** A mesh network: right family, sane length (v4 8-30, v6 16-126), usable. */
int check_network(const struct cidr *c, int family, struct err *e);

/**
 * A routable network: masked, no special addresses. A default route may pass:
 * whether it may stand at a node depends on the node's `exit`.
 */
int check_routable(const struct cidr *c, struct err *e);

/**
 * A mesh address of @m: usable, and in the network of its family unless the
 * mesh has none; not that network's first or last address.
 */
int check_mesh_ip(const struct mesh *m, const struct ip *a, struct err *e);

/** 44 characters of base64 that are 32 bytes. */
int check_key(const char *s, struct err *e);

/** External peers that one node may have. */
#define EXTERNALS_MAX 1024

/**
 * The external peers of @n, sorted by public key: names and keys in form and
 * unique, none with the node's own key, endpoints, at most
 * EXTERNALS_MAX.
 */
int check_externals(const struct node *n, struct err *e);

/**
 * Append a warning for each address or network of a node that an external peer
 * of another node has: that one keeps it, and its node does not reach this one.
 */
void check_taken(struct findings *out, const struct mesh *m);

/**
 * Everything in the state that must hold for it to be loaded or saved:
 * names, ports, addresses inside the networks, no default route without `exit`,
 * no address or routable network with two owners. Keys, SSH hosts and
 * memberships may still be anything that the Go tool let pass. Each wrong thing
 * is appended to @out.
 */
void check_loadable(struct findings *out, const struct mesh *m);

/** The same: 0, or -1 with ERR_INPUT for the first wrong thing. */
int check_mesh(const struct mesh *m, struct err *e);

/**
 * What must hold besides before anything is computed for hosts: interface and
 * network named, every node with an address, a host to log in to (unless
 * local) and a public key; the private key, where the state has it, belongs to
 * the public one; no two nodes with one key; endpoints and SSH places that can
 * be (place.h). Appended to @out.
 */
void check_deployable(struct findings *out, const struct mesh *m);

#endif
