/*
 * Names for peers, out of the comments that people and tools write above them:
 * "# alice", "# Name: alice" (wireguard-ui), "#Name# = alice" (WGDashboard),
 * "# friendly_name=alice" and friendly_json (prometheus-wireguard-exporter),
 * "### Client alice", "# Client: alice (an id)" (wg-easy), "# BEGIN_PEER alice",
 * "### begin alice ###" (PiVPN), "# alice / a@b / Updated: ..." (wg-gen-web).
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

/* No name: longer than a word gets, as keys, their halves and ids are. */
#define WORD_MAX 31

/* One to three words, and neither a setting nor a secret among them. */
static bool looks_like_name(const char *s, enum name_worth worth)
{
	static const char *const secrets[] = { "psk", "password", "secret",
					       "token", "private" };
	size_t words = 0;

	if (!strpbrk(s, ALNUM) ||
	    (worth < NAME_LABELED && strpbrk(s, "=:[]{}")))
		return false;
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		if (strcasestr(s, secrets[i]))
			return false;
	for (s += strspn(s, " \t"); *s; s += strspn(s, " \t")) {
		size_t n = strcspn(s, " \t");

		words++;
		/* a host's name may be long: its labels are words */
		for (size_t i = 0, run = 0; i < n; i++) {
			run = s[i] == '.' || s[i] == '@' ? 0 : run + 1;
			if (run > WORD_MAX)
				return false;
		}
		s += n;
	}
	return words >= 1 && words <= WORDS_MAX;
}

/* The text of "name" in JSON, cut out in place; an escape ends it. */
static char *json_name(char *s)
{
	char *at = strstr(s, "\"name\"");

	if (!at)
		return NULL;
	at += strlen("\"name\"");
	at += strspn(at, " \t");
	if (*at != ':')
		return NULL;
	at += 1 + strspn(at + 1, " \t");
	if (*at++ != '"')
		return NULL;
	at[strcspn(at, "\"\\")] = '\0';
	return at;
}

/*
 * Behind a label, or NULL. One that is a word of everyday needs a sign behind
 * it: "user: bob" is a name, "user of the printer" none.
 */
static char *behind_label(char *s)
{
	static const struct {
		const char *word;
		bool sign;
	} labels[] = {
		{ "friendly_name", false }, { "friendly name", true },
		{ "name", false }, { "client name", true }, { "client", false },
		{ "begin_peer", false }, { "begin", false },
		{ "peer name", true }, { "peer", false }, { "user", true },
		{ "device", true }, { "hostname", true }, { "host", true },
		{ "description", true },
	};

	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
		size_t n = strlen(labels[i].word);
		size_t gap;

		if (strncasecmp(s, labels[i].word, n) != 0)
			continue;
		gap = strspn(s + n, " \t:=#");
		if (gap && s[n + gap] &&
		    (!labels[i].sign || strcspn(s + n, ":=") < gap))
			return s + n + gap;
	}
	return NULL;
}

/* Cut off what tools put behind a name: "###", "(an id)", " / a@b / ...". */
static void cut_tail(char *s)
{
	char *end = strstr(s, " / ");
	char *open;

	if (end)
		*end = '\0';
	end = s + strlen(s);
	while (end > s && strchr("#*=-; \t", end[-1]))
		*--end = '\0';
	open = strrchr(s, '(');
	if (open && open > s && end[-1] == ')' && end - open > WORD_MAX)
		*open = '\0';
	inventory_trim(s);
}

char *inventory_comment_name(const char *comment, enum name_worth *worth)
{
	AUTO(auto_free) char *copy =
		mem_strdup(comment + strspn(comment, "#;*=- \t"));
	char *name = inventory_trim(copy);
	char *said;

	*worth = NAME_NONE;
	if (strncasecmp(name, "end_peer", 8) == 0 ||
	    strncasecmp(name, "end ", 4) == 0)
		return NULL;
	said = strncasecmp(name, "friendly_json", 13) == 0 ? json_name(name)
							   : behind_label(name);
	if (said)
		name = said;
	cut_tail(name);
	if (!looks_like_name(name, said ? NAME_LABELED : NAME_WORDS))
		return NULL;
	*worth = said ? NAME_LABELED : NAME_WORDS;
	return inventory_name(name);
}

/* ---- whose name it is ---- */

/* The better of two names stays, of equal ones @old; frees @name. */
static void better_name(char **old, enum name_worth *worth, char *name,
			enum name_worth other)
{
	if (!name || (*old && other <= *worth)) {
		free(name);
		return;
	}
	free(*old);
	*old = name;
	*worth = other;
}

static void forget_above(struct naming *n)
{
	mem_replace(&n->above, NULL);
	n->above_worth = NAME_NONE;
}

/* What is right above a peer names it; an interface has its name inside. */
static void naming_begin(struct naming *n, bool peer)
{
	n->name = peer ? STEAL(n->above) : NULL;
	n->worth = n->name ? n->above_worth : NAME_NONE;
	n->inside = true;
	n->peer = peer;
	n->begun = false;
}

/*
 * A comment may name its section: behind the header, above it, behind the key,
 * or inside. Behind other settings stands what they are for. One on a line of
 * its own behind settings may also be above the next section: it counts when a
 * setting follows. In a block above a section a line that says that it is a
 * name beats one of mere words; of such ones the nearest counts.
 */
void naming_line(struct naming *n, enum naming_line kind, const char *comment)
{
	bool header = kind == NAMING_PEER || kind == NAMING_INTERFACE;
	enum name_worth worth;
	char *name;

	if (header) {
		naming_begin(n, kind == NAMING_PEER);
	} else if (kind != NAMING_COMMENT) {
		n->begun = true;
		if (n->peer)
			better_name(&n->name, &n->worth, STEAL(n->above),
				    n->above_worth);
	}
	if (kind != NAMING_COMMENT || !comment)
		forget_above(n);
	if (!comment || kind == NAMING_OTHER)
		return;
	name = inventory_comment_name(comment, &worth);
	if (kind != NAMING_COMMENT || (n->inside && !n->begun)) {
		better_name(&n->name, &n->worth, name, worth);
		return;
	}
	if (worth == NAME_WORDS && n->above_worth == NAME_WORDS)
		forget_above(n);
	better_name(&n->above, &n->above_worth, name, worth);
}

void naming_done(struct naming *n)
{
	free(n->name);
	free(n->above);
}
