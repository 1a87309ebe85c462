/*
 * Reads an object of the state file, or of a saved plan, by its rows. What a
 * file says comes from whoever could write it: every type is checked here, and
 * what an error shows of it is cut and escaped.
 */
#include "state/json/value.h"

#include "base/auto.h"
#include "state/model/model.h"

#include <json-c/json.h>
#include <string.h>

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

const char *json_text(struct json_object *v)
{
	return json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN |
						 JSON_C_TO_STRING_NOSLASHESCAPE);
}

static int get_text(const char **out, struct json_object *v, struct err *e)
{
	if (!json_object_is_type(v, json_type_string))
		return json_wrong_type(v, "a string", e);
	*out = json_object_get_string(v);
	return 0;
}

/*
 * Reads @v into @slot, in place of what is there, because a key may come twice.
 * null never comes here: it means "not said".
 */
typedef int read_fn(const struct mesh_field *f, void *slot,
		    struct json_object *v, struct err *e);

/*
 * "" means the same as leaving it out, unless it is VALUE_TEXT, which is always
 * in the file. The text ends at its NUL: the syntax check let no other one
 * pass.
 */
static int read_text(const struct mesh_field *f, void *slot,
		     struct json_object *v, struct err *e)
{
	const char *s;

	if (get_text(&s, v, e) < 0)
		return -1;
	mem_replace(slot, *s || f->value == VALUE_TEXT ? s : NULL);
	return 0;
}

static int read_key_place(const struct mesh_field *f, void *slot,
			  struct json_object *v, struct err *e)
{
	AUTO(auto_free) char *shown = NULL;
	const char *s;

	(void)f;
	if (get_text(&s, v, e) < 0)
		return -1;
	if (key_place_parse(slot, s))
		return 0;
	shown = check_shown(s);
	return err_set(e, ERR_INPUT, "'%s' is no place for a key, expected "
		       "'host' or 'state'", shown);
}

static int read_secret(const struct mesh_field *f, void *slot,
		       struct json_object *v, struct err *e)
{
	const char *s;

	(void)f;
	if (get_text(&s, v, e) < 0)
		return -1;
	secret_done(slot);
	if (*s)
		secret_set(slot, s, strlen(s));
	return 0;
}

/* json-c would also take 1 and "true": its own conversions are not used. */
static int read_bool(const struct mesh_field *f, void *slot,
		     struct json_object *v, struct err *e)
{
	(void)f;
	if (!json_object_is_type(v, json_type_boolean))
		return json_wrong_type(v, "true or false", e);
	*(bool *)slot = json_object_get_boolean(v);
	return 0;
}

/* 0 means "not said" where the Go tool writes it so. */
static int read_number(const struct mesh_field *f, void *slot,
		       struct json_object *v, struct err *e)
{
	long n;

	if (!json_object_is_type(v, json_type_int))
		return json_wrong_type(v, "an integer", e);
	/* what lies beyond 63 bits is the nearest that does not, and refused */
	n = json_object_get_int64(v);
	if (!(n == 0 && f->always) && f->check_number(n, e) < 0)
		return -1;
	*(int *)slot = n ? (int)n : f->zero;
	return 0;
}

/* All 64 bits: json-c keeps a number beyond 63 bits as an unsigned one. */
static int read_serial(const struct mesh_field *f, void *slot,
		       struct json_object *v, struct err *e)
{
	(void)f;
	if (!json_object_is_type(v, json_type_int))
		return json_wrong_type(v, "an integer", e);
	if (json_object_get_int64(v) < 0)
		return err_set(e, ERR_INPUT, "%s found, expected 0 or more",
			       json_object_get_string(v));
	*(uint64_t *)slot = json_object_get_uint64(v);
	return 0;
}

static int refuse_address(const char *s, const char *wanted, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(s);

	return err_set(e, ERR_INPUT, "'%s' found, expected %s", shown, wanted);
}

static int read_ip(const struct mesh_field *f, void *slot,
		   struct json_object *v, struct err *e)
{
	struct ip a = { 0 };
	const char *s;

	if (get_text(&s, v, e) < 0)
		return -1;
	if (*s && (!ip_parse(&a, s) || a.family != f->min))
		return refuse_address(s, f->min == 6
				? "an IPv6 address"
				: "an IPv4 address (for IPv6 there is "
				  "mesh_ip6)", e);
	*(struct ip *)slot = a;
	return 0;
}

static int read_network(const struct mesh_field *f, void *slot,
			struct json_object *v, struct err *e)
{
	struct cidr c = { 0 };
	const char *s;

	if (get_text(&s, v, e) < 0)
		return -1;
	/* host bits are cleared, as the Go tool's parser does */
	if (*s && (!strchr(s, '/') || !cidr_parse(&c, s)))
		return refuse_address(s, f->min == 6
				? "a network such as fd99::/64"
				: "a network such as 10.99.0.0/16", e);
	cidr_mask(&c);
	*(struct cidr *)slot = c;
	return 0;
}

/* A list of any kind but of objects; in place of what is there. */
static int read_items(const struct mesh_field *f, void *slot,
		      struct json_object *v, struct err *e)
{
	struct secrets *secrets = slot;
	struct cidr c;
	const char *s;

