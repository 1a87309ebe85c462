/*
 * The pieces of a YAML text, one after the other, read with libyaml. What
 * mesh.yaml does without (anchors, aliases, tags, directives, a second
 * document) is refused here.
 */
#ifndef WGMESH_STATE_YAML_STREAM_H
#define WGMESH_STATE_YAML_STREAM_H

#include "base/auto.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

/** Largest text that is read, in bytes. */
#define YAML_SIZE_MAX (16 << 20)

struct yaml_stream;

/** A place, from 1; line 0: not known. Columns count characters. */
struct yaml_mark {
	size_t line, column;
};

/** ITEM_END ends a list, a map, or the text. */
enum yaml_kind { ITEM_TEXT, ITEM_LIST, ITEM_MAP, ITEM_END };

struct yaml_item {
	enum yaml_kind kind;
	const char *text; /* of ITEM_TEXT; valid until the next item */
	bool plain;       /* it has no quotes */
	bool exact;       /* it has double quotes, which take escapes */
	struct yaml_mark at;
};

/**
 * Begin to read a text, which stays the caller's, after a look at its bytes.
 * NULL with ERR_INPUT when they are no text.
 */
struct yaml_stream *yaml_stream_open(const char *text, size_t len,
				     const char *file, struct err *e);

/**
 * The next item. 0, or -1 with ERR_INPUT: what libyaml refuses, in our words,
 * what mesh.yaml does without, or more items than any mesh has.
 */
int yaml_stream_next(struct yaml_stream *s, struct yaml_item *out,
		     struct err *e);

/** Free; NULL is allowed. */
void yaml_stream_close(struct yaml_stream *s);
DEFINE_AUTO(struct yaml_stream *, yaml_stream_close)

/** ERR_INPUT with the place put before the text. Yields -1. */
int yaml_refuse(const struct yaml_stream *s, struct yaml_mark at,
		struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/**
 * Look for what no line may hold: bytes that are no UTF-8, characters that
 * are not shown, a tab as indentation. Returns NULL, or what was found and what
 * is expected (the caller frees) and where.
 */
char *yaml_bad_character(const char *text, size_t len, struct yaml_mark *at);

/**
 * May this character, @n bytes (0: no UTF-8), stand in a line? libyaml takes no
 * U+FFFE and U+FFFF.
 */
bool yaml_is_shown(const char *s, size_t n, unsigned cp);

/**
 * What else than text some YAML reader takes the plain scalar @s for ("a
 * number"), NULL for nothing.
 */
const char *yaml_surprise(const char *s);

#endif
