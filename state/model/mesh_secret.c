/*
 * The secret of a mesh and the former ones: made, changed, compared. Former
 * ones are kept because a copy of the state from before a change, in a branch
 * or with a colleague, must still be known for one of this mesh.
 */
#include "state/model/mesh_secret.h"

#include "vault/proof.h"

int mesh_secret_make(struct mesh *m, struct err *e)
{
	return m->mesh_secret.len ? 0 : proof_secret_new(&m->mesh_secret, e);
}

bool mesh_secret_is_former(const struct mesh *m, const struct secret *s)
{
	for (size_t i = 0; i < m->former_secrets.len; i++)
		if (secret_equal(&m->former_secrets.items[i], s))
			return true;
	return false;
}

/* Remember a copy, once; the oldest go. */
static void add_former(struct mesh *m, const struct secret *s)
{
	if (!s->len || secret_equal(s, &m->mesh_secret) ||
	    mesh_secret_is_former(m, s))
		return;
	secret_copy(vec_add(&m->former_secrets), s);
	if (m->former_secrets.len <= FORMER_SECRETS_MAX)
		return;
	secret_done(&m->former_secrets.items[0]);
	vec_remove(&m->former_secrets, 0);
}

/* Without random bytes the old one stays: no secret would be worse. */
int mesh_secret_change(struct mesh *m, struct err *e)
{
	struct secret old = m->mesh_secret;

	if (!old.len)
		return 0;
	m->mesh_secret = (struct secret){ 0 };
	if (mesh_secret_make(m, e) < 0) {
		m->mesh_secret = old;
		return -1;
	}
	add_former(m, &old);
	secret_done(&old);
	return 0;
}

/*
 * Who knows the other's secret among its former ones has it from there, and is
 * the newer. A side that has none though the base had one was cut down by
 * somebody.
 */
enum secrets_relation mesh_secrets_relate(const struct mesh *base,
					  const struct mesh *ours,
					  const struct mesh *theirs)
{
	const struct secret *o = &ours->mesh_secret, *t = &theirs->mesh_secret;

	if (secret_equal(o, t))
		return SECRETS_SAME;
	if (!o->len)
		return base->mesh_secret.len ? SECRETS_FOREIGN : SECRETS_FIRST;
	if (!t->len)
		return base->mesh_secret.len ? SECRETS_FOREIGN : SECRETS_OLDER;
	if (mesh_secret_is_former(theirs, o))
		return SECRETS_NEWER;
	return mesh_secret_is_former(ours, t) ? SECRETS_OLDER
					      : SECRETS_FOREIGN;
}

void mesh_secrets_merge(struct mesh *out, const struct mesh *ours,
			const struct mesh *theirs)
{
	const struct secret *o = &ours->mesh_secret, *t = &theirs->mesh_secret;
	/* theirs, unless we have changed it since: see SECRETS_OLDER */
	bool keep = !t->len || mesh_secret_is_former(ours, t);

	secret_copy(&out->mesh_secret, keep ? o : t);
	for (size_t i = 0; i < theirs->former_secrets.len; i++)
		add_former(out, &theirs->former_secrets.items[i]);
	for (size_t i = 0; i < ours->former_secrets.len; i++)
		add_former(out, &ours->former_secrets.items[i]);
	add_former(out, keep ? t : o);
}
