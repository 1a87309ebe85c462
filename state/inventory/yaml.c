/*
 * Ansible inventories as YAML: groups with hosts, vars and children, nested.
 * Values that are not about logging in are skipped whatever they are.
 */
#include "state/inventory/ansible.h"

#include "base/auto.h"
#include "state/model/model.h"

#include <string.h>
#include <strings.h>
#include <yaml.h>

/* Deepest nesting of the groups' mappings, and of a value that is skipped. */
#define NESTING_MAX 64

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the present one */
	struct ansible a;
	size_t depth;
};

/* An error where the present event is. */
#define refuse(r, e, ...)                                                      \
	inventory_error((r)->a.in, (r)->event.start_mark.line + 1, e,          \
			__VA_ARGS__)

/* ---- events ---- */

static bool is(const struct reader *r, yaml_event_type_t type)
{
	return r->event.type == type;
}

static bool has_anchor(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor;
	default:
		return false;
	}
}

static int next(struct reader *r, struct err *e)
{
	yaml_event_delete(&r->event);
	if (!yaml_parser_parse(&r->parser, &r->event))
		return inventory_error(r->a.in, r->parser.problem_mark.line + 1,
				       e, "no YAML: %s",
				       r->parser.problem ? r->parser.problem
							 : "cannot be read");
	if (is(r, YAML_ALIAS_EVENT) || has_anchor(&r->event))
		return refuse(r, e, "an anchor or alias found, expected the "
			      "value itself");
	return 0;
}

/* The text of a scalar, "" for null; NULL when there is a zero byte in it. */
static const char *text_of(const struct reader *r)
{
	const char *s = (const char *)r->event.data.scalar.value;

	if (strlen(s) != r->event.data.scalar.length)
		return NULL;
	if (r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    (strcmp(s, "~") == 0 || strcasecmp(s, "null") == 0))
		return "";
	return s;
}

/* Pass over the present value, whatever it is. */
static int skip(struct reader *r, struct err *e)
{
	size_t open = 0;

	do {
		if (is(r, YAML_MAPPING_START_EVENT) ||
		    is(r, YAML_SEQUENCE_START_EVENT))
			open++;
		if (is(r, YAML_MAPPING_END_EVENT) ||
		    is(r, YAML_SEQUENCE_END_EVENT))
			open--;
		if (open > NESTING_MAX)
			return refuse(r, e, "nested more than %d deep",
				      NESTING_MAX);
		if (next(r, e) < 0)
			return -1;
	} while (open);
	return 0;
}

/* Reads the value of @key, the present event, up to what is behind it. */
typedef int pair_fn(struct reader *r, const char *key, size_t line, void *arg,
		    struct err *e);

/* The present scalar as a key that was not there yet; kept in @keys. */
static const char *new_key(struct reader *r, struct strings *keys,
			   struct inventory_index *seen, struct err *e)
{
	const char *text = is(r, YAML_SCALAR_EVENT) ? text_of(r) : NULL;
	AUTO(auto_free) char *shown = check_shown(text ? text : "");

	if (!text || !*text) {
		(void)refuse(r, e, "expected a name");
		return NULL;
	}
	strings_add(keys, text);
	text = keys->items[keys->len - 1];
	if (inventory_index(seen, text, keys->len) == keys->len)
		return text;
	(void)refuse(r, e, "'%s' is there twice, expected it once", shown);
	return NULL;
}

static int read_pairs(struct reader *r, pair_fn *pair, void *arg, struct err *e)
{
	struct inventory_index seen = { 0 };
	struct strings keys = { 0 };
	int ret = 0;

	while (ret == 0 && !is(r, YAML_MAPPING_END_EVENT)) {
		size_t line = r->event.start_mark.line + 1;
		const char *key = new_key(r, &keys, &seen, e);

		if (!key || next(r, e) < 0)
			ret = -1;
		else
			ret = pair(r, key, line, arg, e);
	}
	inventory_index_done(&seen);
	strings_done(&keys);
	return ret < 0 ? -1 : next(r, e);
}

/* The present value as a mapping, or nothing. @what it is the value of. */
static int read_mapping(struct reader *r, const char *what, pair_fn *pair,
			void *arg, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(what);
	int ret;

	if (is(r, YAML_SCALAR_EVENT) && text_of(r) && !*text_of(r))
		return next(r, e);
	if (!is(r, YAML_MAPPING_START_EVENT))
		return refuse(r, e, "'%s': expected nothing, or names with ':' "
			      "behind them", shown);
	if (r->depth == NESTING_MAX)
		return refuse(r, e, "nested more than %d deep", NESTING_MAX);
	r->depth++;
	ret = next(r, e) < 0 ? -1 : read_pairs(r, pair, arg, e);
	r->depth--;
	return ret;
}

