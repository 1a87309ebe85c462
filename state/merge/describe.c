/*
 * A mesh in words, a line for each thing, for git diff.
 */
#include "state/merge/describe.h"

#include "base/auto.h"
#include "base/text.h"
#include "state/merge/merge.h"
#include "state/model/model.h"

#include <string.h>

static void put_line(struct sbuf *out, const char *line)
{
	text_escape(out, line, strlen(line), false);
	sbuf_putc(out, '\n');
}

/* "node db1: port 51821" */
static void put_value(struct sbuf *out, const char *what, const char *name,
		      const char *field, const char *value)
{
	AUTO(auto_free) char *line =
		mem_printf("%s%s%s: %s %s", what, name ? " " : "",
			   name ? name : "", field, value);

	put_line(out, line);
}

static void describe_fields(struct sbuf *out, const struct mesh *m,
			    const struct mesh_fields *all)
{
	for (size_t i = 0; i < all->len; i++) {
		AUTO(strings_done) struct strings said = { 0 };

		field_get(&all->items[i], m, m, &said);
		for (size_t k = 0; k < said.len; k++)
			put_value(out, "mesh", NULL, all->items[i].key,
				  said.items[k]);
	}
}

/* A line for each item of a list. */
static void describe_list(struct sbuf *out, const char *what,
			  const struct change *c)
{
	for (const char *p = c->after; p;) {
		const char *end = strstr(p, ", ");
		AUTO(auto_free) char *item =
			mem_strndup(p, end ? (size_t)(end - p) : strlen(p));

		put_value(out, what, c->name, c->field, item);
		p = end ? end + 2 : NULL;
	}
}

static void describe_change(struct sbuf *out, const struct change *c)
{
	if (c->list)
		describe_list(out, part_word(c->part), c);
	else
		put_value(out, part_word(c->part), c->name, c->field,
			  c->after ? c->after : "unset");
}

static void copy_fields(struct mesh *to, const struct mesh *from,
			const struct mesh_fields *all)
{
	for (size_t i = 0; i < all->len; i++) {
		AUTO(strings_done) struct strings said = { 0 };
		struct err e;

		field_get(&all->items[i], from, from, &said);
		field_assign(&all->items[i], to, &said, &e);
	}
}

/* A mesh with the same names and the same defaults that says no more. */
static void make_bare(struct mesh *bare, const struct mesh *m)
{
	memset(bare, 0, sizeof *bare);
	copy_fields(bare, m, &fields_mesh);
	copy_fields(bare, m, &fields_defaults);
	for (size_t i = 0; i < m->nodes.len; i++)
		node_init(vec_add(&bare->nodes), m->nodes.items[i].name);
	for (size_t i = 0; i < m->groups.len; i++)
		vec_add(&bare->groups)->name =
			mem_strdup(m->groups.items[i].name);
	for (size_t i = 0; i < m->policies.len; i++) {
		struct policy *p = vec_add(&bare->policies);

		p->name = mem_strdup(m->policies.items[i].name);
		p->allow_mesh_ips = true;
	}
}

static void describe_conflicts(struct sbuf *out, const struct mesh *m)
{
	AUTO(conflicts_done) struct conflicts all = { 0 };
	struct err e;

	if (mesh_conflicts(&all, m, &e) < 0)
		put_value(out, "mesh", NULL, "conflicts", e.msg);
	for (size_t i = 0; i < all.len; i++) {
		AUTO(sbuf_done) struct sbuf line = SBUF_INIT;

		sbuf_puts(&line, "conflict: ");
		conflict_text(&line, &all.items[i]);
		put_line(out, sbuf_str(&line));
	}
}

void mesh_describe(struct sbuf *out, const struct mesh *m)
{
	AUTO(changes_done) struct changes all = { 0 };
	AUTO(mesh_done) struct mesh bare;

	describe_fields(out, m, &fields_mesh);
	describe_fields(out, m, &fields_defaults);
	make_bare(&bare, m);
	mesh_diff(&all, &bare, m);
	for (size_t i = 0; i < all.len; i++)
		describe_change(out, &all.items[i]);
	for (size_t i = 0; i < m->extras.len; i++)
		if (strcmp(m->extras.items[i].key, MERGE_CONFLICTS) != 0)
			put_value(out, "mesh", NULL, "unknown member",
				  m->extras.items[i].key);
	describe_conflicts(out, m);
}
