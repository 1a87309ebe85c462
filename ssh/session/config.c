/*
 * What ssh_config says about a host. libssh reads the file too, but tells only
 * the first IdentityFile and knows neither IdentitiesOnly nor more than one
 * UserKnownHostsFile; so the file is read here, once for all logins, and
 * libssh is told the result.
 */
#include "base/num.h"
#include "base/text.h"
#include "ssh/session/internal.h"

#include <ctype.h>
#include <fnmatch.h>
#include <pwd.h>

struct remote_config {
	remote_config_lines lines;
	char *file; /* the one that was named, or NULL */
};

/* A walk over the lines for one target. */
struct ask {
	struct remote_settings *out;
	const struct remote_target *target;
	const char *file;
	/* as the file has them, tokens and all; NULL: not said yet */
	char *hostname, *user, *identity_agent, *proxy_command, *proxy_jump;
	char *user_hosts, *global_hosts; /* raw lists, one line each */
	int port;            /* 0 unset */
	int identities_only; /* 0 unset, 1 no, 2 yes */
};

static void ask_done(struct ask *a)
{
	free(a->hostname);
	free(a->user);
	free(a->identity_agent);
	free(a->proxy_command);
	free(a->proxy_jump);
	free(a->user_hosts);
	free(a->global_hosts);
}

/* A file that need not be there. */
static int read_default(remote_config_lines *lines, const char *file,
			enum remote_slurp_rule rule, struct err *e)
{
	if (access(file, R_OK) < 0)
		return 0;
	vec_add(lines)->kind = CONFIG_BEGIN;
	if (remote_config_read(lines, file, rule, 0, e) < 0)
		return -1;
	vec_add(lines)->kind = CONFIG_END;
	return 0;
}

int remote_config_load(struct remote_config **out, const char *file,
		       struct err *e)
{
	AUTO(auto_remote_config_free) struct remote_config *c =
		mem_calloc(1, sizeof *c);
	AUTO(auto_free) char *own = remote_untilde("~/.ssh/config");

	if (file) {
		c->file = mem_strdup(file);
		if (remote_config_read(&c->lines, file, SLURP_ANY, 0, e) < 0)
			return -1;
	} else if (read_default(&c->lines, own, SLURP_TRUSTED, e) < 0 ||
		   read_default(&c->lines, "/etc/ssh/ssh_config", SLURP_ANY,
				e) < 0) {
		return -1;
	}
	*out = STEAL(c);
	return 0;
}

void remote_config_free(struct remote_config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->lines.len; i++) {
		free(c->lines.items[i].keyword);
		free(c->lines.items[i].rest);
		strings_done(&c->lines.items[i].args);
	}
	vec_done(&c->lines);
	free(c->file);
	free(c);
}

/*
 * One pattern of a list. True when that ends the list: a "!" that fits takes
 * away what others give; else *@found says that one fitted.
 */
static bool takes_away(bool *found, const char *pattern, const char *name)
{
	bool negated = *pattern == '!';

	if (fnmatch(pattern + negated, name, FNM_CASEFOLD) != 0)
		return false;
	*found = !negated;
	return negated;
}

/* A list of patterns, separated by commas. */
static bool match_list(const char *list, const char *name)
{
	AUTO(auto_free) char *copy = mem_strdup(list);
	char *rest = copy, *p;
	bool found = false;

	while ((p = strsep(&rest, ",")))
		if (takes_away(&found, p, name))
			break;
	return found;
}

/* root, where nobody says another one: hosts are to be changed. */
static const char *asked_user(const struct ask *a)
{
	if (a->target->user)
		return a->target->user;
	return a->user ? a->user : "root";
}

