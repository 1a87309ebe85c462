/*
 * Names for peers, out of the comments that people and tools write above them:
 * "# alice", "# Name: alice", "# friendly_name=alice", "### Client alice",
 * "# BEGIN_PEER alice".
 */
#include "state/inventory/internal.h"

#include "base/auto.h"

#include <string.h>
#include <strings.h>

#define ALNUM                                                                  \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
/* A label of a host's name has 63 (RFC 1035): this leaves room for a number. */
#define NAME_MAX_BYTES 50
/* A comment of more words is a sentence, not a name. */
#define WORDS_MAX 3

char *inventory_name(const char *s)
{
	AUTO(sbuf_done) struct sbuf b = SBUF_INIT;
	struct err ignored;

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
	/* the peer may become a node, whose SSH host is named so at first */
	if (check_host(b.s, &ignored) == 0)
		return sbuf_detach(&b);
	for (char *p = b.s; *p; p++)
		*p = *p == '.' ? '-' : *p;
	if (check_host(b.s, &ignored) == 0)
		return sbuf_detach(&b);
	return mem_printf("node-%s", b.s);
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
	static const char *const labels[] = { "friendly_name", "name", "client",
					      "begin_peer", "peer" };
	AUTO(auto_free) char *copy =
		mem_strdup(comment + strspn(comment, "#; \t"));
	const char *name = inventory_trim(copy);

	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
		size_t n = strlen(labels[i]);

		if (strncasecmp(name, labels[i], n) != 0 || !name[n] ||
		    !strchr(" \t:=", name[n]))
			continue;
		name += n + strspn(name + n, " \t:=");
		break;
	}
	if (strncasecmp(name, "end_peer", 8) == 0 || !looks_like_name(name))
		return NULL;
	return inventory_name(name);
}
