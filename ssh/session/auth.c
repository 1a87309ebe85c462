/*
 * Authentication by public key: the agent's keys, then key files. A key file
 * is used straight, which takes one round trip; the agent's keys are shown
 * first, which takes one more for each.
 */
#include "ssh/session/internal.h"

#include "base/text.h"

#include <libssh/libssh.h>

/* One login under way. */
struct attempt {
	struct remote_link *l;
	const struct remote_settings *s;
	const struct remote_keys *keys; /* or NULL */
	remote_identities offered; /* what the agent was let show */
	struct strings done;       /* paths dealt with */
	struct strings shown;      /* of certificates */
	struct sbuf tried, skipped; /* for the message, if all fails */
};

static void attempt_done(struct attempt *a)
{
	remote_identities_done(&a->offered);
	strings_done(&a->done);
	strings_done(&a->shown);
	sbuf_done(&a->tried);
	sbuf_done(&a->skipped);
}

static void add_word(struct sbuf *b, const char *text)
{
	if (b->len)
		sbuf_puts(b, ", ");
	sbuf_puts(b, text);
}

/* No key was taken: AUTH, with all that was tried and @extra. */
static int refused(const struct attempt *a, const char *extra, struct err *e)
{
	AUTO(sbuf_done) struct sbuf b = SBUF_INIT;

	sbuf_printf(&b, "%s@%s: ", a->s->user, a->s->name);
	if (a->tried.len)
		sbuf_printf(&b, "login refused; tried %s", a->tried.s);
	else
		sbuf_puts(&b, "no key to log in with");
	if (a->skipped.len)
		sbuf_printf(&b, "; skipped %s", a->skipped.s);
	for (size_t i = 0; i < a->s->certificates.len; i++)
		if (strings_find(&a->shown, a->s->certificates.items[i]) < 0)
			sbuf_printf(&b, "; %s is no certificate of a key that "
				    "was tried", a->s->certificates.items[i]);
	if (!*a->s->agent)
		sbuf_puts(&b, "; no agent");
	sbuf_puts(&b, extra);
	return err_set(e, ERR_AUTH, "%s", sbuf_str(&b));
}

/* 1 logged in, 0 try the next, -1 error. */
static int verdict(struct attempt *a, int rc, struct err *e)
{
	if (rc == SSH_AUTH_SUCCESS)
		return 1;
	if (!ssh_is_connected(a->l->session)) {
		AUTO(auto_free) char *why = remote_link_error(a->l);
		AUTO(auto_free) char *extra = NULL;
		const char *said = strstr(why, "SSH_MSG_DISCONNECT");

		if (!said)
			return err_set(e, ERR_UNREACHABLE, "%s@%s: the "
				       "connection broke while logging in: %s",
				       a->s->user, a->s->name, why);
		extra = mem_printf("; the host says: %s",
				   said + strcspn(said, " "));
		return refused(a, extra, e);
	}
	if (rc == SSH_AUTH_AGAIN) {
		AUTO(auto_free) char *over =
			remote_patience_text(&a->l->patience);

		return err_set(e, ERR_UNREACHABLE, "%s@%s: login: %s",
			       a->s->user, a->s->name, over);
	}
	if (rc == SSH_AUTH_PARTIAL)
		add_word(&a->skipped, "what the host wants besides the key");
	return 0;
}

/* Let the agent show its key @i, each one once. */
static void offer(struct attempt *a, const remote_identities *all, size_t i)
{
	struct remote_identity *id;

	if (remote_identities_find(&a->offered, all->items[i].b64) >= 0)
		return;
	id = vec_add(&a->offered);
	id->len = all->items[i].len;
	id->blob = mem_calloc(id->len + 1, 1);
	memcpy(id->blob, all->items[i].blob, id->len);
	id->b64 = mem_strdup(all->items[i].b64);
}

/* The key of that file, if the agent has it. */
static void offer_file(struct attempt *a, const remote_identities *all,
		       const char *path)
{
	const struct remote_key *k =
		a->keys ? remote_keys_find(a->keys, path) : NULL;
	AUTO(auto_free) char *b64 = k ? mem_strdup(k->b64)
				      : remote_key_public(path);
	long i = remote_identities_find(all, b64);

	if (i >= 0)
		offer(a, all, (size_t)i);
}