/* Criteria that cannot be judged here (exec, canonical, tagged) do not hold. */
static bool match_criterion(const struct ask *a, const char *word,
			    const char *list)
{
	const char *name = a->target->host;
	struct passwd pw, *found = NULL;
	char buf[4096];

	if (strcasecmp(word, "host") == 0)
		return match_list(list, a->hostname ? a->hostname : name);
	if (strcasecmp(word, "originalhost") == 0)
		return match_list(list, name);
	if (strcasecmp(word, "user") == 0)
		return match_list(list, asked_user(a));
	if (strcasecmp(word, "localuser") == 0)
		return getpwuid_r(getuid(), &pw, buf, sizeof buf,
				  &found) == 0 &&
		       found && match_list(list, found->pw_name);
	return false;
}

/* All criteria of a Match line; one without its argument matches nothing. */
static bool match_match(const struct ask *a, const struct strings *args)
{
	for (size_t i = 0; i < args->len; i++) {
		const char *word = args->items[i];
		bool negated = *word == '!';

		if (strcasecmp(word, "all") == 0)
			continue;
		if (i + 1 == args->len)
			return false;
		if (match_criterion(a, word + negated, args->items[++i]) ==
		    negated)
			return false;
	}
	return args->len > 0;
}

/* The first value given wins. */
static void keep_first(char **slot, const char *value)
{
	if (!*slot)
		*slot = mem_strdup(value);
}

/* Where keyword @k keeps its first argument; NULL for others. */
static char **slot_of(struct ask *a, const char *k)
{
	const struct {
		const char *keyword;
		char **slot;
	} table[] = {
		{ "hostname", &a->hostname },
		{ "user", &a->user },
		{ "identityagent", &a->identity_agent },
		{ "hostkeyalias", &a->out->alias },
		{ "ciphers", &a->out->ciphers },
		{ "kexalgorithms", &a->out->kex },
		{ "macs", &a->out->macs },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strcmp(table[i].keyword, k) == 0)
			return table[i].slot;
	return NULL;
}

static void take_setting(struct ask *a, const struct remote_config_line *l)
{
	const char *k = l->keyword;
	const char *first = l->args.len ? l->args.items[0] : NULL;
	char **slot = slot_of(a, k);
	long port;

	if (!first)
		return;
	if (slot)
		keep_first(slot, first);
	else if (strcmp(k, "port") == 0 && !a->port &&
		 num_parse(&port, first, 1, 65535))
		a->port = (int)port;
	else if (strcmp(k, "identityfile") == 0)
		strings_add(&a->out->identities, first);
	else if (strcmp(k, "identitiesonly") == 0 && !a->identities_only)
		a->identities_only = strcasecmp(first, "yes") == 0 ? 2 : 1;
	else if (strcmp(k, "userknownhostsfile") == 0)
		keep_first(&a->user_hosts, l->rest);
	else if (strcmp(k, "globalknownhostsfile") == 0)
		keep_first(&a->global_hosts, l->rest);
	/* of the two that lead there, the one said first: ssh_config(5) */
	else if (strcmp(k, "proxycommand") == 0 && !a->proxy_jump)
		keep_first(&a->proxy_command, l->rest);
	else if (strcmp(k, "proxyjump") == 0 && !a->proxy_command)
		keep_first(&a->proxy_jump, first);
}

#define NESTING_MAX 64 /* two for each Include; those are bounded to 16 */

/* What counts for the target, line by line. A Host ends with its file. */
static void walk_lines(struct ask *a, const struct remote_config *c)
{
	bool outer[NESTING_MAX];
	bool enclosing = true, active = true;
	size_t depth = 0;

	for (size_t i = 0; i < c->lines.len; i++) {
		const struct remote_config_line *l = &c->lines.items[i];

		if (l->kind == CONFIG_BEGIN && depth + 2 < NESTING_MAX) {
			outer[depth++] = enclosing;
			outer[depth++] = active;
			enclosing = active;
		} else if (l->kind == CONFIG_END && depth >= 2) {
			active = outer[--depth];
			enclosing = outer[--depth];
		} else if (l->kind != CONFIG_LINE) {
			continue;
		} else if (strcmp(l->keyword, "host") == 0) {
			active = false;
			for (size_t k = 0; enclosing && k < l->args.len; k++)
				if (takes_away(&active, l->args.items[k],
					       a->target->host))
					break;
		} else if (strcmp(l->keyword, "match") == 0) {
			active = enclosing && match_match(a, &l->args);
		} else if (active) {
			take_setting(a, l);
		}
	}
}

