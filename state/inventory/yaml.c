/*
 * Ansible's YAML: inventories (groups with hosts, vars and children, nested), the
 * JSON of 'ansible-inventory --list', which YAML's parser reads, too, and files
 * of variables. Values that are not about logging in are skipped whatever they
 * are. Aliases are refused: a few lines can stand for billions of hosts.
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
	struct ansible *a;
	size_t depth; /* of mappings that are open */
	bool json;    /* lists of names may stand for hosts and children */
	bool meta;    /* it says what its hosts' variables are */
};

/* An error where the present event is. */
#define refuse(r, e, ...)                                                      \
	inventory_error((r)->a->in, (r)->event.start_mark.line + 1, e,          \
			__VA_ARGS__)

/* ---- events ---- */

static bool is(const struct reader *r, yaml_event_type_t type)
{
	return r->event.type == type;
}

/* The next event takes the place of the present one, and its texts are gone. */
static int next_event(struct reader *r, struct err *e)
{
	yaml_event_delete(&r->event);
	if (!yaml_parser_parse(&r->parser, &r->event))
		return inventory_error(r->a->in, r->parser.problem_mark.line + 1,
				       e, "no YAML: %s",
				       r->parser.problem ? r->parser.problem
							 : "cannot be read");
	return 0;
}

static int refuse_alias(const struct reader *r, struct err *e)
{
	err_set_(e, ERR_INPUT, "%s:%zu: an alias found, expected the value "
		 "itself", r->a->in->file->name, r->event.start_mark.line + 1);
	return err_advise(e, ADVICE_ANSIBLE_RESOLVES, NULL);
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
	if (is(r, YAML_ALIAS_EVENT))
		return refuse_alias(r, e);
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
		/* it brings what is elsewhere */
		if (strcmp(text, "<<") == 0)
			return refuse_alias(r, e);
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

	if (name >= ANSIBLE_NAMED) {
		ansible_set(r->a, arg, name, "", line);
		return skip_value(r, e);
	}
	if (is(r, YAML_ALIAS_EVENT))
		return refuse_alias(r, e);
	if (!text)
		return refuse(r, e, "%s: expected one value", key);
	/* "!vault" and the like; YAML's own tags change nothing here */
	tag = (const char *)r->event.data.scalar.tag;
	if (tag && tag[0] == '!' && tag[1])
		return refuse(r, e, "%s: a tag such as !vault found, expected "
			      "a plain value", key);
	if (*text)
		ansible_set(r->a, arg, name, text, line);
	return next_event(r, e);
}

/* A host or a range of them; @arg is the group's number. */
static int read_yaml_host(struct reader *r, const char *key, size_t line,
			  void *arg, struct err *e)
{
	AUTO(ansible_vars_done) struct ansible_vars vars = { 0 };

	if (read_mapping(r, key, read_var, &vars, e) < 0)
		return -1;
	return ansible_hosts(r->a, *(size_t *)arg, key, &vars, line, e);
}

static int read_group(struct reader *r, const char *key, size_t line, void *arg,
		      struct err *e);

/* A list of names, each taken by @name. */
static int read_list(struct reader *r, size_t group,
		     int (*name)(struct ansible *a, size_t group,
				 const char *text, size_t line, struct err *e),
		     struct err *e)
{
	if (next_event(r, e) < 0)
		return -1;
	while (!is(r, YAML_SEQUENCE_END_EVENT)) {
		const char *text = scalar_text(r);

		if (!text || !*text)
			return refuse(r, e, "expected a name");
		if (name(r->a, group, text, r->event.start_mark.line + 1,
			 e) < 0 || next_event(r, e) < 0)
			return -1;
	}
	return next_event(r, e);
}

static int list_host(struct ansible *a, size_t group, const char *text,
		     size_t line, struct err *e)
{
	return ansible_hosts(a, group, text, NULL, line, e);
}

static int list_child(struct ansible *a, size_t group, const char *text,
		      size_t line, struct err *e)
{
	(void)e;
	ansible_child(a, group, ansible_group(a, text, line));
	return 0;
}

