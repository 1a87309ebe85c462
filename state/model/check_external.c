/*
 * Peers that are no nodes: what is wrong with them. They come from hosts, which
 * may say anything; in a state nothing is let pass here as it is of the Go
 * tool's.
 */
#include "state/model/check.h"

#include "base/auto.h"

#include <string.h>

static int check_external(const struct node *n, const struct external *x,
		     struct err *e)
{
	if (check_node_name(x->name, e) < 0)
		return err_wrap(e, "name");
	if (check_key(x->public_key, e) < 0)
		return err_wrap(e, "public_key");
	if (wgkey_equal(x->public_key, n->public_key))
		return err_set(e, ERR_INPUT, "public_key: it is the node's own");
	if (x->preshared_key.len &&
	    check_key(secret_text(&x->preshared_key), e) < 0)
		return err_set(e, ERR_INPUT, "preshared_key: expected 44 "
			       "characters of base64"); /* and not shown */
	if (x->endpoint && check_endpoint(x->endpoint, e) < 0)
		return err_wrap(e, "endpoint");
	return check_keepalive(x->keepalive_s, e) < 0
		       ? err_wrap(e, "keepalive")
		       : 0;
}

/*
 * No name twice: plans and boot files show peers by it. Sorted, for a host may
 * say that it has a thousand peers of one name.
 */
static int check_external_names(const struct externals *list, struct err *e)
{
	VEC(const char *) names = { 0 };
	int ret = 0;

	for (size_t i = 0; i < list->len; i++)
		vec_push(&names, list->items[i].name);
	vec_sort(&names, strings_compare);
	for (size_t i = 1; i < names.len && ret == 0; i++)
		if (strcmp(names.items[i - 1], names.items[i]) == 0)
			ret = err_set(e, ERR_INPUT, "the name '%s' is there "
				      "twice", names.items[i]);
	vec_done(&names);
	return ret;
}

int check_externals(const struct node *n, struct err *e)
{
	const struct externals *list = &n->externals;

	if (list->len > EXTERNALS_MAX)
		return err_set(e, ERR_INPUT, "external_peers: %zu found, "
			       "expected at most %d", list->len, EXTERNALS_MAX);
	for (size_t i = 0; i < list->len; i++) {
		const struct external *x = &list->items[i];

		if (check_external(n, x, e) < 0) {
			AUTO(auto_free) char *shown = check_shown(x->name);

			return err_wrap(e, "external_peers: '%s'", shown);
		}
		if (i && wgkey_equal(list->items[i - 1].public_key,
				     x->public_key))
			return err_set(e, ERR_INPUT, "external_peers: '%s' and "
				       "'%s' have the same public key",
				       list->items[i - 1].name, x->name);
	}
	return check_external_names(list, e) < 0
		       ? err_wrap(e, "external_peers")
		       : 0;
}
