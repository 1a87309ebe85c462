/*
 * Bech32 (BIP 173) of 32-byte keys, as age writes recipients and identities.
 */
#ifndef WGMESH_VAULT_AGE_BECH32_H
#define WGMESH_VAULT_AGE_BECH32_H

#include <stdbool.h>
#include <stddef.h>

/** Bytes of a key; age has no others. */
#define BECH32_BYTES 32
/** Longest prefix that is taken, and the length of a text with it and NUL. */
#define BECH32_PREFIX_MAX 20
#define BECH32_TEXT (BECH32_PREFIX_MAX + 1 + 58 + 1)

/** Text of @key; upper case if @prefix is. The caller wipes a secret's text. */
void bech32_encode(char text[BECH32_TEXT], const char *prefix,
		   const unsigned char key[BECH32_BYTES]);

/**
 * The key in @text, which must have exactly that prefix and its letter case.
 * False, and @key untouched, when a character is wrong: the checksum finds it.
 */
bool bech32_decode(unsigned char key[BECH32_BYTES], const char *prefix,
		   const char *text, size_t len);

#endif
