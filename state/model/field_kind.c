/*
 * The text of a value: what people write for it, and what is printed.
 */
#include "state/model/field.h"

#include "base/auto.h"
#include "base/num.h"
#include "state/model/check.h"
#include "state/model/spec.h"

#include <string.h>

static void *slot(const struct mesh_field *f, void *object)
{
	return (char *)object + f->offset;
}

static const void *look(const struct mesh_field *f, const void *object)
{
	return (const char *)object + f->offset;
}

/* The one shape of these errors. */
static int refuse(const char *value, const char *wanted, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(value);

	return err_set(e, ERR_INPUT, "'%s' found, expected %s", shown, wanted);
}

static void say_number(struct strings *out, long n)
{
	char text[24];

	snprintf(text, sizeof text, "%ld", n);
	strings_add(out, text);
}

static void say_text(struct strings *out, const char *s)
{
	if (s && *s)
		strings_add(out, s);
}

/* ---- a number ---- */

static int set_number(const struct mesh_field *f, void *object,
		      const char *value, struct err *e)
{
	char wanted[64];
	long n;

	snprintf(wanted, sizeof wanted, "a number from %ld to %ld", f->min,
		 f->max);
	if (!num_parse(&n, value, f->min, f->max))
		return refuse(value, wanted, e);
	*(int *)slot(f, object) = (int)n;
	return 0;
}

static void clear_number(const struct mesh_field *f, void *object)
{
	*(int *)slot(f, object) = (int)f->unsaid;
}

/* A port of the mesh that is not said is 0 in old files. */
static void get_number(const struct mesh_field *f, const struct mesh *m,
		       const void *object, struct strings *out)
{
	int n = *(const int *)look(f, object);
	int all = f->mesh_offset
			  ? *(const int *)(const void *)((const char *)m +
							 f->mesh_offset)
			  : (int)f->unsaid;

	if (f->mesh_offset == offsetof(struct mesh, listen_port) && !all)
		all = MESH_DEFAULT_PORT;
	if (n != (int)f->unsaid && n != all && (n || f->min == 0))
		say_number(out, n);
}

/* ---- a truth ---- */

static int set_bool(const struct mesh_field *f, void *object,
		    const char *value, struct err *e)
{
	bool is = strcmp(value, "true") == 0;

	if (!is && strcmp(value, "false") != 0)
		return refuse(value, "true or false", e);
	*(bool *)slot(f, object) = is;
	return 0;
}

static void clear_bool(const struct mesh_field *f, void *object)
{
	*(bool *)slot(f, object) = f->unsaid;
}

static void get_bool(const struct mesh_field *f, const struct mesh *m,
		     const void *object, struct strings *out)
{
	bool is = *(const bool *)look(f, object);

	(void)m;
	if (is != (bool)f->unsaid)
		strings_add(out, is ? "true" : "false");
}

/* ---- a text ---- */

static int set_text(const struct mesh_field *f, void *object,
		    const char *value, struct err *e)
{
	if (f->check(value, e) < 0)
		return -1;
	mem_replace((char **)slot(f, object), *value ? value : NULL);
	return 0;
}

static void clear_text(const struct mesh_field *f, void *object)
{
	mem_replace((char **)slot(f, object), NULL);
}

static void get_text(const struct mesh_field *f, const struct mesh *m,
		     const void *object, struct strings *out)
{
	const char *s = *(char *const *)look(f, object);
	const char *all = NULL;

	if (f->mesh_offset) /* the only such text: where keys live */
		all = m->key ? m->key : "state";
	if (s && !(all && strcmp(s, all) == 0) &&
	    !(f->fallback && strcmp(s, f->fallback) == 0))
		say_text(out, s);
}

/* ---- a list of names ---- */

static int set_strings(const struct mesh_field *f, void *object,
		       const char *value, struct err *e)
{
	if (f->check(value, e) < 0)
		return -1;
	strings_add(slot(f, object), value);
	return 0;
}

static void clear_strings(const struct mesh_field *f, void *object)
{
	strings_done(slot(f, object));
}

static void get_strings(const struct mesh_field *f, const struct mesh *m,
			const void *object, struct strings *out)
{
	const struct strings *list = look(f, object);

	(void)m;
	for (size_t i = 0; i < list->len; i++)
		strings_add(out, list->items[i]);
}

/* ---- networks ---- */

/* A network without host bits, of @family or, when that is 0, of any. */
static int take_cidr(struct cidr *out, const char *value, long family,
		     struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(value);
	char text[ADDR_TEXT_MAX];
	struct cidr c, masked;

	if (!strchr(value, '/') || !cidr_parse(&c, value) ||
	    (family && c.ip.family != family))
		return refuse(value, family == 6 ? "a network like fd99::/64"
						 : "a network like 10.99.0.0/16",
			      e);
	masked = c;
	cidr_mask(&masked);
	if (!cidr_equal(&c, &masked))
		return err_set(e, ERR_INPUT, "'%s' has host bits set, expected "
			       "%s", shown, cidr_text(&masked, text));
	*out = c;
	return 0;
}

static int set_network(const struct mesh_field *f, void *object,
		       const char *value, struct err *e)
{
	struct cidr c;

	if (take_cidr(&c, value, f->min, e) < 0 ||
	    check_network(&c, (int)f->min, e) < 0)
		return -1;
	*(struct cidr *)slot(f, object) = c;
	return 0;
}

