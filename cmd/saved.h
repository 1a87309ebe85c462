/*
 * Plans in files: `plan -out FILE`, `deploy FILE`.
 */
#ifndef WGMESH_CMD_SAVED_H
#define WGMESH_CMD_SAVED_H

#include "cmd/fleet.h"

/**
 * Is the only argument of `deploy` a plan? It is when it names a regular file,
 * and neither a node nor a group of @m.
 */
bool saved_is_named(const struct cmd_env *env, const struct mesh *m);

/**
 * What of the state in @s goes into a plan, into the empty @out: before anything
 * is found out about the hosts.
 */
int saved_begin(struct saved_plan *out, const struct store *s,
		const struct cmd_env *env, struct err *e);

/** Add the planned hosts of @f. */
void saved_add(struct saved_plan *out, const struct fleet *f);

/**
 * Save @p as @path, 0600. ERR_INPUT when a key is yet to be made on a host of
 * @f, for then nobody can say what the others will get.
 */
int saved_write(struct saved_plan *p, const struct fleet *f, const char *path,
		struct err *e);

/**
 * Read the plan that the arguments name, which must be of the state that @now is
 * of; the options with which it was made hold again.
 */
int saved_read(struct saved_plan *out, struct cmd_env *env,
	       const struct saved_plan *now, struct err *e);

/** Notes which hosts stay out because they did when the plan was made. */
void saved_note_absent(const struct saved_plan *p);

#endif
