/*
 * ProxyJump: OpenSSH itself makes the way there. It asks nothing (BatchMode),
 * since many run at once, and what it has to say goes into our error. Whom it
 * may meet is decided here: a jump host has pins as a node has, and one
 * without them is looked at first, through those before it.
 */
#include "base/num.h"
#include "base/text.h"
#include "ssh/session/config.h"

/** Jump hosts one behind the other: each quotes the command before it. */
#define JUMPS_MAX 6

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

/* ---- the way ---- */

/* The pinned keys of the jump host known as @place. */
static void pins_of(struct strings *out, const struct strings *pins,
		    const char *place)
{
	for (size_t i = 0; pins && i < pins->len; i++) {
		const char *key = text_behind(pins->items[i], place);

		if (key)
			strings_add(out, key);
	}
}

void remote_temporaries_done(remote_temporaries *files)
{
	for (size_t i = 0; i < files->len; i++)
		temporary_done(&files->items[i]);
	vec_done(files);
}

void remote_way_done(struct remote_way *w)
{
	remote_temporaries_done(&w->files);
}

void remote_add_option(struct sbuf *b, const char *name, const char *value)
{
	AUTO(auto_free) char *option = mem_printf("%s=%s", name, value);

	sbuf_puts(b, " -o ");
	text_quote(b, option);
}

void remote_add_proxy(struct sbuf *b, const char *command)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

	for (; *command; command++) {
		if (*command == '%')
			sbuf_putc(&text, '%');
		sbuf_putc(&text, *command);
	}
	remote_add_option(b, "ProxyCommand", sbuf_str(&text));
}

void remote_ssh_begin(struct sbuf *b, const struct remote_way *w)
{
	sbuf_puts(b, "ssh -o BatchMode=yes");
	if (w->config->file) {
		sbuf_puts(b, " -F ");
		text_quote(b, w->config->file);
	}
}

int remote_ssh_known(struct sbuf *b, struct remote_way *w, const char *who,
		     const struct strings *keys, const struct strings *revoked,
		     struct err *e)
{
	const struct atomic_how how = { .fresh = true };
	const char *folder = getenv("TMPDIR");
	AUTO(auto_free) char *path = mem_printf("%s/wgmesh-known",
						folder && *folder == '/' ?
						folder : "/tmp");
	AUTO(sbuf_done) struct sbuf lines = SBUF_INIT;
	struct temporary *t = vec_add(&w->files);

	for (size_t i = 0; i < keys->len; i++)
		sbuf_printf(&lines, "%s %s\n", who, keys->items[i]);
	for (size_t i = 0; i < revoked->len; i++)
		sbuf_printf(&lines, "@revoked * %s\n", revoked->items[i]);
	*t = (struct temporary)TEMPORARY_NONE;
	if (temporary_open(t, path, &how, e) < 0 ||
	    temporary_write(t, sbuf_str(&lines), lines.len, e) < 0)
		return -1;
	auto_close(&t->fd); /* many logins go on at once */
	t->fd = -1;
	remote_add_option(b, "UserKnownHostsFile", t->path);
	remote_add_option(b, "GlobalKnownHostsFile", "/dev/null");
	return 0;
}

/*
 * The command that goes by @hop, whose settings are @by, to @s. @known are the
 * options that tell its keys; empty: OpenSSH judges it by the user's files.
 */
static char *way_command(const struct remote_way *w, const struct hop *hop,
			 const struct remote_settings *by,
			 const struct sbuf *known,
			 const struct remote_settings *s)
{
	AUTO(auto_free) char *to = mem_printf("[%s]:%d", s->host, s->port);
	struct sbuf b = SBUF_INIT;

	remote_ssh_begin(&b, w);
	sbuf_add(&b, sbuf_str(known), known->len);
	if (by->jump)
		remote_add_proxy(&b, by->proxy);
	sbuf_puts(&b, " -W ");
	text_quote(&b, to);
	if (hop->user) {
		sbuf_puts(&b, " -l ");
		text_quote(&b, hop->user);
	}
	if (hop->port) {
		sbuf_puts(&b, " -p ");
		text_quote(&b, hop->port);
	}
	/* whatever the name begins with, it is no option */
	sbuf_puts(&b, " -- ");
	text_quote(&b, hop->host);
	return sbuf_detach(&b);
}

