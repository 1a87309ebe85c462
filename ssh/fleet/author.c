/*
 * Who deployed a host last: its marker has a proof that only who has the secret
 * of the mesh can make. A host cannot invent a newer state, and a state that
 * somebody else made is refused by the hosts.
 */
#include "ssh/fleet/internal.h"

#include "render/owner.h"

#include <inttypes.h>
#include <string.h>

/* Is the marker's proof made with @s? For the key of then, or of now. */
static bool proves(const struct host *h, const struct secret *s)
{
	const struct observed *o = &h->observed;
	const char *const keys[] = { h->node->public_key, o->public_key,
				     o->boot_public_key, o->host_key };
	char proof[PROOF_HEX + 1];
	struct err ignored;

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (wgkey_is_set(keys[i]) &&
		    proof_make(proof, s, o->boot_mesh_id, o->boot_serial,
			       keys[i], &ignored) == 0 &&
		    strcmp(proof, o->boot_proof) == 0)
			return true;
	return false;
}

static bool is_newer(const struct fleet *f, const struct host *h)
{
	return owner_marked(f->mesh, &h->observed) &&
	       h->observed.boot_serial > f->mesh->serial;
}

/* A host that claims what it cannot prove, or that is another author's. */
static int refuse_author(const struct fleet *f, const struct host *h,
			 struct err *e)
{
	const struct fleet_options *o = &f->options;
	const char *how = h->author == AUTHOR_FORMER
				  ? "by a former secret of the mesh"
				  : "without proof";

	if (h->author == AUTHOR_OTHER && !o->adopt) {
		err_set(e, ERR_CONFLICT, "another author deployed it: the "
			"proof in its marker is not made with a secret of this "
			"state, which may be older, or somebody else's");
		return err_advise(e, ADVICE_OTHER_AUTHOR, NULL);
	}
	if (h->author != AUTHOR_OURS && h->author != AUTHOR_OTHER &&
	    is_newer(f, h) && !o->force_serial) {
		err_set(e, ERR_CONFLICT, "its marker claims serial %" PRIu64
			" %s, and this state has %" PRIu64 ": if there is a "
			"newer state, get that first",
			h->observed.boot_serial, how, f->mesh->serial);
		return err_advise(e, ADVICE_NEWER_STATE, NULL);
	}
	return 0;
}

void fleet_judge_authors(struct fleet *f)
{
	const struct mesh *m = f->mesh;

	for (size_t i = 0; i < f->hosts.len; i++) {
		struct host *h = &f->hosts.items[i];
		const struct observed *o = &h->observed;

		if (!h->has_observed || h->result != HOST_OPEN)
			continue;
		if (o->boot != BOOT_MARKED || !o->boot_proof)
			h->author = AUTHOR_UNKNOWN;
		else if (proves(h, &m->mesh_secret))
			h->author = AUTHOR_OURS;
		else
			h->author = AUTHOR_OTHER;
		for (size_t k = 0; k < m->former_secrets.len &&
				   h->author == AUTHOR_OTHER; k++)
			if (proves(h, &m->former_secrets.items[k]))
				h->author = AUTHOR_FORMER;
		if (refuse_author(f, h, &h->err) < 0)
			fleet_host_failed(f, h);
	}
}

bool fleet_has_others(const struct fleet *f)
{
	for (size_t i = 0; i < f->hosts.len; i++)
		if (f->hosts.items[i].author == AUTHOR_OTHER)
			return true;
	return false;
}

bool fleet_has_unproven(const struct fleet *f)
{
	for (size_t i = 0; i < f->hosts.len; i++) {
		const struct host *h = &f->hosts.items[i];

		if (h->result == HOST_TO_CHANGE && h->author != AUTHOR_OURS &&
		    h->author != AUTHOR_FORMER)
			return true;
	}
	return false;
}

bool fleet_marker_is_old(const struct fleet *f, const struct host *h)
{
	return h->observed.boot == BOOT_MARKED &&
	       (h->author == AUTHOR_OTHER ||
		(f->mesh->mesh_secret.len && h->author != AUTHOR_OURS));
}

bool fleet_is_stale(const struct fleet *f, struct err *why)
{
	const struct host *newest = NULL;
	uint64_t serial = f->mesh->serial;
	size_t n = 0;

	for (size_t i = 0; i < f->hosts.len; i++) {
		const struct host *h = &f->hosts.items[i];

		if (!h->has_observed || h->author != AUTHOR_OURS ||
		    !is_newer(f, h))
			continue;
		n++;
		if (h->observed.boot_serial > serial) {
			newest = h;
			serial = h->observed.boot_serial;
		}
	}
	if (!newest)
		return false;
	err_set(why, ERR_CONFLICT, "host '%s'%s was deployed from a newer "
		"state (serial %" PRIu64 ", this one has %" PRIu64 "): 'git "
		"pull' or else get that state first", newest->name,
		n > 1 ? " and others" : "", serial, f->mesh->serial);
	err_advise(why, ADVICE_NEWER_STATE, NULL);
	return true;
}

int fleet_refuse_stale(const struct fleet *f, bool writes, struct err *e)
{
	struct err why;

	if (!fleet_is_stale(f, &why))
		return 0;
	if (writes && !f->options.force_serial) {
		*e = why;
		return err_wrap(e, "nothing was changed");
	}
	f->voice->warn(&why);
	return 0;
}

int proof_sign(struct desired *d, struct err *e)
{
	const struct mesh *m = d->mesh;

	*d->proof = '\0';
	if (!m->mesh_secret.len || !m->mesh_id)
		return 0;
	return proof_make(d->proof, &m->mesh_secret, m->mesh_id, m->serial,
			  d->node->public_key, e);
}
