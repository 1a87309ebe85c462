/*
 * Text from outside in Markdown: shown as it is, and nothing of it acts - no
 * HTML, links, mentions or commands of the forge, no way out of its place.
 */
#ifndef WGMESH_RENDER_MARKDOWN_H
#define WGMESH_RENDER_MARKDOWN_H

#include "base/sbuf.h"

/** Append @s as inline code, fit for a cell of a table. */
void markdown_code(struct sbuf *out, const char *s);

/** Append @s as one line of a fenced block of three backticks. */
void markdown_line(struct sbuf *out, const char *s);

#endif
