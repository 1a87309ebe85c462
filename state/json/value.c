#include "state/json/value.h"

#include "base/auto.h"
#include "state/model/model.h"

#include <json-c/json.h>
#include <string.h>
#include <strings.h>

int json_wrong_type(struct json_object *v, const char *wanted, struct err *e)
{
	static const char *const names[] = {
		[json_type_null] = "null",
		[json_type_boolean] = "a boolean",
		[json_type_double] = "a fraction",
		[json_type_int] = "a number",
		[json_type_object] = "an object",
		[json_type_array] = "a list",
		[json_type_string] = "a string",
	};

	return err_set(e, ERR_INPUT, "%s found, expected %s",
		       names[json_object_get_type(v)], wanted);
}

static int get_text(const char **out, struct json_object *v, struct err *e)
{
	if (!json_object_is_type(v, json_type_string))
		return json_wrong_type(v, "a string", e);
	*out = json_object_get_string(v);
	return 0;
}

/* json-c turns what lies beyond 63 bits into the nearest that does not. */
static int get_long(long *out, struct json_object *v, struct err *e)
{
	if (!json_object_is_type(v, json_type_int))
		return json_wrong_type(v, "an integer", e);
	*out = json_object_get_int64(v);
	return 0;
}

int json_read_text(void *slot, struct json_object *v, struct err *e)
{
	const char *s;

	if (get_text(&s, v, e) < 0)
		return -1;
	mem_replace(slot, s);
	return 0;
}

/* Text for which "" means the same as leaving it out. */
int json_read_optional(void *slot, struct json_object *v, struct err *e)
{
	const char *s;

	if (get_text(&s, v, e) < 0)
		return -1;
	mem_replace(slot, *s ? s : NULL);
	return 0;
}

int json_read_secret(void *slot, struct json_object *v, struct err *e)
{
	const char *s;

	if (get_text(&s, v, e) < 0)
		return -1;
	secret_done(slot);
	if (*s)
		secret_set(slot, s, strlen(s));
	return 0;
}

int json_read_bool(void *slot, struct json_object *v, struct err *e)
{
	if (!json_object_is_type(v, json_type_boolean))
		return json_wrong_type(v, "true or false", e);
	*(bool *)slot = json_object_get_boolean(v);
	return 0;
}

/* 0 means "not said", as the Go tool writes it. */
int json_read_port(void *slot, struct json_object *v, struct err *e)
{
	long n;

	if (get_long(&n, v, e) < 0 || (n != 0 && check_port(n, e) < 0))
		return -1;
	*(int *)slot = (int)n;
	return 0;
}

int json_read_mtu(void *slot, struct json_object *v, struct err *e)
{
	long n;

	if (get_long(&n, v, e) < 0 || check_mtu(n, e) < 0)
		return -1;
	*(int *)slot = (int)n;
	return 0;
}

int json_read_keepalive(void *slot, struct json_object *v, struct err *e)
{
	long n;

	if (get_long(&n, v, e) < 0 || check_keepalive(n, e) < 0)
		return -1;
	*(int *)slot = (int)n;
	return 0;
}

int json_read_serial(void *slot, struct json_object *v, struct err *e)
{
	if (!json_object_is_type(v, json_type_int))
		return json_wrong_type(v, "an integer", e);
	if (json_object_get_int64(v) < 0)
		return err_set(e, ERR_INPUT, "%s found, expected 0 or more",
			       json_object_get_string(v));
	*(uint64_t *)slot = json_object_get_uint64(v);
	return 0;
}

static int no_address(const char *s, const char *wanted, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(s);

	return err_set(e, ERR_INPUT, "'%s' found, expected %s", shown, wanted);
}

static int read_ip(void *slot, struct json_object *v, int family,
		   const char *wanted, struct err *e)
{
	struct ip a = { 0 };
	const char *s;

	if (get_text(&s, v, e) < 0)
		return -1;
	if (*s && (!ip_parse(&a, s) || a.family != family))
		return no_address(s, wanted, e);
	*(struct ip *)slot = a;
	return 0;
}

