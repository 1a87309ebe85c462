/*
 * Who has which address or route, sorted, so that two who have one are
 * neighbours: every pair of a mesh of thousands would be millions of
 * comparisons.
 */
#include "state/model/claim.h"

#include <string.h>

void claims_net(struct claims *c, const struct cidr *net,
		const struct node *node)
{
	vec_push(c, ((struct claim){ .net = *net, .node = node }));
}

void claims_text(struct claims *c, const char *text, const struct node *node)
{
	vec_push(c, ((struct claim){ .text = mem_strdup(text), .node = node }));
}

/* One list holds texts or networks, never both. */
static int compare_things(const struct claim *a, const struct claim *b)
{
	return a->text && b->text ? strcmp(a->text, b->text)
				  : cidr_compare(&a->net, &b->net);
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *left = a;
	const struct claim *right = b;
	/* by name behind that: the same words for the same mesh, each time */
	int order = compare_things(left, right);

	return order ? order : node_compare(left->node, right->node);
}

void claims_sort(struct claims *c)
{
	vec_sort(c, compare_claims);
}

bool claims_shared(const struct claims *c, size_t i)
{
	return i > 0 && compare_things(&c->items[i - 1], &c->items[i]) == 0;
}

void claims_report(struct claims *c, const struct claim_words *words,
		   struct findings *out)
{
	char text[ADDR_TEXT_MAX];

	claims_sort(c);
	for (size_t i = 1; i < c->len; i++) {
		const struct claim *one = &c->items[i];
		struct finding_place at = { PART_NODE, one->node->name,
					    words->key, NULL };

		if (claims_shared(c, i))
			finding_add(out, words->error, words->code, at,
				    "nodes '%s' and '%s' %s %s",
				    one[-1].node->name, at.name, words->verb,
				    one->text ? one->text
					      : ip_text(&one->net.ip, text));
	}
}

void claims_done(struct claims *c)
{
	for (size_t i = 0; i < c->len; i++)
		free(c->items[i].text);
	vec_done(c);
}
