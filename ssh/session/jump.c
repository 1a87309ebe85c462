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

/* Any text has parts; whether they are good remote_jump_check() says. */
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

int remote_jump_check(const char *jump, struct err *e)
{
	AUTO(auto_free) char *copy = mem_strdup(jump);
	char *rest = copy, *hop;
	long port;

	if (strcasecmp(jump, "none") == 0)
		return 0;
	while ((hop = strsep(&rest, ","))) {
		AUTO(hop_done) struct hop h = { 0 };
		AUTO(auto_free) char *shown = NULL;

		/* the words are judged as ssh gets them, without brackets */
		hop_split(&h, hop);
		if (text_is_ssh_name(h.host) &&
		    (!h.user || text_is_ssh_name(h.user)) &&
		    (!h.port || num_parse(&port, h.port, 1, 65535)))
			continue;
		shown = text_escaped(hop);
		return err_set(e, ERR_INPUT, "ProxyJump '%s': expected "
			       "[USER@]HOST[:PORT]", shown);
	}
	return 0;
}

char *remote_jump_command(const char *jump, const char *config_file,
			  const struct remote_settings *s)
{
	AUTO(auto_free) char *before = mem_strdup(jump);
	AUTO(auto_free) char *to = NULL;
	AUTO(hop_done) struct hop h = { 0 };
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
	hop_split(&h, last ? last + 1 : before);
	if (h.user) {
		sbuf_puts(&b, " -l ");
		text_quote(&b, h.user);
	}
	if (h.port) {
		sbuf_puts(&b, " -p ");
		text_quote(&b, h.port);
	}
	/* whatever the name begins with, it is no option */
	sbuf_puts(&b, " -- ");
	text_quote(&b, h.host);
	return sbuf_detach(&b);
}
