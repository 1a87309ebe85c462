/*
 * Which key a host may show: the pinned ones, else those of known_hosts; never
 * one that known_hosts calls revoked. libssh reads known_hosts too, but one
 * file of the user's only, and it skips @revoked lines and knows no negated
 * patterns; so the lines are taken apart here, and libssh is asked for hashed
 * names only.
 */
#include "base/run.h"
#include "ssh/session/internal.h"

#include <ctype.h>
#include <fcntl.h>
#include <libssh/libssh.h>

#define KRL_MS 10000 /* for ssh-keygen */
#define KNOWN_HOSTS_MAX ((size_t)32 << 20) /* bytes, of each file */

/* "type base64" of @key; the caller frees. */
static char *key_line(ssh_key key)
{
	const char *type = ssh_key_type_to_char(ssh_key_type(key));
	char *b64 = NULL, *line;

	if (ssh_key_type(key) == SSH_KEYTYPE_ECDSA_P256 ||
	    ssh_key_type(key) == SSH_KEYTYPE_ECDSA_P384 ||
	    ssh_key_type(key) == SSH_KEYTYPE_ECDSA_P521)
		type = ssh_pki_key_ecdsa_name(key);
	if (!type || ssh_pki_export_pubkey_base64(key, &b64) != SSH_OK)
		return NULL;
	line = mem_printf("%s %s", type, b64);
	ssh_string_free_char(b64);
	return line;
}

/* The key of "type base64 ..."; NULL: none that we know. ssh_key_free() it. */
static ssh_key parse_key(const char *line)
{
	AUTO(auto_free) char *copy = mem_strdup(line);
	char *rest = NULL;
	char *type = strtok_r(copy, " \t\r\n", &rest);
	char *b64 = strtok_r(NULL, " \t\r\n", &rest);
	enum ssh_keytypes_e t = ssh_key_type_from_name(type);
	ssh_key key = NULL;

	if (!b64 || t == SSH_KEYTYPE_UNKNOWN ||
	    ssh_pki_import_pubkey_base64(b64, t, &key) != SSH_OK)
		return NULL;
	return key;
}

/* "SHA256:..." of a key line, for messages; the caller frees. */
static char *fingerprint(const char *line)
{
	ssh_key key = parse_key(line);
	unsigned char *hash = NULL;
	char *text = NULL, *copy;
	size_t len;

	if (key && ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash,
					  &len) == 0)
		text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash,
						len);
	copy = mem_strdup(text);
	ssh_string_free_char(text);
	ssh_clean_pubkey_hash(&hash);
	ssh_key_free(key);
	return copy;
}

int remote_fingerprint(const char *line, struct sbuf *out, struct err *e)
{
	AUTO(auto_free) char *text = fingerprint(line);

	if (!text)
		return err_set(e, ERR_INPUT, "not a host key; it should read "
			       "like 'ssh-ed25519 AAAA...'");
	sbuf_puts(out, text);
	return 0;
}

char *remote_hostkey_line(struct ssh_session_struct *session)
{
	ssh_key key = NULL;
	char *line;

	if (ssh_get_server_publickey(session, &key) != SSH_OK)
		return NULL;
	line = key_line(key);
	ssh_key_free(key);
	return line;
}

/* ---- known_hosts ---- */

/* A walk over one known_hosts file. */
struct scan {
	struct remote_known *out;
	const struct remote_settings *settings;
	const char *host;  /* as it stands there: h or [h]:port */
	const char *plain; /* without the port, or NULL */
	const char *file;
	size_t line;       /* that is looked at, from 1 */
};

bool remote_pattern_fits(const char *pattern, const char *name)
{
	const char *star = NULL, *from = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = ++pattern;
			from = name;
		} else if (*pattern == '?' ||
			   tolower((unsigned char)*pattern) ==
				   tolower((unsigned char)*name)) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++from;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

/* "[h]:port" becomes "h", in place. */
static char *without_port(char *pattern)
{
	char *end = *pattern == '[' ? strstr(pattern, "]:") : NULL;

	if (!end)
		return pattern;
	*end = '\0';
	return pattern + 1;
}

