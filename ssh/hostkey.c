/*
 * Which key a host may show: the pinned ones, else those of known_hosts.
 * libssh reads known_hosts too, but one file of the user's only, and it skips
 * @revoked lines; so the lines are taken apart here and libssh is asked
 * whether one is meant for the host (patterns, hashed names).
 */
#include "ssh/remote_internal.h"

#include <ctype.h>
#include <libssh/libssh.h>

#define KNOWN_HOSTS_MAX ((size_t)32 << 20)

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

static ssh_key parse_line(const char *line)
{
	AUTO(auto_free) char *copy = mem_strdup(line);
	char *rest = copy;
	char *type = strsep(&rest, " \t");
	char *b64 = rest ? strsep(&rest, " \t\r\n") : NULL;
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
	ssh_key key = parse_line(line);
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

static int load_pinned(struct remote_known *k, const struct strings *pinned,
		       struct err *e)
{
	k->pinned = true;
	for (size_t i = 0; i < pinned->len; i++) {
		ssh_key key = parse_line(pinned->items[i]);
		AUTO(auto_free) char *line = key ? key_line(key) : NULL;

		ssh_key_free(key);
		if (!line)
			return err_set(e, ERR_INPUT, "pinned host key %zu is "
				       "none; it should read like "
				       "'ssh-ed25519 AAAA...'", i + 1);
		strings_add(&k->keys, line);
		strings_add(&k->places, "pinned");
	}
	return 0;
}

/* A walk over one known_hosts file. */
struct scan {
	struct remote_known *out;
	const char *host;  /* as it stands there: h or [h]:port */
	const char *plain; /* without the port, or NULL */
	const char *file;
	size_t line;
};

/* The key of @line if it is meant for @host, canonical; else NULL. */
static char *key_for(const char *host, const char *line)
{
	struct ssh_knownhosts_entry *entry = NULL;
	char *key = NULL;

	if (ssh_known_hosts_parse_line(host, line, &entry) == SSH_OK) {
		key = key_line(entry->publickey);
		ssh_knownhosts_entry_free(entry);
	}
	return key;
}

static void scan_line(struct scan *s, const char *line)
{
	AUTO(auto_free) char *key = NULL;
	AUTO(auto_free) char *plain = NULL;
	bool revoked = strncmp(line, "@revoked", 8) == 0;

	if (revoked) {
		line += 8;
		line += strspn(line, " \t");
	}
	if (!*line || *line == '#' || *line == '@')
		return;
	key = key_for(s->host, line);
	if (key && revoked) {
		strings_add(&s->out->revoked, key);
	} else if (key) {
		AUTO(auto_free) char *place = mem_printf("%s:%zu", s->file,
							 s->line);

		strings_add(&s->out->keys, key);
		strings_add(&s->out->places, place);
	} else if (s->plain && !revoked) {
		plain = key_for(s->plain, line);
		if (plain)
			strings_add(&s->out->plain, plain);
	}
}

static void scan_file(struct scan *s)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	char *rest, *line;

	text.max = KNOWN_HOSTS_MAX;
	if (remote_slurp(&text, s->file, false) < 0)
		return;
	rest = text.s;
	while (rest && (line = strsep(&rest, "\n"))) {
		size_t len = strlen(line);

		if (len && line[len - 1] == '\r')
			line[len - 1] = '\0';
		s->line++;
		scan_line(s, line + strspn(line, " \t"));
	}
}

/* The name under which known_hosts has the host; the caller frees. */
static char *known_name(const struct remote_settings *s)
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
	AUTO(auto_free) char *name = known_name(s);

	if (pinned && pinned->len)
		return load_pinned(k, pinned, e);
	for (size_t i = 0; i < s->known_hosts.len; i++) {
		struct scan scan = {
			.out = k, .host = name,
			.plain = s->alias || s->port == 22 ? NULL : s->host,
			.file = s->known_hosts.items[i]
		};

		scan_file(&scan);
	}
	return 0;
}

void remote_known_done(struct remote_known *k)
{
	strings_done(&k->keys);
	strings_done(&k->places);
	strings_done(&k->revoked);
	strings_done(&k->plain);
}

static void add_algorithm(struct sbuf *b, const char *names)
{
	if (b->s && strstr(b->s, names))
		return;
	if (b->len)
		sbuf_putc(b, ',');
	sbuf_puts(b, names);
}

/* The signature algorithms that a key of type @type[@len] can make. */
static void add_type(struct sbuf *b, const char *type, size_t len)
{
	AUTO(auto_free) char *name = mem_strndup(type, len);

	if (strcmp(name, "ssh-rsa") == 0)
		add_algorithm(b, "rsa-sha2-512,rsa-sha2-256");
	else
		add_algorithm(b, name);
}

char *remote_known_algorithms(const struct remote_known *k)
{
	static const char *const all[] = {
		"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
		"ecdsa-sha2-nistp521", "ssh-rsa",
	};
	struct sbuf b = SBUF_INIT;
	const struct strings *lists[] = { &k->keys, &k->plain };

	for (size_t l = 0; l < 2; l++)
		for (size_t i = 0; i < lists[l]->len; i++)
			add_type(&b, lists[l]->items[i],
				 strcspn(lists[l]->items[i], " "));
	/* the rest too: a key of another type is to be seen and named */
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		add_type(&b, all[i], strlen(all[i]));
	return sbuf_detach(&b);
}

static int refuse_changed(const struct remote_known *k, const char *line,
			  const struct remote_settings *s, struct err *e)
{
	AUTO(auto_free) char *name = known_name(s);
	AUTO(auto_free) char *shown = fingerprint(line);
	AUTO(auto_free) char *known = fingerprint(k->keys.items[0]);
	int type = (int)strcspn(line, " ");

	if (k->pinned)
		return err_set(e, ERR_HOSTKEY, "'%s' shows another SSH host "
			       "key than the pinned one: %s (%.*s), pinned is "
			       "%s; if the host was installed anew, compare "
			       "with 'ssh-keygen -l' on it, then 'wgmesh unset "
			       "NODE host-keys' and pin the new one with "
			       "-accept-new-host-keys", s->name, shown, type,
			       line, known);
	return err_set(e, ERR_HOSTKEY, "the SSH host key of '%s' changed: it "
		       "shows %s (%.*s), %s has %s; if that is right, forget "
		       "the old one with: ssh-keygen -R '%s'", s->name, shown,
		       type, line, k->places.items[0], known, name);
}

int remote_known_check(enum remote_hostkey *out, const struct remote_known *k,
		       const char *line, const struct remote_settings *s,
		       struct err *e)
{
	if (strings_find(&k->revoked, line) >= 0)
		return err_set(e, ERR_HOSTKEY, "the SSH host key of '%s' is "
			       "marked as revoked in known_hosts", s->name);
	if (strings_find(&k->keys, line) >= 0)
		*out = k->pinned ? REMOTE_KEY_PINNED : REMOTE_KEY_KNOWN;
	else if (k->keys.len)
		return refuse_changed(k, line, s, e);
	else if (strings_find(&k->plain, line) >= 0)
		*out = REMOTE_KEY_KNOWN;
	else
		*out = REMOTE_KEY_NEW;
	return 0;
}
