/*
 * JSON output: a tree that is built in order and printed once. Texts are
 * copied, and escaped for a terminal when they are printed: what a host or a
 * file says goes in as it is.
 */
#ifndef WGMESH_CMD_JOUT_H
#define WGMESH_CMD_JOUT_H

#include "base/addr.h"
#include "base/sbuf.h"
#include "base/vec.h"

#include <stdbool.h>

struct jout;

/** A new tree whose root is an object. */
struct jout *jout_new(void);

/** Open an object as member @key (NULL inside an array). */
void jout_open(struct jout *j, const char *key);

/** Open an array; what is added until its jout_end() are its items. */
void jout_list(struct jout *j, const char *key);

/** Close what was opened last. */
void jout_end(struct jout *j);

/** Add a member (@key NULL inside an array); NULL text becomes null. */
void jout_text(struct jout *j, const char *key, const char *value);
void jout_number(struct jout *j, const char *key, long value);
void jout_bool(struct jout *j, const char *key, bool value);

/** Add a list of texts; an empty one is [], never null. */
void jout_strings(struct jout *j, const char *key, const struct strings *v);
void jout_cidrs(struct jout *j, const char *key, const struct cidrs *v);

/** Add an address as text; null when there is none. */
void jout_ip(struct jout *j, const char *key, const struct ip *a);

/** Print to stdout with a newline, and free the tree. */
void jout_print(struct jout *j);

/** Append it to @out as one line with its newline, and free the tree. */
void jout_line(struct jout *j, struct sbuf *out);

#endif
