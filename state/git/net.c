/*
 * What goes to a remote, through the git program: its ways, proxies and
 * credential helpers are the user's, and hold here as they do there. Nothing
 * but what is asked for goes on: no tags, submodules, hooks, maintenance.
 */
#include "state/git/net.h"

#include "base/text.h"
#include "state/git/child.h"

#include <string.h>

int net_init(struct net *n, struct repo *r, struct err *e)
{
	AUTO(auto_free) char *branch = repo_branch_ref(r);
	AUTO(auto_git_remote_free) git_remote *remote = NULL;
	git_buf name = { 0 }, there = { 0 };
	int rc;

	memset(n, 0, sizeof *n);
	n->r = r;
	/* without upstream origin, as git has it */
	n->remote = mem_strdup(branch && git_branch_upstream_remote(
						 &name, r->git, branch) == 0
				       ? name.ptr : "origin");
	n->upstream = mem_strdup(branch && git_branch_upstream_merge(
						   &there, r->git, branch) == 0
					 ? there.ptr : "");
	git_buf_dispose(&name);
	git_buf_dispose(&there);
	rc = git_remote_lookup(&remote, r->git, n->remote);
	if (rc == GIT_ENOTFOUND || rc == GIT_EINVALIDSPEC)
		return err_set(e, ERR_INPUT, "the branch '%s' has no remote: "
			       "git remote add origin URL, git push -u origin "
			       "%s", repo_branch(r), repo_branch(r));
	if (rc < 0)
		return repo_fail(e, rc, "cannot read the remote '%s'",
				 n->remote);
	return 0;
}

void net_done(struct net *n)
{
	free(n->remote);
	free(n->upstream);
}

/*
 * "git ... @words": what git's config could add to that is turned off, one pack
 * for all that comes lets CHILD_FILE_MAX bound the whole, and an address can
 * name no program (ext::).
 */
static int run_git(struct child *c, struct net *n, const char *const words[],
		   struct err *e)
{
	static const char *const settings[] = {
		"fetch.unpackLimit=1", "fetch.writeCommitGraph=false",
		"maintenance.auto=false", "submodule.recurse=false",
		"color.ui=false", "color.remote=false",
	};
	static const char *const alone[] = {
		"LC_ALL=C", "GIT_ALLOW_PROTOCOL=file:http:https:ssh",
		"GIT_TERMINAL_PROMPT=0", NULL
	};
	static const char *const asked[] = {
		"LC_ALL=C", "GIT_ALLOW_PROTOCOL=file:http:https:ssh", NULL
	};
	int status;

	c->set = isatty(STDIN_FILENO) ? asked : alone;
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		strings_add(&c->argv, "-c");
		strings_add(&c->argv, settings[i]);
	}
	strings_add(&c->argv, "-c");
	strings_printf(&c->argv, "remote.%s.mirror=false", n->remote);
	status = repo_git(c, n->r, words, e);
	return status < 0 ? err_advise(e, ADVICE_NONE, NULL) : status;
}

/* Take the lines out of what git said that say nothing, or are for others. */
static void drop_noise(struct sbuf *words)
{
	static const char *const noise[] = {
		"hint: ", "error: failed to push some refs", "Total ",
		"remote: Total ", "Delta compression using ",
		"fatal: Could not read from remote repository",
		"Please make sure you have the correct access rights",
		"and the repository exists.",
	};
	AUTO(auto_free) char *text = mem_strdup(sbuf_str(words));
	struct view rest = VIEW(text, strlen(text)), line;

	sbuf_clear(words);
	while (view_line(&rest, &line)) {
		bool drop = view_is(line, "remote: ");

		for (size_t i = 0; i < sizeof noise / sizeof *noise; i++)
			drop |= view_begins(line, noise[i]);
		if (drop)
			continue;
		sbuf_add(words, line.at, line.len);
		sbuf_putc(words, '\n');
	}
}

/* The program failed: which kind of failure is told by its words alone. */
static int fail(struct net *n, struct child *c, const char *what,
		struct err *e)
{
	static const struct {
		const char *words;
		enum err_code code;
	} kinds[] = {
		{ "Host key verification failed", ERR_HOSTKEY },
		{ "Permission denied", ERR_AUTH },
		{ "Authentication failed", ERR_AUTH },
		{ "could not read Username", ERR_AUTH },
		{ "could not read Password", ERR_AUTH },
		{ "returned error: 403", ERR_AUTH },
		{ "' not allowed", ERR_INPUT }, /* the transport */
		{ "' blocked", ERR_INPUT },     /* a strange host, or path */
		{ "Unable to find remote helper", ERR_INPUT },
	};
	AUTO(auto_free) char *name = text_escaped(n->remote);
	AUTO(auto_free) char *words = NULL;
	enum err_code code = ERR_UNREACHABLE;

