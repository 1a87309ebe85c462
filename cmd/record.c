/*
 * A deploy as a commit of its own: which hosts have what the state says.
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

static void add_host(struct outcome *o, const struct host *h)
{
	const char *name = h->name;

	o->hosts++;
	o->changed += h->result == HOST_CHANGED;
	if (h->result != HOST_CHANGED && h->result != HOST_UNCHANGED) {
		sbuf_printf(&o->failed, "%s%s (%s)", o->failed.len ? ", " : "",
			    name, fleet_result_name(h->result));
		return;
	}
	o->fine++;
	if (h->removed) {
		AUTO(auto_free) char *line =
			mem_printf("- node %s: off its host", name);

		strings_add(&o->lines, line);
	} else {
		strings_add(&o->converged, name);
	}
}

static void outcome_make(struct outcome *o, const struct fleet *f)
{
	for (size_t i = 0; i < f->hosts.len; i++)
		add_host(o, &f->hosts.items[i]);
	strings_sort(&o->converged);
}

/* Does the record @v name all hosts of @o? */
static bool names_all(const struct revision *v, const struct outcome *o)
{
	AUTO(auto_free) char *names =
		mem_strdup(trailers_find(&v->trailers, TRAILER_CONVERGED));
	char *rest = names;
	char *name;
	size_t found = 0;

	while ((name = strsep(&rest, " ")))
		if (o->converged.len &&
		    bsearch(&name, o->converged.items, o->converged.len,
			    sizeof name, strings_compare))
			found++;
	return found == o->converged.len;
}

/* Is what git has last about the state a record of just this? */
static bool is_recorded(struct repo *r, const struct mesh *m,
			const struct outcome *o)
{
	AUTO(revisions_done) struct revisions all = { 0 };
	struct err ignored;

	if (repo_log(r, m->mesh_id, 1, &all, &ignored) < 0 || !all.len)
		return false;
	return !all.items[0].changed && names_all(&all.items[0], o);
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

static int commit(struct store *s, const struct outcome *o, struct err *e)
{
	AUTO(trailers_done) struct trailers trailers = { 0 };
	AUTO(sbuf_done) struct sbuf names = SBUF_INIT;
	AUTO(auto_free) char *how = mem_printf("%zu of %zu host%s", o->fine,
					       o->hosts,
					       o->hosts == 1 ? "" : "s");
	AUTO(auto_free) char *subject = mem_printf("deploy: %s", how);

	trailers_add(&trailers, TRAILER_DEPLOY, how);
	for (size_t i = 0; i < o->converged.len; i++)
		sbuf_printf(&names, "%s%s", i ? " " : "",
			    o->converged.items[i]);
	if (names.len)
		trailers_add(&trailers, TRAILER_CONVERGED, sbuf_str(&names));
	if (o->failed.len)
		trailers_add(&trailers, TRAILER_FAILED, sbuf_str(&o->failed));
	return commit_record(s, subject, &o->lines, &trailers, e);
}

int team_record(struct team *t, const struct fleet *f, struct store *s,
		struct err *e)
{
	AUTO(outcome_done) struct outcome o = { 0 };

	t->recorded = true;
	if (!store_follower(s))
		return 0;
	outcome_make(&o, f);
	return is_due(s, &o) ? commit(s, &o, e) : 0;
}
