/*
 * What is different between two meshes, a line for each thing.
 */
#include "state/model/diff.h"

#include "base/auto.h"
#include "state/model/field.h"

#include <string.h>

/** Bytes of a public key that stand for it. */
#define KEY_SHOWN 8
/** Items of a list that are shown, if there are many. */
#define ITEMS_SHOWN 10

struct diff {
	struct changes *out;
	const struct mesh *before, *after;
};

/* A field that changed; takes over both texts. */
static struct change *add_field(struct changes *out, enum mesh_part part,
				const char *name, const char *field,
				char *before, char *after)
{
	struct change *c = vec_add(out);

	c->sign = '~';
	c->part = part;
	c->name = mem_strdup(name);
	c->field = field;
	c->before = before;
	c->after = after;
	return c;
}

/* Take out of both sorted lists what both have. */
static void drop_common(struct strings *a, struct strings *b)
{
	size_t i = 0, k = 0, kept_a = 0, kept_b = 0;

	while (i < a->len || k < b->len) {
		int order = i == a->len	  ? 1
			    : k == b->len ? -1
					  : strcmp(a->items[i], b->items[k]);

		if (order < 0) {
			a->items[kept_a++] = a->items[i++];
		} else if (order > 0) {
			b->items[kept_b++] = b->items[k++];
		} else {
			free(a->items[i++]);
			free(b->items[k++]);
		}
	}
	a->len = kept_a;
	b->len = kept_b;
}

/* Two lists: what went is the before, what came the after. */
static void compare_lists(struct changes *out, enum mesh_part part,
			  const char *name, const char *field,
			  struct strings *before, struct strings *after)
{
	strings_sort(before);
	strings_sort(after);
	drop_common(before, after);
	if (before->len || after->len)
		add_field(out, part, name, field, strings_line(before, ITEMS_SHOWN),
			  strings_line(after, ITEMS_SHOWN))->list = true;
}

static void compare_texts(struct changes *out, enum mesh_part part,
			  const char *name, const char *field,
			  const char *before, const char *after)
{
	if (strcmp(before ? before : "", after ? after : "") != 0)
		add_field(out, part, name, field, mem_strdup(before),
			  mem_strdup(after));
}

/* What holds where a field is not said; NULL: nothing. */
static const char *fallback(const struct mesh *m, const struct mesh_field *f,
			    struct strings *said)
{
	const struct mesh_field *all = f->mesh_offset
					       ? field_find(&fields_defaults,
							    f->key)
					       : f;

	if (said->len == 0 && all != f)
		field_get(all, m, m, said);
	return said->len ? said->items[0] : all->fallback;
}

static void compare_field(const struct diff *d, const struct mesh_field *f,
			  enum mesh_part part, const char *name,
			  const void *before, const void *after)
{
	struct strings a = { 0 }, b = { 0 };

	field_get(f, d->before, before, &a);
	field_get(f, d->after, after, &b);
	if (f->type == FIELD_LIST)
		compare_lists(d->out, part, name, f->key, &a, &b);
	else if (a.len || b.len)
		compare_texts(d->out, part, name, f->key,
			      fallback(d->before, f, &a),
			      fallback(d->after, f, &b));
	strings_done(&a);
	strings_done(&b);
}

static void compare_fields(const struct diff *d, const struct mesh_fields *all,
			   enum mesh_part part, const char *name,
			   const void *before, const void *after)
{
	for (size_t i = 0; i < all->len; i++)
		compare_field(d, &all->items[i], part, name, before, after);
}

/* All that an object says, on one line; NULL when that is nothing. */
static char *summary(const struct mesh *m, const struct mesh_fields *all,
		     const void *object)
{
	struct sbuf b = SBUF_INIT;

	for (size_t i = 0; i < all->len; i++) {
		struct strings said = { 0 };
		char *text;

		if (strcmp(all->items[i].key, "name") != 0)
			field_get(&all->items[i], m, object, &said);
		text = strings_line(&said, ITEMS_SHOWN);
		if (text)
			sbuf_printf(&b, "%s%s %s", b.len ? ", " : "",
				    all->items[i].key, text);
		free(text);
		strings_done(&said);
	}
	return b.len ? sbuf_detach(&b) : NULL;
}

/* An object that came or went, with all that it says. */
static void add_whole(const struct diff *d, char sign, enum mesh_part part,
		      const struct mesh_fields *all, const char *name,
		      const void *object)
{
	struct change *c = vec_add(d->out);

	c->sign = sign;
	c->part = part;
	c->name = mem_strdup(name);
	if (sign == '+')
		c->after = summary(d->after, all, object);
	else
		c->before = summary(d->before, all, object);
}

