/*
 * What ssh_config says about a host, as OpenSSH tells it (config_ask.c): its
 * words into settings. libssh reads the file too, but tells only the first
 * IdentityFile and knows neither IdentitiesOnly nor Match.
 */
#include "ssh/session/config.h"

#include "base/num.h"
#include "base/text.h"

#include <pwd.h>
#include <sys/utsname.h>

bool remote_config_is_there(const struct remote_config *c)
{
	AUTO(auto_free) char *own = remote_untilde("~/.ssh/config");

	return access(c->file ? c->file : own, F_OK) == 0 ||
	       (!c->file && access("/etc/ssh/ssh_config", F_OK) == 0);
}

/* Is there a program of that name in $PATH? */
static bool is_program(const char *name)
{
	const char *path = getenv("PATH");
	AUTO(auto_free) char *copy = mem_strdup(path ? path : "/usr/bin:/bin");
	char *rest = copy, *folder;

	while ((folder = strsep(&rest, ":"))) {
		AUTO(auto_free) char *file = mem_printf("%s/%s", folder, name);

		if (*folder && access(file, X_OK) == 0)
			return true;
	}
	return false;
}

int remote_config_load(struct remote_config **out, const char *file,
		       struct err *e)
{
	AUTO(auto_remote_config_free) struct remote_config *c =
		mem_calloc(1, sizeof *c);

	pthread_mutex_init(&c->lock, NULL);
	c->file = file ? mem_strdup(file) : NULL;
	if (file && access(file, R_OK) < 0)
		return err_sys(e, "cannot read ssh_config '%s'", file);
	c->none = !is_program("ssh");
	if (c->none && remote_config_is_there(c))
		return err_set(e, ERR_INPUT, "there is an ssh_config, and no "
			       "program 'ssh' to read it with: install "
			       "openssh-client");
	*out = STEAL(c);
	return 0;
}

void remote_config_free(struct remote_config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->answers.len; i++) {
		free(c->answers.items[i]->key);
		free(c->answers.items[i]->host);
		sbuf_done(&c->answers.items[i]->text);
		free(c->answers.items[i]);
	}
	vec_done(&c->answers);
	strings_done(&c->patterns);
	pthread_mutex_destroy(&c->lock);
	free(c->file);
	free(c);
}

/* What was said, tokens and all; NULL: nothing. */
struct said {
	char *hostname, *user, *port, *identity_agent, *identities_only;
	char *strict, *proxy_command, *proxy_jump, *user_hosts, *global_hosts;
};

/* Of a list of one file a line, "none" is no file. */
static void keep_file(struct strings *list, const char *value)
{
	if (strcasecmp(value, "none") != 0)
		strings_add(list, value);
}

/* Take the "keyword value" lines of @text apart, in place. */
static void read_answer(struct said *said, struct remote_settings *s,
			char *text)
{
	const struct {
		const char *keyword;
		char **slot;            /* of the last one */
		struct strings *files;  /* or: of all */
	} table[] = {
		{ "hostname", &said->hostname, NULL },
		{ "user", &said->user, NULL },
		{ "port", &said->port, NULL },
		{ "identityagent", &said->identity_agent, NULL },
		{ "identitiesonly", &said->identities_only, NULL },
		{ "stricthostkeychecking", &said->strict, NULL },
		{ "proxycommand", &said->proxy_command, NULL },
		{ "proxyjump", &said->proxy_jump, NULL },
		{ "userknownhostsfile", &said->user_hosts, NULL },
		{ "globalknownhostsfile", &said->global_hosts, NULL },
		{ "hostkeyalias", &s->alias, NULL },
		{ "knownhostscommand", &s->known_command, NULL },
		{ "hostkeyalgorithms", &s->hostkeys, NULL },
		{ "pubkeyacceptedalgorithms", &s->pubkeys, NULL },
		{ "ciphers", &s->ciphers, NULL },
		{ "kexalgorithms", &s->kex, NULL },
		{ "macs", &s->macs, NULL },
		{ "identityfile", NULL, &s->identities },
		{ "certificatefile", NULL, &s->certificates },
		{ "revokedhostkeys", NULL, &s->revoked },
	};
	char *line;

	while (text && (line = strsep(&text, "\r\n"))) {
		char *value = strchr(line, ' ');

		if (!value)
			continue;
		*value++ = '\0';
		for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
			if (strcmp(table[i].keyword, line) != 0)
				continue;
			if (table[i].files)
				keep_file(table[i].files, value);
			else
				mem_replace(table[i].slot, value);
		}
	}
}

