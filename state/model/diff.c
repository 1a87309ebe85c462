/*
 * What is different between two meshes, a line for each thing. What people can
 * say is compared by the rows of field.c; the rest (keys, pins, external peers,
 * tombstones) by hand, for no secret may come out and each has words of its
 * own.
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

/*
 * Two lists: what went is the before, what came the after. They get sorted, and
 * lose what both have.
 */
static void compare_lists(struct changes *out, enum mesh_part part,
			  const char *name, const char *field,
			  struct strings *a, struct strings *b)
{
	size_t i = 0, k = 0, kept_a = 0, kept_b = 0;

	strings_sort(a);
	strings_sort(b);
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
	if (a->len || b->len)
		add_field(out, part, name, field, strings_line(a, ITEMS_SHOWN),
			  strings_line(b, ITEMS_SHOWN))->list = true;
}

static void compare_words(struct changes *out, enum mesh_part part,
			  const char *name, const char *field,
			  const char *before, const char *after)
{
	if (strcmp(before ? before : "", after ? after : "") != 0)
		add_field(out, part, name, field, mem_strdup(before),
			  mem_strdup(after));
}

/* As one text each, and all of it: an item may be what somebody hides. */
static void compare_ordered(struct changes *out, enum mesh_part part,
			    const char *name, const char *field,
			    const struct strings *a, const struct strings *b)
{
	AUTO(auto_free) char *before = strings_line(a, a->len);
	AUTO(auto_free) char *after = strings_line(b, b->len);

	compare_words(out, part, name, field, before, after);
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

static void compare_fields(const struct diff *d, const struct mesh_fields *all,
			   enum mesh_part part, const char *name,
			   const void *before, const void *after)
{
	for (size_t i = 0; i < all->len; i++) {
		const struct mesh_field *f = &all->items[i];
		AUTO(strings_done) struct strings a = { 0 }, b = { 0 };

		field_get(f, d->before, before, &a);
		field_get(f, d->after, after, &b);
		if (f->ordered)
			compare_ordered(d->out, part, name, f->key, &a, &b);
		else if (f->type == FIELD_LIST)
			compare_lists(d->out, part, name, f->key, &a, &b);
		else if (a.len || b.len)
			compare_words(d->out, part, name, f->key,
				      fallback(d->before, f, &a),
				      fallback(d->after, f, &b));
	}
}

/* All that an object says, on one line; NULL when that is nothing. */
static char *summary(const struct mesh *m, const struct mesh_fields *all,
		     const void *object)
{
	struct sbuf b = SBUF_INIT;

	for (size_t i = 0; i < all->len; i++) {
		AUTO(strings_done) struct strings said = { 0 };
		AUTO(auto_free) char *text = NULL;

		if (strcmp(all->items[i].key, "name") != 0)
			field_get(&all->items[i], m, object, &said);
		text = strings_line(&said, all->items[i].ordered
						   ? said.len : ITEMS_SHOWN);
		if (text)
			sbuf_printf(&b, "%s%s %s", b.len ? ", " : "",
				    all->items[i].key, text);
	}
	return b.len ? sbuf_detach(&b) : NULL;
}

/* The name of a node, group or policy: the first member of each. */
static const char *name_of(const void *object)
{
	return *(char *const *)object;
}

/* An object that came or went, with all that it says. */
static void add_whole(const struct diff *d, char sign,
		      const struct mesh_object *of, const void *object)
{
	struct change *c = vec_add(d->out);

	c->sign = sign;
	c->part = of->part;
	c->name = mem_strdup(name_of(object));
	if (sign == '+')
		c->after = summary(d->after, &of->tables[0], object);
	else
		c->before = summary(d->before, &of->tables[0], object);
}

/* ---- what is no field ---- */

/* Enough to tell two keys apart by eye, and public ones only. */
static char *key_shown(const char *public_key)
{
	return wgkey_is_set(public_key)
		       ? mem_printf("%.*s...", KEY_SHOWN, public_key)
		       : NULL;
}

/* Of private keys only that there is one, or another. */
static void compare_keys(const struct diff *d, const struct node *a,
			 const struct node *b)
{
	if (!wgkey_equal(a->public_key, b->public_key))
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

static void compare_externals(const struct diff *d, const struct node *a,
			      const struct node *b)
{
	AUTO(strings_done) struct strings before = { 0 }, after = { 0 };

	for (size_t i = 0; i < a->externals.len; i++)
		vec_push(&before, external_text(&a->externals.items[i]));
	for (size_t i = 0; i < b->externals.len; i++)
		vec_push(&after, external_text(&b->externals.items[i]));
	compare_lists(d->out, PART_NODE, b->name ? b->name : a->name,
		      "external peers", &before, &after);
}

/* Copies of both lists are compared: the meshes stay as they are. */
static void compare_copies(const struct diff *d, enum mesh_part part,
			   const char *name, const char *field,
			   const struct strings *a, const struct strings *b)
{
	AUTO(strings_done) struct strings before = { 0 }, after = { 0 };

	strings_copy(&before, a);
	strings_copy(&after, b);
	compare_lists(d->out, part, name, field, &before, &after);
}

/* ---- the parts ---- */

static void compare_node(const struct diff *d, const struct node *a,
			 const struct node *b)
{
	compare_fields(d, &fields_node, PART_NODE, b->name, a, b);
	compare_keys(d, a, b);
	compare_copies(d, PART_NODE, b->name, "host keys", &a->ssh_host_keys,
		       &b->ssh_host_keys);
	if (a->local_machine && b->local_machine)
		compare_words(d->out, PART_NODE, b->name, "local machine",
			      a->local_machine, b->local_machine);
	compare_externals(d, a, b);
	/* found by deploys, unless the user says it */
	if (a->behind_nat != b->behind_nat && !a->facts.nat_from &&
	    !b->facts.nat_from)
		compare_words(d->out, PART_NODE, b->name, "behind NAT",
			      a->behind_nat ? "true" : NULL,
			      b->behind_nat ? "true" : NULL);
}

/* The nodes or the groups, whose row in the mesh is @f: sorted by name. */
static void compare_named(const struct diff *d, const struct mesh_field *f)
{
	static const struct node none;
	const struct mesh_object *of = f->of;
	size_t i = 0, k = 0;

	while (i < field_len(f, d->before) || k < field_len(f, d->after)) {
		const void *a = i < field_len(f, d->before)
					? field_item(f, d->before, i)
					: NULL;
		const void *b = k < field_len(f, d->after)
					? field_item(f, d->after, k)
					: NULL;
		int order = !a ? 1 : !b ? -1 : of->compare(a, b);

		if (order < 0)
			add_whole(d, '-', of, a);
		else if (order > 0)
			add_whole(d, '+', of, b);
		else if (of->part == PART_NODE)
			compare_node(d, a, b);
		else
			compare_fields(d, &of->tables[0], of->part, name_of(b),
				       a, b);
		if (order != 0 && of->part == PART_NODE)
			compare_externals(d, order < 0 ? a : &none,
					  order < 0 ? &none : b);
		i += order <= 0;
		k += order >= 0;
	}
}

static void compare_policies(const struct diff *d)
{
	const struct policies *a = &d->before->policies;
	const struct policies *b = &d->after->policies;

	/*
	 * in file order, which says nothing: one that only moved is no change
	 */
	for (size_t i = 0; i < a->len; i++)
		if (!policies_same(b, a, i))
			add_whole(d, '-', &object_policy, &a->items[i]);
	for (size_t i = 0; i < b->len; i++) {
		const struct policy *now = &b->items[i];
		const struct policy *old = policies_same(a, b, i);

		if (old)
			compare_fields(d, &fields_policy, PART_POLICY,
				       now->name, old, now);
		else
			add_whole(d, '+', &object_policy, now);
	}
}

static void removed_names(const struct mesh *m, struct strings *out)
{
	for (size_t i = 0; i < m->removed.len; i++)
		strings_add(out, m->removed.items[i].name);
}

void mesh_diff(struct changes *out, const struct mesh *before,
	       const struct mesh *after)
{
	struct diff d = { out, before, after };
	AUTO(strings_done) struct strings had = { 0 }, has = { 0 };

	compare_fields(&d, &fields_mesh, PART_MESH, NULL, before, after);
	compare_fields(&d, &fields_defaults, PART_MESH, NULL, before, after);
	compare_named(&d, object_member(&object_mesh, "nodes"));
	compare_named(&d, object_member(&object_mesh, "groups"));
	compare_policies(&d);
	removed_names(before, &had);
	removed_names(after, &has);
	compare_lists(out, PART_MESH, NULL, "nodes to take off their hosts",
		      &had, &has);
	compare_copies(&d, PART_MESH, NULL, "recipients", &before->recipients,
		       &after->recipients);
	compare_copies(&d, PART_MESH, NULL, "jump host keys",
		       &before->jump_host_keys, &after->jump_host_keys);
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
	if (!c->list)
		sbuf_printf(out, " %s -> %s", c->before ? c->before : "unset",
			    c->after ? c->after : "unset");
	if (c->list && c->after)
		sbuf_printf(out, " +%s", c->after);
	if (c->list && c->before)
		sbuf_printf(out, " -%s", c->before);
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
