/*
 * How commands choose what a state is sealed with.
 */
#ifndef WGMESH_CMD_SEAL_H
#define WGMESH_CMD_SEAL_H

#include "cmd/cmd.h"

/**
 * Seal @s at its next save: to the -recipients and those that the mesh has, or,
 * when there are none, with a new passphrase from @source.
 */
int seal_choose(struct store *s, const struct cmd_env *env,
		const struct source *source, struct err *e);

/** seal_choose() for a new state, if the options ask for a sealed one. */
int seal_if_asked(struct store *s, const struct cmd_env *env, struct err *e);

/** Add a recipient in its canonical text, once. ERR_INPUT when it is none. */
int recipients_add(struct strings *recipients, const char *text,
		   struct err *e);

#endif
