/*
 * How commands choose what a state is sealed with.
 */
#ifndef WGMESH_CMD_SEAL_H
#define WGMESH_CMD_SEAL_H

#include "cmd/cmd.h"

/**
 * Seal the new state @s at its next save, if the options ask for that
 * (-encrypt, -recipient, -format): to the -recipients or, when there are none,
 * with a new passphrase, which may be asked for. INPUT.
 */
int seal_if_asked(struct store *s, const struct cmd_env *env, struct err *e);

/** Add a recipient in its canonical text, once. ERR_INPUT when it is none. */
int recipients_add(struct strings *recipients, const char *text,
		   struct err *e);

#endif
