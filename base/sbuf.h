/*
 * A growing string with a stated maximum. Appending never fails loudly: past
 * the maximum the buffer is marked `failed` and stays as it was, so a caller
 * appends freely and tests once at the end. `s` is never NULL after the first
 * append and always ends in NUL; sbuf_str() gives "" for an empty one.
 * A secret buffer is wiped when it grows and when it ends.
 */
#ifndef WGMESH_BASE_SBUF_H
#define WGMESH_BASE_SBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/** A borrowed run of bytes. */
struct view {
	const unsigned char *at; /* need not end in NUL; NULL only if empty */
	size_t len;              /* bytes */
};

/** A view of bytes of whatever type. */
#define VIEW(pointer, length) \
	((struct view){ (const unsigned char *)(pointer), (length) })

/** Enough for everything this program builds; what hosts send has its own. */
#define SBUF_MAX_DEFAULT ((size_t)64 << 20)

struct sbuf {
	char *s;     /* owned; NULL as long as nothing was appended */
	size_t len;  /* bytes, without the NUL */
	size_t cap;  /* bytes that @s has room for, with the NUL */
	size_t max;  /* most that @len may be; 0 means SBUF_MAX_DEFAULT */
	bool secret; /* wiped, and kept out of swap where that is allowed */
	bool failed; /* something did not fit and was left out */
};

/** Initialisers: an empty buffer, and one that holds secrets. */
#define SBUF_INIT { NULL, 0, 0, 0, false, false }
#define SBUF_SECRET { NULL, 0, 0, 0, true, false }

/** Does @v begin with the text? */
bool view_begins(struct view v, const char *text);

/** Is it that text and nothing more? */
bool view_is(struct view v, const char *text);

/**
 * Take a line off @rest into @line, without its LF or CRLF, which the last one
 * may lack. False when nothing is left.
 */
bool view_line(struct view *rest, struct view *line);

/** Append @len bytes; none of them when they do not all fit. */
void sbuf_add(struct sbuf *b, const void *data, size_t len);

/** Append text up to its NUL. */
void sbuf_puts(struct sbuf *b, const char *s);

/** Append one byte. */
void sbuf_putc(struct sbuf *b, char c);

/** Append as printf() has it. Not for secrets: it may leave copies behind. */
void sbuf_printf(struct sbuf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** The same for one who has got the arguments from elsewhere. */
void sbuf_vprintf(struct sbuf *b, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/**
 * Append all that comes from @fd until its end. 0, or -1 with errno: EFBIG (and
 * `failed`) as soon as it is more than the maximum.
 */
int sbuf_read(struct sbuf *b, int fd);

/** The text; "" when nothing was appended. Valid until the next append. */
const char *sbuf_str(const struct sbuf *b);

/** Empty it, keep the memory (wiped if secret) and clear `failed`. */
void sbuf_clear(struct sbuf *b);

/** Hand the string over to the caller, who frees it (and wipes a secret). */
char *sbuf_detach(struct sbuf *b);

/** Free; wipe first if secret. For AUTO(sbuf_done). Keeps max and secret. */
void sbuf_done(struct sbuf *b);

#endif
