/*
 * Allocation that does not come back empty-handed: out of memory ends the
 * program with a message (the state survives a kill at any moment anyway).
 */
#ifndef WGMESH_BASE_MEM_H
#define WGMESH_BASE_MEM_H

#include <stddef.h>

/**
 * Zeroed memory for @n items of @size bytes, never NULL, not even for none. The
 * product may not overflow: calloc() sees to it. The caller frees.
 */
void *mem_calloc(size_t n, size_t size);

/**
 * reallocarray() that never fails; what is new is not zeroed. The caller frees.
 */
void *mem_resize(void *p, size_t n, size_t size);

/** Copy of @s; NULL stays NULL; the caller frees. */
char *mem_strdup(const char *s);

/** Copy of at most @n bytes of @s, up to a NUL, as a string; caller frees. */
char *mem_strndup(const char *s, size_t n);

/** Formatted string; the caller frees. */
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * Replace the string in *@slot by a copy of @s (NULL empties it), which may be
 * the old one or a part of it.
 */
void mem_replace(char **slot, const char *s);

#endif