static void said_done(struct said *s)
{
	free(s->hostname);
	free(s->user);
	free(s->port);
	free(s->identity_agent);
	free(s->identities_only);
	free(s->strict);
	free(s->proxy_command);
	free(s->proxy_jump);
	free(s->user_hosts);
	free(s->global_hosts);
}

/* The value of token %@c, appended; false if there is none such. */
static bool put_token(struct sbuf *b, char c, const struct remote_settings *s)
{
	AUTO(auto_free) char *home = NULL;
	struct passwd pw, *found = NULL;
	struct utsname here;
	char buf[4096];

	switch (c) {
	case '%': sbuf_putc(b, '%'); return true;
	case 'h': sbuf_puts(b, s->host); return true;
	case 'k': sbuf_puts(b, s->alias ? s->alias : s->host); return true;
	case 'n': sbuf_puts(b, s->name); return true;
	case 'p': sbuf_printf(b, "%d", s->port); return true;
	case 'r': sbuf_puts(b, s->user); return true;
	case 'i': sbuf_printf(b, "%u", (unsigned)getuid()); return true;
	case 'u':
		if (getpwuid_r(getuid(), &pw, buf, sizeof buf, &found) != 0 ||
		    !found)
			return false;
		sbuf_puts(b, found->pw_name);
		return true;
	case 'l':
	case 'L':
		if (uname(&here) < 0)
			return false;
		sbuf_add(b, here.nodename, c == 'l' ? strlen(here.nodename)
						    : strcspn(here.nodename,
							      "."));
		return true;
	case 'd':
		home = remote_home();
		sbuf_puts(b, home);
		return true;
	default: return false;
	}
}

/*
 * Put tokens in, and ${VARIABLES} if @env; the caller frees. An unknown token
 * stays as it is, where OpenSSH would end: a file with one may serve other hosts.
 */
static char *expand(const char *text, const struct remote_settings *s, bool env)
{
	struct sbuf b = SBUF_INIT;

	for (const char *p = text; *p; p++) {
		const char *close = env && p[0] == '$' && p[1] == '{' ?
					    strchr(p, '}') : NULL;

		if (*p == '%' && p[1] && put_token(&b, p[1], s)) {
			p++;
		} else if (close) {
			AUTO(auto_free) char *name = mem_strndup(
				p + 2, (size_t)(close - p - 2));
			const char *value = getenv(name);

			sbuf_puts(&b, value ? value : "");
			p = close;
		} else {
			sbuf_putc(&b, *p);
		}
	}
	return sbuf_detach(&b);
}

static char *expand_path(const char *text, const struct remote_settings *s)
{
	AUTO(auto_free) char *plain = expand(text, s, true);

	return remote_untilde(plain);
}

/*
 * A list of files, which OpenSSH prints without quotes, into @out: a name with
 * blanks in it is told by that it is there.
 */
static void add_files(struct strings *out, const char *list)
{
	for (const char *from = list; from && *from; from += *from == ' ') {
		size_t first = strcspn(from, " "), len = first;
		AUTO(auto_free) char *path = mem_strndup(from, first);

		while (access(path, F_OK) != 0 && from[len]) {
			len += 1 + strcspn(from + len + 1, " ");
			free(path);
			path = mem_strndup(from, len);
		}
		if (access(path, F_OK) != 0) {
			len = first;
			path[len] = '\0';
		}
		if (*path && strcasecmp(path, "none") != 0)
			strings_add(out, path);
		from += len;
	}
}

/* Names end up in commands of ProxyCommand: OpenSSH's rule, see ssh(1). */
static int check_name(const char *what, const char *s, struct err *e)
{
	AUTO(auto_free) char *shown = NULL;

	if (text_is_ssh_name(s))
		return 0;
	shown = text_escaped(s);
	return err_set(e, ERR_INPUT, "'%s' is no %s to log in with", shown,
		       what);
}

/* Put @s->agent: what IdentityAgent says, else $SSH_AUTH_SOCK; "": none. */
static void fill_agent(struct remote_settings *s, const char *said)
{
	const char *env = getenv("SSH_AUTH_SOCK");

	if (said && strcasecmp(said, "none") == 0)
		s->agent = mem_strdup("");
	else if (said && said[0] == '$' && said[1] != '{')
		s->agent = mem_strdup(getenv(said + 1) ? getenv(said + 1) : "");
	else if (said && strcmp(said, "SSH_AUTH_SOCK") != 0)
		s->agent = expand_path(said, s);
	else
		s->agent = mem_strdup(env ? env : "");
}

