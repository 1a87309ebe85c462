/*
 * Strict numbers: the whole string, base 10, no sign unless negative values
 * are allowed, no blanks.
 */
#ifndef WGMESH_BASE_NUM_H
#define WGMESH_BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Parse @s into @out if it lies in @min to @max; false leaves @out. Leading
 * zeros are fine, "+" never is, "-" where @min is below zero.
 */
bool num_parse(long *out, const char *s, long min, long max);

/** As num_parse() without a sign, for the full unsigned 64 bits. */
bool num_parse_u64(uint64_t *out, const char *s);

#endif
