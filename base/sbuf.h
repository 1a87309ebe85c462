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
	const unsigned char *at;
	size_t len;
};

#define VIEW(pointer, length) \
	((struct view){ (const unsigned char *)(pointer), (length) })

/** Enough for everything this program builds; what hosts send has its own. */
#define SBUF_MAX_DEFAULT ((size_t)64 << 20)

struct sbuf {
	char *s;
	size_t len;
	size_t cap;
	size_t max; /* 0 means SBUF_MAX_DEFAULT */
	bool secret;
	bool failed;
};

/** Initialisers: an empty buffer, and one that holds secrets. */
#define SBUF_INIT { NULL, 0, 0, 0, false, false }
#define SBUF_SECRET { NULL, 0, 0, 0, true, false }

void sbuf_add(struct sbuf *b, const void *data, size_t len);
void sbuf_puts(struct sbuf *b, const char *s);
void sbuf_putc(struct sbuf *b, char c);
void sbuf_printf(struct sbuf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
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
