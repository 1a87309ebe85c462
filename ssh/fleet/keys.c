/*
 * WireGuard keys that live on their hosts: taken in, made, and refused where a
 * host shows another's.
 */
#include "ssh/fleet/internal.h"

#include "render/owner.h"

#include <string.h>

static bool key_lives_there(const struct fleet *f, const struct host *h)
{
	return h->has_observed && !h->removed &&
	       node_key_on_host(f->mesh, h->node) &&
	       !h->node->private_key.len;
}

static bool has_the_key(const struct host *h)
{
	return h->observed.host_key &&
	       wgkey_equal(h->observed.host_key, h->node->public_key);
}

/*
 * The state knows a key that the host does not have: was it rebuilt? Not when
 * the interface runs with it, and just the file for it is not there yet.
 */
static bool is_another(const struct fleet *f, const struct host *h)
{
	const char *key = h->node->public_key;

	return key_lives_there(f, h) && wgkey_is_set(key) && !has_the_key(h) &&
	       (h->observed.host_key ||
		!wgkey_equal(h->observed.public_key, key));
}

static void put_key_script(const struct fleet *f, const struct host *h,
			   struct sbuf *out)
{
	const struct script_run run = { f->nonce, f->who,
					h->observed.lock_token, false };

	script_make_key(out, f->mesh->interface_name, !h->observed.has_wg,
			&run);
}

bool fleet_key_script(const struct fleet *f, const struct host *h,
		      struct sbuf *out)
{
	if (!key_lives_there(f, h) || h->observed.host_key)
		return false;
	put_key_script(f, h, out);
	return true;
}

static int make_key(struct fleet *f, struct host *h, struct err *e)
{
	AUTO(sbuf_done) struct sbuf script = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf answer = SBUF_INIT;
	bool install = !h->observed.has_wg;
	char *key;

	/* nothing is made on a host that is then refused */
	if (owner_check(f->mesh, h->node, &h->observed, f->options.adopt,
			e) < 0)
		return -1;
	if (install && (f->options.no_install || !h->observed.has_apt))
		return err_set(e, ERR_REMOTE, "WireGuard is not installed "
			       "there, so no key can be made");
	put_key_script(f, h, &script);
	if (fleet_run(f, h, &script,
		      install ? INSTALL_TIMEOUT_MS : APPLY_TIMEOUT_MS, &answer,
		      e) < 0 ||
	    script_parse_key(&key, sbuf_str(&answer), answer.len, f->nonce,
			     e) < 0)
		return -1;
	free(h->observed.host_key);
	h->observed.host_key = key;
	h->observed.has_wg = h->observed.has_key_file = true;
	return 0;
}

static void make_if_missing(struct fleet *f, struct host *h, void *arg)
{
	(void)arg;
	if (key_lives_there(f, h) && !h->observed.host_key &&
	    make_key(f, h, &h->err) < 0)
		fleet_host_failed(f, h);
}

/*
 * Who else has the key that the host shows, or NULL: another node, whose place
 * it would take everywhere, an external peer, which would end for a node's
 * sake, or another host, and nobody can tell whose it is.
 */
static const char *rival(const struct fleet *f, const struct host *h)
{
	const char *key = h->observed.host_key;

	for (size_t i = 0; i < f->mesh->nodes.len; i++) {
		const struct node *n = &f->mesh->nodes.items[i];
		const struct external *x = node_external(n, key);

		if (n != h->node && wgkey_equal(n->public_key, key))
			return n->name;
		if (x)
			return x->name;
	}
	for (size_t i = 0; i < f->hosts.len; i++) {
		const struct host *other = &f->hosts.items[i];

		if (other != h && key_lives_there(f, other) &&
		    other->observed.host_key &&
		    wgkey_equal(other->observed.host_key, key))
			return other->name;
	}
	return NULL;
}

/* Judge all before one is taken, or the first would win. */
static void refuse_rivals(struct fleet *f)
{
	const char **with = mem_calloc(f->hosts.len + 1, sizeof *with);

	for (size_t i = 0; i < f->hosts.len; i++) {
		struct host *h = &f->hosts.items[i];

		if (key_lives_there(f, h) && h->observed.host_key)
			with[i] = rival(f, h);
	}
	for (size_t i = 0; i < f->hosts.len; i++) {
		struct host *h = &f->hosts.items[i];

		if (!with[i] || h->result != HOST_OPEN || has_the_key(h))
			continue;
		err_set(&h->err, ERR_CONFLICT, "its WireGuard key is another "
			"node's, too: '%s' has it (a cloned machine?); remove "
			"/etc/wireguard/%s.key where it does not belong",
			with[i], f->mesh->interface_name);
		fleet_host_failed(f, h);
	}
	free(with);
}

/* A yes to the keys that are others now: one question for all those hosts. */
static bool agree_to_keys(const struct fleet *f)
{
	AUTO(sbuf_done) struct sbuf names = SBUF_INIT;
	AUTO(auto_free) char *question = NULL;

	for (size_t i = 0; i < f->hosts.len; i++)
		if (is_another(f, &f->hosts.items[i]))
			sbuf_printf(&names, "%s%s", names.len ? ", " : "",
				    f->hosts.items[i].name);
	if (names.len == 0 || f->options.accept_changed)
		return true;
	question = mem_printf("The WireGuard key of %s is not the one that the "
			      "state has. Was it rebuilt, and is the new key "
			      "to be trusted?", sbuf_str(&names));
	return f->voice->ask(question) == 1;
}

void fleet_keys(struct fleet *f, bool make)
{
	bool agreed = make && agree_to_keys(f);

	for (size_t i = 0; !agreed && i < f->hosts.len; i++) {
		struct host *h = &f->hosts.items[i];
		const char *there = h->observed.host_key;

		if (!is_another(f, h))
			continue;
		err_set(&h->err, ERR_CONFLICT, "its WireGuard key is %s%s, the "
			"state has %s: a rebuilt host?",
			there ? "another one, " : "gone", there ? there : "",
			h->node->public_key);
		err_advise(&h->err, ADVICE_KEY_CHANGED, NULL);
		fleet_host_failed(f, h);
	}
	if (make)
		fleet_each(f, "making keys", HOST_OPEN, make_if_missing,
			   NULL);
	refuse_rivals(f);
	/* what the hosts have is what the state knows from here on */
	for (size_t i = 0; i < f->hosts.len; i++) {
		struct host *h = &f->hosts.items[i];

		if (h->result != HOST_OPEN || !key_lives_there(f, h) ||
		    !h->observed.host_key || has_the_key(h))
			continue;
		if (make)
			f->voice->note("the key of '%s' is on its host: %s",
				       h->name, h->observed.host_key);
		mem_replace(&h->node->public_key, h->observed.host_key);
	}
}

void fleet_forget_keys(struct fleet *f)
{
	for (size_t i = 0; i < f->hosts.len; i++) {
		struct host *h = &f->hosts.items[i];

		if (h->result == HOST_CHANGED && !h->removed &&
		    node_key_on_host(f->mesh, h->node) &&
		    h->node->private_key.len)
			secret_done(&h->node->private_key);
	}
}