/* Look at the jump host @s and judge the key that it shows. */
static int judge_jump(struct remote_way *w, const struct remote_settings *s,
		      const struct remote_known *known, const char *place,
		      struct strings *keys, struct err *e)
{
	const struct remote_conf *conf = w->conf;
	AUTO(remote_login_done) struct remote_login seen = { 0 };
	AUTO(auto_remote_link_free) struct remote_link *l =
		remote_meet(&seen, s, known, remote_timeout(conf->timeout_ms),
			    conf->accept_new || conf->take_jump ||
				    s->takes_new, e);

	if (!l) {
		if (e->advice == ADVICE_PIN_ANEW)
			err_advise(e, ADVICE_PIN_JUMP_ANEW, place);
		return err_wrap(e, "the jump host '%s'", s->name);
	}
	if (seen.hostkey == REMOTE_KEY_PINNED)
		return 0;
	if (seen.hostkey == REMOTE_KEY_NEW && conf->take_jump && !s->takes_new &&
	    conf->take_jump(conf->take_arg, place, seen.fingerprint) != 1)
		return err_set(e, ERR_HOSTKEY, "the host key %s of the jump "
			       "host '%s' was not accepted", seen.fingerprint,
			       place);
	strings_add(keys, seen.hostkey_line);
	vec_push(w->jumps, ((struct remote_jump){
		.place = mem_strdup(place), .hostkey = seen.hostkey,
		.hostkey_line = STEAL(seen.hostkey_line),
		.fingerprint = STEAL(seen.fingerprint) }));
	return 0;
}

/*
 * Options with the keys that the jump host may show; none where OpenSSH judges
 * by what is not read here: authorities, a KnownHostsCommand.
 */
static int know_jump(struct remote_way *w, const struct remote_settings *s,
		     struct sbuf *options, struct err *e)
{
	AUTO(auto_free) char *place = remote_known_name(s);
	AUTO(strings_done) struct strings pins = { 0 };
	AUTO(strings_done) struct strings seen = { 0 };
	AUTO(remote_known_done) struct remote_known known = { 0 };

	pins_of(&pins, w->conf->jump_pins, place);
	if (remote_known_load(&known, s, &pins, e) < 0)
		return err_wrap(e, "the jump host '%s'", s->name);
	if (!pins.len && !known.keys.len &&
	    (known.authority_keys.len || s->known_command))
		return 0;
	if ((!pins.len || w->judge_all) &&
	    judge_jump(w, s, &known, place, &seen, e) < 0)
		return -1;
	/* not the text of the pins: keys as they were read from it */
	if (remote_ssh_known(options, w, place, pins.len ? &known.keys : &seen,
			     &known.revoked, e) < 0)
		return -1;
	sbuf_puts(options, REMOTE_SSH_STRICT);
	return 0;
}

int remote_way_make(struct remote_way *w, struct remote_settings *s,
		    struct err *e)
{
	AUTO(auto_free) char *before = mem_strdup(s->jump);
	AUTO(hop_done) struct hop hop = { 0 };
	AUTO(remote_settings_done) struct remote_settings by = { 0 };
	char *last = strrchr(before, ',');
	struct remote_target target = { 0 };
	AUTO(sbuf_done) struct sbuf known = SBUF_INIT;
	long port = 0;
	int rc;

	if (w->depth == JUMPS_MAX)
		return err_set(e, ERR_INPUT, "ProxyJump of '%s': more than %d "
			       "jump hosts, or a circle of them", s->name,
			       JUMPS_MAX);
	hop_split(&hop, last ? last + 1 : before);
	/* it was judged with the rest of ssh_config */
	if (hop.port && !num_parse(&port, hop.port, 1, 65535))
		port = 0;
	target.host = hop.host;
	target.user = hop.user;
	target.port = (int)port;
	if (remote_config_ask(&by, w->config, &target, e) < 0)
		return err_wrap(e, "the jump host '%s'", hop.host);
	if (last) { /* those before it are said: not by its own configuration */
		*last = '\0';
		mem_replace(&by.proxy, NULL);
		mem_replace(&by.jump, before);
	}
	w->depth++;
	rc = by.jump ? remote_way_make(w, &by, e) : 0;
	w->depth--;
	if (rc < 0 || know_jump(w, &by, &known, e) < 0)
		return -1;
	free(s->proxy);
	s->proxy = way_command(w, &hop, &by, &known, s);
	return 0;
}
