/*
 * wgmesh keys: where private keys live, and new ones; and pairs for the nodes
 * of other commands that have none.
 */
#include "cmd/keys.h"

#include "base/pool.h"
#include "cmd/cmd.h"
#include "vault/wgkey.h"

#include <string.h>

int key_make(struct node *n, struct err *e)
{
	char public_key[WGKEY_TEXT + 1];

	if (wgkey_generate(&n->private_key, public_key, e) < 0)
		return -1;
	mem_replace(&n->public_key, public_key);
	return 0;
}

static bool wants_pair(const struct mesh *m, const struct node *n)
{
	return !wgkey_is_set(n->public_key) && !n->private_key.len &&
	       !node_key_on_host(m, n);
}

/* One that fails is left as it is, for keys_fill() to meet again. */
static void make_pair_at(size_t i, void *arg)
{
	struct err e;

	key_make(((struct node **)arg)[i], &e);
}

/* In parallel: an apply of thousands of nodes makes thousands of pairs. */
int keys_fill(struct mesh *m, const struct mesh *before, struct err *e)
{
	AUTO(auto_free) struct node **nodes =
		mem_calloc(m->nodes.len + 1, sizeof *nodes);
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = 0;

	for (size_t i = 0; i < m->nodes.len; i++)
		if (wants_pair(m, &m->nodes.items[i]) &&
		    !nodes_find(&before->nodes, m->nodes.items[i].name))
			nodes[n++] = &m->nodes.items[i];
	pool_run(n, cores > 1 ? (unsigned)cores : 1, make_pair_at, NULL,
		 nodes);
	for (size_t i = 0; i < n; i++)
		if (wants_pair(m, nodes[i]) && key_make(nodes[i], e) < 0)
			return -1;
	return 0;
}

/* A key that was on the host alone never comes here: a new pair replaces it. */
static int key_to_state(struct node *n, struct err *e)
{
	if (n->private_key.len)
		return 0;
	if (key_make(n, e) < 0)
		return -1;
	note("'%s' gets a new key pair with the next deploy", n->name);
	return 0;
}

int key_moved(const struct mesh *m, struct node *n, struct err *e)
{
	if (!node_key_on_host(m, n))
		return key_to_state(n, e);
	if (n->private_key.len)
		note("the next deploy moves the private key of '%s' to its "
		     "host, out of the state", n->name);
	return 0;
}

/* To @place; KEY_UNSAID is "new": another pair in the state. */
static int change_key(const struct mesh *m, struct node *n,
		      enum key_place place, struct err *e)
{
	if (place) {
		n->key = place;
		return key_moved(m, n, e);
	}
	if (node_key_on_host(m, n))
		return err_set(e, ERR_INPUT, "'%s' has its key on its host: "
			       "'keys state %s', deploy, 'keys host %s', deploy "
			       "give it a new one", n->name, n->name, n->name);
	secret_done(&n->private_key);
	return key_to_state(n, e);
}

static int change_keys(struct mesh *m, const struct strings *args,
		       struct err *e)
{
	const char *where = args->items[0];
	enum key_place place = KEY_UNSAID;

	if (strcmp(where, "new") != 0 &&
	    (!*where || !key_place_parse(&place, where)))
		return err_set(e, ERR_INPUT, "'keys %s': expected host, state "
			       "or new", where);
	for (size_t i = 1; i < args->len; i++) {
		struct node *n = edit_node(m, args->items[i], e);

		if (!n || change_key(m, n, place, e) < 0)
			return -1;
	}
	if (args->len > 1)
		return 0;
	/* the whole mesh: its default speaks for nodes to come, too */
	if (place)
		m->key = place == KEY_ON_HOST ? place : KEY_UNSAID;
	for (size_t i = 0; i < m->nodes.len; i++) {
		if (change_key(m, &m->nodes.items[i], place, e) < 0)
			return -1;
		if (place)
			m->nodes.items[i].key = KEY_UNSAID;
	}
	return 0;
}

int cmd_keys(struct cmd_env *env)
{
	AUTO(auto_store_close) struct store *s = NULL;
	const char *where = env->args.items[0];
	struct err e;

	if (env_open(&s, env, true, &e) < 0 ||
	    change_keys(store_mesh(s), &env->args, &e) < 0 ||
	    env_save(s, &e) < 0)
		return fail(&e);
	put("Private keys %s: %s\n",
	    strcmp(where, "host") == 0 ? "live on the host"
	    : strcmp(where, "new") == 0 ? "are new" : "live in the state",
	    env->args.len == 1 ? "the whole mesh" : "the nodes named");
	return EXIT_DONE;
}
