/*
 * The two places where text changes its world: quoting for a POSIX shell and
 * escaping for a terminal. Everything that we put into a script goes through
 * text_quote(), everything from outside that we show through text_escape().
 */
#ifndef WGMESH_BASE_TEXT_H
#define WGMESH_BASE_TEXT_H

#include "base/sbuf.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * Append @s as one word of a POSIX shell, in single quotes where needed: what is
 * in them no shell looks at, whatever the bytes are.
 */
void text_quote(struct sbuf *out, const char *s);

/**
 * Append @len bytes so that a terminal shows them and obeys none: control
 * characters, DEL, C1, bidirectional controls and bytes that are no UTF-8
 * come out as \xNN or \u{NNNN}; a backslash stays. @keep_lines lets newline
 * and tab through.
 */
void text_escape(struct sbuf *out, const char *s, size_t len, bool keep_lines);

/**
 * Append the JSON text @s so that a terminal obeys nothing in it, and that is the
 * same JSON: what text_escape() would escape is written as \uNNNN, bytes that
 * are no UTF-8 as \ufffd. Layout between the strings stays.
 */
void text_escape_json(struct sbuf *out, const char *s);

/** text_escape() of a whole string into a new one, no lines kept; caller frees. */
char *text_escaped(const char *s);

/** Valid UTF-8 without anything that text_escape() would escape? */
bool text_is_printable(const char *s);

/**
 * May it be the host or the user that ssh is called with? OpenSSH's own rule for
 * names that end up in commands: no option, nothing that a shell would obey.
 */
bool text_is_ssh_name(const char *s);

/**
 * Length of the UTF-8 sequence that @s starts with, 0 if it is none. Strict:
 * no overlong forms, no surrogates, at most U+10FFFF. @len bounds the look.
 */
size_t text_utf8_length(const char *s, size_t len, unsigned *code_point);

/**
 * The first line, counted from 1, that is a mark of a conflict of git's
 * ("<<<<<<< ours"); 0: there is none.
 */
size_t text_conflict_line(const char *s, size_t len);

/**
 * What stands in @line behind its first word and a blank, if that word is @word
 * in any letter case; else NULL.
 */
const char *text_behind(const char *line, const char *word);

/** @n bytes as 2 * @n lower-case hex digits and a NUL. */
void text_hex(char *out, const void *bytes, size_t n);

/** What text_hash() begins with. */
#define TEXT_HASH_START UINT64_C(0xcbf29ce484222325)

/**
 * Go on with a hash (FNV-1a) over @len bytes: for telling equal texts from
 * different ones where nobody gains by a collision.
 */
uint64_t text_hash(uint64_t hash, const char *s, size_t len);

#endif
