/*
 * Private keys: read once, before the logins start, and only looked at by
 * them. A passphrase lives in one wiped buffer for as long as it takes.
 */
#include "ssh/session/internal.h"

#include <libssh/libssh.h>

#define KEY_FILE_MAX ((size_t)256 << 10)
#define PASSPHRASE_MAX 1024
#define PASSPHRASE_TRIES 3

/* libssh asks for a passphrase: remember that it did, give none. */
static int note_asked(const char *prompt, char *buf, size_t len, int echo,
		      int verify, void *asked)
{
	(void)prompt;
	(void)buf;
	(void)len;
	(void)echo;
	(void)verify;
	*(bool *)asked = true;
	return -1;
}

static char *public_b64(ssh_key key)
{
	char *b64 = NULL, *copy;

	if (!key || ssh_pki_export_pubkey_base64(key, &b64) != SSH_OK)
		return NULL;
	copy = mem_strdup(b64);
	ssh_string_free_char(b64);
	return copy;
}

static char *public_of_file(const char *path)
{
	ssh_key key = NULL;
	char *b64;

	if (ssh_pki_import_pubkey_file(path, &key) != SSH_OK)
		return NULL;
	b64 = public_b64(key);
	ssh_key_free(key);
	return b64;
}

/* From FILE.pub, else from FILE, which may itself be a public key or an
 * OpenSSH private key, whose public part is in clear. */
char *remote_key_public(const char *path)
{
	AUTO(auto_free) char *pub = mem_printf("%s.pub", path);
	char *b64 = public_of_file(pub);

	return b64 ? b64 : public_of_file(path);
}

static bool held(const struct strings *agents, const char *b64, int timeout_ms)
{
	bool found = false;

	for (size_t i = 0; b64 && !found && i < agents->len; i++) {
		AUTO(remote_identities_done) remote_identities ids = { 0 };

		remote_agent_list(&ids, agents->items[i], timeout_ms);
		found = remote_identities_find(&ids, b64) >= 0;
	}
	return found;
}

/* What reading the keys needs to know. */
struct load {
	struct remote_keys *keys;
	struct strings agents; /* sockets, each once */
	int timeout_ms;
	int (*ask)(const char *file, struct sbuf *passphrase);
};

static void load_done(struct load *l)
{
	strings_done(&l->agents);
}

static void unlock(struct remote_key *k, const struct sbuf *text,
		   const struct load *l)
{
	for (int i = 0; i < PASSPHRASE_TRIES && !k->priv; i++) {
		AUTO(sbuf_done) struct sbuf phrase = SBUF_SECRET;

		phrase.max = PASSPHRASE_MAX;
		k->why = "needs a passphrase";
		if (l->ask(k->path, &phrase) < 0 || phrase.failed)
			return;
		k->why = "wrong passphrase";
		ssh_pki_import_privkey_base64(text->s, sbuf_str(&phrase), NULL,
					      NULL, &k->priv);
	}
	if (k->priv)
		k->why = NULL;
}

static void read_private(struct remote_key *k, const struct load *l)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	bool asked = false;

	text.max = KEY_FILE_MAX;
	if (remote_slurp(&text, k->path, SLURP_PRIVATE) < 0) {
		k->why = errno == EPERM  ? "others can read it (chmod 600)" :
			 errno == ENOENT ? "no such file" : "cannot read it";
		return;
	}
	if (text.len == 0 ||
	    ssh_pki_import_privkey_base64(text.s, NULL, note_asked, &asked,
					  &k->priv) == SSH_OK) {
		k->why = k->priv ? NULL : "empty file";
	} else if (!asked) {
		k->why = k->b64 ? "public key only" : "no private key";
	} else if (held(&l->agents, k->b64, l->timeout_ms)) {
		k->why = "the agent has it";
	} else if (!l->ask) {
		k->why = "needs a passphrase";
	} else {
		unlock(k, &text, l);
	}
}

const struct remote_key *remote_keys_find(const struct remote_keys *keys,
					  const char *path)
{
	for (size_t i = 0; i < keys->list.len; i++)
		if (strcmp(keys->list.items[i].path, path) == 0)
			return &keys->list.items[i];
	return NULL;
}

static void add_key(struct load *l, const char *path, bool is_default)
{
	struct remote_key *k;

	if (remote_keys_find(l->keys, path) ||
	    (is_default && access(path, F_OK) != 0))
		return;
	k = vec_add(&l->keys->list);
	k->path = mem_strdup(path);
	k->is_default = is_default;
	k->b64 = remote_key_public(path);
	read_private(k, l);
	if (k->priv) {
		free(k->b64);
		k->b64 = public_b64(k->priv);
	}
}

static int add_target(struct load *l, const struct remote_target *t,
		      struct strings *files, struct err *e)
{
	AUTO(remote_settings_done) struct remote_settings s = { 0 };

	if (t->local)
		return 0;
	if (remote_config_ask(&s, l->keys->config, t, e) < 0)
		return -1;
	if (*s.agent && strings_find(&l->agents, s.agent) < 0)
		strings_add(&l->agents, s.agent);
	for (size_t i = 0; i < s.identities.len; i++)
		if (strings_find(files, s.identities.items[i]) < 0)
			strings_add(files, s.identities.items[i]);
	return 0;
}

static void add_defaults(struct load *l)
{
	static const char *const names[] = { "id_ed25519", "id_ecdsa",
					     "id_rsa" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		AUTO(auto_free) char *tilde = mem_printf("~/.ssh/%s", names[i]);
		AUTO(auto_free) char *path = remote_untilde(tilde);

		add_key(l, path, true);
	}
}

DEFINE_AUTO(struct remote_keys *, remote_keys_free)

int remote_keys_load(struct remote_keys **out,
		     const struct remote_target *targets, size_t n,
		     const struct remote_conf *conf,
		     int (*ask)(const char *file, struct sbuf *passphrase),
		     struct err *e)
{
	AUTO(auto_remote_keys_free) struct remote_keys *keys =
		mem_calloc(1, sizeof *keys);
	AUTO(load_done) struct load l = {
		.keys = keys, .ask = ask,
		.timeout_ms = remote_timeout(conf->timeout_ms)
	};
	AUTO(strings_done) struct strings files = { 0 };

	if (remote_config_load(&keys->config, conf->config_file, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		/* a bad name fails its own login, not all of them */
		add_target(&l, &targets[i], &files, &(struct err){ 0 });
	for (size_t i = 0; i < files.len; i++)
		add_key(&l, files.items[i], false);
	add_defaults(&l);
	*out = STEAL(keys);
	(void)e;
	return 0;
}

void remote_keys_free(struct remote_keys *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < keys->list.len; i++) {
		free(keys->list.items[i].path);
		free(keys->list.items[i].b64);
		ssh_key_free(keys->list.items[i].priv);
	}
	vec_done(&keys->list);
	remote_config_free(keys->config);
	free(keys);
}
