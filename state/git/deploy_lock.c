/*
 * The deploy lock: a ref at the remote that names a commit which says whose it
 * is. Who makes the ref has the lock; it is removed only as what it was.
 * Nothing is needed there but that refs change by compare-and-swap, as any git
 * has it.
 */
#include "state/git/net.h"

#include "base/random.h"
#include "base/text.h"
#include "vault/crypto/digest.h"

#include <string.h>

#define TRAILER_OWNER "Wgmesh-Owner"
#define TRAILER_NONCE "Wgmesh-Nonce"

void repo_lock_done(struct repo_lock *l)
{
	free(l->owner);
	memset(l, 0, sizeof *l);
}

/*
 * "refs/wgmesh/lock/" and a digest of the id, which a sealed state keeps from
 * who can read the repository; NULL with INPUT for what is no id.
 */
static char *lock_ref(const char *mesh_id, struct err *e)
{
	AUTO(auto_free) char *text = mem_printf("wgmesh lock %s", mesh_id);
	char digest[DIGEST_HEX + 1];

	digest_sha256(text, strlen(text), digest);
	if (strspn(mesh_id, "0123456789abcdef") == 32 && !mesh_id[32])
		return mem_printf("refs/wgmesh/lock/%.32s", digest);
	err_set(e, ERR_INPUT, "the mesh has no id that a lock could have");
	return NULL;
}

/*
 * A commit without files that nobody's branch has. Two locks of one owner in
 * one second are two commits: each has a nonce.
 */
static int make_lock_commit(git_oid *out, struct repo *r, const char *owner,
			    struct err *e)
{
	AUTO(auto_git_signature_free) git_signature *who = NULL;
	AUTO(auto_git_tree_free) git_tree *tree = NULL;
	AUTO(trailers_done) struct trailers t = { 0 };
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	const struct message m = { "deploy lock", NULL, &t };
	const git_oid none = { { 0 } };
	struct err ignored;
	char nonce[33];
	int rc;

	if (random_hex(nonce, sizeof nonce - 1, e) < 0)
		return -1;
	trailers_add(&t, TRAILER_OWNER, owner);
	trailers_add(&t, TRAILER_NONCE, nonce);
	message_write(&text, &m);
	if (repo_tree_with(&tree, r, NULL, &none, 0, e) < 0)
		return -1;
	/* @owner says who it is: a machine without a user.name deploys, too */
	if (repo_committer(&who, r, &ignored) < 0 &&
	    git_signature_now(&who, "wgmesh", "wgmesh@localhost") < 0)
		return repo_fail(e, -1, "cannot make a lock");
	rc = git_commit_create(out, r->git, NULL, who, who, NULL, text.s, tree,
			       0, NULL);
	return rc < 0 ? repo_fail(e, rc, "cannot make a lock") : 0;
}

/* What the commit of a lock says. */
static int read_lock(struct repo_lock *out, struct repo *r, const git_oid *id,
		     struct err *e)
{
	AUTO(auto_git_commit_free) git_commit *commit = NULL;
	AUTO(trailers_done) struct trailers t = { 0 };
	const char *owner;
	int rc = git_commit_lookup(&commit, r->git, id);

	if (rc < 0)
		return repo_fail(e, rc, "cannot read a lock");
	message_trailers(&t, git_commit_message(commit));
	owner = trailers_find(&t, TRAILER_OWNER);
	git_oid_tostr(out->id, sizeof out->id, id);
	out->owner = mem_strdup(owner ? owner : "somebody");
	out->since = git_commit_time(commit);
	return 0;
}

int repo_lock_show(struct repo *r, const char *mesh_id,
		   struct repo_lock *out, struct err *e)
{
	AUTO(auto_free) char *ref = lock_ref(mesh_id, e);
	AUTO(auto_git_reference_free) git_reference *seen = NULL;
	AUTO(auto_free) char *here = NULL;
	AUTO(auto_free) char *refspec = NULL;
	AUTO(net_done) struct net n = { 0 };
	char nonce[33];
	bool found;
	int ret, rc;

	if (!ref || net_init(&n, r, e) < 0 ||
	    random_hex(nonce, sizeof nonce - 1, e) < 0)
		return -1;
	/* a pattern, which may match nothing: one connection tells it all */
	here = mem_printf("refs/wgmesh/seen/%s", nonce);
	refspec = mem_printf("+%s*:%s*", ref, here);
	if (net_fetch(&n, refspec, &found, e) < 0)
		return -1;
	memset(out, 0, sizeof *out);
	rc = git_reference_lookup(&seen, r->git, here);
	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc < 0 || !git_reference_target(seen))
		return repo_fail(e, rc, "cannot read a lock");
	ret = read_lock(out, r, git_reference_target(seen), e);
	git_reference_delete(seen);
	return ret;
}

/* CONFLICT that says who has it; by now it may be nobody. */
static int refuse_taken(struct repo *r, const char *mesh_id, struct err *e)
{
	AUTO(repo_lock_done) struct repo_lock l = { 0 };
	AUTO(auto_free) char *owner = NULL;
	long long age;

	if (repo_lock_show(r, mesh_id, &l, e) < 0)
		return -1;
	if (!*l.id)
		return err_set(e, ERR_CONFLICT, "another deploy of this mesh "
			       "had the lock at the remote until now: try "
			       "again");
	owner = text_escaped(l.owner);
	age = (long long)time(NULL) - l.since;
	return err_set(e, ERR_CONFLICT, "another deploy of this mesh has the "
		       "lock at the remote: %.200s, since %lld s", owner,
		       age > 0 ? age : 0);
}

int repo_lock_take(struct repo *r, const char *mesh_id, const char *owner,
		   struct repo_lock *out, struct err *e)
{
	AUTO(auto_free) char *ref = lock_ref(mesh_id, e);
	AUTO(net_done) struct net n = { 0 };
	char text[REPO_ID_TEXT];
	git_oid id;

	if (!ref || net_init(&n, r, e) < 0 ||
	    make_lock_commit(&id, r, owner, e) < 0)
		return -1;
	git_oid_tostr(text, sizeof text, &id);
	if (net_push(&n, text, ref, "", e) < 0)
		return e->code == ERR_CONFLICT ? refuse_taken(r, mesh_id, e)
					       : -1;
	return read_lock(out, r, &id, e);
}

int repo_unlock(struct repo *r, const char *mesh_id,
		const struct repo_lock *l, struct err *e)
{
	AUTO(auto_free) char *ref = lock_ref(mesh_id, e);
	AUTO(net_done) struct net n = { 0 };
	git_oid id;

	if (!ref || net_init(&n, r, e) < 0)
		return -1;
	if (git_oid_fromstr(&id, l->id) < 0 || git_oid_is_zero(&id))
		return err_set(e, ERR_INPUT, "there is no such lock");
	if (net_push(&n, "", ref, l->id, e) == 0)
		return 0;
	if (e->code == ERR_CONFLICT)
		return err_set(e, ERR_CONFLICT, "the lock at the remote is "
			       "gone, or another one by now");
	return -1;
}
