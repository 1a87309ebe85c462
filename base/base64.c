/*
 * Base64, strict. OpenSSL decodes and encodes; the judging of alphabet and padding
 * is ours, because OpenSSL lets through what age and WireGuard refuse.
 */
#include "base/base64.h"

#include <openssl/evp.h>
#include <string.h>

/* One piece of work: 64 full lines. */
#define PIECE_BYTES 3072
#define PIECE_TEXT 4096
#define LINE_BYTES 48 /* of RFC 7468 */
#define LINE_TEXT 64

/* A table, because megabytes go through it. */
static const bool digits_of_base64[256] = {
	['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true,
	['+'] = true, ['/'] = true,
};

bool base64_digit(unsigned char c)
{
	return digits_of_base64[c];
}

void base64_add(struct sbuf *out, struct view v, enum base64_form form)
{
	char text[PIECE_TEXT + 1];

	while (v.len) {
		size_t n = v.len < PIECE_BYTES ? v.len : PIECE_BYTES;
		int len = EVP_EncodeBlock((unsigned char *)text, v.at, (int)n);

		while (form == BASE64_RAW && text[len - 1] == '=')
			len--;
		sbuf_add(out, text, (size_t)len);
		v = VIEW(v.at + n, v.len - n);
	}
}

void base64_add_lines(struct sbuf *out, struct view v)
{
	char text[LINE_TEXT + 2];

	while (v.len) {
		size_t n = v.len < LINE_BYTES ? v.len : LINE_BYTES;
		int len = EVP_EncodeBlock((unsigned char *)text, v.at, (int)n);

		text[len] = '\n';
		sbuf_add(out, text, (size_t)len + 1);
		v = VIEW(v.at + n, v.len - n);
	}
}

/* Only the alphabet, and padding as @form wants it; yields its length or -1. */
static int padding(struct view text, enum base64_form form)
{
	size_t digits = 0;
	size_t pad;

	while (digits < text.len && base64_digit(text.at[digits]))
		digits++;
	pad = text.len - digits;
	for (size_t i = digits; i < text.len; i++)
		if (text.at[i] != '=')
			return -1;
	if (digits % 4 == 1 || (form == BASE64_RAW && pad > 0))
		return -1;
	if (form != BASE64_RAW && pad != (4 - digits % 4) % 4)
		return -1;
	return (int)((4 - digits % 4) % 4);
}

/* The last one to four characters, which may be padded or lack that. */
static bool decode_last(struct sbuf *out, struct view text, int pad,
			enum base64_form form)
{
	unsigned char four[4] = "===="; /* no NUL: it is not text */
	unsigned char again[5];
	unsigned char raw[3];

	memcpy(four, text.at, text.len);
	if (EVP_DecodeBlock(raw, four, 4) != 3)
		return false;
	/* bits that no byte has: another text of the same bytes, so refused */
	EVP_EncodeBlock(again, raw, 3 - pad);
	if (form != BASE64_LOOSE && memcmp(again, four, 4) != 0)
		return false;
	sbuf_add(out, raw, (size_t)(3 - pad));
	return true;
}

bool base64_decode(struct sbuf *out, struct view text, enum base64_form form)
{
	unsigned char raw[PIECE_BYTES];
	int pad = padding(text, form);

	if (pad < 0)
		return false;
	while (text.len > 4) {
		size_t n = (text.len - 1) / 4 * 4;

		n = n < PIECE_TEXT ? n : PIECE_TEXT;
		if (EVP_DecodeBlock(raw, text.at, (int)n) != (int)(n / 4 * 3))
			return false;
		sbuf_add(out, raw, n / 4 * 3);
		text = VIEW(text.at + n, text.len - n);
	}
	return !text.len || decode_last(out, text, pad, form);
}

bool base64_exact(unsigned char *out, size_t n, struct view text)
{
	struct sbuf raw = SBUF_INIT;
	bool ok;

	raw.max = 64;
	ok = text.len <= 88 && base64_decode(&raw, text, BASE64_RAW) &&
	     !raw.failed && raw.len == n;
	if (ok)
		memcpy(out, raw.s, n);
	sbuf_done(&raw);
	return ok;
}
