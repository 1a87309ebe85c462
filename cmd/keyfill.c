/*
 * Key pairs for the nodes that have none, in parallel: an apply of thousands makes
 * thousands.
 */
#include "cmd/keyfill.h"

#include "base/auto.h"
#include "base/pool.h"
#include "vault/wgkey.h"

#include <unistd.h>

static bool wants_pair(const struct mesh *m, const struct node *n)
{
	return !(n->public_key && *n->public_key) && !n->private_key.len &&
	       !node_key_on_host(m, n);
}

static int make_pair(struct node *n, struct err *e)
{
	char public_key[WGKEY_TEXT + 1];

	if (wgkey_generate(&n->private_key, public_key, e) < 0)
		return -1;
	mem_replace(&n->public_key, public_key);
	return 0;
}

/* One that fails is left as it is, for keys_fill() to meet again. */
static void make_pair_at(size_t i, void *arg)
{
	struct err e;

	make_pair(((struct node **)arg)[i], &e);
}

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
		if (wants_pair(m, nodes[i]) && make_pair(nodes[i], e) < 0)
			return -1;
	return 0;
}
