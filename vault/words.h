/*
 * A command line cut into words without a shell: blanks separate, single and
 * double quotes and backslashes quote, nothing is expanded.
 */
#ifndef WGMESH_VAULT_WORDS_H
#define WGMESH_VAULT_WORDS_H

#include "base/err.h"
#include "base/vec.h"

/** Append the words of @s. ERR_INPUT for an open quote or no word at all. */
int words_split(struct strings *out, const char *s, struct err *e);

#endif
