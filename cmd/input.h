/*
 * Files that a user names on the command line.
 */
#ifndef WGMESH_CMD_INPUT_H
#define WGMESH_CMD_INPUT_H

#include "base/err.h"
#include "base/sbuf.h"
#include "state/inventory/inventory.h"

/**
 * Append the bytes of @path, standard input for "-", to @out, which then has
 * the maximum @max. INPUT when there are more, or it is a folder, or cannot be
 * opened; SYSTEM when reading fails.
 */
int input_read(struct sbuf *out, const char *path, size_t max, struct err *e);

/**
 * Append the files of variables beside the file @inventory to @out; none is
 * fine. INPUT with their names; what was read by then stays in @out.
 */
int beside_read(struct inventory_besides *out, const char *inventory,
		struct err *e);

/** Free them; for AUTO(beside_done). */
void beside_done(struct inventory_besides *b);

#endif
