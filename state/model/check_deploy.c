/*
 * What is missing for a deploy, and no error of the state: people may add a
 * node first and its host, keys or network later.
 */
#include "state/model/check.h"

#include "base/auto.h"
#include "state/model/claim.h"
#include "state/model/place.h"
#include "vault/wgkey.h"

#include <string.h>

/* An error of one node. */
static void add_node_error(struct findings *out, const char *code,
			   const struct node *n, const char *key,
			   const struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(n->name);

	finding_add(out, true, code,
		    (struct finding_place){ PART_NODE, n->name, key, NULL },
		    "node '%s': %s", shown, e->msg);
}

/*
 * A key pair that belongs together. A key that lives on its host may be unknown
 * until the first deploy has made it there.
 */
static int check_pair(const struct mesh *m, const struct node *n,
		      struct err *e)
{
	char public_key[WGKEY_TEXT + 1];
	bool on_host = node_key_on_host(m, n);

	if (!wgkey_is_set(n->public_key))
		return on_host && !n->private_key.len
			       ? 0
			       : err_set(e, ERR_INPUT, "has no public key");
	if (check_key(n->public_key, e) < 0)
		return err_wrap(e, "public_key");
	if (!n->private_key.len && on_host)
		return 0;
	if (!n->private_key.len)
		return err_set(e, ERR_INPUT, "private_key is missing, expected "
			       "44 characters of base64");
	if (wgkey_public(&n->private_key, public_key, e) < 0)
		return err_wrap(e, "private_key");
	if (!wgkey_equal(public_key, n->public_key))
		return err_set(e, ERR_INPUT, "public_key does not belong to "
			       "private_key, which gives '%s'", public_key);
	return 0;
}

/* Each family that a node uses needs its network. */
static void check_has_network(struct findings *out, const struct mesh *m)
{
	struct finding_place place = { PART_MESH, NULL, "network", NULL };

	if (!m->network.ip.family && !m->network6.ip.family) {
		finding_add(out, true, "no_network", place,
			    "the mesh has no network");
		return;
	}
	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];

		place = (struct finding_place){ PART_NODE, n->name, "address",
						NULL };
		if ((n->mesh_ip.family && !m->network.ip.family) ||
		    (n->mesh_ip6.family && !m->network6.ip.family))
			finding_add(out, true, "no_network", place,
				    "node '%s' has an address of a kind that "
				    "the mesh has no network for", n->name);
	}
}

void check_deployable(struct findings *out, const struct mesh *m)
{
	static const struct claim_words same_key = {
		true, "duplicate_key", NULL, "have the same key"
	};
	AUTO(claims_done) struct claims keys = { 0 };

	if (!m->interface_name || !*m->interface_name)
		finding_add(out, true, "no_interface",
			    (struct finding_place){ PART_MESH, NULL,
						    "interface", NULL },
			    "the mesh has no interface name");
	check_has_network(out, m);
	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];
		struct err e;

		if (!n->mesh_ip.family && !n->mesh_ip6.family) {
			err_set(&e, ERR_INPUT, "has no mesh address, expected "
				"mesh_ip or mesh_ip6");
			add_node_error(out, "no_address", n, "address", &e);
		}
		if (!n->is_local &&
		    check_host(n->ssh_host ? n->ssh_host : "", &e) < 0) {
			err_wrap(&e, "ssh_host");
			add_node_error(out, "bad_ssh_host", n, "ssh", &e);
		}
		if (check_pair(m, n, &e) < 0)
			add_node_error(out, "bad_key", n, NULL, &e);
		if (wgkey_is_set(n->public_key))
			claims_text(&keys, n->public_key, n);
	}
	claims_report(&keys, &same_key, out);
	places_check(out, m);
}