/*
 * Is the first field of @line meant for @name? A negated pattern takes away
 * what others give. With @any_port those for one port count as well.
 */
static bool meant_for(const char *line, const char *name, bool any_port)
{
	AUTO(auto_free) char *field = mem_strndup(line, strcspn(line, " \t"));
	struct ssh_knownhosts_entry *entry = NULL;
	char *rest = field, *p;
	bool found = false;

	if (*field == '|') { /* hashed: one name */
		found = ssh_known_hosts_parse_line(name, line, &entry) ==
			SSH_OK;
		ssh_knownhosts_entry_free(entry);
		return found;
	}
	while ((p = strsep(&rest, ","))) {
		bool negated = *p == '!';

		p += negated;
		if (any_port)
			p = without_port(p);
		if (!*p || !remote_pattern_fits(p, name))
			continue;
		if (negated)
			return false;
		found = true;
	}
	return found;
}

/* The key behind the first field of @line, canonical; NULL: none we know. */
static char *key_behind(const char *line)
{
	ssh_key key = parse_key(line + strcspn(line, " \t"));
	char *text = key ? key_line(key) : NULL;

	ssh_key_free(key);
	return text;
}

/* A key for the host and port, or one for the host that may stand in for it. */
static void take_known(struct scan *s, const char *line)
{
	AUTO(auto_free) char *key = NULL;
	AUTO(auto_free) char *place = NULL;
	bool exact = meant_for(line, s->host, false);

	if (!exact && !(s->plain && meant_for(line, s->plain, false)))
		return;
	key = key_behind(line);
	if (key && !exact) {
		strings_add(&s->out->plain, key);
	} else if (exact) {
		place = mem_printf("%s:%zu", s->file, s->line);
		strings_add(key ? &s->out->places : &s->out->unread, place);
		if (key)
			strings_add(&s->out->keys, key);
	}
}

/* What follows @mark at the front of @line; NULL: another line. */
static const char *behind_mark(const char *line, const char *mark)
{
	size_t len = strlen(mark);

	if (strncmp(line, mark, len) != 0 || !strchr(" \t", line[len]))
		return NULL;
	return line + len + strspn(line + len, " \t");
}

static void scan_line(struct scan *s, const char *line)
{
	const char *revoked = behind_mark(line, "@revoked");
	const char *ca = behind_mark(line, "@cert-authority");
	const char *bare = s->settings->alias ? s->settings->alias
					      : s->settings->host;
	AUTO(auto_free) char *key = NULL;

	if (revoked) {
		/* who revokes a key means it for every port of that host */
		if (meant_for(revoked, s->host, false) ||
		    meant_for(revoked, bare, false) ||
		    meant_for(revoked, bare, true))
			key = key_behind(revoked);
		if (key)
			strings_add(&s->out->revoked, key);
	} else if (ca) {
		if (meant_for(ca, s->host, false) ||
		    meant_for(ca, bare, false))
			key = key_behind(ca);
		if (key) {
			strings_printf(&s->out->authorities, "%s:%zu", s->file,
				       s->line);
			strings_add(&s->out->authority_keys, key);
		}
	} else if (*line && *line != '#' && *line != '@' && !s->out->pinned) {
		take_known(s, line);
	}
}

/* What could not be read to its end could have named a key as revoked. */
static int scan_file(struct scan *s, struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	char *rest, *line;

	text.max = KNOWN_HOSTS_MAX;
	if (remote_slurp(&text, s->file, SLURP_ANY) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		return err_sys(e, "cannot read the known hosts in '%s'",
			       s->file);
	}
	if (text.len && memchr(text.s, '\0', text.len))
		return err_set(e, ERR_INPUT, "'%s' has a NUL byte, expected "
			       "lines of text as ssh-keyscan prints them",
			       s->file);
	rest = text.s; /* NULL for an empty file */
	while (rest && (line = strsep(&rest, "\n"))) {
		size_t len = strlen(line);

		if (len && line[len - 1] == '\r')
			line[len - 1] = '\0';
		s->line++;
		scan_line(s, line + strspn(line, " \t"));
	}
	return 0;
}

/*
 * RevokedHostKeys: keys, or a KRL, which ssh-keygen reads. One that cannot be
 * read could have named any key.
 */