	if (!json_object_is_type(v, json_type_array))
		return json_wrong_type(v, "a list", e);
	field_done(f, (char *)slot - f->offset);
	for (size_t i = 0; i < json_object_array_length(v); i++) {
		if (get_text(&s, json_object_array_get_idx(v, i), e) < 0)
			return err_wrap(e, "item %zu", i + 1);
		if (f->value == VALUE_STRINGS) {
			strings_add(slot, s);
			continue;
		}
		if (f->value == VALUE_SECRETS) {
			struct secret *one = vec_add(secrets);

			if (*s)
				secret_set(one, s, strlen(s));
			continue;
		}
		if (!cidr_parse(&c, s))
			return refuse_address(s, "a network such as "
					      "192.168.10.0/24", e);
		if (f->value == VALUE_NETWORKS)
			cidr_mask(&c);
		vec_push((struct cidrs *)slot, c);
	}
	return 0;
}

/* What one peer saw was believed once; it is a hint now. */
static int read_nat_seen(const struct mesh_field *f, void *slot,
			 struct json_object *v, struct err *e)
{
	AUTO(auto_free) char *by = NULL;
	char **from = slot;

	if (read_text(f, &by, v, e) < 0)
		return -1;
	if (by && !*from)
		*from = mem_strdup(strcmp(by, "ssh") == 0
					   ? FACT_SAID
					   : FACT_SEEN_BY "a peer");
	return 0;
}

/* Objects; a list is sorted as the mesh has it, however the file does. */
static int read_list(const struct mesh_field *f, void *object,
		     struct json_object *v, struct err *e)
{
	if (!json_object_is_type(v, json_type_array))
		return json_wrong_type(v, "a list", e);
	field_done(f, object);
	for (size_t i = 0; i < json_object_array_length(v); i++) {
		void *item = field_add(f, object);

		object_init(f->of, item);
		if (json_read_object(f->of, item,
				     json_object_array_get_idx(v, i), e) < 0)
			return err_wrap(e, "item %zu", i + 1);
	}
	field_sort(f, object);
	return 0;
}

/*
 * Its errors name the entry, which is enough. The name is the first member of
 * such an object, and checked with the mesh.
 */
static int read_map(const struct mesh_field *f, void *object,
		    struct json_object *v, struct err *e)
{
	if (!json_object_is_type(v, json_type_object)) {
		json_wrong_type(v, "an object", e);
		return err_wrap(e, "%s", f->json);
	}
	field_done(f, object); /* a key may come twice: the last one holds */
	json_object_object_foreach(v, key, member) {
		void *item = field_add(f, object);

		*(char **)item = mem_strdup(key);
		object_init(f->of, item);
		if (json_read_object(f->of, item, member, e) < 0) {
			AUTO(auto_free) char *shown = check_shown(key);

			return err_wrap(e, "%s '%s'", f->form, shown);
		}
	}
	field_sort(f, object);
	return 0;
}

static read_fn *const readers[VALUES] = {
	[VALUE_TEXT] = read_text,
	[VALUE_OPTIONAL] = read_text,
	[VALUE_KEY_PLACE] = read_key_place,
	[VALUE_SECRET] = read_secret,
	[VALUE_NUMBER] = read_number,
	[VALUE_SERIAL] = read_serial,
	[VALUE_BOOL] = read_bool,
	[VALUE_IP] = read_ip,
	[VALUE_NETWORK] = read_network,
	[VALUE_NETWORKS] = read_items,
	[VALUE_ADDRESSES] = read_items,
	[VALUE_STRINGS] = read_items,
	[VALUE_SECRETS] = read_items,
	[VALUE_NAT_SEEN] = read_nat_seen,
};

static int read_member(const struct mesh_field *f, char *object,
		       struct json_object *v, struct err *e)
{
	void *slot = object + f->offset;
	int ret;

	if (f->value == VALUE_MAP)
		return read_map(f, object, v, e);
	if (f->value == VALUE_LIST)
		ret = read_list(f, object, v, e);
	else if (f->value == VALUE_OBJECT)
		ret = json_read_object(f->of, slot, v, e);
	else
		ret = readers[f->value](f, slot, v, e);
	if (f->null_at)
		*(bool *)(object + f->null_at) = false;
	return ret < 0 ? err_wrap(e, "%s", f->json) : 0;
}

int json_read_object(const struct mesh_object *of, void *object,
		     struct json_object *v, struct err *e)
{
	struct extras *extras = (void *)((char *)object + of->extras);

	if (!json_object_is_type(v, json_type_object))
		return json_wrong_type(v, "an object", e);
	/* null, as well as no list at all, is kept apart from an empty list */
	for (size_t i = 0; i < OBJECT_TABLES; i++)
		for (size_t k = 0; k < of->tables[i].len; k++) {
			size_t null_at = of->tables[i].items[k].null_at;

			if (null_at)
				*(bool *)((char *)object + null_at) = true;
		}
	json_object_object_foreach(v, key, member) {
		const struct mesh_field *f = object_member(of, key);

		if (!f)
			vec_push(extras,
				 ((struct extra){ mem_strdup(key),
						  mem_strdup(json_text(member)) }));
		else if (member && read_member(f, object, member, e) < 0)
			return -1;
	}
	return 0;
}