	drop_noise(&c->words);
	words = child_words(c);
	for (size_t i = sizeof kinds / sizeof *kinds; i > 0; i--)
		if (strstr(words, kinds[i - 1].words))
			code = kinds[i - 1].code;
	if (code == ERR_INPUT)
		return err_set(e, code, "the remote '%s' has an address that "
			       "cannot be used, expected https://HOST/PATH, "
			       "ssh://HOST/PATH, HOST:PATH, or a path on this "
			       "machine%s", name, words);
	return err_set(e, code, "%s the remote '%s'%s", what, name, words);
}

int net_fetch(struct net *n, const char *refspec, bool *found, struct err *e)
{
	const char *const words[] = {
		"fetch", "--progress", "--no-tags", "--no-prune",
		"--no-recurse-submodules", "--no-write-fetch-head",
		/* or what is so anyway */
		n->whole ? "--unshallow" : "--no-keep", "--", n->remote,
		refspec, NULL
	};
	AUTO(child_done) struct child c = { 0 };
	int status = run_git(&c, n, words, e);

	if (status < 0)
		return -1;
	*found = status == 0;
	if (status && !strstr(sbuf_str(&c.words), "couldn't find remote ref"))
		return fail(n, &c, "cannot fetch from", e);
	return 0;
}

/*
 * The other side said no, in @why: because the ref moved, or by a rule of its
 * own. git has no codes for that; the words are those of receive-pack.
 */
static int fail_refused(struct child *c, const char *ref, struct view why,
			struct err *e)
{
	static const char *const moved[] = {
		"lock ref", "failed to lock", "failed to update ref",
		"old value", "already exists", "fetch first",
		"non-fast-forward", "stale info", "reference update",
	};
	AUTO(sbuf_done) struct sbuf shown = SBUF_INIT;
	AUTO(auto_free) char *words = NULL;
	enum err_code code = ERR_REMOTE;

	text_escape(&shown, (const char *)why.at, why.len, false);
	for (size_t i = 0; i < sizeof moved / sizeof *moved; i++)
		if (strstr(sbuf_str(&shown), moved[i]))
			code = ERR_CONFLICT;
	/* "remote: ...": which rule, and what it wants, is told there alone */
	drop_noise(&c->words);
	words = child_words(c);
	return err_set(e, code, "the remote refuses the push of '%s': %s%s",
		       ref, sbuf_str(&shown), words);
}

/* What became of the ref: a line "FLAG\tFROM:TO\tSUMMARY (REASON)". */
static int judge_push(struct net *n, struct child *c, const char *ref,
		      struct err *e)
{
	struct view rest = VIEW(sbuf_str(&c->out), c->out.len), line;

	while (view_line(&rest, &line)) {
		if (!view_begins(line, "!\t"))
			continue;
		for (size_t tabs = 0; line.len && tabs < 2; line.len--)
			tabs += *line.at++ == '\t';
		if (view_begins(line, "[rejected]"))
			return err_set(e, ERR_CONFLICT, "'%s' is another at "
				       "the remote by now", ref);
		if (view_begins(line, "[remote rejected]"))
			return fail_refused(c, ref, line, e);
	}
	return fail(n, c, "cannot push to", e);
}

int net_push(struct net *n, const char *source, const char *ref,
	     const char *expect, struct err *e)
{
	AUTO(auto_free) char *spec = mem_printf("%s:%s", source, ref);
	AUTO(auto_free) char *lease =
		expect ? mem_printf("--force-with-lease=%s:%s", ref, expect)
		       : mem_strdup("--no-force-with-lease");
	/* one ref is changed as a whole: no --atomic, which not all offer */
	const char *const words[] = {
		"push", "--porcelain", "--progress", "--no-follow-tags",
		"--recurse-submodules=no", lease, "--", n->remote, spec, NULL
	};
	AUTO(child_done) struct child c = { 0 };
	int status = run_git(&c, n, words, e);

	return status > 0 ? judge_push(n, &c, ref, e) : status;
}

void repo_interrupt(bool on)
{
	child_interrupt(on);
}

int repo_push(struct repo *r, struct err *e)
{
	AUTO(net_done) struct net n = { 0 };
	AUTO(auto_free) char *branch = repo_branch_ref(r);

	if (!branch)
		return err_set(e, ERR_CONFLICT, "HEAD is detached, no branch "
			       "can be pushed: git switch BRANCH");
	if (net_init(&n, r, e) < 0)
		return -1;
	if (!*n.upstream)
		return err_set(e, ERR_INPUT, "the branch '%s' has no upstream: "
			       "git push -u %s %s", repo_branch(r), n.remote,
			       repo_branch(r));
	if (net_push(&n, branch, n.upstream, NULL, e) == 0)
		return 0;
	if (e->code == ERR_CONFLICT)
		return err_set(e, ERR_CONFLICT, "the remote '%s' has commits "
			       "that the branch '%s' has not: pull them first",
			       n.remote, repo_branch(r));
	return -1;
}
