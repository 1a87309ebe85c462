/*
 * Taking over what exists: `import` reads hosts or files into the mesh.
 */
#ifndef WGMESH_CMD_IMPORT_H
#define WGMESH_CMD_IMPORT_H

#include "cmd/cmd.h"
#include "state/model/model.h"

/**
 * Read [NAME=][USER@]HOST[:PORT] into @n, whose name changes only if there is
 * one. ERR_INPUT, behind the words themselves.
 */
int import_place(struct node *n, const char *text, struct err *e);

/**
 * Ask for a yes to the sentences @doubts, unless there are none: -yes, or an
 * answer on the terminal. Otherwise ERR_INPUT or ERR_CONFLICT.
 */
int import_agree(const struct cmd_env *env, const struct strings *doubts,
		 struct err *e);

/** Say how commands that were left behind are kept. */
void import_note_hooks(void);

/** `import --from FILE`: read it into the state, or print it as YAML. */
int import_file(struct cmd_env *env);

/** `import [NAME=][USER@]HOST[:PORT]...`: log in and read the interface. */
int import_host(struct cmd_env *env);

#endif
