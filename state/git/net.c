/*
 * What goes to a remote through libgit2: its callbacks, fetch, push. What
 * failed is told by three: libgit2, the program that carries the connection,
 * and the other side; here they become one error.
 */
#include "state/git/net.h"

#include "base/text.h"

#include <string.h>

int net_init(struct net *n, struct repo *r, struct err *e)
{
	AUTO(auto_free) char *branch = repo_branch_ref(r);
	AUTO(auto_free) char *name = NULL;
	git_buf remote = { 0 };
	int rc;

	if (branch && git_branch_upstream_remote(&remote, r->git, branch) == 0)
		name = mem_strdup(remote.ptr);
	else
		name = mem_strdup("origin"); /* as git does without upstream */
	git_buf_dispose(&remote);
	memset(n, 0, sizeof *n);
	n->r = r;
	n->child.in = n->child.out = n->child.errors = -1;
	rc = git_remote_lookup(&n->remote, r->git, name);
	if (rc == GIT_ENOTFOUND || rc == GIT_EINVALIDSPEC)
		return err_set(e, ERR_INPUT, "the branch '%s' has no remote: "
			       "git remote add origin URL, git push -u origin "
			       "%s", repo_branch(r), repo_branch(r));
	if (rc < 0)
		return repo_fail(e, rc, "cannot read the remote '%s'", name);
	return 0;
}

void net_done(struct net *n)
{
	if (!n->r)
		return;
	git_remote_free(n->remote);
	child_end(&n->child);
	sbuf_done(&n->child.words);
	free(n->refusal);
}

int net_fail(struct net *n, int rc, const char *what, struct err *e)
{
	const git_error *last = git_error_last();
	AUTO(auto_free) char *name = text_escaped(git_remote_name(n->remote));
	AUTO(auto_free) char *words = NULL;

	if (n->failed) {
		*e = n->e;
		return err_wrap(e, "%s the remote '%s'", what, name);
	}
	if (!last || last->klass != GIT_ERROR_NET)
		return repo_fail(e, rc, "%s the remote '%s'", what, name);
	git_remote_disconnect(n->remote);
	words = child_words(&n->child);
	repo_fail_(e, rc, "%s the remote '%s'%s", what, name, words);
	/* OpenSSH's own words tell what the user is to mend */
	e->code = ERR_UNREACHABLE;
	if (strstr(words, "Permission denied"))
		e->code = ERR_AUTH;
	if (strstr(words, "Host key verification failed"))
		e->code = ERR_HOSTKEY;
	return -1;
}

/* git_push_negotiation: @src is what the ref is there, as it told us. */
static int check_expected(const git_push_update **updates, size_t len,
			  void *net)
{
	struct net *n = net;

	for (size_t i = 0; i < len; i++)
		if (n->expect && !git_oid_equal(&updates[i]->src, n->expect))
			n->moved = true;
	return n->moved ? GIT_EUSER : 0;
}

static int hear_refusal(const char *ref, const char *status, void *net)
{
	struct net *n = net;

	(void)ref;
	if (status && !n->refusal)
		n->refusal = text_escaped(status);
	return 0;
}

void net_callbacks(git_remote_callbacks *out, struct net *n)
{
	out->transport = net_transport;
	out->push_negotiation = check_expected;
	out->push_update_reference = hear_refusal;
	out->payload = n;
}

/*
 * The other side said no: because the ref moved, or by a rule of its own. git
 * has no codes for that; the words are those of receive-pack and of big
 * hosters.
 */
static int fail_refused(const struct net *n, struct err *e)
{
	static const char *const rules[] = { "hook", "denied", "prohibited",
					     "deny", "hidden", "protected",
					     "unpack" };
	enum err_code code = ERR_CONFLICT;

	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (strstr(n->refusal, rules[i]))
			code = ERR_REMOTE;
	return err_set(e, code, "the remote refuses the push of '%s': %s",
		       n->ref, n->refusal);
}

int net_push(struct net *n, const char *source, const char *ref,
	     const git_oid *expect, struct err *e)
{
	git_push_options how;
	AUTO(auto_free) char *spec = mem_printf("%s:%s", source, ref);
	const git_strarray specs = { &spec, 1 };
	int rc;

	git_push_options_init(&how, GIT_PUSH_OPTIONS_VERSION);
	net_callbacks(&how.callbacks, n);
	n->ref = ref;
	n->expect = expect;
	n->moved = false;
	rc = git_remote_push(n->remote, &specs, &how);
	if (n->moved || rc == GIT_ENONFASTFORWARD)
		return err_set(e, ERR_CONFLICT, "'%s' is another at the remote "
			       "by now", ref);
	if (n->refusal)
		return fail_refused(n, e);
	return rc < 0 ? net_fail(n, rc, "cannot push to", e) : 0;
}

int net_fetch(struct net *n, struct err *e)
{
	git_fetch_options how;
	int rc;

	git_fetch_options_init(&how, GIT_FETCH_OPTIONS_VERSION);
	net_callbacks(&how.callbacks, n);
	how.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	rc = git_remote_fetch(n->remote, NULL, &how, "fetch");
	return rc < 0 ? net_fail(n, rc, "cannot fetch from", e) : 0;
}

void repo_interrupt(bool on)
{
	child_interrupt(on);
}

int repo_push(struct repo *r, struct err *e)
{
	AUTO(net_done) struct net n = { 0 };
	AUTO(auto_free) char *branch = repo_branch_ref(r);
	git_buf there = { 0 };
	int ret;

	if (net_init(&n, r, e) < 0)
		return -1;
	if (!branch || git_branch_upstream_merge(&there, r->git, branch) < 0)
		return err_set(e, ERR_INPUT, "the branch '%s' has no upstream: "
			       "git push -u %s %s", repo_branch(r),
			       git_remote_name(n.remote), repo_branch(r));
	ret = net_push(&n, branch, there.ptr, NULL, e);
	git_buf_dispose(&there);
	if (ret < 0 && e->code == ERR_CONFLICT)
		return err_set(e, ERR_CONFLICT, "the remote '%s' has commits "
			       "that the branch '%s' has not: pull them first",
			       git_remote_name(n.remote), repo_branch(r));
	return ret;
}
