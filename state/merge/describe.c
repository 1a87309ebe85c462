/*
 * A mesh in words, a line for each thing, for git diff: as what is new against
 * a mesh that says nothing, so that the words are those of a change.
 */
#include "state/merge/merge.h"

#include "base/auto.h"
#include "base/text.h"

#include <string.h>

static void put_line(struct sbuf *out, const char *line)
{
	text_escape(out, line, strlen(line), false);
	sbuf_putc(out, '\n');
}

/* "node db1: port 51821" */
static void put_said(struct sbuf *out, enum mesh_part part, const char *name,
		     const char *field, const char *value)
{
	AUTO(sbuf_done) struct sbuf line = SBUF_INIT;

	part_text(&line, part, name);
	sbuf_printf(&line, ": %s %s", field, value);
	put_line(out, sbuf_str(&line));
}

static void describe_fields(struct sbuf *out, const struct mesh *m,
			    const struct mesh_fields *all)
{
	for (size_t i = 0; i < all->len; i++) {
		AUTO(strings_done) struct strings said = { 0 };

		field_get(&all->items[i], m, m, &said);
		for (size_t k = 0; k < said.len; k++)
			put_said(out, PART_MESH, NULL, all->items[i].key,
				 said.items[k]);
	}
}

/* A line, or one for each item of a list: items have no commas. */
static void describe_change(struct sbuf *out, const struct change *c)
{
	if (!c->list)
		put_said(out, c->part, c->name, c->field,
			 c->after ? c->after : "unset");
	for (const char *p = c->list ? c->after : NULL; p;) {
		const char *end = strstr(p, ", ");
		AUTO(auto_free) char *item =
			mem_strndup(p, end ? (size_t)(end - p) : strlen(p));

		put_said(out, c->part, c->name, c->field, item);
		p = end ? end + 2 : NULL;
	}
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

void mesh_describe(struct sbuf *out, const struct mesh *m)
{
	AUTO(changes_done) struct changes all = { 0 };
	AUTO(conflicts_done) struct conflicts conflicts = { 0 };
	AUTO(mesh_done) struct mesh bare;
	struct err e;

	describe_fields(out, m, &fields_mesh);
	describe_fields(out, m, &fields_defaults);
	make_bare(&bare, m);
	mesh_diff(&all, &bare, m);
	for (size_t i = 0; i < all.len; i++)
		describe_change(out, &all.items[i]);
	for (size_t i = 0; i < m->extras.len; i++)
		if (strcmp(m->extras.items[i].key, MERGE_CONFLICTS) != 0)
			put_said(out, PART_MESH, NULL, "unknown member",
				 m->extras.items[i].key);
	if (mesh_conflicts(&conflicts, m, &e) < 0)
		put_said(out, PART_MESH, NULL, "conflicts", e.msg);
	for (size_t i = 0; i < conflicts.len; i++) {
		AUTO(sbuf_done) struct sbuf line = SBUF_INIT;

		sbuf_puts(&line, "conflict: ");
		conflict_text(&line, &conflicts.items[i]);
		put_line(out, sbuf_str(&line));
	}
}