int json_read_ip4(void *slot, struct json_object *v, struct err *e)
{
	return read_ip(slot, v, 4, "an IPv4 address (for IPv6 there is "
		       "mesh_ip6)", e);
}

int json_read_ip6(void *slot, struct json_object *v, struct err *e)
{
	return read_ip(slot, v, 6, "an IPv6 address", e);
}

static int read_network(void *slot, struct json_object *v, const char *wanted,
			struct err *e)
{
	struct cidr c = { 0 };
	const char *s;

	if (get_text(&s, v, e) < 0)
		return -1;
	if (*s && (!strchr(s, '/') || !cidr_parse(&c, s)))
		return no_address(s, wanted, e);
	cidr_mask(&c);
	*(struct cidr *)slot = c;
	return 0;
}

int json_read_network4(void *slot, struct json_object *v, struct err *e)
{
	return read_network(slot, v, "a network such as 10.99.0.0/16", e);
}

int json_read_network6(void *slot, struct json_object *v, struct err *e)
{
	return read_network(slot, v, "a network such as fd99::/64", e);
}

/* Append the list's addresses, each with a prefix length. */
static int read_cidrs(struct cidrs *list, struct json_object *v, bool mask,
		      struct err *e)
{
	struct cidr c;
	const char *s;

	if (!json_object_is_type(v, json_type_array))
		return json_wrong_type(v, "a list", e);
	list->len = 0;
	for (size_t i = 0; i < json_object_array_length(v); i++) {
		if (get_text(&s, json_object_array_get_idx(v, i), e) < 0)
			return err_wrap(e, "item %zu", i + 1);
		if (!cidr_parse(&c, s))
			return no_address(s, "a network such as "
					  "192.168.10.0/24", e);
		if (mask)
			cidr_mask(&c);
		vec_push(list, c);
	}
	return 0;
}

int json_read_networks(void *slot, struct json_object *v, struct err *e)
{
	return read_cidrs(slot, v, true, e);
}

int json_read_addresses(void *slot, struct json_object *v, struct err *e)
{
	return read_cidrs(slot, v, false, e);
}

int json_read_strings(void *slot, struct json_object *v, struct err *e)
{
	const char *s;

	if (!json_object_is_type(v, json_type_array))
		return json_wrong_type(v, "a list", e);
	strings_done(slot);
	for (size_t i = 0; i < json_object_array_length(v); i++) {
		if (get_text(&s, json_object_array_get_idx(v, i), e) < 0)
			return err_wrap(e, "item %zu", i + 1);
		strings_add(slot, s);
	}
	return 0;
}

static void add_extra(struct extras *extras, const char *key,
		      struct json_object *v)
{
	struct extra *x = vec_add(extras);

	x->key = mem_strdup(key);
	x->json = mem_strdup(json_object_to_json_string_ext(
		v, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

static const struct field *find_field(const struct shape *shape,
				      const char *key)
{
	for (size_t i = 0; i < shape->len; i++)
		if (strcasecmp(shape->fields[i].key, key) == 0)
			return &shape->fields[i];
	return NULL;
}

/* Read the object @v into the struct at @base. */
int json_read_shape(void *base, const struct shape *shape,
		      struct json_object *v, struct err *e)
{
	char *at = base;

	if (!json_object_is_type(v, json_type_object))
		return json_wrong_type(v, "an object", e);
	json_object_object_foreach(v, key, member) {
		const struct field *f = find_field(shape, key);

		if (!f)
			add_extra((void *)(at + shape->extras_offset), key,
				  member);
		else if (member && f->read(at + f->offset, member, e) < 0)
			return f->says_place ? -1 : err_wrap(e, "%s", f->key);
	}
	return 0;
}
