/*
 * The one type that key bytes and passphrases live in. Wiped on release,
 * compared in constant time, never printed.
 */
#ifndef WGMESH_BASE_SECRET_H
#define WGMESH_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct secret {
	unsigned char *bytes; /* NULL when empty; bytes[len] is NUL */
	size_t len;           /* without that NUL */
};

/** Replace the content by a copy of @len bytes, which may be a part of it. */
void secret_set(struct secret *s, const void *bytes, size_t len);

/** Replace the content of @to by a copy of @from. */
void secret_copy(struct secret *to, const struct secret *from);

/** The bytes as a string ("" when empty); for text such as a base64 key. */
const char *secret_text(const struct secret *s);

/** Equal content; time depends on the lengths only. */
bool secret_equal(const struct secret *a, const struct secret *b);

/** Wipe and free; it is empty and usable again. For AUTO(secret_done). */
void secret_done(struct secret *s);

#endif
