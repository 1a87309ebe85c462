/*
 * mkstate FILE: a new mesh state from lines on standard input, each a node
 * spec and, if its host key is to be pinned, that key:
 *
 *	n1:10.99.0.1:192.0.2.1 ssh-ed25519 AAAA...
 *
 * The same as `wgmesh init` and `wgmesh add` for each, in one go.
 */
#include "base/auto.h"
#include "state/model/model.h"
#include "state/store/store.h"
#include "vault/wgkey.h"

#include <unistd.h>

DEFINE_AUTO(struct store *, store_close)

static int fail(const struct err *e)
{
	fprintf(stderr, "mkstate: %s\n", e->msg);
	return 1;
}

static int add(struct mesh *m, char *line, struct err *e)
{
	char public_key[WGKEY_TEXT + 1];
	char *key = line + strcspn(line, " \n");
	struct node *n;

	line[strcspn(line, "\n")] = '\0';
	if (*key)
		*key++ = '\0';
	n = spec_add(m, line, e);
	if (!n || wgkey_generate(&n->private_key, public_key, e) < 0)
		return -1;
	mem_replace(&n->public_key, public_key);
	if (*key)
		strings_add(&n->ssh_host_keys, key);
	return 0;
}

int main(int argc, char **argv)
{
	AUTO(auto_store_close) struct store *s = NULL;
	char line[2048];
	struct err e;

	if (argc != 2) {
		fprintf(stderr, "usage: mkstate FILE <SPECS\n");
		return 2;
	}
	if (store_create(&s, argv[1], &e) < 0)
		return fail(&e);
	while (fgets(line, sizeof line, stdin))
		if (add(store_mesh(s), line, &e) < 0)
			return fail(&e);
	return store_save(s, true, &e) < 0 ? fail(&e) : 0;
}
