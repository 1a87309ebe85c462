/*
 * Random bytes of the system for names that nobody shall guess or meet twice.
 * Keys have their own: vault/crypto/crypto.h.
 */
#ifndef WGMESH_BASE_RANDOM_H
#define WGMESH_BASE_RANDOM_H

#include "base/err.h"

/** @n random bytes, at most 256. 0, or -1 with SYSTEM. */
int random_bytes(void *out, size_t n, struct err *e);

/** @digits hex digits (an even number, at most 64) and a NUL. As above. */
int random_hex(char *out, size_t digits, struct err *e);

#endif
