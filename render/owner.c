/*
 * Whose an interface is, by the marker in its boot file and by its key.
 */
#include "render/owner.h"

#include <string.h>

bool owner_marked(const struct mesh *m, const struct observed *o)
{
	return o->boot == BOOT_MARKED && m->mesh_id &&
	       strcmp(o->boot_mesh_id, m->mesh_id) == 0;
}

bool owner_is(const struct mesh *m, const struct node *n,
	      const struct observed *o)
{
	const char *key = o->exists ? o->public_key : o->boot_public_key;

	if (owner_marked(m, o) || (!o->exists && o->boot == BOOT_NONE))
		return true;
	return wgkey_is_set(key) && wgkey_equal(key, n->public_key);
}

int owner_check(const struct mesh *m, const struct node *n,
		const struct observed *o, bool adopt, struct err *e)
{
	const char *i = m->interface_name;

	if (adopt || owner_is(m, n, o))
		return 0;
	if (!o->exists) {
		err_set(e, ERR_REMOTE, "/etc/wireguard/%s.conf there is not "
			"this mesh's, and its interface is down", i);
		return err_advise(e, ADVICE_NOT_OURS_AND_DOWN, NULL);
	}
	err_set(e, ERR_REMOTE, "%s there is not this mesh's (%zu peer%s, key "
		"%.8s...)", i, o->peers.len, o->peers.len == 1 ? "" : "s",
		o->public_key);
	return err_advise(e, ADVICE_NOT_OURS, NULL);
}

bool owner_taken(const struct mesh *m, const struct node *removed,
		 const struct observed *o)
{
	if (wgkey_is_set(o->public_key) && mesh_by_key(m, o->public_key))
		return true;
	for (size_t i = 0; i < m->nodes.len; i++)
		for (size_t k = 0; k < removed->ssh_host_keys.len; k++)
			if (strings_find(&m->nodes.items[i].ssh_host_keys,
					 removed->ssh_host_keys.items[k]) >= 0)
				return true;
	return false;
}
