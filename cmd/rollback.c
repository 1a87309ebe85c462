/*
 * wgmesh rollback: the state as it was, with a tombstone for each node that
 * came since.
 */
#include "cmd/change.h"
#include "cmd/commit.h"
#include "cmd/revision.h"
#include "state/merge/merge.h"
#include "state/model/model.h"

#include <string.h>

#define SWAP(a, b)                         \
	do {                               \
		__typeof__(a) t_ = (a);    \
		(a) = (b);                 \
		(b) = t_;                  \
	} while (0)

/*
 * What hosts told since then, and a key that only a host has, stay as now. Who
 * is behind NAT goes with what the user said of it then or says now; else
 * hosts told.
 */
static void keep_newer(struct mesh *then, struct node *n,
		       const struct mesh *now, struct node *newer)
{
	bool on_host = node_key_on_host(then, n) ||
		       node_key_on_host(now, newer);

	if ((n->behind_nat && !n->facts.nat_from) ||
	    (newer->behind_nat && !newer->facts.nat_from))
		SWAP(n->facts.nat_from, newer->facts.nat_from);
	else
		n->behind_nat = newer->behind_nat;
	SWAP(n->facts, newer->facts);
	SWAP(n->ssh_host_keys, newer->ssh_host_keys);
	SWAP(n->actual_hostname, newer->actual_hostname);
	SWAP(n->fqdn, newer->fqdn);
	if (!on_host)
		return;
	SWAP(n->public_key, newer->public_key);
	SWAP(n->private_key, newer->private_key);
	if (!node_key_on_host(then, n))
		n->key = KEY_ON_HOST;
}

/* One node as it was then, with what is newer of the one that is there now. */
static int return_node(struct mesh *then, struct node *n, struct mesh *now,
		       struct err *e)
{
	struct node *newer = nodes_find(&now->nodes, n->name);

	if (!newer) {
		if (spec_check_removed(now, n, e) < 0)
			return -1;
		newer = nodes_find(&now->removed, n->name);
	}
	if (newer && strcmp(newer->ssh_host, n->ssh_host) == 0)
		keep_newer(then, n, now, newer);
	else if (!newer && node_key_on_host(then, n))
		mem_replace(&n->public_key, ""); /* the host says which */
	return 0;
}

/* Make @now, the mesh of the state, what it was @then; @then gets the rest. */
static int return_mesh(struct mesh *now, struct mesh *then, struct err *e)
{
	AUTO(strings_done) struct strings left = { 0 };

	if (now->key == KEY_ON_HOST)
		then->key = KEY_ON_HOST;
	for (size_t i = 0; i < then->nodes.len; i++)
		if (return_node(then, &then->nodes.items[i], now, e) < 0)
			return -1;
	/* nodes that came since leave, with a tombstone if they need one */
	for (size_t i = now->nodes.len; i-- > 0;) {
		AUTO(auto_free) char *name =
			mem_strdup(now->nodes.items[i].name);

		if (!nodes_find(&then->nodes, name))
			mesh_remove(now, name, &left);
	}
	for (size_t i = 0; i < then->nodes.len; i++)
		spec_drop_removed(now, &then->nodes.items[i]);
	/* what the user did not say stays as now: what is to be torn
	   down, who can open the state, which mesh it is, where we are */
	SWAP(then->removed, now->removed);
	SWAP(then->recipients, now->recipients);
	SWAP(then->jump_host_keys, now->jump_host_keys);
	SWAP(then->mesh_secret, now->mesh_secret);
	SWAP(then->former_secrets, now->former_secrets);
	SWAP(then->mesh_id, now->mesh_id);
	SWAP(then->local_hostname, now->local_hostname);
	if (then->serial < now->serial)
		then->serial = now->serial; /* else deploys refuse it */
	SWAP(*then, *now);
	return 0;
}

static int rollback(struct change_run *c, struct past *past,
		    const struct cmd_env *env, struct err *e)
{
	AUTO(mesh_done) struct mesh then = { 0 };
	AUTO(revision_done) struct revision v = { 0 };
	AUTO(auto_free) char *subject = NULL;
	struct mesh *now = change_mesh(c);
	bool same;

	if (past_read(past, env->args.items[0], &then, &v, e) < 0)
		return -1;
	if (now->mesh_id && then.mesh_id &&
	    strcmp(now->mesh_id, then.mesh_id) != 0)
		return err_set(e, ERR_INPUT, "revision '%.*s' has a state of "
			       "another mesh", REVISION_SHORT, v.id);
	if (conflicts_refuse(&then, e) < 0)
		return err_wrap(e, "revision '%.*s'", REVISION_SHORT, v.id);
	same = now->recipients.len == then.recipients.len;
	for (size_t i = 0; i < then.recipients.len && same; i++)
		same = strings_find(&now->recipients,
				    then.recipients.items[i]) >= 0;
	if (!same)
		note("the recipients stay as they are now, others than then");
	if (return_mesh(now, &then, e) < 0)
		return -1;
	subject = mem_printf("rollback to %.*s: %s", REVISION_SHORT, v.id,
			     v.subject);
	commit_subject(c->store, subject);
	return change_confirm(c, env, e);
}

int cmd_rollback(struct cmd_env *env)
{
	AUTO(change_done) struct change_run c = { 0 };
	AUTO(past_done) struct past past = { 0 };
	struct err e;

	if (past_unlock(env, &e) < 0 || change_begin(&c, env, &e) < 0 ||
	    past_open(&past, env, &e) < 0 || rollback(&c, &past, env, &e) < 0)
		return fail(&e);
	if (c.changes.len && !c.dry_run)
		put("'wgmesh plan' shows what it changes on the hosts\n");
	return EXIT_DONE;
}
