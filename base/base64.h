/*
 * Base64 (RFC 4648, section 4) for the sealing formats. Strict unless said
 * otherwise: no blanks, no line breaks, one encoding for each value.
 */
#ifndef WGMESH_BASE_BASE64_H
#define WGMESH_BASE_BASE64_H

#include "base/sbuf.h"

/** What stands behind the digits where they are no multiple of four. */
enum base64_form {
	BASE64_RAW,    /* without padding */
	BASE64_PADDED, /* with padding */
	BASE64_LOOSE,  /* with padding; its unused bits may be anything */
};

/** Append the encoding of @v in one line; BASE64_RAW has no padding. */
void base64_add(struct sbuf *out, struct view v, enum base64_form form);

/** Append the encoding with padding in lines of 64 characters, each ended. */
void base64_add_lines(struct sbuf *out, struct view v);

/**
 * Append what @text encodes; false (and @out may have more) when it is none. What
 * is over @out's maximum is for the caller to see: sbuf's failed.
 */
bool base64_decode(struct sbuf *out, struct view text, enum base64_form form);

/** The @n bytes (at most 64) that @text encodes without padding, or false. */
bool base64_exact(unsigned char *out, size_t n, struct view text);

/** A character of the alphabet, not counting the padding? */
bool base64_digit(unsigned char c);

#endif
