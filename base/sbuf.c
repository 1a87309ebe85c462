/*
 * The growing string with a stated maximum.
 */
#include "base/sbuf.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool view_begins(struct view v, const char *text)
{
	return v.len >= strlen(text) && memcmp(v.at, text, strlen(text)) == 0;
}

bool view_is(struct view v, const char *text)
{
	return v.len == strlen(text) && view_begins(v, text);
}

bool view_line(struct view *rest, struct view *line)
{
	const unsigned char *end;
	size_t taken;

	if (!rest->len)
		return false;
	end = memchr(rest->at, '\n', rest->len);
	*line = VIEW(rest->at, end ? (size_t)(end - rest->at) : rest->len);
	taken = line->len + !!end;
	*rest = VIEW(rest->at + taken, rest->len - taken);
	if (line->len && line->at[line->len - 1] == '\r')
		line->len--;
	return true;
}

/* realloc() could leave a copy behind: the old bytes are wiped by hand. */
static void grow_secret(struct sbuf *b, size_t cap)
{
	char *p = mem_calloc(cap, 1);

	(void)!mlock(p, cap); /* where the system allows */
	if (b->s) {
		memcpy(p, b->s, b->len + 1);
		explicit_bzero(b->s, b->cap);
		free(b->s);
	}
	b->s = p;
}

/* Room for @extra more bytes and the NUL, or false past the maximum. */
static bool reserve(struct sbuf *b, size_t extra)
{
	size_t max = b->max ? b->max : SBUF_MAX_DEFAULT;
	size_t cap = b->cap ? b->cap : 64;

	if (b->failed || extra > max || b->len > max - extra) {
		b->failed = true;
		return false;
	}
	/* doubled: appending a byte at a time stays linear */
	while (cap < b->len + extra + 1)
		cap *= 2;
	if (cap == b->cap)
		return true;
	if (b->secret)
		grow_secret(b, cap);
	else
		b->s = mem_resize(b->s, cap, 1);
	b->cap = cap;
	b->s[b->len] = '\0';
	return true;
}

void sbuf_add(struct sbuf *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return;
	if (len)
		memcpy(b->s + b->len, data, len);
	b->len += len;
	b->s[b->len] = '\0';
}

void sbuf_puts(struct sbuf *b, const char *s)
{
	sbuf_add(b, s, strlen(s));
}

void sbuf_putc(struct sbuf *b, char c)
{
	sbuf_add(b, &c, 1);
}

void sbuf_vprintf(struct sbuf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n >= 0 && reserve(b, (size_t)n)) {
		vsnprintf(b->s + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void sbuf_printf(struct sbuf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sbuf_vprintf(b, fmt, ap);
	va_end(ap);
}

int sbuf_read(struct sbuf *b, int fd)
{
	char chunk[16384];
	ssize_t n;

	do {
		n = read(fd, chunk, sizeof chunk);
		if (n > 0)
			sbuf_add(b, chunk, (size_t)n);
	} while (!b->failed && (n > 0 || (n < 0 && errno == EINTR)));
	explicit_bzero(chunk, sizeof chunk);
	if (b->failed)
		errno = EFBIG;
	return b->failed || n < 0 ? -1 : 0;
}

const char *sbuf_str(const struct sbuf *b)
{
	return b->s ? b->s : "";
}

void sbuf_clear(struct sbuf *b)
{
	if (b->s && b->secret)
		explicit_bzero(b->s, b->cap);
	if (b->s)
		b->s[0] = '\0';
	b->len = 0;
	b->failed = false;
}

char *sbuf_detach(struct sbuf *b)
{
	char *s;

	reserve(b, 0);
	s = b->s ? b->s : mem_strdup("");
	b->s = NULL;
	b->len = b->cap = 0;
	return s;
}

void sbuf_done(struct sbuf *b)
{
	int saved = errno;

	if (b->s && b->secret)
		explicit_bzero(b->s, b->cap);
	free(b->s);
	b->s = NULL;
	b->len = b->cap = 0;
	b->failed = false;
	errno = saved;
}
