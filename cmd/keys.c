/*
 * wgmesh keys: where private keys live, and new ones.
 */
#include "cmd/cmd.h"

#include "vault/wgkey.h"

#include <string.h>

/* A key that was on the host alone never comes here: a new pair replaces it. */
static int key_to_state(struct node *n, struct err *e)
{
	char public_key[WGKEY_TEXT + 1];

	if (n->private_key.len)
		return 0;
	if (wgkey_generate(&n->private_key, public_key, e) < 0)
		return -1;
	mem_replace(&n->public_key, public_key);
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

static int move_key(const struct mesh *m, struct node *n, const char *place,
		    struct err *e)
{
	mem_replace(&n->key, place);
	return key_moved(m, n, e);
}

/* A new pair in the state. */
static int new_key(const struct mesh *m, struct node *n, struct err *e)
{
	if (node_key_on_host(m, n))
		return err_set(e, ERR_INPUT, "'%s' has its key on its host: "
			       "'keys state %s', deploy, 'keys host %s', deploy "
			       "give it a new one", n->name, n->name, n->name);
	secret_done(&n->private_key);
	return key_to_state(n, e);
}

/* The whole mesh, nodes to come included. */
static int move_all(struct mesh *m, const char *place, struct err *e)
{
	for (size_t i = 0; strcmp(place, "new") == 0 && i < m->nodes.len; i++)
		if (new_key(m, &m->nodes.items[i], e) < 0)
			return -1;
	if (strcmp(place, "new") == 0)
		return 0;
	mem_replace(&m->key, strcmp(place, "host") == 0 ? place : NULL);
	for (size_t i = 0; i < m->nodes.len; i++) {
		if (move_key(m, &m->nodes.items[i], place, e) < 0)
			return -1;
		mem_replace(&m->nodes.items[i].key, NULL);
	}
	return 0;
}

static int move_some(struct cmd_env *env, struct mesh *m, struct err *e)
{
	for (size_t i = 1; i < env->args.len; i++) {
		struct node *n = nodes_find(&m->nodes, env->args.items[i]);

		if (!n)
			return err_set(e, ERR_INPUT, "there is no node '%s'",
				       env->args.items[i]);
		if ((strcmp(env->args.items[0], "new") == 0
			     ? new_key(m, n, e)
			     : move_key(m, n, env->args.items[0], e)) < 0)
			return -1;
	}
	return 0;
}

static int move(struct cmd_env *env, struct mesh *m, struct err *e)
{
	const char *place = env->args.items[0];

	if (strcmp(place, "host") != 0 && strcmp(place, "state") != 0 &&
	    strcmp(place, "new") != 0)
		return err_set(e, ERR_INPUT, "'keys %s': expected host, state "
			       "or new", place);
	return env->args.len == 1 ? move_all(m, place, e)
				  : move_some(env, m, e);
}

int cmd_keys(struct cmd_env *env)
{
	AUTO(auto_store_close) struct store *s = NULL;
	struct err e;

	if (env_open(&s, env, true, &e) < 0 ||
	    move(env, store_mesh(s), &e) < 0 || env_save(s, &e) < 0)
		return fail(&e);
	put("Private keys %s: %s\n",
	    strcmp(env->args.items[0], "host") == 0 ? "live on the host"
	    : strcmp(env->args.items[0], "new") == 0 ? "are new"
						     : "live in the state",
	    env->args.len == 1 ? "the whole mesh" : "the nodes named");
	return EXIT_DONE;
}
