/*
 * Ansible inventories as INI.
 */
#include "state/inventory/ansible.h"

#include "base/auto.h"
#include "state/model/model.h"

#include <string.h>

#define BLANKS " \t\r\v\f"

enum section { HOSTS, CHILDREN, VARS };

struct ini {
	struct ansible a;
	enum section section;
	size_t group;
};

/* What a name of a group cannot have. */
static bool is_group_name(const char *s)
{
	return *s && !strpbrk(s, ":] \t");
}

/* Cut off a comment; one stands at the beginning or behind a blank. */
static void cut_comment(char *s)
{
	for (char *p = s; *p; p++)
		if (*p == '#' && (p == s || strchr(BLANKS, p[-1]))) {
			*p = '\0';
			return;
		}
}

/* What @line opens: "[group]", "[group:children]", "[group:vars]". */
static int open_section(struct ini *ini, char *line, struct err *e)
{
	char *end = strchr(line, ']');
	const char *rest = end ? inventory_trim(end + 1) : "x";
	char *kind;

	if (*rest && *rest != '#')
		return err_set(e, ERR_INPUT, "expected [GROUP], "
			       "[GROUP:children] or [GROUP:vars]");
	*end = '\0';
	kind = strchr(++line, ':');
	if (kind)
		*kind++ = '\0';
	if (!is_group_name(line) ||
	    (kind && strcmp(kind, "hosts") != 0 &&
	     strcmp(kind, "children") != 0 && strcmp(kind, "vars") != 0))
		return err_set(e, ERR_INPUT, "expected [GROUP], "
			       "[GROUP:children] or [GROUP:vars]");
	ini->section = !kind || *kind == 'h' ? HOSTS
		       : *kind == 'c'	     ? CHILDREN
					     : VARS;
	ini->group = ansible_group(&ini->a, line, ini->a.in->line);
	return 0;
}

/* A value that is one string of Python's: its quotes go. */
static char *unquote(char *s)
{
	size_t n = strlen(s);

	if (n < 2 || (*s != '"' && *s != '\'') || s[n - 1] != *s)
		return s;
	s[n - 1] = '\0';
	return s + 1;
}

static int take_child(struct ini *ini, char *line, struct err *e)
{
	cut_comment(line);
	line = inventory_trim(line);
	if (!is_group_name(line))
		return err_set(e, ERR_INPUT, "expected the name of a group");
	ansible_child(&ini->a, ini->group,
		      ansible_group(&ini->a, line, ini->a.in->line));
	return 0;
}

static int take_var(struct ini *ini, char *line, struct err *e)
{
	struct ansible_group *g = &ini->a.groups.items[ini->group];
	char *text = strchr(line, '=');

	if (!text)
		return err_set(e, ERR_INPUT, "expected KEY=VALUE");
	*text++ = '\0';
	text = inventory_trim(text);
	cut_comment(text);
	ansible_set(&g->own, ansible_name(inventory_trim(line)),
		    unquote(inventory_trim(text)), ini->a.in->line);
	return 0;
}

/*
 * The next word of a line as a shell would cut it, in place: quotes and
 * backslashes go, '#' ends the line. NULL at the end; -1 in *@line when a quote
 * is not closed.
 */
static char *next_word(char **line, bool *open)
{
	char *from = *line + strspn(*line, BLANKS);
	char *to = from, *word = from;
	char quote = '\0';

	if (!*from || *from == '#')
		return NULL;
	for (; *from && (quote || !strchr(BLANKS "#", *from)); from++) {
		bool escapes = *from == '\\' && from[1] && quote != '\'' &&
			       (!quote || strchr("\"\\", from[1]));

		if (*from == quote && quote)
			quote = '\0';
		else if (!quote && (*from == '"' || *from == '\''))
			quote = *from;
		else
			*to++ = escapes ? *++from : *from;
	}
	*open = quote != '\0';
	*line = *from == '#' ? from + strlen(from) : from + (*from != '\0');
	*to = '\0';
	return word;
}

/* "pattern key=value key=value". A value may be a password: none is shown. */
static int take_host(struct ini *ini, char *line, struct err *e)
{
	struct ansible_vars vars = { 0 };
	size_t at = ini->a.in->line;
	bool open = false;
	char *pattern = next_word(&line, &open);
	char *word;
	int ret = 0;

	for (size_t n = 2; ret == 0 && !open &&
			   (word = next_word(&line, &open)); n++) {
		char *text = strchr(word, '=');

		if (!text) {
			ret = inventory_error(ini->a.in, at, e, "word %zu: "
					      "expected KEY=VALUE behind a "
					      "host", n);
			break;
		}
		*text++ = '\0';
		ansible_set(&vars, ansible_name(word), unquote(text), at);
	}
	if (ret == 0 && open)
		ret = inventory_error(ini->a.in, at, e, "a quote that is not "
				      "closed");
	if (ret == 0 && pattern)
		ret = ansible_hosts(&ini->a, ini->group, pattern, &vars, at, e);
	ansible_vars_done(&vars);
	return ret;
}

static int take_line(struct ini *ini, char *line, struct err *e)
{
	int ret;

	line = inventory_trim(line);
	if (!*line || *line == '#' || *line == ';')
		return 0;
	if (*line == '[' && !strchr(line, '='))
		ret = open_section(ini, line, e);
	else if (ini->section == HOSTS)
		return take_host(ini, line, e);
	else if (ini->section == CHILDREN)
		ret = take_child(ini, line, e);
	else
		ret = take_var(ini, line, e);
	return ret < 0 ? inventory_wrap(ini->a.in, ini->a.in->line, e) : 0;
}

int inventory_ini(struct inventory *in, struct err *e)
{
	AUTO(sbuf_done) struct sbuf line = SBUF_SECRET;
	struct ini ini = { .section = HOSTS };
	int ret = 0;

	if (strncmp(in->file->text, "$ANSIBLE_VAULT;",
		    in->file->len < 15 ? in->file->len : 15) == 0 &&
	    in->file->len >= 15) {
		err_set(e, ERR_INPUT, "%s:1: sealed by ansible-vault",
			in->file->name);
		return err_advise(e, ADVICE_SEALED_INVENTORY, NULL);
	}
	ansible_init(&ini.a, in);
	ini.group = ansible_group(&ini.a, "ungrouped", 0);
	while (ret == 0 && inventory_line(in, &line))
		ret = take_line(&ini, line.s, e);
	if (ret == 0)
		ret = ansible_finish(&ini.a, e);
	ansible_done(&ini.a);
	return ret;
}
