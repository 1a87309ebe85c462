/*
 * One value of a mesh.yaml into its field, and what is said when it does not
 * fit. What a value may be is the field's row; here is what YAML makes of it.
 */
#include "state/yaml/read.h"

#include "base/num.h"
#include "base/text.h"
#include "state/model/model.h"

#include <string.h>

void yaml_mark_add(struct yaml_reader *r, const struct yaml_target *t,
		   const char *key, const char *value, struct yaml_mark at)
{
	struct finding_place p = t->place;

	p.key = key;
	p.value = value;
	yaml_marks_add(r->marks, p, at);
}

int yaml_wrong_kind(struct yaml_reader *r, const struct yaml_item *item,
		    const char *wanted, struct err *e)
{
	AUTO(auto_free) char *shown = NULL;

	if (item->kind == ITEM_LIST)
		return yaml_refuse(r->in, item->at, e, "a list found, expected "
				   "%s", wanted);
	if (item->kind == ITEM_MAP)
		return yaml_refuse(r->in, item->at, e, "keys and values found, "
				   "expected %s", wanted);
	if (item->kind == ITEM_END || (item->plain && !*item->text))
		return yaml_refuse(r->in, item->at, e, "no value found, "
				   "expected %s", wanted);
	shown = check_shown(item->text);
	return yaml_refuse(r->in, item->at, e, "%s'%s' found, expected %s",
			   item->plain ? "" : "the quoted text ", shown,
			   wanted);
}

int yaml_bad_value(struct yaml_reader *r, struct yaml_mark at, struct err *e)
{
	/* some checks quote the value as it is */
	AUTO(auto_free) char *shown = text_escaped(e->msg);

	return yaml_refuse(r->in, at, e, "%s", shown);
}

int yaml_check_text(struct yaml_reader *r, const struct yaml_item *item,
		    const char *form, struct err *e)
{
	const char *surprise;
	AUTO(auto_free) char *shown = NULL;

	if (item->kind != ITEM_TEXT || (item->plain && !*item->text))
		return yaml_wrong_kind(r, item, form, e);
	surprise = item->plain ? yaml_surprise(item->text) : NULL;
	if (!surprise)
		return 0;
	shown = check_shown(item->text);
	return yaml_refuse(r->in, item->at, e, "'%s' found, which is %s to some "
			   "YAML readers, expected it in quotes: \"%s\"", shown,
			   surprise, shown);
}

/* Is there a character that no SSH place has, and no control character? */
static bool is_odd(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR"
				 "STUVWXYZ0123456789._-@:[]")];
}

/*
 * An SSH host that no host can have, as old states may: what spec_place_text()
 * makes of it. Mistyped ones are not among them.
 */
static bool take_odd_host(struct node *n, const char *text)
{
	AUTO(auto_free) char *copy = mem_strdup(text);
	char *host = copy, *at = strchr(copy, '@'), *colon = strrchr(copy, ':');
	struct err ignored;
	long port = 0;
	size_t len;

	if (!is_odd(text))
		return false;
	mem_replace(&n->ssh_user, NULL);
	if (colon && num_parse(&port, colon + 1, 1, 65535))
		*colon = '\0';
	n->ssh_port = (int)port;
	if (at)
		*at = '\0';
	if (at && check_user(copy, &ignored) == 0) {
		mem_replace(&n->ssh_user, copy);
		host = at + 1;
	} else if (at) {
		*at = '@';
	}
	len = strlen(host);
	if (len > 2 && host[0] == '[' && host[len - 1] == ']' &&
	    strchr(host, ':')) {
		host[len - 1] = '\0';
		host++;
	}
	mem_replace(&n->ssh_host, host);
	return true;
}

/*
 * A state may hold texts that nobody should write by hand; in double quotes
 * they are taken as they are, so that what was exported can be read.
 */
static bool take_exactly(const struct yaml_target *t,
			 const struct mesh_field *f,
			 const struct yaml_item *item)
{
	void *slot = (char *)t->object + f->offset;

	if (!item->exact || t->place.part == PART_MESH)
		return false;
	if (t->place.part == PART_NODE)
		return strcmp(f->key, "ssh") == 0 &&
		       take_odd_host(t->object, item->text);
	if (f->type == FIELD_LIST)
		strings_add(slot, item->text);
	else
		mem_replace(slot, item->text);
	return true;
}

/*
 * A membership is kept until all groups are there. Its mark is one of the group
 * and one of the node: a finding may be about either.
 */
static int take_group(struct yaml_reader *r, const struct yaml_target *t,
		      const struct yaml_item *item, struct err *e)
{
	struct finding_place p = { .part = PART_GROUP, .key = "members" };

	if (check_group_name(item->text, e) < 0)
		return yaml_bad_value(r, item->at, e);
	p.name = yaml_marks_keep(r->marks, item->text);
	p.value = t->place.name;
	vec_push(&r->memberships,
		 ((struct yaml_membership){ p.name, p.value }));
	yaml_marks_add(r->marks, p, item->at);
	yaml_mark_add(r, t, "groups", p.name, item->at);
	return 0;
}

/* One text, or one item of a list. */
static int take_text(struct yaml_reader *r, const struct yaml_target *t,
		     const struct mesh_field *f, const struct yaml_item *item,
		     struct err *e)
{
	if (yaml_check_text(r, item, f->form, e) < 0)
		return -1;
	if (!f->value)
		return take_group(r, t, item, e);
	if (field_set(f, t->object, item->text, e) < 0 &&
	    !take_exactly(t, f, item))
		return yaml_bad_value(r, item->at, e);
	yaml_mark_add(r, t, f->key, yaml_marks_keep(r->marks, item->text),
		      item->at);
	return 0;
}

static int take_list(struct yaml_reader *r, const struct yaml_target *t,
		     const struct mesh_field *f, const struct yaml_item *value,
		     struct err *e)
{
	AUTO(auto_free) char *wanted = mem_printf("a list, [%s, ...]", f->form);
	struct yaml_item item;

	/* one that has a word for "not said" may also be one text */
	if (value->kind == ITEM_TEXT && f->fallback &&
	    !(value->plain && !*value->text))
		return take_text(r, t, f, value, e);
	if (value->kind != ITEM_LIST)
		return yaml_wrong_kind(r, value, wanted, e);
	while (true) {
		if (yaml_stream_next(r->in, &item, e) < 0)
			return -1;
		if (item.kind == ITEM_END)
			return 0;
		if (take_text(r, t, f, &item, e) < 0)
			return -1;
	}
}

int yaml_take_value(struct yaml_reader *r, const struct yaml_target *t,
		    const struct mesh_field *f, const struct yaml_item *item,
		    struct err *e)
{
	char wanted[80] = "true or false";

	if (f->type == FIELD_TEXT)
		return take_text(r, t, f, item, e);
	if (f->type == FIELD_LIST)
		return take_list(r, t, f, item, e);
	if (f->type == FIELD_NUMBER)
		snprintf(wanted, sizeof wanted,
			 "a decimal number from %ld to %ld", f->min, f->max);
	/* 010 is eight to some readers */
	if (item->kind != ITEM_TEXT || !item->plain ||
	    (item->text[0] == '0' && item->text[1]) ||
	    field_set(f, t->object, item->text, e) < 0)
		return yaml_wrong_kind(r, item, wanted, e);
	return 0;
}