/* ---- what is no field ---- */

static char *key_shown(const char *public_key)
{
	return public_key && *public_key
		       ? mem_printf("%.*s...", KEY_SHOWN, public_key)
		       : NULL;
}

static void compare_keys(const struct diff *d, const struct node *a,
			 const struct node *b)
{
	if (strcmp(a->public_key, b->public_key) != 0)
		add_field(d->out, PART_NODE, b->name, "public key",
			  key_shown(a->public_key), key_shown(b->public_key));
	else if (!a->private_key.len != !b->private_key.len)
		add_field(d->out, PART_NODE, b->name, "private key",
			  a->private_key.len ? mem_strdup("in the state")
					     : NULL,
			  b->private_key.len ? mem_strdup("in the state")
					     : NULL);
	else if (strcmp(secret_text(&a->private_key),
			secret_text(&b->private_key)) != 0)
		add_field(d->out, PART_NODE, b->name, "private key",
			  mem_strdup("one"), mem_strdup("another"));
}

/* What an external peer is, for people: no secret. */
static char *external_text(const struct external *x)
{
	AUTO(auto_free) char *key = key_shown(x->public_key);
	char text[ADDR_TEXT_MAX];
	struct sbuf b = SBUF_INIT;

	sbuf_printf(&b, "%s (%s", x->name, key ? key : "");
	for (size_t i = 0; i < x->allowed_ips.len; i++)
		sbuf_printf(&b, " %s", cidr_text(&x->allowed_ips.items[i],
						 text));
	if (x->endpoint)
		sbuf_printf(&b, " at %s", x->endpoint);
	if (x->keepalive_s)
		sbuf_printf(&b, " keepalive %d", x->keepalive_s);
	sbuf_puts(&b, x->preshared_key.len ? " with a preshared key)" : ")");
	return sbuf_detach(&b);
}

static void externals_text(const struct node *n, struct strings *out)
{
	for (size_t i = 0; i < n->externals.len; i++)
		vec_push(out, external_text(&n->externals.items[i]));
}

static void compare_externals(const struct diff *d, const struct node *a,
			      const struct node *b)
{
	struct strings before = { 0 }, after = { 0 };

	externals_text(a, &before);
	externals_text(b, &after);
	compare_lists(d->out, PART_NODE, b->name ? b->name : a->name,
		      "external peers", &before, &after);
	strings_done(&before);
	strings_done(&after);
}

static void compare_pins(const struct diff *d, const struct node *a,
			 const struct node *b)
{
	struct strings before = { 0 }, after = { 0 };

	strings_copy(&before, &a->ssh_host_keys);
	strings_copy(&after, &b->ssh_host_keys);
	compare_lists(d->out, PART_NODE, b->name, "host keys", &before, &after);
	strings_done(&before);
	strings_done(&after);
}

/* ---- the parts ---- */

static void compare_node(const struct diff *d, const struct node *a,
			 const struct node *b)
{
	compare_fields(d, &fields_node, PART_NODE, b->name, a, b);
	compare_keys(d, a, b);
	compare_pins(d, a, b);
	if (a->local_machine && b->local_machine)
		compare_texts(d->out, PART_NODE, b->name, "local machine",
			      a->local_machine, b->local_machine);
	compare_externals(d, a, b);
	/* found by deploys, unless the user says it */
	if (a->behind_nat != b->behind_nat && !a->facts.nat_from && !b->facts.nat_from)
		compare_texts(d->out, PART_NODE, b->name, "behind NAT",
			      a->behind_nat ? "true" : NULL,
			      b->behind_nat ? "true" : NULL);
}

static void compare_nodes(const struct diff *d)
{
	static const struct node none;
	const struct nodes *a = &d->before->nodes, *b = &d->after->nodes;
	size_t i = 0, k = 0;

	while (i < a->len || k < b->len) {
		int order = i == a->len	  ? 1
			    : k == b->len ? -1
					  : node_compare(&a->items[i],
							 &b->items[k]);
		const struct node *old = order <= 0 ? &a->items[i++] : &none;
		const struct node *now = order >= 0 ? &b->items[k++] : &none;

		if (order < 0)
			add_whole(d, '-', PART_NODE, &fields_node, old->name,
				  old);
		else if (order > 0)
			add_whole(d, '+', PART_NODE, &fields_node, now->name,
				  now);
		else
			compare_node(d, old, now);
		if (order != 0)
			compare_externals(d, old, now);
	}
}