static int load_revoked(struct remote_known *k, const char *file,
			struct err *e)
{
	static const char krl[] = "SSHKRL";
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	char *rest, *line;

	text.max = KNOWN_HOSTS_MAX;
	if (remote_slurp(&text, file, SLURP_ANY) < 0)
		return err_sys(e, "cannot read the revoked host keys in '%s'",
			       file);
	if (strncmp(sbuf_str(&text), krl, sizeof krl - 1) == 0) {
		strings_add(&k->krls, file);
		return 0;
	}
	rest = text.s;
	while (rest && (line = strsep(&rest, "\n"))) {
		ssh_key key = parse_key(line);
		AUTO(auto_free) char *found = key ? key_line(key) : NULL;

		ssh_key_free(key);
		if (found)
			strings_add(&k->revoked, found);
	}
	return 0;
}

/* Does a KRL name the key @line? One that cannot be asked does. */
static bool is_in_krl(const struct remote_known *k, const char *line)
{
	for (size_t i = 0; i < k->krls.len; i++) {
		AUTO(strings_done) struct strings argv = { 0 };
		AUTO(auto_close) int in = remote_open_text(line);
		AUTO(auto_close) int out = open("/dev/null", O_RDWR | O_CLOEXEC);
		struct run how = { .argv = &argv, .fds = { in, out, out },
				   .own_group = true };
		struct err ignored;
		pid_t pid;

		strings_add(&argv, "ssh-keygen");
		strings_add(&argv, "-Qf");
		strings_add(&argv, k->krls.items[i]);
		strings_add(&argv, "/dev/stdin");
		pid = in < 0 || out < 0 ? -1 : run_start(&how, &ignored);
		if (pid < 0 || run_end(pid, true, KRL_MS) != 0)
			return true;
	}
	return false;
}

