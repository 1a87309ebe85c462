/*
 * Errors as values: set once where they are found, wrapped on the way out.
 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Never leave half a UTF-8 sequence at the cut. */
static void trim_cut(char *s, size_t size, int wanted)
{
	size_t n = size - 1;

	if (wanted < 0 || (size_t)wanted < size)
		return;
	while (n > 0 && ((unsigned char)s[n - 1] & 0xc0) == 0x80)
		n--;
	if (n > 0 && ((unsigned char)s[n - 1] & 0x80))
		n--;
	s[n] = '\0';
}

void err_set_(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;
	int n;

	e->code = code;
	e->sys_errno = 0;
	e->advice = ADVICE_NONE;
	e->about[0] = '\0';
	va_start(ap, fmt);
	n = vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	trim_cut(e->msg, sizeof e->msg, n);
}

void err_sys_(struct err *e, const char *fmt, ...)
{
	int saved = errno; /* before anything here can change it */
	char text[ERR_MSG_MAX];
	char reason[128];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	trim_cut(text, sizeof text, n);
	err_set(e, ERR_SYSTEM, "%s: %s", text,
		strerror_r(saved, reason, sizeof reason));
	e->sys_errno = saved;
}

void err_wrap_(struct err *e, const char *fmt, ...)
{
	char inner[ERR_MSG_MAX];
	char outer[ERR_MSG_MAX];
	va_list ap;
	int n;

	/* @e may be one of the arguments: the new text is made beside it */
	memcpy(inner, e->msg, sizeof inner);
	va_start(ap, fmt);
	n = vsnprintf(outer, sizeof outer, fmt, ap);
	va_end(ap);
	trim_cut(outer, sizeof outer, n);
	n = snprintf(e->msg, sizeof e->msg, "%s: %s", outer, inner);
	trim_cut(e->msg, sizeof e->msg, n);
}

void err_advise_(struct err *e, enum advice advice, const char *about)
{
	size_t len = about ? strlen(about) : 0;

	if (len >= sizeof e->about)
		return;
	memcpy(e->about, about ? about : "", len + 1);
	e->advice = advice;
}

const char *err_code_name(enum err_code code)
{
	switch (code) {
	case ERR_NONE: return "none";
	case ERR_INPUT: return "input";
	case ERR_SYSTEM: return "system";
	case ERR_UNREACHABLE: return "unreachable";
	case ERR_AUTH: return "auth";
	case ERR_HOSTKEY: return "hostkey";
	case ERR_REMOTE: return "remote";
	case ERR_CONFLICT: return "conflict";
	case ERR_BUG: return "bug";
	}
	return "bug";
}
