/*
 * Any bytes as an ssh_config, those behind a NUL as a file beside it that it may
 * include: refused in one printable line, or settings whose names are safe in a
 * command of ProxyCommand.
 */
#include "base/text.h"
#include "folder.h"
#include "ssh/session/internal.h"

#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *config, *other;

static void begin(void)
{
	const char *folder = fuzz_begin();

	if (config)
		return;
	config = mem_printf("%s/config", folder);
	other = mem_printf("%s/other", folder);
	setenv("HOME", folder, 1);
	unsetenv("SSH_AUTH_SOCK");
}

/* No file outside of the folder is included: a machine has strange ones. */
static void put_tame(const char *path, const char *text)
{
	AUTO(auto_free) char *copy = mem_strdup(text);
	char *rest = copy;

	for (char *line = rest; line; line = rest) {
		rest = strchr(line, '\n');
		if (rest)
			rest++;
		line += strspn(line, " \t\r\f");
		if (strncasecmp(line, "include", 7) != 0)
			continue;
		for (; *line && *line != '\n'; line++)
			if (*line == '/')
				*line = '_';
	}
	fuzz_put(path, copy, strlen(copy));
}

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

static void ask(const struct remote_config *c,
		const struct remote_target *target)
{
	struct remote_settings s;
	struct err e = { 0 };

	if (remote_config_ask(&s, c, target, &e) < 0) {
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
	AUTO(auto_free) char *text = mem_strndup((const char *)data, size);
	AUTO(auto_free) char *more = NULL;
	AUTO(auto_remote_config_free) struct remote_config *c = NULL;
	size_t len = strnlen((const char *)data, size);
	struct err e = { 0 };

	begin();
	more = len < size ? mem_strndup((const char *)data + len + 1,
					size - len - 1)
			  : mem_strdup("");
	put_tame(config, text);
	put_tame(other, more);
	if (remote_config_load(&c, config, &e) < 0) {
		if (e.code == ERR_NONE || !text_is_printable(e.msg))
			abort();
		return 0;
	}
	ask(c, &plain);
	ask(c, &said);
	return 0;
}
