/*
 * wgmesh show: what is said of a node, and what follows from it; of a revision
 * what it changed, and the mesh as it was then. A node comes first where both
 * have a name.
 */
#include "cmd/cmd.h"

#include "cmd/change.h"
#include "cmd/revision.h"
#include "cmd/show.h"
#include "ssh/session/remote.h"
#include "state/model/model.h"
#include "state/yaml/yaml.h"

#include <string.h>

/*
 * For each peer: the policies that make it one. Peers and nodes are sorted
 * alike.
 */
static void add_reasons(struct shown *s, const struct access *a)
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

static void collect_shown(struct shown *s, const struct mesh *m,
			  const struct node *n)
{
	struct access *a = access_new(m);

	desired_compute(&s->d, m, a, n);
	add_reasons(s, a);
	access_free(a);
	access_groups_of(m, n->name, &s->groups);
	if (n->private_key.len)
		s->key_place = KEY_IN_STATE;
	else if (node_key_on_host(m, n))
		s->key_place = KEY_ON_HOST;
	for (size_t i = 0; i < n->ssh_host_keys.len; i++) {
		const char *line = n->ssh_host_keys.items[i];
		AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
		struct err e;

		/* as ssh-keygen -l prints it, to be compared by eye */
		sbuf_printf(&text, "%.*s ", (int)strcspn(line, " "), line);
		if (remote_fingerprint(line, &text, &e) < 0)
			sbuf_puts(&text, "(no host key)");
		strings_add(&s->pins, sbuf_str(&text));
	}
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

void show_said(const struct shown *s, const struct mesh_field *f,
	       struct strings *out)
{
	/* in the state a group names its members, and no node its groups */
	if (strcmp(f->key, "groups") == 0)
		strings_copy(out, &s->groups);
	else
		field_get(f, s->d.mesh, s->d.node, out);
}

/* ---- a revision ---- */

static void print_revision(const struct revision *v,
			   const struct change_run *changes,
			   const struct mesh *m, bool json)
{
	static const char *const keys[] = {
		TRAILER_COMMAND, TRAILER_HOST, TRAILER_SERIAL, TRAILER_DEPLOY,
		TRAILER_CONVERGED, TRAILER_FAILED,
	};
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	char when[REVISION_DATE];

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
	put("commit: %s\ndate: %s\nauthor: %s\nsubject: %s\n", v->id,
	    revision_iso(v, when), v->author, v->subject);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const char *value = trailers_find(&v->trailers, keys[i]);

		if (value)
			put("%s: %s\n", keys[i], value);
	}
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
	AUTO(mesh_done) struct mesh before = { 0 };
	AUTO(revision_done) struct revision v = { 0 };
	AUTO(auto_free) char *parent = NULL;

	if (past_open(&p, env, e) < 0 ||
	    repo_read(p.repo, rev, NULL, NULL, e) < 0) {
		const struct err no_revision = *e;

		return err_set(e, ERR_INPUT, "%s; nor is it a revision: %s",
			       err_words(no_node).s,
			       err_words(&no_revision).s);
	}
	if (past_read(&p, rev, &m, &v, e) < 0)
		return -1;
	/* what the commit changed of the file, against its first parent */
	parent = mem_printf("%s^", v.id);
	if (repo_read(p.repo, parent, NULL, NULL, e) < 0) {
		mesh_init(&before); /* it is the first one */
		mesh_diff(&c.changes, &before, &m);
	} else if (past_read(&p, parent, &before, NULL, e) < 0) {
		note("what it changed is not known: %s", err_words(e).s);
	} else {
		mesh_diff(&c.changes, &before, &m);
	}
	print_revision(&v, &c, &m, env->options.json);
	return 0;
}

int cmd_show(struct cmd_env *env)
{
	AUTO(auto_store_close) struct store *store = NULL;
	AUTO(shown_done) struct shown s = { 0 };
	const struct node *n;
	struct err e, no_node;

	if (past_unlock(env, &e) < 0 || env_open(&store, env, false, &e) < 0)
		return fail(&e);
	n = edit_node(store_mesh(store), env->args.items[0], &no_node);
	if (!n)
		return show_revision(env, &no_node, &e) < 0 ? fail(&e)
							    : EXIT_DONE;
	collect_shown(&s, store_mesh(store), n);
	if (env->options.json)
		show_json(&s);
	else
		show_text(&s);
	return EXIT_DONE;
}
