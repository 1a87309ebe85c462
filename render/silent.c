/*
 * Pairs of nodes whose tunnel should be up and is not. WireGuard is silent
 * where there is nothing to send, so it counts what was tried: a keepalive is
 * sent in any case, and who has sent two first messages got no answer to one.
 */
#include "render/silent.h"

#include "base/auto.h"

#include <string.h>

/** A session is renewed after 120 s, and given up after 180 (seconds). */
#define SESSION 180
/** Two first messages of a handshake; the other side may have come up between
 * them (bytes). */
#define TRIED (2 * 148)

/* What one side says of a pair. */
struct word {
	size_t a, b; /* of the mesh's nodes, a before b */
	int64_t age; /* of the handshake, by that host's clock; -1: never */
	int keepalive_s;
	bool tried;
};

struct words { VEC_OF(struct word); };

struct keyed {
	const char *key;
	size_t node;
};

static int compare_keys(const void *a, const void *b)
{
	return wgkey_compare(((const struct keyed *)a)->key,
			     ((const struct keyed *)b)->key);
}

static int compare_words(const void *a, const void *b)
{
	const struct word *x = a, *y = b;

	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	return x->b == y->b ? 0 : x->b < y->b ? -1 : 1;
}

/* The @n words about one pair: the youngest handshake counts for both. */
static void judge_pair(struct silent_pairs *out, const struct mesh *m,
		       const struct word *w, size_t n)
{
	int64_t age = -1;
	int keepalive_s = 0;
	bool tried = false;

	for (size_t i = 0; i < n; i++) {
		int k = w[i].keepalive_s;

		if (w[i].age >= 0 && (age < 0 || w[i].age < age))
			age = w[i].age;
		if (k && (!keepalive_s || k < keepalive_s))
			keepalive_s = k;
		tried = tried || w[i].tried;
	}
	if (age < 0 ? tried
		    : (tried && age > SESSION) ||
			      (keepalive_s && age > SESSION + keepalive_s))
		vec_push(out, ((struct silent_pair){ &m->nodes.items[w->a],
						     &m->nodes.items[w->b],
						     age }));
}

/* What the host of node @self says of its peer @peer. */
static struct word word_of(size_t self, size_t peer,
			   const struct observed_peer *p, int64_t now)
{
	int64_t age = p->handshake ? now - p->handshake : -1;

	return (struct word){ peer < self ? peer : self,
			      peer < self ? self : peer,
			      p->handshake && age < 0 ? 0 : age,
			      p->keepalive_s,
			      !p->handshake && p->sent >= TRIED };
}

void silent_find(struct silent_pairs *out, const struct mesh *m,
		 const struct silent_host *hosts, size_t n)
{
	AUTO(auto_free) bool *skipped = mem_calloc(m->nodes.len + 1, 1);
	VEC(struct keyed) keys = { 0 };
	struct words all = { 0 };

	for (size_t i = 0; i < m->nodes.len; i++)
		vec_push(&keys, ((struct keyed){
					m->nodes.items[i].public_key, i }));
	vec_sort(&keys, compare_keys);
	for (size_t i = 0; i < n; i++)
		if (!hosts[i].observed)
			skipped[hosts[i].node - m->nodes.items] = true;
	for (size_t i = 0; i < n; i++) {
		const struct observed *o = hosts[i].observed;
		size_t self = (size_t)(hosts[i].node - m->nodes.items);

		for (size_t k = 0; o && k < o->peers.len; k++) {
			const struct observed_peer *p = &o->peers.items[k];
			struct keyed wanted = { p->public_key, 0 };
			const struct keyed *found =
				bsearch(&wanted, keys.items, keys.len,
					sizeof wanted, compare_keys);
			size_t peer = found ? found->node : self;

			if (peer == self || skipped[peer])
				continue;
			vec_push(&all, word_of(self, peer, p, o->now));
		}
	}
	vec_sort(&all, compare_words);
	for (size_t i = 0, len; i < all.len; i += len) {
		for (len = 1; i + len < all.len &&
			      compare_words(&all.items[i],
					    &all.items[i + len]) == 0; len++)
			;
		judge_pair(out, m, &all.items[i], len);
	}
	vec_done(&all);
	vec_done(&keys);
}
