/*
 * Is it JSON? Checked before json-c reads the text, because json-c lets more
 * through than RFC 8259 does, and what people need is the line.
 */
#ifndef WGMESH_STATE_JSON_SYNTAX_H
#define WGMESH_STATE_JSON_SYNTAX_H

#include "base/err.h"

#include <stddef.h>

/** Deepest nesting of arrays and objects. */
#define JSON_DEPTH_MAX 100

/**
 * Check that @text is one JSON object and nothing else: UTF-8 without byte
 * order mark, no NUL (neither as byte nor as \u0000), integers that fit 64
 * bits. 0, or -1 with ERR_INPUT that gives line and column.
 */
int json_check_syntax(const char *text, size_t len, struct err *e);

#endif
