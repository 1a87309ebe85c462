/*
 * Bech32 (BIP 173), for age's keys. By hand: no library of Debian 12 has it.
 */
#include "vault/age/bech32.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#define DATA 52 /* digits of 5 bits for 32 bytes: 256 bits and 4 of padding */
#define SUM 6
#define DIGITS (DATA + SUM)

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* One digit into the checksum: BIP 173, "bech32_polymod". */
static uint32_t step(uint32_t sum, unsigned char digit)
{
	static const uint32_t generator[] = {
		0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3,
	};
	uint32_t top = sum >> 25;

	sum = (sum & 0x1ffffff) << 5 ^ digit;
	for (int i = 0; i < 5; i++)
		sum ^= top >> i & 1 ? generator[i] : 0;
	return sum;
}

/* The checksum over the prefix (in lower case) and the digits. */
static uint32_t checksum(const char *prefix, const unsigned char *digits,
			 size_t n)
{
	uint32_t sum = 1;

	for (const char *p = prefix; *p; p++)
		sum = step(sum, (unsigned char)(tolower(*p) >> 5));
	sum = step(sum, 0);
	for (const char *p = prefix; *p; p++)
		sum = step(sum, (unsigned char)(tolower(*p) & 31));
	for (size_t i = 0; i < n; i++)
		sum = step(sum, digits[i]);
	return sum;
}

static bool is_upper(const char *prefix)
{
	return isupper((unsigned char)*prefix);
}

void bech32_encode(char text[BECH32_TEXT], const char *prefix,
		   const unsigned char key[BECH32_BYTES])
{
	unsigned char digits[DIGITS] = { 0 };
	size_t n = strlen(prefix), at = 0;
	uint32_t bits = 0, sum;
	unsigned have = 0;

	/* 32 bytes as 52 digits; the last 4 bits are zero */
	for (size_t i = 0; i < BECH32_BYTES; i++) {
		bits = (bits << 8 | key[i]) & 0xfff;
		for (have += 8; have >= 5; have -= 5)
			digits[at++] = bits >> (have - 5) & 31;
	}
	digits[at] = (unsigned char)(bits << (5 - have) & 31);
	explicit_bzero(&bits, sizeof bits);
	/* the sum is over six zeros in its own place */
	sum = checksum(prefix, digits, DIGITS) ^ 1;
	for (int i = 0; i < SUM; i++)
		digits[DATA + i] = sum >> 5 * (5 - i) & 31;
	memcpy(text, prefix, n);
	text[n++] = '1';
	for (size_t i = 0; i < DIGITS; i++) {
		char c = alphabet[digits[i]];

		text[n++] = (char)(is_upper(prefix) ? toupper(c) : c);
	}
	text[n] = '\0';
	explicit_bzero(digits, sizeof digits);
}

/* Digits to bytes; false when the 4 bits of padding are not zero. */
static bool join_digits(unsigned char *key, const unsigned char digits[DATA])
{
	unsigned have = 0;
	uint32_t bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < DATA; i++) {
		bits = (bits << 5 | digits[i]) & 0xfff;
		have += 5;
		if (have < 8)
			continue;
		have -= 8;
		key[n++] = (unsigned char)(bits >> have);
	}
	return (bits & 0xf) == 0;
}

/* The value of a character in that letter case, or -1. */
static int digit_of(char c, bool upper)
{
	const char *at;

	if (upper ? islower((unsigned char)c) : isupper((unsigned char)c))
		return -1;
	at = memchr(alphabet, tolower((unsigned char)c), 32);
	return at ? (int)(at - alphabet) : -1;
}

bool bech32_decode(unsigned char key[BECH32_BYTES], const char *prefix,
		   const char *text, size_t len)
{
	unsigned char digits[DIGITS];
	unsigned char raw[BECH32_BYTES];
	size_t n = strlen(prefix);
	bool ok = len == n + 1 + DIGITS && memcmp(text, prefix, n) == 0 &&
		  text[n] == '1';

	for (size_t i = 0; ok && i < DIGITS; i++) {
		int digit = digit_of(text[n + 1 + i], is_upper(prefix));

		ok = digit >= 0;
		digits[i] = (unsigned char)digit;
	}
	ok = ok && checksum(prefix, digits, DIGITS) == 1 &&
	     join_digits(raw, digits);
	if (ok)
		memcpy(key, raw, sizeof raw);
	explicit_bzero(digits, sizeof digits);
	explicit_bzero(raw, sizeof raw);
	return ok;
}