/* A section of a group, whose number @arg is. */
static int read_group_section(struct reader *r, const char *key, size_t line,
			      void *arg, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(key);
	const char *text = scalar_text(r);
	size_t group = *(size_t *)arg;
	bool list = r->json && is(r, YAML_SEQUENCE_START_EVENT);

	if (strcmp(key, "hosts") == 0) {
		if (list)
			return read_list(r, group, list_host, e);
		/* one host may stand there without a colon */
		if (!text || !*text)
			return read_mapping(r, key, read_yaml_host, &group, e);
		if (ansible_hosts(r->a, group, text, NULL,
				  r->event.start_mark.line + 1, e) < 0)
			return -1;
		return next_event(r, e);
	}
	if (strcmp(key, "vars") == 0)
		return read_mapping(r, key, read_var,
				    &r->a->groups.items[group].own, e);
	if (strcmp(key, "children") == 0)
		return list ? read_list(r, group, list_child, e)
			    : read_mapping(r, key, read_group, &group, e);
	return inventory_error(r->a->in, line, e, "'%s' found, expected hosts, "
			       "vars or children", shown);
}

/* "hostvars" of "_meta": a mapping from hosts to their variables. */
static int read_meta(struct reader *r, const char *key, size_t line, void *arg,
		     struct err *e)
{
	size_t all = 0;

	(void)line;
	(void)arg;
	if (strcmp(key, "hostvars") != 0)
		return skip_value(r, e);
	r->meta = true;
	return read_mapping(r, key, read_yaml_host, &all, e);
}

/* A group; @arg is the one that it is in, or NULL. */
static int read_group(struct reader *r, const char *key, size_t line, void *arg,
		      struct err *e)
{
	const char *text = scalar_text(r);
	size_t group;

	if (!arg && r->json && strcmp(key, "_meta") == 0)
		return read_mapping(r, key, read_meta, NULL, e);
	if (!arg && text && *text && strcmp(key, "plugin") == 0) {
		AUTO(auto_free) char *shown = check_shown(text);

		err_set_(e, ERR_INPUT, "%s:%zu: this configures the inventory "
			 "plugin '%s', which only Ansible can run",
			 r->a->in->file->name, line, shown);
		return err_advise(e, ADVICE_ANSIBLE_RESOLVES, NULL);
	}
	group = ansible_group(r->a, key, line);
	if (arg)
		ansible_child(r->a, *(size_t *)arg, group);
	if (r->json && is(r, YAML_SEQUENCE_START_EVENT))
		return read_list(r, group, list_host, e);
	return read_mapping(r, key, read_group_section, &group, e);
}

/* Works on a zeroed one, too. */
static void end_reader(struct reader *r)
{
	yaml_event_delete(&r->event);
	yaml_parser_delete(&r->parser);
}

/* One document, whose pairs @pair reads; an empty one is fine. */
static int read_document(struct reader *r, pair_fn *pair, void *arg,
			 struct err *e)
{
	const struct inventory_file *f = r->a->in->file;

	if (!yaml_parser_initialize(&r->parser))
		return err_set(e, ERR_SYSTEM, "no memory for YAML");
	yaml_parser_set_input_string(&r->parser,
				     (const unsigned char *)f->text, f->len);
	/* the begin of the stream, and of the document */
	if (next_event(r, e) < 0 || next_event(r, e) < 0)
		return -1;
	if (is(r, YAML_STREAM_END_EVENT))
		return 0;
	if (next_event(r, e) < 0 ||
	    read_mapping(r, "inventory", pair, arg, e) < 0 ||
	    next_event(r, e) < 0)
		return -1;
	if (!is(r, YAML_STREAM_END_EVENT))
		return refuse(r, e, "a second document, expected one");
	return 0;
}

int ansible_vars_file(struct ansible *a, const struct inventory_file *f,
		      struct ansible_vars *to, struct err *e)
{
	AUTO(end_reader) struct reader r = { .a = a };
	struct inventory in = { .file = f, .notes = a->in->notes };
	struct inventory *was = a->in;
	int ret;

	a->in = &in;
	ret = read_document(&r, read_var, to, e);
	a->in = was;
	return ret;
}

static void end_ansible(struct ansible *a)
{
	ansible_done(a);
}

int inventory_yaml(struct inventory *in, struct err *e)
{
	AUTO(end_ansible) struct ansible a = { 0 };
	AUTO(end_reader) struct reader r = { .a = &a };
	size_t at = 0;

	ansible_init(&a, in);
	while (at < in->file->len &&
	       strchr(INVENTORY_BLANKS "\n", in->file->text[at]))
		at++;
	r.json = at < in->file->len && in->file->text[at] == '{';
	if (read_document(&r, read_group, NULL, e) < 0)
		return -1;
	if (r.json && a.hosts.len && !r.meta)
		inventory_note(in, "it has no _meta: what its script says of "
			       "each host with --host is not there");
	return ansible_finish(&a, e);
}
