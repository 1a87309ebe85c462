/*
 * One read function for each kind of value that a state holds, and tables that
 * say which key goes where. A read function replaces what is in the slot,
 * because a key may come twice. null never reaches one: it means "not said".
 * For json.c alone.
 */
#ifndef WGMESH_STATE_JSON_VALUE_H
#define WGMESH_STATE_JSON_VALUE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct json_object;

/** Read @v into @slot. 0, or -1 with ERR_INPUT that says what is expected. */
typedef int json_read_fn(void *slot, struct json_object *v, struct err *e);

/** A key, its kind of value, and the slot's place in the struct. */
struct field {
	const char *key;
	json_read_fn *read;
	size_t offset;
	bool says_place; /* its errors name the place: do not add the key */
};

/** All keys of an object; other members go to the extras. */
struct shape {
	const struct field *fields;
	size_t len;
	size_t extras_offset;
};

/** Read the object @v into the struct at @base; wraps errors with the key. */
int json_read_shape(void *base, const struct shape *shape,
		    struct json_object *v, struct err *e);

/** Set "A found, expected @wanted". */
int json_wrong_type(struct json_object *v, const char *wanted, struct err *e);

json_read_fn json_read_text;     /* char *, owned */
json_read_fn json_read_optional; /* char *, owned; NULL for "" */
json_read_fn json_read_secret;   /* struct secret */
json_read_fn json_read_bool;     /* bool */
json_read_fn json_read_port;     /* int, 0 allowed */
json_read_fn json_read_mtu;      /* int */
json_read_fn json_read_keepalive; /* int */
json_read_fn json_read_serial;   /* uint64_t */
json_read_fn json_read_ip4;      /* struct ip; "" is none */
json_read_fn json_read_ip6;
json_read_fn json_read_network4; /* struct cidr, masked; "" is none */
json_read_fn json_read_network6;
json_read_fn json_read_networks; /* struct cidrs, masked */
json_read_fn json_read_addresses; /* struct cidrs with host bits */
json_read_fn json_read_strings;  /* struct strings */

#endif
