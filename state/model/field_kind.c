/*
 * The text of a value, by its kind: taken from what people write in mesh.yaml
 * and behind `set`, and given back as they would write it.
 */
#include "state/model/field.h"

#include "base/auto.h"
#include "base/num.h"
#include "state/model/check.h"
#include "state/model/spec.h"

#include <string.h>

/* The one shape of these errors. */
static int refuse_value(const char *value, const char *wanted, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(value);

	return err_set(e, ERR_INPUT, "'%s' found, expected %s", shown, wanted);
}

/* ---- from text ---- */

/*
 * A network of @family or, when that is 0, of any. Host bits are refused, not
 * cleared: somebody meant the address, or mistyped the length.
 */
static int parse_network(struct cidr *out, const char *value, long family,
			 struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(value);
	char text[ADDR_TEXT_MAX];
	struct cidr c, masked;

	if (!strchr(value, '/') || !cidr_parse(&c, value) ||
	    (family && c.ip.family != family))
		return refuse_value(value,
				    family == 6 ? "a network like fd99::/64"
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

/* `auto` says nothing: who applies it looks for a free address. */
static int set_mesh_ip(struct node *n, const char *value, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(value);
	struct ip a, *at;

	if (strcmp(value, "auto") == 0)
		return 0;
	if (!ip_parse(&a, value))
		return refuse_value(value, "auto, an IPv4 or an IPv6 address",
				    e);
	at = a.family == 6 ? &n->mesh_ip6 : &n->mesh_ip;
	if (at->family)
		return err_set(e, ERR_INPUT, "'%s' is a second IPv%d address, "
			       "expected one of each kind", shown, a.family);
	*at = a;
	return 0;
}

static int set_number(const struct mesh_field *f, int *slot, const char *value,
		      struct err *e)
{
	char wanted[64];
	long n;

	snprintf(wanted, sizeof wanted, "a number from %ld to %ld", f->min,
		 f->max);
	if (!num_parse(&n, value, f->min, f->max))
		return refuse_value(value, wanted, e);
	*slot = n ? (int)n : f->zero;
	return 0;
}

int field_set(const struct mesh_field *f, void *object, const char *value,
	      struct err *e)
{
	void *slot = (char *)object + f->offset;
	bool is = strcmp(value, "true") == 0;
	struct cidr c;

	switch (f->value) {
	case VALUE_SSH:
		return spec_place(object, value, e);
	case VALUE_ADDRESS:
		return set_mesh_ip(object, value, e);
	case VALUE_TEXT:
	case VALUE_OPTIONAL:
		if (f->check(value, e) < 0)
			return -1;
		mem_replace(slot, *value ? value : NULL);
		return 0;
	case VALUE_KEY_PLACE: /* "" is for files that do not say it */
		if (!*value || !key_place_parse(slot, value))
			return refuse_value(value, "host or state", e);
		return 0;
	case VALUE_NUMBER:
		return set_number(f, slot, value, e);
	case VALUE_BOOL:
		if (!is && strcmp(value, "false") != 0)
			return refuse_value(value, "true or false", e);
		*(bool *)slot = is;
		return 0;
	case VALUE_NETWORK:
		if (parse_network(&c, value, f->min, e) < 0 ||
		    check_network(&c, (int)f->min, e) < 0)
			return -1;
		*(struct cidr *)slot = c;
		return 0;
	case VALUE_NETWORKS:
		/* whether a node may have a default route knows check_mesh.c */
		if (parse_network(&c, value, 0, e) < 0 ||
		    (c.plen && check_routable(&c, e) < 0))
			return -1;
		vec_push((struct cidrs *)slot, c);
		return 0;
	case VALUE_STRINGS:
		if (f->check(value, e) < 0)
			return -1;
		strings_add(slot, value);
		return 0;
	default:
		return err_set(e, ERR_BUG, "no text can be its value");
	}
}

void field_clear(const struct mesh_field *f, void *object)
{
	void *slot = (char *)object + f->offset;
	struct node *n = object; /* of VALUE_SSH and VALUE_ADDRESS */

	switch (f->value) {
	case VALUE_SSH:
		/* that it is local stays, if it was the Go tool that said so */
		if (n->local_machine)
			n->is_local = false;
		mem_replace(&n->local_machine, NULL);
		mem_replace(&n->ssh_host, "");
		mem_replace(&n->ssh_user, NULL);
		n->ssh_port = 22; /* as in every state file: ssh_config's */
		break;
	case VALUE_ADDRESS:
		n->mesh_ip = n->mesh_ip6 = (struct ip){ 0 };
		break;
	case VALUE_KEY_PLACE:
		*(enum key_place *)slot = KEY_UNSAID;
		break;
	case VALUE_NUMBER:
		*(int *)slot = (int)f->unsaid;
		break;
	case VALUE_BOOL:
		*(bool *)slot = f->unsaid;
		break;
	case VALUE_NETWORK:
		*(struct cidr *)slot = (struct cidr){ 0 };
		break;
	default:
		field_done(f, object);
	}
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

/* ---- to text ---- */

static void add_said(struct strings *out, const char *s)
{
	if (s && *s)
		strings_add(out, s);
}

/* Of a node, what the mesh says is not said again. */
static void get_key_place(const struct mesh_field *f, const struct mesh *m,
			  enum key_place place, struct strings *out)
{
	enum key_place all = f->mesh_offset && m->key ? m->key : KEY_IN_STATE;

	if (place != all)
		add_said(out, key_place_word(place));
}

static void get_number(const struct mesh_field *f, const struct mesh *m, int n,
		       struct strings *out)
{
	const void *all_slot = (const char *)m + f->mesh_offset;
	int all = f->mesh_offset ? *(const int *)all_slot : (int)f->unsaid;
	char text[24];

	/* a port of the mesh that is not said is 0 in old files */
	if (f->mesh_offset == offsetof(struct mesh, listen_port) && !all)
		all = MESH_DEFAULT_PORT;
	if (!n || n == (int)f->unsaid || n == all)
		return;
	snprintf(text, sizeof text, "%d", n == f->zero ? 0 : n);
	strings_add(out, text);
}

void field_get(const struct mesh_field *f, const struct mesh *m,
	       const void *object, struct strings *out)
{
	const void *slot = (const char *)object + f->offset;
	const struct node *n = object; /* of VALUE_SSH and VALUE_ADDRESS */
	const struct cidrs *list;
	AUTO(auto_free) char *place = NULL;
	const char *said;
	char text[ADDR_TEXT_MAX];

	switch (f->value) {
	case VALUE_SSH:
		place = spec_place_text(n);
		add_said(out, n->ssh_host && *n->ssh_host ? place : "");
		break;
	case VALUE_ADDRESS:
		add_said(out, ip_text(&n->mesh_ip, text));
		add_said(out, ip_text(&n->mesh_ip6, text));
		break;
	case VALUE_TEXT:
	case VALUE_OPTIONAL:
		said = *(char *const *)slot;
		if (!(said && f->fallback && strcmp(said, f->fallback) == 0))
			add_said(out, said);
		break;
	case VALUE_KEY_PLACE:
		get_key_place(f, m, *(const enum key_place *)slot, out);
		break;
	case VALUE_NUMBER:
		get_number(f, m, *(const int *)slot, out);
		break;
	case VALUE_BOOL:
		if (*(const bool *)slot != (bool)f->unsaid)
			strings_add(out, f->unsaid ? "false" : "true");
		break;
	case VALUE_NETWORK:
		if (field_says(f, object))
			strings_add(out, cidr_text(slot, text));
		break;
	case VALUE_NETWORKS:
		list = slot;
		for (size_t i = 0; i < list->len; i++)
			strings_add(out, cidr_text(&list->items[i], text));
		break;
	case VALUE_STRINGS:
		strings_copy(out, slot);
		break;
	default:
		break; /* nothing that people say */
	}
}
