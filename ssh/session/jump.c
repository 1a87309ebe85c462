/*
 * ProxyJump: OpenSSH itself makes the way there. It asks nothing (BatchMode),
 * since many run at once, and what it has to say goes into our error.
 */
#include "base/num.h"
#include "base/text.h"
#include "ssh/session/internal.h"

/** "[user@]host[:port]" in its parts; user and port may be NULL. */
struct hop {
	char *text; /* what the others are parts of */
	char *user, *host, *port;
};

static void hop_done(struct hop *h)
{
	free(h->text);
}

static void hop_split(struct hop *h, const char *text)
{
	char *at;

	if (strncasecmp(text, "ssh://", 6) == 0)
		text += 6;
	h->text = mem_strdup(text);
	at = strrchr(h->text, '@');
	h->user = at ? h->text : NULL;
	h->host = at ? at + 1 : h->text;
	if (at)
		*at = '\0';
	h->port = strrchr(h->host, ':');
	if (*h->host == '[' && strchr(h->host, ']')) {
		char *end = strchr(h->host, ']');

		h->port = end[1] == ':' ? end + 1 : NULL;
		*end = '\0';
		h->host++;
	} else if (h->port && strchr(h->host, ':') != h->port) {
		h->port = NULL; /* a bare version 6 address */
	}
	if (h->port)
		*h->port++ = '\0';
}

/* The words are judged as ssh gets them, without brackets. */
static bool hop_is_sane(const char *text)
{
	AUTO(hop_done) struct hop h = { 0 };
	long port;

	hop_split(&h, text);
	return text_is_ssh_name(h.host) &&
	       (!h.user || text_is_ssh_name(h.user)) &&
	       (!h.port || num_parse(&port, h.port, 1, 65535));
}

int remote_jump_check(const char *jump, struct err *e)
{
	AUTO(auto_free) char *copy = mem_strdup(jump);
	AUTO(auto_free) char *shown = NULL;
	char *rest = copy, *hop;

	if (strcasecmp(jump, "none") == 0)
		return 0;
	while ((hop = strsep(&rest, ",")))
		if (!hop_is_sane(hop)) {
			shown = text_escaped(hop);
			return err_set(e, ERR_INPUT, "ProxyJump '%s': expected "
				       "[USER@]HOST[:PORT]", shown);
		}
	return 0;
}

/* A jump as options and a host for ssh. */
static void put_hop(struct sbuf *b, const char *text)
{
	AUTO(hop_done) struct hop h = { 0 };

	hop_split(&h, text);
	if (h.user) {
		sbuf_puts(b, " -l ");
		text_quote(b, h.user);
	}
	if (h.port) {
		sbuf_puts(b, " -p ");
		text_quote(b, h.port);
	}
	sbuf_puts(b, " -- ");
	text_quote(b, h.host);
}

char *remote_jump_command(const char *jump, const char *config_file,
			  const struct remote_settings *s)
{
	AUTO(auto_free) char *before = mem_strdup(jump);
	AUTO(auto_free) char *to = NULL;
	char *last = strrchr(before, ',');
	struct sbuf b = SBUF_INIT;

	sbuf_puts(&b, "ssh -o BatchMode=yes");
	if (config_file) {
		sbuf_puts(&b, " -F ");
		text_quote(&b, config_file);
	}
	if (last) {
		*last = '\0';
		sbuf_puts(&b, " -J ");
		text_quote(&b, before);
	}
	to = mem_printf("[%s]:%d", s->host, s->port);
	sbuf_puts(&b, " -W ");
	text_quote(&b, to);
	put_hop(&b, last ? last + 1 : before);
	return sbuf_detach(&b);
}
