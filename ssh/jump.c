/*
 * ProxyJump: OpenSSH itself makes the way there. It asks nothing (BatchMode),
 * since many run at once, and what it has to say goes into our error.
 */
#include "base/text.h"
#include "ssh/remote_internal.h"

/* "[user@]host[:port]" of a jump into options and a host for ssh. */
static void put_hop(struct sbuf *b, const char *hop)
{
	AUTO(auto_free) char *copy = NULL;
	char *host, *port, *at;

	if (strncasecmp(hop, "ssh://", 6) == 0)
		hop += 6;
	copy = mem_strdup(hop);
	at = strrchr(copy, '@');
	host = at ? at + 1 : copy;
	if (at) {
		*at = '\0';
		sbuf_puts(b, " -l ");
		text_quote(b, copy);
	}
	port = strrchr(host, ':');
	if (*host == '[' && strchr(host, ']')) {
		char *end = strchr(host, ']');

		port = end[1] == ':' ? end + 1 : NULL;
		*end = '\0';
		host++;
	} else if (port && strchr(host, ':') != port) {
		port = NULL; /* a bare version 6 address */
	}
	if (port) {
		*port = '\0';
		sbuf_puts(b, " -p ");
		text_quote(b, port + 1);
	}
	sbuf_puts(b, " -- ");
	text_quote(b, host);
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