/* The value of token %@c, appended; false if there is none such. */
static bool put_token(struct sbuf *b, char c, const struct remote_settings *s)
{
	AUTO(auto_free) char *home = NULL;

	switch (c) {
	case '%': sbuf_putc(b, '%'); return true;
	case 'h': sbuf_puts(b, s->host); return true;
	case 'k': sbuf_puts(b, s->alias ? s->alias : s->host); return true;
	case 'n': sbuf_puts(b, s->name); return true;
	case 'p': sbuf_printf(b, "%d", s->port); return true;
	case 'r': sbuf_puts(b, s->user); return true;
	case 'i': sbuf_printf(b, "%u", (unsigned)getuid()); return true;
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

/* A raw list of files into @out, with tokens; "none" stands for no file. */
static void add_files(struct strings *out, const char *list,
		      const struct remote_settings *s)
{
	AUTO(auto_free) char *copy = mem_strdup(list);
	char *rest = copy, *p;

	while ((p = strsep(&rest, " \t"))) {
		AUTO(auto_free) char *path = NULL;
		size_t len = strlen(p);

		if (len >= 2 && p[0] == '"' && p[len - 1] == '"') {
			p[len - 1] = '\0';
			p++;
		}
		if (!*p || strcasecmp(p, "none") == 0)
			continue;
		path = expand_path(p, s);
		strings_add(out, path);
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

/* In an order in which each has the tokens that it may use. */
static void fill_settings(struct remote_settings *s, struct ask *a)
{
	const struct remote_target *t = a->target;

	s->name = mem_strdup(t->host);
	s->host = mem_strdup(t->host);
	s->user = mem_strdup(asked_user(a));
	s->port = t->port ? t->port : a->port ? a->port : 22;
	if (a->hostname) {
		char *host = expand(a->hostname, s, false);

		free(s->host);
		s->host = host;
	}
	for (size_t i = 0; i < s->identities.len; i++) {
		char *path = expand_path(s->identities.items[i], s);

		free(s->identities.items[i]);
		s->identities.items[i] = path;
	}
	s->identities_only = a->identities_only == 2;
	fill_agent(s, a->identity_agent);
	add_files(&s->known_hosts, a->user_hosts ? a->user_hosts :
		  "~/.ssh/known_hosts ~/.ssh/known_hosts2", s);
	add_files(&s->known_hosts, a->global_hosts ? a->global_hosts :
		  "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2", s);
	if (a->proxy_command && strcasecmp(a->proxy_command, "none") != 0)
		s->proxy = expand(a->proxy_command, s, false);
	else if (a->proxy_jump && strcasecmp(a->proxy_jump, "none") != 0)
		s->proxy = remote_jump_command(a->proxy_jump, a->file, s);
}

int remote_config_ask(struct remote_settings *out,
		      const struct remote_config *c,
		      const struct remote_target *target, struct err *e)
{
	struct remote_settings s = { 0 };
	AUTO(ask_done) struct ask a = { .out = &s, .target = target,
					.file = c->file };

	walk_lines(&a, c);
	fill_settings(&s, &a);
	if (check_name("host", s.host, e) < 0 ||
	    check_name("host", s.name, e) < 0 ||
	    check_name("user", s.user, e) < 0 ||
	    (a.proxy_jump && remote_jump_check(a.proxy_jump, e) < 0)) {
		remote_settings_done(&s);
		return -1;
	}
	*out = s;
	return 0;
}

void remote_settings_done(struct remote_settings *s)
{
	free(s->name);
	free(s->host);
	free(s->alias);
	free(s->user);
	strings_done(&s->identities);
	free(s->agent);
	strings_done(&s->known_hosts);
	free(s->proxy);
	free(s->ciphers);
	free(s->kex);
	free(s->macs);
	memset(s, 0, sizeof *s);
}
