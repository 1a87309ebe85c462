/*
 * A deploy as a commit of its own: which hosts have what the state says. The
 * commit changes no file; `history` reads it by its trailers.
 */
#include "cmd/team.h"

#include "cmd/commit.h"

#include <string.h>

/* The hosts of a deploy, as its record has them. */
struct outcome {
	struct strings converged; /* names, sorted */
	struct sbuf failed;       /* "n3 (unreachable), n4 (failed)" */
	struct strings lines;     /* what else the message says */
	size_t hosts, fine, changed;
};

static void outcome_done(struct outcome *o)
{
	strings_done(&o->converged);
	strings_done(&o->lines);
	sbuf_done(&o->failed);
}

static void outcome_make(struct outcome *o, const struct fleet *f)
{
	o->hosts = f->hosts.len;
	for (size_t i = 0; i < f->hosts.len; i++) {
		const struct host *h = &f->hosts.items[i];

		o->changed += h->result == HOST_CHANGED;
		if (h->result != HOST_CHANGED && h->result != HOST_UNCHANGED) {
			sbuf_printf(&o->failed, "%s%s (%s)",
				    o->failed.len ? ", " : "", h->name,
				    fleet_result_name(h->result));
			continue;
		}
		o->fine++;
		if (h->removed) /* no node of the mesh any more */
			vec_push(&o->lines,
				 mem_printf("- node %s: off its host",
					    h->name));
		else
			strings_add(&o->converged, h->name);
	}
	strings_sort(&o->converged);
}

/*
 * Is what git has last about the state a record of just these hosts? The
 * trailer may name more: a deploy of a few of them adds nothing to it.
 */
static bool is_recorded(struct repo *r, const struct mesh *m,
			const struct outcome *o)
{
	AUTO(revisions_done) struct revisions all = { 0 };
	AUTO(auto_free) char *names = NULL;
	char *rest, *name;
	struct err ignored;
	size_t recorded = 0;

	if (repo_log(r, m->mesh_id, 1, &all, &ignored) < 0 || !all.len ||
	    all.items[0].changed)
		return false;
	names = mem_strdup(trailers_find(&all.items[0].trailers,
					 TRAILER_CONVERGED));
	rest = names;
	while ((name = strsep(&rest, " ")))
		if (o->converged.len &&
		    bsearch(&name, o->converged.items, o->converged.len,
			    sizeof name, strings_compare))
			recorded++;
	return recorded == o->converged.len;
}

static bool is_due(struct store *s, const struct outcome *o)
{
	struct repo *r = NULL;
	struct err ignored;
	bool due = false;

	if (o->hosts == 0 || repo_open(&r, store_file(s), &ignored) < 0 || !r)
		return false;
	/* git need not have it yet: then it has no history to add to */
	if (repo_read(r, "HEAD", NULL, NULL, &ignored) == 0)
		due = o->changed || o->failed.len ||
		      !is_recorded(r, store_mesh(s), o);
	repo_close(r);
	return due;
}

int team_record(struct team *t, const struct fleet *f, struct store *s,
		struct err *e)
{
	AUTO(outcome_done) struct outcome o = { 0 };
	AUTO(trailers_done) struct trailers trailers = { 0 };
	AUTO(sbuf_done) struct sbuf names = SBUF_INIT;
	AUTO(auto_free) char *how = NULL, *subject = NULL;

	t->recorded = true; /* the facts of the deploy are a commit, too */
	if (!store_follower(s))
		return 0;
	outcome_make(&o, f);
	if (!is_due(s, &o))
		return 0;
	how = mem_printf("%zu of %zu host%s", o.fine, o.hosts,
			 o.hosts == 1 ? "" : "s");
	subject = mem_printf("deploy: %s", how);
	trailers_add(&trailers, TRAILER_DEPLOY, how);
	for (size_t i = 0; i < o.converged.len; i++)
		sbuf_printf(&names, "%s%s", i ? " " : "", o.converged.items[i]);
	if (names.len)
		trailers_add(&trailers, TRAILER_CONVERGED, sbuf_str(&names));
	if (o.failed.len)
		trailers_add(&trailers, TRAILER_FAILED, sbuf_str(&o.failed));
	return commit_record(s, subject, &o.lines, &trailers, e);
}
