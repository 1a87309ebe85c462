/*
 * wgmesh history: who changed and deployed what, and when.
 */
#include "cmd/revision.h"

#include "base/num.h"
#include "base/text.h"

#include <limits.h>
#include <string.h>

/** So many commits are shown; `git log` has the others. */
#define COMMITS_MAX 1000
/** So many hosts of a deploy are named. */
#define HOSTS_SHOWN 20
/** Bytes of a subject and of an author that are shown. */
#define SUBJECT_SHOWN 200
#define AUTHOR_SHOWN 60

/*
 * "n1 n2", "n3 (unreachable)": an item for each host, with its reason. Any
 * commit can have such a trailer: a bracket that never closes is an item, too.
 */
static void hosts_of(const char *value, struct strings *out)
{
	for (const char *p = value; p && *p;) {
		size_t len;

		p += strspn(p, " ,;");
		len = strcspn(p, " ,;");
		if (p[len] == ' ' && p[len + 1] == '(')
			len += strcspn(p + len, ")") + 1;
		len = strnlen(p, len);
		if (len)
			vec_push(out, mem_strndup(p, len));
		p += len;
	}
}

/*
 * Older records name their mesh, newer ones the state's file: those of another
 * mesh in the same repository are none of ours.
 */
static void keep_ours(struct revisions *all)
{
	const char *ours = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < all->len && !ours; i++)
		if (all->items[i].changed)
			ours = trailers_find(&all->items[i].trailers,
					     TRAILER_MESH);
	for (size_t i = 0; i < all->len; i++) {
		struct revision *v = &all->items[i];
		const char *mesh = trailers_find(&v->trailers, TRAILER_MESH);

		if (!v->changed &&
		    !trailers_find(&v->trailers, TRAILER_STATE) &&
		    (!ours || !mesh || strcmp(mesh, ours) != 0))
			revision_done(v);
		else
			all->items[kept++] = *v;
	}
	all->len = kept;
}

/* ---- text ---- */

static void put_hosts(const char *label, const char *value)
{
	AUTO(strings_done) struct strings hosts = { 0 };

	hosts_of(value, &hosts);
	if (hosts.len)
		put("    %s:", label);
	for (size_t i = 0; i < hosts.len && i < HOSTS_SHOWN; i++)
		put("%s %s", i ? "," : "", hosts.items[i]);
	if (hosts.len > HOSTS_SHOWN)
		put(" and %zu more", hosts.len - HOSTS_SHOWN);
	put(hosts.len ? "\n" : "");
}

static void put_history(const struct revisions *all)
{
	for (size_t i = 0; i < all->len; i++) {
		const struct revision *v = &all->items[i];
		const struct trailers *t = &v->trailers;
		const char *command = trailers_find(t, TRAILER_COMMAND);
		AUTO(auto_free) char *author = revision_author(v);
		char when[REVISION_DATE];

		put("%.*s  %s  %-10.20s  %.*s: %.*s%s\n", REVISION_SHORT,
		    v->id, revision_date(v, when), command ? command : "-",
		    AUTHOR_SHOWN, author, SUBJECT_SHOWN, v->subject,
		    strlen(v->subject) > SUBJECT_SHOWN ? "..." : "");
		if (!trailers_find(t, TRAILER_DEPLOY))
			continue;
		put_hosts("converged", trailers_find(t, TRAILER_CONVERGED));
		put_hosts("failed", trailers_find(t, TRAILER_FAILED));
	}
	put(all->len ? "" : "no commits\n");
}

/* ---- JSON ---- */

static void json_failed(struct jout *j, const char *value)
{
	AUTO(auto_free) char *shown = text_escaped(value ? value : "");
	AUTO(strings_done) struct strings hosts = { 0 };

	hosts_of(shown, &hosts);
	jout_list(j, "failed");
	for (size_t i = 0; i < hosts.len; i++) {
		char *reason = strstr(hosts.items[i], " (");

		if (reason) {
			*reason = '\0';
			reason += 2;
			reason[strcspn(reason, ")")] = '\0';
		}
		jout_open(j, NULL);
		jout_text(j, "node", hosts.items[i]);
		jout_text(j, "reason", reason);
		jout_end(j);
	}
	jout_end(j);
}

/* The record of a deploy; trailers can be anybody's text, so it is escaped. */
static void json_deploy(struct jout *j, const struct trailers *t)
{
	static const char before[] = "serial ";
	const char *deploy = trailers_find(t, TRAILER_DEPLOY);
	const char *converged = trailers_find(t, TRAILER_CONVERGED);
	AUTO(auto_free) char *shown = text_escaped(converged ? converged : "");
	AUTO(strings_done) struct strings hosts = { 0 };
	long serial;

	if (!deploy) {
		jout_text(j, "deploy", NULL);
		return;
	}
	hosts_of(shown, &hosts);
	jout_open(j, "deploy");
	if (strncmp(deploy, before, sizeof before - 1) == 0 &&
	    num_parse(&serial, deploy + sizeof before - 1, 0, LONG_MAX))
		jout_number(j, "serial", serial);
	else
		jout_text(j, "serial", NULL);
	jout_strings(j, "converged", &hosts);
	json_failed(j, trailers_find(t, TRAILER_FAILED));
	jout_end(j);
}

static void put_history_json(const struct revisions *all, bool more)
{
	struct jout *j = jout_new();

	jout_list(j, "commits");
	for (size_t i = 0; i < all->len; i++) {
		jout_open(j, NULL);
		revision_json(j, &all->items[i]);
		jout_bool(j, "changed", all->items[i].changed);
		jout_bool(j, "merge", all->items[i].merge);
		json_deploy(j, &all->items[i].trailers);
		jout_end(j);
	}
	jout_end(j);
	jout_bool(j, "more", more);
	jout_print(j);
}

int cmd_history(struct cmd_env *env)
{
	AUTO(past_done) struct past past;
	AUTO(revisions_done) struct revisions all = { 0 };
	struct err e;
	bool more;

	if (past_open(&past, env, &e) < 0 ||
	    repo_log(past.repo, NULL, COMMITS_MAX, &all, &e) < 0)
		return fail(&e);
	more = all.len == COMMITS_MAX;
	keep_ours(&all);
	if (env->options.json)
		put_history_json(&all, more);
	else
		put_history(&all);
	if (more)
		note("older commits are not shown: 'git log' has them");
	return EXIT_DONE;
}
