/*
 * The line of the state's text that an error is about: json-c keeps no places.
 */
#include "state/json/locate.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

static size_t line_of(const char *text, const char *at)
{
	size_t line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

/* The key "<name>" in the text from @from on, or NULL. */
static const char *find_key(const char *from, const char *name, size_t len)
{
	AUTO(auto_free) char *quoted = mem_printf("\"%.*s\"", (int)len, name);

	for (const char *p = from; (p = strstr(p, quoted)); p++) {
		const char *behind = p + strlen(quoted);

		behind += strspn(behind, " \t\r\n");
		if (*behind == ':')
			return p;
	}
	return NULL;
}

/* The thing in quotes that the message starts with: node 'a', group 'b'. */
static const char *find_thing(const char *text, const char **message)
{
	const char *open = strchr(*message, '\'');
	const char *colon = strchr(*message, ':');
	const char *close = open ? strchr(open + 1, '\'') : NULL;
	const char *at;

	if (!close || (colon && colon < open))
		return text;
	at = find_key(text, open + 1, (size_t)(close - open - 1));
	*message = close + 1;
	*message += strspn(*message, ": ");
	return at;
}

size_t state_locate(const char *text, const char *message)
{
	const char *at, *field;

	if (strncmp(message, "line ", 5) == 0)
		return 0;
	at = find_thing(text, &message);
	if (!at)
		return 0;
	field = find_key(at, message, strcspn(message, ": "));
	if (!field && at == text)
		return 0;
	return line_of(text, field ? field : at);
}