/* The key files that it names where ssh_config names none. */
static bool are_default(const struct strings *files)
{
	static const char *const names[] = {
		"~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ecdsa_sk",
		"~/.ssh/id_ed25519", "~/.ssh/id_ed25519_sk", "~/.ssh/id_xmss",
		"~/.ssh/id_dsa", "~/.ssh/id_mldsa44_ed25519",
	};
	size_t usual = 0;

	for (size_t i = 0; i < files->len; i++)
		for (size_t k = 0; k < sizeof names / sizeof *names; k++)
			usual += strcmp(files->items[i], names[k]) == 0;
	return usual == files->len && usual > 3;
}

static void expand_files(struct strings *files, const struct remote_settings *s)
{
	for (size_t i = 0; i < files->len; i++) {
		char *path = expand_path(files->items[i], s);

		free(files->items[i]);
		files->items[i] = path;
	}
}

/* In an order in which each has the tokens that it may use. */
static void fill_settings(struct remote_settings *s, const struct said *said,
			  const struct remote_target *t,
			  const struct remote_answer *a)
{
	bool own = a && strcmp(said->hostname, a->host) == 0;
	long port = 22;

	s->name = mem_strdup(t->host);
	/* of an answer for many, the name in it is that of the first one */
	s->host = mem_strdup(!a || own ? t->host : said->hostname);
	s->user = mem_strdup(t->user ? t->user :
			     !a || a->as_root ? "root" : said->user);
	if (said->port && !num_parse(&port, said->port, 1, 65535))
		port = 22;
	s->port = t->port ? t->port : (int)port;
	s->default_keys = !a || are_default(&s->identities);
	if (s->default_keys)
		strings_done(&s->identities);
	expand_files(&s->identities, s);
	expand_files(&s->certificates, s);
	s->identities_only = said->identities_only &&
			     strcmp(said->identities_only, "yes") == 0;
	s->takes_new = said->strict && (strcmp(said->strict, "false") == 0 ||
					strcmp(said->strict, "accept-new") == 0);
	if (s->known_command && strcasecmp(s->known_command, "none") == 0)
		mem_replace(&s->known_command, NULL);
	fill_agent(s, said->identity_agent);
	add_files(&s->known_hosts, said->user_hosts);
	add_files(&s->known_hosts, said->global_hosts);
	if (said->proxy_command &&
	    strcasecmp(said->proxy_command, "none") != 0) {
		s->proxy = expand(said->proxy_command, s, false);
	} else if (said->proxy_jump) {
		s->jump = mem_strdup(said->proxy_jump);
	}
}

int remote_config_parse(struct remote_settings *out,
			const struct remote_target *target,
			const struct remote_answer *a, struct err *e)
{
	AUTO(remote_settings_done) struct remote_settings s = { 0 };
	AUTO(said_done) struct said said = { 0 };
	AUTO(auto_free) char *text = a ? mem_strdup(sbuf_str(&a->text)) : NULL;

	read_answer(&said, &s, text);
	if (a && (!said.hostname || !said.user))
		return err_set(e, ERR_INPUT, "'ssh -G' says nothing of where "
			       "'%s' is", target->host);
	if (!a) {
		said.user_hosts = remote_untilde("~/.ssh/known_hosts");
		said.global_hosts = mem_strdup("/etc/ssh/ssh_known_hosts");
	}
	fill_settings(&s, &said, target, a);
	if (check_name("host", s.host, e) < 0 ||
	    check_name("host", s.name, e) < 0 ||
	    check_name("user", s.user, e) < 0 ||
	    (said.proxy_jump && remote_jump_check(said.proxy_jump, e) < 0))
		return -1;
	*out = s;
	memset(&s, 0, sizeof s);
	return 0;
}

int remote_config_ask(struct remote_settings *out, struct remote_config *c,
		      const struct remote_target *target, struct err *e)
{
	const struct remote_answer *a =
		c->none ? NULL : remote_config_answer(c, target);

	if (a && a->failed) {
		*e = a->e;
		return -1;
	}
	return remote_config_parse(out, target, a, e);
}

void remote_settings_done(struct remote_settings *s)
{
	free(s->name);
	free(s->host);
	free(s->alias);
	free(s->user);
	strings_done(&s->identities);
	strings_done(&s->certificates);
	strings_done(&s->revoked);
	free(s->agent);
	strings_done(&s->known_hosts);
	free(s->known_command);
	free(s->proxy);
	free(s->jump);
	free(s->ciphers);
	free(s->kex);
	free(s->macs);
	free(s->hostkeys);
	free(s->pubkeys);
	memset(s, 0, sizeof *s);
}