static void compare_groups(const struct diff *d)
{
	const struct groups *a = &d->before->groups, *b = &d->after->groups;
	size_t i = 0, k = 0;

	while (i < a->len || k < b->len) {
		int order = i == a->len	  ? 1
			    : k == b->len ? -1
					  : group_compare(&a->items[i],
							  &b->items[k]);
		const struct group *old = order <= 0 ? &a->items[i++] : NULL;
		const struct group *now = order >= 0 ? &b->items[k++] : NULL;

		if (!now)
			add_whole(d, '-', PART_GROUP, &fields_group, old->name,
				  old);
		else if (!old)
			add_whole(d, '+', PART_GROUP, &fields_group, now->name,
				  now);
		else
			compare_fields(d, &fields_group, PART_GROUP, now->name,
				       old, now);
	}
}

/* The policy of @list that is called as item @at of @from, as often as there. */
static const struct policy *same_policy(const struct policies *list,
					const struct policies *from, size_t at)
{
	const char *name = from->items[at].name;
	size_t nth = 0;

	for (size_t i = 0; i < at; i++)
		nth += strcmp(from->items[i].name, name) == 0;
	for (size_t i = 0; i < list->len; i++)
		if (strcmp(list->items[i].name, name) == 0 && nth-- == 0)
			return &list->items[i];
	return NULL;
}

static void compare_policies(const struct diff *d)
{
	const struct policies *a = &d->before->policies;
	const struct policies *b = &d->after->policies;

	for (size_t i = 0; i < a->len; i++)
		if (!same_policy(b, a, i))
			add_whole(d, '-', PART_POLICY, &fields_policy,
				  a->items[i].name, &a->items[i]);
	for (size_t i = 0; i < b->len; i++) {
		const struct policy *now = &b->items[i];
		const struct policy *old = same_policy(a, b, i);

		if (old)
			compare_fields(d, &fields_policy, PART_POLICY,
				       now->name, old, now);
		else
			add_whole(d, '+', PART_POLICY, &fields_policy,
				  now->name, now);
	}
}

static void removed_names(const struct mesh *m, struct strings *out)
{
	for (size_t i = 0; i < m->removed.len; i++)
		strings_add(out, m->removed.items[i].name);
}

static void compare_rest(const struct diff *d)
{
	struct strings a = { 0 }, b = { 0 };

	removed_names(d->before, &a);
	removed_names(d->after, &b);
	compare_lists(d->out, PART_MESH, NULL, "nodes to take off their hosts",
		      &a, &b);
	strings_done(&a);
	strings_done(&b);
	strings_copy(&a, &d->before->recipients);
	strings_copy(&b, &d->after->recipients);
	compare_lists(d->out, PART_MESH, NULL, "recipients", &a, &b);
	strings_done(&a);
	strings_done(&b);
}

void mesh_diff(struct changes *out, const struct mesh *before,
	       const struct mesh *after)
{
	struct diff d = { out, before, after };

	compare_fields(&d, &fields_mesh, PART_MESH, NULL, before, after);
	compare_fields(&d, &fields_defaults, PART_MESH, NULL, before, after);
	compare_nodes(&d);
	compare_groups(&d);
	compare_policies(&d);
	compare_rest(&d);
}

/* "+new -old" of a list. */
static void list_text(struct sbuf *out, const struct change *c)
{
	if (c->after)
		sbuf_printf(out, " +%s", c->after);
	if (c->before)
		sbuf_printf(out, " -%s", c->before);
}

void change_text(struct sbuf *out, const struct change *c)
{
	const char *all = c->sign == '+' ? c->after : c->before;

	sbuf_printf(out, "%c ", c->sign);
	part_text(out, c->part, c->name);
	if (c->sign != '~') {
		sbuf_printf(out, "%s%s", all ? ": " : "", all ? all : "");
		return;
	}
	sbuf_printf(out, ": %s", c->field);
	if (c->list)
		list_text(out, c);
	else
		sbuf_printf(out, " %s -> %s", c->before ? c->before : "unset",
			    c->after ? c->after : "unset");
}

void changes_done(struct changes *c)
{
	for (size_t i = 0; i < c->len; i++) {
		free(c->items[i].name);
		free(c->items[i].before);
		free(c->items[i].after);
	}
	vec_done(c);
}
