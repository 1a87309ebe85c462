/*
 * The state file's text. Format: docs/state-file.md; the Go tool's keys keep
 * their names and meaning, ours are additions, unknown ones survive.
 */
#ifndef WGMESH_STATE_JSON_JSON_H
#define WGMESH_STATE_JSON_JSON_H

#include "base/err.h"
#include "base/sbuf.h"
#include "state/json/saved_plan.h"
#include "state/model/model.h"

/** Largest state text that is read, in bytes. */
#define STATE_SIZE_MAX (64 << 20)

/** Deepest nesting of arrays and objects. */
#define JSON_DEPTH_MAX 100

/**
 * Check that @text is one JSON object and nothing else: UTF-8 without byte
 * order mark, no NUL (neither as byte nor as \u0000), integers that fit 64
 * bits. 0, or -1 with ERR_INPUT that gives line and column.
 */
int json_check_syntax(const char *text, size_t len, struct err *e);

/**
 * Parse @len bytes of JSON (RFC 8259, UTF-8, no BOM, nothing after the value)
 * into @out. Known keys match in any letter case, the last of repeated keys
 * wins, null means "not said". Types and syntax of every value are checked
 * here, relations by check_mesh(), which is called too.
 * 0, or -1 with ERR_INPUT: place ("node 'a': ssh_port") and what is expected;
 * for broken JSON line and column. @out is untouched on failure.
 */
int state_parse(struct mesh *out, const char *text, size_t len, struct err *e);

/**
 * The line (from 1) of @text that the error @message of state_parse() is about,
 * by the names in it ("node 'a': listen_port: ..."); 0 when it cannot be told,
 * or when the message has the line itself.
 */
size_t state_locate(const char *text, const char *message);

/**
 * Append the file's text: two-space indent, the Go tool's key order, maps
 * sorted by bytes, ours and unknown keys behind, no newline at the end;
 * '<', '>', '&', U+2028 and U+2029 as \\uXXXX. @out should be a secret buffer.
 */
void state_format(struct sbuf *out, const struct mesh *m);

#endif