/* ---- hosts and groups ---- */

/* "!vault" and the like; YAML's own tags change nothing here. */
static bool has_own_tag(const struct reader *r)
{
	const char *tag = (const char *)r->event.data.scalar.tag;

	return tag && tag[0] == '!' && tag[1];
}

static int read_var(struct reader *r, const char *key, size_t line, void *arg,
		    struct err *e)
{
	enum ansible_name name = ansible_name(key);

	if (name == ANSIBLE_NONE)
		return skip(r, e);
	if (!is(r, YAML_SCALAR_EVENT) || !text_of(r))
		return refuse(r, e, "%s: expected one value", key);
	if (has_own_tag(r))
		return refuse(r, e, "%s: a tag such as !vault found, expected "
			      "a plain value", key);
	if (*text_of(r))
		ansible_set(arg, name, text_of(r), line);
	return next(r, e);
}

static int read_host(struct reader *r, const char *key, size_t line, void *arg,
		     struct err *e)
{
	struct ansible_vars vars = { 0 };
	int ret = read_mapping(r, key, read_var, &vars, e);

	if (ret == 0)
		ret = ansible_hosts(&r->a, *(size_t *)arg, key, &vars, line, e);
	ansible_vars_done(&vars);
	return ret;
}

/* One host may stand there without a colon. */
static int read_hosts(struct reader *r, size_t group, struct err *e)
{
	if (is(r, YAML_SCALAR_EVENT) && text_of(r) && *text_of(r)) {
		if (ansible_hosts(&r->a, group, text_of(r), NULL,
				  r->event.start_mark.line + 1, e) < 0)
			return -1;
		return next(r, e);
	}
	return read_mapping(r, "hosts", read_host, &group, e);
}

static int read_vars(struct reader *r, size_t group, struct err *e)
{
	struct ansible_vars vars = { 0 };
	int ret = read_mapping(r, "vars", read_var, &vars, e);

	for (int v = 0; ret == 0 && v < ANSIBLE_VARS; v++)
		if (vars.of[v].text)
			ansible_set(&r->a.groups.items[group].own,
				    (enum ansible_name)v, vars.of[v].text,
				    vars.of[v].line);
	ansible_vars_done(&vars);
	return ret;
}

static int read_group(struct reader *r, const char *key, size_t line, void *arg,
		      struct err *e);

static int read_section(struct reader *r, const char *key, size_t line,
			void *arg, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(key);
	size_t group = *(size_t *)arg;

	if (strcmp(key, "hosts") == 0)
		return read_hosts(r, group, e);
	if (strcmp(key, "vars") == 0)
		return read_vars(r, group, e);
	if (strcmp(key, "children") == 0)
		return read_mapping(r, key, read_group, &group, e);
	return inventory_error(r->a.in, line, e, "'%s' found, expected hosts, "
			       "vars or children", shown);
}

/* A group; @arg is the one that it is in, or NULL. */
static int read_group(struct reader *r, const char *key, size_t line, void *arg,
		      struct err *e)
{
	size_t group = ansible_group(&r->a, key, line);

	if (arg)
		ansible_child(&r->a, *(size_t *)arg, group);
	return read_mapping(r, key, read_section, &group, e);
}

static int read_stream(struct reader *r, struct err *e)
{
	if (next(r, e) < 0 || next(r, e) < 0) /* begin of stream, document */
		return -1;
	if (is(r, YAML_STREAM_END_EVENT))
		return 0;
	if (next(r, e) < 0 ||
	    read_mapping(r, "inventory", read_group, NULL, e) < 0 ||
	    next(r, e) < 0)
		return -1;
	if (!is(r, YAML_STREAM_END_EVENT))
		return refuse(r, e, "a second document, expected one");
	return ansible_finish(&r->a, e);
}

int inventory_yaml(struct inventory *in, struct err *e)
{
	struct reader r = { .depth = 0 };
	int ret;

	if (!yaml_parser_initialize(&r.parser))
		return err_set(e, ERR_SYSTEM, "no memory for YAML");
	yaml_parser_set_input_string(&r.parser,
				     (const unsigned char *)in->file->text,
				     in->file->len);
	ansible_init(&r.a, in);
	ret = read_stream(&r, e);
	yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	ansible_done(&r.a);
	return ret;
}
