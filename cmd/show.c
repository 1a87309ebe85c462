/*
 * wgmesh show: what is said of a node, and what follows from it.
 */
#include "cmd/cmd.h"

#include "cmd/change.h"
#include "cmd/revision.h"
#include "cmd/show.h"
#include "ssh/session/remote.h"
#include "state/model/model.h"
#include "state/yaml/yaml.h"

#include <string.h>

static void pins_of(const struct node *n, struct strings *out)
{
	for (size_t i = 0; i < n->ssh_host_keys.len; i++) {
		const char *line = n->ssh_host_keys.items[i];
		AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
		struct err e;

		sbuf_printf(&text, "%.*s ", (int)strcspn(line, " "), line);
		if (remote_fingerprint(line, &text, &e) < 0)
			sbuf_puts(&text, "(no host key)");
		strings_add(out, sbuf_str(&text));
	}
}

/* For each peer: the policies that make it one. */
static void reasons_of(struct shown *s, const struct access *a)
{
	const struct mesh *m = s->d.mesh;
	size_t self = (size_t)(s->d.node - m->nodes.items);
	AUTO(auto_free) uint8_t *flags = mem_calloc(m->nodes.len, 1);

	s->reasons = mem_calloc(s->d.peers.len + 1, sizeof *s->reasons);
	for (size_t p = 0; p < m->policies.len; p++) {
		access_by_policy(a, p, self, flags);
		for (size_t i = 0, k = 0; i < s->d.peers.len; i++) {
			const char *name = s->d.peers.items[i].name;

			while (strcmp(m->nodes.items[k].name, name) != 0)
				k++;
			if (flags[k])
				strings_add(&s->reasons[i],
					    m->policies.items[p].name);
		}
	}
}

static void collect(struct shown *s, const struct mesh *m,
		    const struct node *n)
{
	struct access *a = access_new(m);

	desired_compute(&s->d, m, a, n);
	reasons_of(s, a);
	access_free(a);
	access_groups_of(m, n->name, &s->groups);
	pins_of(n, &s->pins);
}

static void shown_done(struct shown *s)
{
	for (size_t i = 0; i < s->d.peers.len; i++)
		strings_done(&s->reasons[i]);
	free(s->reasons);
	strings_done(&s->groups);
	strings_done(&s->pins);
	desired_done(&s->d);
}

/* ---- a revision ---- */

/* What the commit changed of the file, against its first parent. */
static void against_parent(struct past *p, const struct revision *v,
			   const struct mesh *m, struct changes *out)
{
	AUTO(auto_free) char *rev = mem_printf("%s^", v->id);
	AUTO(mesh_done) struct mesh before = { 0 };
	struct err e;

	if (repo_read(p->repo, rev, NULL, NULL, &e) < 0)
		mesh_init(&before); /* it is the first one */
	else if (past_read(p, rev, &before, NULL, &e) < 0) {
		note("what it changed is not known: %s", err_words(&e).s);
		return;
	}
	mesh_diff(out, &before, m);
}

static void put_revision(const struct revision *v)
{
	static const char *const keys[] = {
		TRAILER_COMMAND, TRAILER_HOST, TRAILER_SERIAL, TRAILER_DEPLOY,
		TRAILER_CONVERGED, TRAILER_FAILED,
	};
	char when[REVISION_DATE];

	put("commit: %s\ndate: %s\nauthor: %s\nsubject: %s\n", v->id,
	    revision_iso(v, when), v->author, v->subject);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const char *value = trailers_find(&v->trailers, keys[i]);

		if (value)
			put("%s: %s\n", keys[i], value);
	}
}

static void print_revision(const struct revision *v,
			   const struct change_run *changes,
			   const struct mesh *m, bool json)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

	yaml_write(&text, m);
	if (json) {
		struct jout *j = jout_new();

		jout_open(j, "commit");
		revision_json(j, v);
		jout_end(j);
		changes_json(j, &changes->changes);
		jout_text(j, "yaml", sbuf_str(&text));
		jout_print(j);
		return;
	}
	put_revision(v);
	put("\n");
	change_print(changes);
	put("%s%s", changes->changes.len ? "\n" : "", sbuf_str(&text));
}

/* The argument of `show` is no node, as @no_node says: is it a revision? */
static int show_revision(const struct cmd_env *env, const struct err *no_node,
			 struct err *e)
{
	const char *rev = env->args.items[0];
	AUTO(past_done) struct past p = { 0 };
	AUTO(change_done) struct change_run c = { 0 };
	AUTO(mesh_done) struct mesh m = { 0 };
	AUTO(revision_done) struct revision v = { 0 };

	if (past_open(&p, env, e) < 0 ||
	    repo_read(p.repo, rev, NULL, NULL, e) < 0) {
		const struct err no_revision = *e;

		return err_set(e, ERR_INPUT, "%s; nor is it a revision: %s",
			       err_words(no_node).s,
			       err_words(&no_revision).s);
	}
	if (past_read(&p, rev, &m, &v, e) < 0)
		return -1;
	against_parent(&p, &v, &m, &c.changes);
	print_revision(&v, &c, &m, env->options.json);
	return 0;
}

int cmd_show(struct cmd_env *env)
{
	AUTO(auto_store_close) struct store *store = NULL;
	struct shown s = { 0 };
	const struct node *n;
	struct err e, no_node;

	if (past_unlock(env, &e) < 0 || env_open(&store, env, false, &e) < 0)
		return fail(&e);
	n = edit_node(store_mesh(store), env->args.items[0], &no_node);
	if (!n)
		return show_revision(env, &no_node, &e) < 0 ? fail(&e)
							    : EXIT_DONE;
	collect(&s, store_mesh(store), n);
	if (env->options.json)
		show_json(&s);
	else
		show_text(&s);
	shown_done(&s);
	return EXIT_DONE;
}
