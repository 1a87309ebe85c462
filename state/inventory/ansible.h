/*
 * An Ansible inventory as its two forms, INI and YAML, give it: hosts and
 * groups with the few variables that say how to log in. Other variables may be
 * passwords: none is kept. For ansible.c, ini.c and yaml.c alone.
 */
#ifndef WGMESH_STATE_INVENTORY_ANSIBLE_H
#define WGMESH_STATE_INVENTORY_ANSIBLE_H

#include "state/inventory/internal.h"

/**
 * Most times that hosts are named, and most steps through the groups. A file of
 * 16 MiB could else name as many hosts in as many groups as to take hours.
 */
#define ANSIBLE_STEPS_MAX 2000000

/**
 * The variables of Ansible's ssh connection plugin; the old names, which win,
 * stand three behind the new ones. Then who says what counts, and those that
 * are not carried over and said to be.
 */
enum ansible_name {
	ANSIBLE_HOST, ANSIBLE_PORT, ANSIBLE_USER, ANSIBLE_OLD,
	ANSIBLE_CONNECTION = 6, ANSIBLE_PRIORITY, ANSIBLE_VARS,
	ANSIBLE_NAMED = ANSIBLE_VARS, /* the first of those */
	ANSIBLE_NONE = 100, /* any other one */
};

/** What is said, as the file has it, in which file and line, from 1. */
struct ansible_var {
	char *text; /* NULL: not said */
	const char *file;
	size_t line;
};

/** What one host or group says itself. Zeroed is nothing. */
struct ansible_vars {
	struct ansible_var of[ANSIBLE_VARS];
};

/** Hosts or groups, by their places in struct ansible. */
struct ansible_refs {
	size_t *items;
	size_t len;
	size_t cap;
};

/** A host; the names are those of the indexes. */
struct ansible_host {
	const char *name;
	size_t line; /* where it is named first */
	struct ansible_vars own, beside; /* beside: in host_vars/ */
	const struct ansible_var *got[ANSIBLE_VARS]; /* from its groups */
	bool left; /* it is no host to log in to with SSH */
	size_t mark; /* the last group that collected it */
};

/** A group, which may be in several others, but not in itself. */
struct ansible_group {
	const char *name;
	size_t line;
	struct ansible_vars own, beside; /* beside: in group_vars/ */
	struct ansible_refs parents, children, hosts;
	long priority; /* among those of one depth */
	size_t depth; /* 0: not known yet; "all" has 1 */
	bool open;    /* its depth is being found out */
	size_t mark;  /* as a host's */
};

/** All of an inventory; by ansible_init(). */
struct ansible {
	struct inventory *in;
	VEC(struct ansible_host) hosts;
	VEC(struct ansible_group) groups;
	struct inventory_index host_names, group_names;
	size_t members; /* host entries so far; steps while they are spread */
	bool named[ANSIBLE_NONE]; /* was said to be left out */
};

/** Start; the first group is "all". End with ansible_done(). */
void ansible_init(struct ansible *a, struct inventory *in);

/** Free all but the inventory that it was started with. */
void ansible_done(struct ansible *a);

/** The variable of this name. */
enum ansible_name ansible_name(const char *key);

/** Take a value; one that is not carried over is noted, once. */
void ansible_set(struct ansible *a, struct ansible_vars *to,
		 enum ansible_name name, const char *value, size_t line);

/** The number of the group of this name, made when there is none. */
size_t ansible_group(struct ansible *a, const char *name, size_t line);

/**
 * Put the hosts of @pattern, which may have ranges and a ":PORT", into the
 * group, with what @vars says about them. ERR_INPUT with its place.
 */
int ansible_hosts(struct ansible *a, size_t group, const char *pattern,
		  const struct ansible_vars *vars, size_t line, struct err *e);

/** @child's hosts are @parent's, too. Circles are found by ansible_finish(). */
void ansible_child(struct ansible *a, size_t parent, size_t child);

/**
 * Read @f, YAML or JSON, as variables into @to; their places name @f->name,
 * which has to live as long. ERR_INPUT with its place; ERR_SYSTEM.
 */
int ansible_vars_file(struct ansible *a, const struct inventory_file *f,
		      struct ansible_vars *to, struct err *e);

/**
 * Read the files beside the inventory that are about its hosts and groups, which
 * are all known by now. ERR_INPUT with its place; ERR_SYSTEM.
 */
int ansible_beside(struct ansible *a, struct err *e);

/**
 * Bring all of it into the mesh: a node for each host that is reached by SSH, a
 * group for each group that has such hosts, but not for "all" and "ungrouped",
 * which every inventory has. ERR_INPUT with its place.
 */
int ansible_finish(struct ansible *a, struct err *e);

/** Free the texts; for AUTO(ansible_vars_done). */
void ansible_vars_done(struct ansible_vars *v);

#endif