/* Which of the agent's keys, in which order: those of IdentityFile first. */
static void choose_offered(struct attempt *a)
{
	AUTO(remote_identities_done) remote_identities all = { 0 };

	remote_agent_list(&all, a->s->agent,
			  remote_patience_left(&a->l->patience));
	for (size_t i = 0; all.len && i < a->s->identities.len; i++)
		offer_file(a, &all, a->s->identities.items[i]);
	if (!a->s->identities_only) {
		for (size_t i = 0; i < all.len; i++)
			offer(a, &all, i);
	} else if (a->s->default_keys && a->keys) {
		for (size_t i = 0; i < a->keys->list.len; i++)
			if (a->keys->list.items[i].is_default)
				offer_file(a, &all,
					   a->keys->list.items[i].path);
	}
}

/* As verdict(). Without an agent, or a key of it: 0. */
static int try_agent(struct attempt *a, struct err *e)
{
	AUTO(auto_free) char *text = NULL;
	int fd, rc;

	if (!*a->s->agent)
		return 0;
	choose_offered(a);
	if (a->offered.len == 0)
		return 0;
	a->l->front = remote_front_start(&fd, a->s->agent, &a->offered,
					 a->l->patience.silence_ms + 1);
	if (!a->l->front)
		return 0;
	ssh_set_agent_socket(a->l->session, fd);
	do
		rc = ssh_userauth_agent(a->l->session, NULL);
	while (rc == SSH_AUTH_AGAIN && remote_link_again(a->l));
	remote_front_stop(STEAL(a->l->front));
	text = mem_printf("agent (%zu key%s)", a->offered.len,
			  a->offered.len == 1 ? "" : "s");
	add_word(&a->tried, text);
	return verdict(a, rc, e);
}

/* As verdict(). */
static int show_key(struct attempt *a, struct ssh_key_struct *key,
		    const char *what, struct err *e)
{
	int rc;

	do
		rc = ssh_userauth_publickey(a->l->session, NULL, key);
	while (rc == SSH_AUTH_AGAIN && remote_link_again(a->l));
	add_word(&a->tried, what);
	return verdict(a, rc, e);
}

/* As verdict(). The key with the certificate in @path, if that is for it. */
static int try_cert(struct attempt *a, const struct remote_key *k,
		    const char *path, struct err *e)
{
	AUTO(sbuf_done) struct sbuf fault = SBUF_INIT;
	AUTO(auto_free) char *what = NULL;
	struct ssh_key_struct *key =
		remote_cert_join(k, path, a->s->user, &fault);
	int rc;

	if (!key)
		return 0;
	what = mem_printf("%s with the certificate %s (%s)", k->path, path,
			  fault.len ? fault.s : "the host does not accept it");
	strings_add(&a->shown, path);
	rc = show_key(a, key, what, e);
	ssh_key_free(key);
	return rc;
}

/*
 * As verdict(). With its certificates first, as OpenSSH: those that ssh_config
 * names, and the one beside it. What the agent has shown is not shown again.
 */
static int try_key(struct attempt *a, const struct remote_key *k,
		   struct err *e)
{
	AUTO(auto_free) char *skipped = NULL;
	AUTO(auto_free) char *beside = mem_printf("%s-cert.pub", k->path);
	const struct strings *certs = &a->s->certificates;
	int rc = 0;

	if (strings_find(&a->done, k->path) >= 0)
		return 0;
	strings_add(&a->done, k->path);
	for (size_t i = 0; k->priv && rc == 0 && i < certs->len; i++)
		rc = try_cert(a, k, certs->items[i], e);
	if (k->priv && rc == 0 && strings_find(certs, beside) < 0)
		rc = try_cert(a, k, beside, e);
	if (rc || remote_identities_find(&a->offered, k->b64) >= 0)
		return rc;
	if (k->priv)
		return show_key(a, k->priv, k->path, e);
	skipped = mem_printf("%s: %s", k->path, k->why);
	add_word(&a->skipped, skipped);
	return 0;
}

int remote_authenticate(struct remote_link *l, const struct remote_settings *s,
			const struct remote_conf *conf, struct err *e)
{
	AUTO(attempt_done) struct attempt a = {
		.l = l, .s = s, .keys = conf->keys
	};
	int rc = try_agent(&a, e);

	for (size_t i = 0; a.keys && rc == 0 && i < s->identities.len; i++) {
		const struct remote_key *k =
			remote_keys_find(a.keys, s->identities.items[i]);

		if (k)
			rc = try_key(&a, k, e);
	}
	for (size_t i = 0; a.keys && rc == 0 && i < a.keys->list.len; i++)
		if (s->default_keys && a.keys->list.items[i].is_default)
			rc = try_key(&a, &a.keys->list.items[i], e);
	if (rc == 0)
		return refused(&a, "", e);
	return rc < 0 ? -1 : 0;
}
