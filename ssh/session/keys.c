/*
 * Private keys: read once, before the logins start, and only looked at by
 * them. A passphrase lives in one wiped buffer for as long as it takes.
 */
#include "base/pool.h"
#include "ssh/session/internal.h"

#include <libssh/libssh.h>

#define KEY_FILE_MAX ((size_t)256 << 10) /* bytes; an RSA key has 3,400 */
#define PASSPHRASE_MAX 1024              /* bytes */
#define PASSPHRASE_TRIES 3
#define ASK_PARALLEL 16                  /* programs at once */

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

/* Base64 of the public part; NULL without one. The caller frees. */
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

static bool agent_has(const struct load *l, const char *b64)
{
	bool found = false;

	for (size_t i = 0; b64 && !found && i < l->agents.len; i++) {
		AUTO(remote_identities_done) remote_identities ids = { 0 };

		remote_agent_list(&ids, l->agents.items[i], l->timeout_ms);
		found = remote_identities_find(&ids, b64) >= 0;
	}
	return found;
}

/* The private key in @text; NULL, with the reason in @why. */
static ssh_key ask_passphrase(const char *where, const char *text,
			      int (*ask)(const char *, struct sbuf *),
			      const char **why)
{
	ssh_key key = NULL;

	*why = "needs a passphrase";
	for (int i = 0; i < PASSPHRASE_TRIES && !key; i++) {
		AUTO(sbuf_done) struct sbuf phrase = SBUF_SECRET;

		phrase.max = PASSPHRASE_MAX;
		if (ask(where, &phrase) < 0 || phrase.failed)
			return NULL;
		*why = "wrong passphrase";
		ssh_pki_import_privkey_base64(text, sbuf_str(&phrase), NULL,
					      NULL, &key);
	}
	if (key)
		*why = NULL;
	return key;
}

int remote_key_unlock(const char *where, struct secret *text,
		      int (*ask)(const char *file, struct sbuf *passphrase),
		      struct err *e)
{
	const char *why;
	ssh_key key = ask_passphrase(where, secret_text(text), ask, &why);
	char *plain = NULL;
	int ret = -1;

	if (!key)
		return err_set(e, ERR_AUTH, "%s", why);
	if (ssh_pki_export_privkey_base64(key, NULL, NULL, NULL, &plain) ==
	    SSH_OK) {
		secret_set(text, plain, strlen(plain));
		explicit_bzero(plain, strlen(plain));
		ssh_string_free_char(plain);
		ret = 0;
	} else {
		err_set_(e, ERR_SYSTEM, "libssh could not unlock it");
	}
	ssh_key_free(key);
	return ret;
}

/* @k gets its private part, or why it is not to be had. */
static void read_private_key(struct remote_key *k, const struct load *l)
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
	} else if (agent_has(l, k->b64)) {
		k->why = "the agent has it";
	} else if (!l->ask) {
		k->why = "needs a passphrase";
	} else {
		k->priv = ask_passphrase(k->path, text.s, l->ask, &k->why);
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

/* Each file once; a default one only if it is there. */
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
	read_private_key(k, l);
	if (k->priv) {
		free(k->b64);
		k->b64 = public_b64(k->priv);
	}
}

DEFINE_AUTO(struct remote_keys *, remote_keys_free)

/* What ssh_config is asked about. */
struct asked {
	struct remote_config *config;
	const struct remote_target *targets;
};

/* It keeps the answer; what fails, fails again in the login. */
static void ask_config(size_t i, void *arg)
{
	struct asked *a = arg;
	struct remote_settings s;
	struct err ignored;

	if (!a->targets[i].local &&
	    remote_config_ask(&s, a->config, &a->targets[i], &ignored) == 0)
		remote_settings_done(&s);
}

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
	struct asked about;
	static const char *const defaults[] = { "~/.ssh/id_ed25519",
						"~/.ssh/id_ecdsa",
						"~/.ssh/id_rsa" };

	if (remote_config_load(&keys->config, conf->config_file, e) < 0)
		return -1;
	/* the first one alone: what it tells, the others need not ask */
	about = (struct asked){ keys->config, targets };
	if (n)
		ask_config(0, &about);
	pool_run(n, ASK_PARALLEL, ask_config, NULL, &about);
	for (size_t i = 0; i < n; i++) {
		AUTO(remote_settings_done) struct remote_settings s = { 0 };
		struct err ignored;

		/* a bad name fails its own login, not all of them */
		if (targets[i].local ||
		    remote_config_ask(&s, keys->config, &targets[i],
				      &ignored) < 0)
			continue;
		if (*s.agent && strings_find(&l.agents, s.agent) < 0)
			strings_add(&l.agents, s.agent);
		for (size_t k = 0; k < s.identities.len; k++)
			if (strings_find(&files, s.identities.items[k]) < 0)
				strings_add(&files, s.identities.items[k]);
	}
	for (size_t i = 0; i < files.len; i++)
		add_key(&l, files.items[i], false);
	for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
		AUTO(auto_free) char *path = remote_untilde(defaults[i]);

		add_key(&l, path, true);
	}
	*out = STEAL(keys);
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