char *remote_known_name(const struct remote_settings *s)
{
	char *name = s->alias ? mem_strdup(s->alias) :
		     s->port == 22 ? mem_strdup(s->host) :
				     mem_printf("[%s]:%d", s->host, s->port);

	for (char *p = name; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return name;
}

int remote_known_load(struct remote_known *k, const struct remote_settings *s,
		      const struct strings *pinned, struct err *e)
{
	AUTO(auto_free) char *name = remote_known_name(s);

	k->pinned = pinned && pinned->len;
	for (size_t i = 0; k->pinned && i < pinned->len; i++) {
		ssh_key key = parse_key(pinned->items[i]);
		AUTO(auto_free) char *line = key ? key_line(key) : NULL;

		ssh_key_free(key);
		if (!line)
			return err_set(e, ERR_INPUT, "pinned host key %zu is "
				       "none; it should read like "
				       "'ssh-ed25519 AAAA...'", i + 1);
		strings_add(&k->keys, line);
		strings_add(&k->places, "pinned");
	}
	for (size_t i = 0; i < s->revoked.len; i++)
		if (load_revoked(k, s->revoked.items[i], e) < 0)
			return -1;
	for (size_t i = 0; i < s->known_hosts.len; i++) {
		struct scan scan = {
			.out = k, .settings = s, .host = name,
			.plain = s->alias || s->port == 22 ? NULL : s->host,
			.file = s->known_hosts.items[i]
		};

		if (scan_file(&scan, e) < 0)
			return -1;
	}
	return 0;
}

void remote_known_done(struct remote_known *k)
{
	strings_done(&k->keys);
	strings_done(&k->places);
	strings_done(&k->revoked);
	strings_done(&k->krls);
	strings_done(&k->authorities);
	strings_done(&k->authority_keys);
	strings_done(&k->plain);
	strings_done(&k->unread);
}

static void add_names(struct sbuf *b, const char *names)
{
	/* no name of ours is a part of another one */
	if (b->s && strstr(b->s, names))
		return;
	if (b->len)
		sbuf_putc(b, ',');
	sbuf_puts(b, names);
}

/* Is @name in the list @names, separated by commas? */
static bool is_in(const char *names, const char *name, size_t len)
{
	for (const char *p = names; p && *p; p += strspn(p, ",")) {
		size_t n = strcspn(p, ",");

		if (n == len && memcmp(p, name, n) == 0)
			return true;
		p += n;
	}
	return false;
}

/*
 * The signature algorithms of @allowed that a key of type @type[@len] can make.
 * SHA-1 is one of them only where the user wishes it: RFC 8332.
 */
static void add_type(struct sbuf *b, const char *type, size_t len,
		     const char *allowed)
{
	static const char *const rsa[] = { "rsa-sha2-512", "rsa-sha2-256",
					   "ssh-rsa" };
	AUTO(auto_free) char *name = mem_strndup(type, len);
	bool is_rsa = strcmp(name, "ssh-rsa") == 0;

	for (size_t i = 0; i < (is_rsa ? 3 : 1); i++) {
		const char *can = is_rsa ? rsa[i] : name;

		if (allowed ? is_in(allowed, can, strlen(can)) : i < 2)
			add_names(b, can);
	}
}

/* Those of the expected keys first; it is empty if @allowed leaves none. */
static void add_types(struct sbuf *b, const struct remote_known *k,
		      const char *allowed)
{
	static const char *const all[] = {
		"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
		"ecdsa-sha2-nistp521", "ssh-rsa",
	};
	const struct strings *lists[] = { &k->keys, &k->plain };

	for (size_t l = 0; l < 2; l++)
		for (size_t i = 0; i < lists[l]->len; i++)
			add_type(b, lists[l]->items[i],
				 strcspn(lists[l]->items[i], " "), allowed);
	/* the rest too: a key of another type is to be seen and named */
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		add_type(b, all[i], strlen(all[i]), allowed);
}

char *remote_known_algorithms(const struct remote_known *k, const char *allowed)
{
	struct sbuf b = SBUF_INIT;

	add_types(&b, k, allowed);
	if (!b.len)
		add_types(&b, k, NULL);
	return sbuf_detach(&b);
}

/* Both fingerprints, and how to say that the new key is right. */
static int refuse_changed(const struct remote_known *k, const char *line,
			  const struct remote_settings *s, struct err *e)
{
	AUTO(auto_free) char *name = remote_known_name(s);
	AUTO(auto_free) char *shown = fingerprint(line);
	AUTO(auto_free) char *known = fingerprint(k->keys.items[0]);
	int type = (int)strcspn(line, " ");

	if (k->pinned) {
		err_set(e, ERR_HOSTKEY, "'%s' shows another SSH host key than "
			"the pinned one: %s (%.*s), pinned is %s; if the host "
			"was installed anew, compare with 'ssh-keygen -l' on "
			"it", s->name, shown, type, line, known);
		return err_advise(e, ADVICE_PIN_ANEW, NULL);
	}
	return err_set(e, ERR_HOSTKEY, "the SSH host key of '%s' changed: it "
		       "shows %s (%.*s), %s has %s; if that is right, forget "
		       "the old one with: ssh-keygen -R '%s'", s->name, shown,
		       type, line, k->places.items[0], known, name);
}

int remote_known_check(enum remote_hostkey *out, const struct remote_known *k,
		       const char *line, const struct remote_settings *s,
		       struct err *e)
{
	/* first of all: what is revoked no pin makes good */
	if (strings_find(&k->revoked, line) >= 0 || is_in_krl(k, line))
		return err_set(e, ERR_HOSTKEY, "the SSH host key of '%s' is "
			       "revoked, in known_hosts or RevokedHostKeys: it "
			       "is never accepted, also if it is pinned",
			       s->name);
	if (strings_find(&k->keys, line) >= 0)
		*out = k->pinned ? REMOTE_KEY_PINNED : REMOTE_KEY_KNOWN;
	else if (k->keys.len)
		return refuse_changed(k, line, s, e);
	else if (k->unread.len)
		return err_set(e, ERR_HOSTKEY, "'%s' is known by a key that "
			       "cannot be read (%s), so whether the one that "
			       "it shows is new cannot be told; mend or remove "
			       "that line", s->name, k->unread.items[0]);
	else if (strings_find(&k->plain, line) >= 0)
		*out = REMOTE_KEY_KNOWN;
	else
		*out = REMOTE_KEY_NEW;
	return 0;
}
