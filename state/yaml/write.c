/*
 * The one canonical text of a mesh.yaml. Written by hand: libyaml's emitter
 * wraps lines and drops comments.
 */
#include "state/yaml/yaml.h"

#include "base/auto.h"
#include "base/text.h"
#include "state/yaml/stream.h"

#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Which group has which node: indexes, in the order of the file. */
struct link {
	size_t node, group;
};

/* The text so far, and what stands at the nodes because of their groups. */
struct yaml_writer {
	struct sbuf *out;
	const struct mesh *m;
	VEC(struct link) links; /* by node, then group */
	size_t next;            /* the first link that is not written */
	bool *linked;           /* the groups that have a link */
};

static void yaml_writer_done(struct yaml_writer *w)
{
	vec_done(&w->links);
	free(w->linked);
}

/*
 * What a text may hold besides letters and digits without being quoted: a name
 * no comma, which ends it in a list; a host only what hosts are made of, for
 * the parser takes others in quotes alone.
 */
static const char in_words[] = LETTERS DIGITS "_./+ -,";
static const char in_names[] = LETTERS DIGITS "_./+ -";
static const char in_hosts[] = LETTERS DIGITS "_.-";

/* In quotes, unless every reader takes @s for itself. */
static void write_text(struct sbuf *out, const char *s, const char *may)
{
	size_t n = strlen(s);

	if (n && strchr(LETTERS DIGITS, *s) && s[n - 1] != ' ' &&
	    strspn(s, may) == n && !yaml_surprise(s)) {
		sbuf_puts(out, s);
		return;
	}
	sbuf_putc(out, '"');
	while (*s) {
		unsigned cp = 0;

		n = text_utf8_length(s, strlen(s), &cp);
		if (cp == '"' || cp == '\\')
			sbuf_printf(out, "\\%c", (char)cp);
		else if (cp == '\n' || cp == '\t')
			sbuf_puts(out, cp == '\n' ? "\\n" : "\\t");
		else if (yaml_is_shown(s, n, cp))
			sbuf_add(out, s, n);
		else /* bytes that are no UTF-8 are U+FFFD */
			sbuf_printf(out, cp > 0xffff ? "\\U%08X" : "\\u%04X",
				    n ? cp : 0xfffd);
		s += n ? n : 1;
	}
	sbuf_putc(out, '"');
}

static void write_value(struct sbuf *out, const struct mesh_field *f,
			const struct strings *values)
{
	/* what may also be one text is one if it can */
	bool one = f->fallback && values->len == 1;
	bool host = strcmp(f->key, "ssh") == 0;

	if (f->type == FIELD_LIST && !one) {
		sbuf_putc(out, '[');
		for (size_t i = 0; i < values->len; i++) {
			sbuf_puts(out, i ? ", " : "");
			write_text(out, values->items[i], in_names);
		}
		sbuf_putc(out, ']');
	} else if (f->type == FIELD_LIST || f->type == FIELD_TEXT) {
		write_text(out, values->items[0], host ? in_hosts : in_words);
	} else {
		sbuf_puts(out, values->items[0]);
	}
}

/*
 * The keys that @object says, each in a line behind @indent, the first behind
 * @first. @links are its groups or its members. Says whether there was a key.
 */
static bool write_keys(struct yaml_writer *w, const struct mesh_fields *fields,
		       const void *object, const struct strings *links,
		       const char *first, const char *indent)
{
	bool any = false;

	for (size_t i = 0; i < fields->len; i++) {
		const struct mesh_field *f = &fields->items[i];
		AUTO(strings_done) struct strings values = { 0 };

		if (!links || (f->value && strcmp(f->key, "members") != 0))
			field_get(f, w->m, object, &values);
		else
			strings_copy(&values, links);
		if (!values.len)
			continue;
		sbuf_printf(w->out, "%s%s: ", any ? indent : first, f->key);
		write_value(w->out, f, &values);
		sbuf_putc(w->out, '\n');
		any = true;
	}
	return any;
}

