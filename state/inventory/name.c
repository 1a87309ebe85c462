/*
 * Names for peers, out of the comments that people and tools write above them:
 * "# alice", "# Name: alice", "# friendly_name=alice", "### Client alice",
 * "# BEGIN_PEER alice".
 */
#include "state/inventory/internal.h"

#include "base/auto.h"
#include "state/model/model.h"

#include <string.h>
#include <strings.h>

#define ALNUM                                                                  \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
/* Leaves room for a number behind it. */
#define NAME_MAX_BYTES 50
/* A comment of more words is a sentence, not a name. */
#define WORDS_MAX 3

/* @name, which is taken over, or what of it can be a host's name as well. */
static char *as_host(char *name)
{
	struct err ignored;
	char *other;

	if (check_host(name, &ignored) == 0)
		return name;
	for (char *p = name; *p; p++)
		*p = *p == '.' ? '-' : *p;
	if (check_host(name, &ignored) == 0)
		return name;
	other = mem_printf("node-%s", name);
	free(name);
	return other;
}

char *inventory_name(const char *s)
{
	struct sbuf b = SBUF_INIT;

	for (; *s && b.len < NAME_MAX_BYTES; s++) {
		if (strchr(ALNUM, *s) || (b.len && strchr("._-", *s)))
			sbuf_putc(&b, *s);
		else if (b.len && b.s[b.len - 1] != '-')
			sbuf_putc(&b, '-');
	}
	while (b.len && !strchr(ALNUM, b.s[b.len - 1]))
		b.s[--b.len] = '\0';
	if (b.len == 0)
		sbuf_puts(&b, "node");
	return as_host(sbuf_detach(&b));
}

/* What stands behind a label such as "Name:"; @s itself when there is none. */
static const char *skip_label(const char *s)
{
	static const char *const labels[] = { "friendly_name", "name", "client",
					      "begin_peer", "peer" };

	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
		size_t n = strlen(labels[i]);

		if (strncasecmp(s, labels[i], n) == 0 &&
		    strchr(" \t:=", s[n]) && s[n])
			return s + n + strspn(s + n, " \t:=");
	}
	return s;
}

/* One to three words, and neither a setting nor a key among them. */
static bool looks_like_name(const char *s)
{
	size_t words = 0;

	if (strpbrk(s, "=:[]{}") || !strpbrk(s, ALNUM))
		return false;
	for (s += strspn(s, " \t"); *s; s += strspn(s, " \t")) {
		words++;
		s += strcspn(s, " \t");
	}
	return words >= 1 && words <= WORDS_MAX;
}

char *inventory_comment_name(const char *comment)
{
	AUTO(auto_free) char *copy =
		mem_strdup(comment + strspn(comment, "#; \t"));
	const char *name = skip_label(inventory_trim(copy));

	if (strncasecmp(name, "end_peer", 8) == 0 || !looks_like_name(name))
		return NULL;
	return inventory_name(name);
}
