#include "cmd/cmd.h"

#include "cmd/show.h"
#include "ssh/remote.h"
#include "state/edit.h"

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

int cmd_show(struct cmd_env *env)
{
	AUTO(auto_store_close) struct store *store = NULL;
	struct shown s = { 0 };
	const struct node *n;
	struct err e;

	if (env_open(&store, env, false, &e) < 0)
		return fail(&e);
	n = edit_node(store_mesh(store), env->args.items[0], &e);
	if (!n)
		return fail(&e);
	collect(&s, store_mesh(store), n);
	if (env->options.json)
		show_json(&s);
	else
		show_text(&s);
	shown_done(&s);
	return EXIT_DONE;
}