/* A node or group: its name, and its keys in lines below. */
static void write_named(struct yaml_writer *w, const struct mesh_fields *fields,
			const char *name, const void *object,
			const struct strings *links)
{
	sbuf_puts(w->out, "  ");
	write_text(w->out, name, in_names);
	sbuf_puts(w->out, ":");
	if (!write_keys(w, fields, object, links, "\n    ", "    "))
		sbuf_puts(w->out, " {}\n");
}

static int compare_links(const void *a, const void *b)
{
	const struct link *left = a, *right = b;

	if (left->node != right->node)
		return left->node < right->node ? -1 : 1;
	return (left->group > right->group) - (left->group < right->group);
}

/*
 * Groups stand at their nodes, in one pass: members name nodes, not the
 * reverse.
 */
static void find_links(struct yaml_writer *w)
{
	const struct mesh *m = w->m;

	w->linked = mem_calloc(m->groups.len + 1, sizeof *w->linked);
	for (size_t i = 0; i < m->groups.len; i++) {
		const struct strings *members = &m->groups.items[i].members;

		for (size_t k = 0; k < members->len; k++) {
			const struct node *n =
				nodes_find(&m->nodes, members->items[k]);

			if (!n)
				continue;
			w->linked[i] = true;
			vec_push(&w->links,
				 ((struct link){ (size_t)(n - m->nodes.items),
						 i }));
		}
	}
	vec_sort(&w->links, compare_links);
}

static void write_node(struct yaml_writer *w, size_t i)
{
	const struct node *n = &w->m->nodes.items[i];
	AUTO(strings_done) struct strings groups = { 0 };

	for (; w->next < w->links.len; w->next++) {
		const struct link *l = &w->links.items[w->next];

		if (l->node != i)
			break;
		if (!groups.len || compare_links(l - 1, l) != 0)
			strings_add(&groups, w->m->groups.items[l->group].name);
	}
	write_named(w, &fields_node, n->name, n, &groups);
}

/* Only those of which the nodes do not say everything. */
static void write_groups(struct yaml_writer *w)
{
	const char *title = "groups:\n";

	for (size_t i = 0; i < w->m->groups.len; i++) {
		const struct group *g = &w->m->groups.items[i];
		AUTO(strings_done) struct strings others = { 0 }; /* no nodes */

		for (size_t k = 0; k < g->members.len; k++)
			if (!nodes_find(&w->m->nodes, g->members.items[k]))
				strings_add(&others, g->members.items[k]);
		strings_make_set(&others);
		if (w->linked[i] && !others.len &&
		    !(g->description && *g->description))
			continue;
		sbuf_puts(w->out, title);
		write_named(w, &fields_group, g->name, g, &others);
		title = "";
	}
}

void yaml_write(struct sbuf *out, const struct mesh *m)
{
	AUTO(yaml_writer_done) struct yaml_writer w = { .out = out, .m = m };
	const struct policies *policies = &m->policies;
	size_t nothing;

	sbuf_puts(out, "# a wgmesh mesh; docs/mesh-yaml.md explains the keys\n");
	nothing = out->len;
	find_links(&w);
	write_keys(&w, &fields_mesh, m, NULL, "", "");
	write_keys(&w, &fields_defaults, m, NULL, "defaults:\n  ", "  ");
	sbuf_puts(out, m->nodes.len ? "nodes:\n" : "");
	for (size_t i = 0; i < m->nodes.len; i++)
		write_node(&w, i);
	write_groups(&w);
	sbuf_puts(out, policies->len ? "policies:\n" : "");
	for (size_t i = 0; i < policies->len; i++)
		if (!write_keys(&w, &fields_policy, &policies->items[i], NULL,
				"  - ", "    "))
			sbuf_puts(out, "  - {}\n");
	if (out->len == nothing)
		sbuf_puts(out, "{}\n");
}
