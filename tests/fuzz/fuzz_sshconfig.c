/*
 * Any bytes as what 'ssh -G' prints: refused in one printable line, or settings
 * whose names are safe in a command of ProxyCommand.
 */
#include "base/text.h"
#include "ssh/session/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct remote_settings *s)
{
	static const char bad[] = "'`\"$\\;&<>|(){} \t";

	if (!*s->host || *s->host == '-' || !text_is_printable(s->host) ||
	    strpbrk(s->host, bad))
		abort();
	if (!*s->user || *s->user == '-' || !text_is_printable(s->user) ||
	    strpbrk(s->user, bad))
		abort();
	if (s->port < 1 || s->port > 65535 || !s->agent)
		abort();
	if (s->proxy && strchr(s->proxy, '\n'))
		abort();
	for (size_t i = 0; i < s->known_hosts.len; i++)
		if (!*s->known_hosts.items[i])
			abort();
}

static void parse(const struct remote_answer *a,
		  const struct remote_target *target)
{
	struct remote_settings s;
	struct err e = { 0 };

	if (remote_config_parse(&s, target, a, &e) < 0) {
		if (e.code != ERR_INPUT || !text_is_printable(e.msg))
			abort();
		return;
	}
	check(&s);
	if (target->user && strcmp(s.user, target->user) != 0)
		abort();
	if (target->port && s.port != target->port)
		abort();
	remote_settings_done(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct remote_target plain = { .host = "h.example.org" },
					  said = { .host = "192.0.2.1",
						   .user = "admin",
						   .port = 2222 };
	struct remote_answer a = { .host = (char[]){ "h.example.org" } };

	setenv("HOME", "/nowhere", 1);
	unsetenv("SSH_AUTH_SOCK");
	sbuf_add(&a.text, (const char *)data, size);
	parse(&a, &plain);
	parse(&a, &said);
	sbuf_done(&a.text);
	return 0;
}