static void clear_network(const struct mesh_field *f, void *object)
{
	*(struct cidr *)slot(f, object) = (struct cidr){ 0 };
}

static void get_network(const struct mesh_field *f, const struct mesh *m,
			const void *object, struct strings *out)
{
	const struct cidr *c = look(f, object);
	char text[ADDR_TEXT_MAX];

	(void)m;
	if (c->ip.family)
		strings_add(out, cidr_text(c, text));
}

/* A default route is for validation, which knows whether it is an exit. */
static int set_routes(const struct mesh_field *f, void *object,
		      const char *value, struct err *e)
{
	struct cidrs *list = slot(f, object);
	struct cidr c;

	if (take_cidr(&c, value, 0, e) < 0 ||
	    (c.plen && check_routable(&c, e) < 0))
		return -1;
	vec_push(list, c);
	return 0;
}

static void clear_routes(const struct mesh_field *f, void *object)
{
	struct cidrs *list = slot(f, object);

	list->len = 0;
}

static void get_routes(const struct mesh_field *f, const struct mesh *m,
		       const void *object, struct strings *out)
{
	const struct cidrs *list = look(f, object);
	char text[ADDR_TEXT_MAX];

	(void)m;
	for (size_t i = 0; i < list->len; i++)
		strings_add(out, cidr_text(&list->items[i], text));
}

/* ---- where a node is ---- */

static int set_ssh(const struct mesh_field *f, void *object,
		   const char *value, struct err *e)
{
	(void)f;
	return spec_place(object, value, e);
}

/* 22 stands in every state file and leaves the port to ssh_config. */
static void clear_ssh(const struct mesh_field *f, void *object)
{
	struct node *n = object;

	(void)f;
	if (n->local_machine)
		n->is_local = false;
	mem_replace(&n->local_machine, NULL);
	mem_replace(&n->ssh_host, "");
	mem_replace(&n->ssh_user, NULL);
	n->ssh_port = 22;
}

static void get_ssh(const struct mesh_field *f, const struct mesh *m,
		    const void *object, struct strings *out)
{
	const struct node *n = object;
	AUTO(auto_free) char *text = spec_place_text(n);

	(void)f;
	(void)m;
	say_text(out, n->ssh_host && *n->ssh_host ? text : "");
}

static int set_address(const struct mesh_field *f, void *object,
		       const char *value, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(value);
	struct node *n = object;
	struct ip a, *at;

	(void)f;
	if (strcmp(value, "auto") == 0)
		return 0;
	if (!ip_parse(&a, value))
		return refuse(value, "auto, an IPv4 or an IPv6 address", e);
	at = a.family == 6 ? &n->mesh_ip6 : &n->mesh_ip;
	if (at->family)
		return err_set(e, ERR_INPUT, "'%s' is a second IPv%d address, "
			       "expected one of each kind", shown, a.family);
	*at = a;
	return 0;
}

static void clear_address(const struct mesh_field *f, void *object)
{
	struct node *n = object;

	(void)f;
	n->mesh_ip = n->mesh_ip6 = (struct ip){ 0 };
}

static void get_address(const struct mesh_field *f, const struct mesh *m,
			const void *object, struct strings *out)
{
	const struct node *n = object;
	char text[ADDR_TEXT_MAX];

	(void)f;
	(void)m;
	say_text(out, ip_text(&n->mesh_ip, text));
	say_text(out, ip_text(&n->mesh_ip6, text));
}

/* ---- the functions for each ---- */

static const struct field_kind {
	int (*set)(const struct mesh_field *f, void *object, const char *value,
		   struct err *e);
	void (*clear)(const struct mesh_field *f, void *object);
	void (*get)(const struct mesh_field *f, const struct mesh *m,
		    const void *object, struct strings *out);
} kinds[VALUE_MAP + 1] = {
	[VALUE_SSH] = { set_ssh, clear_ssh, get_ssh },
	[VALUE_ADDRESS] = { set_address, clear_address, get_address },
	[VALUE_TEXT] = { set_text, clear_text, get_text },
	[VALUE_OPTIONAL] = { set_text, clear_text, get_text },
	[VALUE_NUMBER] = { set_number, clear_number, get_number },
	[VALUE_BOOL] = { set_bool, clear_bool, get_bool },
	[VALUE_NETWORK] = { set_network, clear_network, get_network },
	[VALUE_NETWORKS] = { set_routes, clear_routes, get_routes },
	[VALUE_STRINGS] = { set_strings, clear_strings, get_strings },
};

int field_set(const struct mesh_field *f, void *object, const char *value,
	      struct err *e)
{
	return kinds[f->value].set(f, object, value, e);
}

void field_clear(const struct mesh_field *f, void *object)
{
	if (kinds[f->value].clear)
		kinds[f->value].clear(f, object);
}

void field_get(const struct mesh_field *f, const struct mesh *m,
	       const void *object, struct strings *out)
{
	if (kinds[f->value].get)
		kinds[f->value].get(f, m, object, out);
}

int field_assign(const struct mesh_field *f, void *to,
		 const struct strings *values, struct err *e)
{
	field_clear(f, to);
	for (size_t i = 0; i < values->len; i++)
		if (field_set(f, to, values->items[i], e) < 0)
			return -1;
	return 0;
}
