/*
 * Ansible inventories as YAML: groups with hosts, vars and children, nested.
 * Values that are not about logging in are skipped whatever they are. Anchors
 * are refused: a few lines of them can stand for billions of hosts.
 */
#include "state/inventory/ansible.h"

#include "base/auto.h"

#include <string.h>
#include <strings.h>
#include <yaml.h>

/* Deepest nesting of the groups' mappings, and of a value that is skipped. */
#define NESTING_MAX 64

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the present one */
	struct ansible a;
	size_t depth; /* of mappings that are open */
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

/* The next event takes the place of the present one, and its texts are gone. */
static int next_event(struct reader *r, struct err *e)
{
	const unsigned char *anchor = NULL;

	yaml_event_delete(&r->event);
	if (!yaml_parser_parse(&r->parser, &r->event))
		return inventory_error(r->a.in, r->parser.problem_mark.line + 1,
				       e, "no YAML: %s",
				       r->parser.problem ? r->parser.problem
							 : "cannot be read");
	if (is(r, YAML_SCALAR_EVENT))
		anchor = r->event.data.scalar.anchor;
	else if (is(r, YAML_MAPPING_START_EVENT))
		anchor = r->event.data.mapping_start.anchor;
	else if (is(r, YAML_SEQUENCE_START_EVENT))
		anchor = r->event.data.sequence_start.anchor;
	if (anchor || is(r, YAML_ALIAS_EVENT))
		return refuse(r, e, "an anchor or alias found, expected the "
			      "value itself");
	return 0;
}

/*
 * The text of the present scalar, "" for null; NULL when it is none, or when
 * there is a zero byte in it. Of the event: good until the next one.
 */
static const char *scalar_text(const struct reader *r)
{
	const char *s;

	if (!is(r, YAML_SCALAR_EVENT))
		return NULL;
	s = (const char *)r->event.data.scalar.value;
	if (strlen(s) != r->event.data.scalar.length)
		return NULL;
	if (r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    (strcmp(s, "~") == 0 || strcasecmp(s, "null") == 0))
		return "";
	return s;
}

/* Pass over the present value, whatever it is. */
static int skip_value(struct reader *r, struct err *e)
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
		if (next_event(r, e) < 0)
			return -1;
	} while (open);
	return 0;
}

/* Reads the value of @key, the present event, up to what is behind it. */
typedef int pair_fn(struct reader *r, const char *key, size_t line, void *arg,
		    struct err *e);

/*
 * The present value as a mapping, or nothing. @what it is the value of. A key
 * that is there twice would make the last one win in Ansible: refused.
 */
static int read_mapping(struct reader *r, const char *what, pair_fn *pair,
			void *arg, struct err *e)
{
	AUTO(inventory_index_done) struct inventory_index seen = { 0 };
	AUTO(auto_free) char *shown = check_shown(what);
	const char *text = scalar_text(r);

	if (text && !*text)
		return next_event(r, e);
	if (!is(r, YAML_MAPPING_START_EVENT))
		return refuse(r, e, "'%s': expected nothing, or names with ':' "
			      "behind them", shown);
	if (r->depth == NESTING_MAX)
		return refuse(r, e, "nested more than %d deep", NESTING_MAX);
	r->depth++;
	if (next_event(r, e) < 0)
		return -1;
	for (size_t n = 0; !is(r, YAML_MAPPING_END_EVENT); n++) {
		size_t line = r->event.start_mark.line + 1;
		const struct inventory_entry *key;

		text = scalar_text(r);
		if (!text || !*text)
			return refuse(r, e, "expected a name");
		key = inventory_index(&seen, text, n);
		if (key->number != n) {
			AUTO(auto_free) char *again = check_shown(text);

			return refuse(r, e, "'%s' is there twice, expected it "
				      "once", again);
		}
		if (next_event(r, e) < 0 ||
		    pair(r, key->name, line, arg, e) < 0)
			return -1;
	}
	r->depth--;
	return next_event(r, e);
}

/* ---- hosts and groups ---- */

/* A variable; @arg is what it is taken into. */
static int read_var(struct reader *r, const char *key, size_t line, void *arg,
		    struct err *e)
{
	enum ansible_name name = ansible_name(key);
	const char *text = scalar_text(r);
	const char *tag;

	if (name == ANSIBLE_NONE)
		return skip_value(r, e);
	if (!text)
		return refuse(r, e, "%s: expected one value", key);
	/* "!vault" and the like; YAML's own tags change nothing here */
	tag = (const char *)r->event.data.scalar.tag;
	if (tag && tag[0] == '!' && tag[1])
		return refuse(r, e, "%s: a tag such as !vault found, expected "
			      "a plain value", key);
	if (*text)
		ansible_set(arg, name, text, line);
	return next_event(r, e);
}

/* A host or a range of them; @arg is the group's number. */
static int read_yaml_host(struct reader *r, const char *key, size_t line,
			  void *arg, struct err *e)
{
	AUTO(ansible_vars_done) struct ansible_vars vars = { 0 };

	if (read_mapping(r, key, read_var, &vars, e) < 0)
		return -1;
	return ansible_hosts(&r->a, *(size_t *)arg, key, &vars, line, e);
}

static int read_group(struct reader *r, const char *key, size_t line, void *arg,
		      struct err *e);

/* A section of a group, whose number @arg is. */
static int read_group_section(struct reader *r, const char *key, size_t line,
			      void *arg, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(key);
	const char *text = scalar_text(r);
	size_t group = *(size_t *)arg;

	if (strcmp(key, "hosts") == 0) {
		/* one host may stand there without a colon */
		if (!text || !*text)
			return read_mapping(r, key, read_yaml_host, &group, e);
		if (ansible_hosts(&r->a, group, text, NULL,
				  r->event.start_mark.line + 1, e) < 0)
			return -1;
		return next_event(r, e);
	}
	if (strcmp(key, "vars") == 0)
		return read_mapping(r, key, read_var,
				    &r->a.groups.items[group].own, e);
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
	return read_mapping(r, key, read_group_section, &group, e);
}

/* Works on a zeroed one, too. */
static void end_reader(struct reader *r)
{
	yaml_event_delete(&r->event);
	yaml_parser_delete(&r->parser);
	ansible_done(&r->a);
}

int inventory_yaml(struct inventory *in, struct err *e)
{
	AUTO(end_reader) struct reader r = { .depth = 0 };

	if (!yaml_parser_initialize(&r.parser))
		return err_set(e, ERR_SYSTEM, "no memory for YAML");
	yaml_parser_set_input_string(&r.parser,
				     (const unsigned char *)in->file->text,
				     in->file->len);
	ansible_init(&r.a, in);
	/* the begin of the stream, and of the document */
	if (next_event(&r, e) < 0 || next_event(&r, e) < 0)
		return -1;
	if (is(&r, YAML_STREAM_END_EVENT))
		return 0;
	if (next_event(&r, e) < 0 ||
	    read_mapping(&r, "inventory", read_group, NULL, e) < 0 ||
	    next_event(&r, e) < 0)
		return -1;
	if (!is(&r, YAML_STREAM_END_EVENT))
		return refuse(&r, e, "a second document, expected one");
	return ansible_finish(&r.a, e);
}
