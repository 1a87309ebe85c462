/*
 * Bytes that are wiped before they are let go.
 */
#include "base/secret.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void secret_set(struct secret *s, const void *bytes, size_t len)
{
	unsigned char *copy = mem_calloc(len + 1, 1);

	/* where the system allows; the pages stay locked, others may be in them */
	(void)!mlock(copy, len + 1);
	if (len)
		memcpy(copy, bytes, len);
	secret_done(s);
	s->bytes = copy;
	s->len = len;
}

void secret_copy(struct secret *to, const struct secret *from)
{
	if (from->bytes)
		secret_set(to, from->bytes, from->len);
	else
		secret_done(to);
}

const char *secret_text(const struct secret *s)
{
	return s->bytes ? (const char *)s->bytes : "";
}

/* No early end: how much was alike must not show in the time that it takes. */
bool secret_equal(const struct secret *a, const struct secret *b)
{
	unsigned char diff = 0;

	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		diff |= (unsigned char)(a->bytes[i] ^ b->bytes[i]);
	return diff == 0;
}

void secret_done(struct secret *s)
{
	int saved = errno;

	if (s->bytes)
		explicit_bzero(s->bytes, s->len);
	free(s->bytes);
	s->bytes = NULL;
	s->len = 0;
	errno = saved;
}
