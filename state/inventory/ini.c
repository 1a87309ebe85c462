/*
 * Ansible inventories as INI. What Ansible's own parser takes is described in
 * the comments of its plugin ansible.builtin.ini alone: lines of hosts are cut
 * as a shell would, lines of variables are not.
 */
#include "state/inventory/ansible.h"

#include "base/auto.h"

#include <string.h>

enum section { HOSTS, CHILDREN, VARS };

struct ini {
	struct ansible a;
	enum section section; /* what the lines are */
	size_t group;         /* of which group */
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
		if (*p == '#' &&
		    (p == s || strchr(INVENTORY_BLANKS, p[-1]))) {
			*p = '\0';
			return;
		}
}

/* A line that begins with '[' and goes on behind ']' is a pattern of hosts. */
static bool is_section(const char *line)
{
	const char *end = strchr(line, ']');
	size_t n = strlen(line);

	return *line == '[' &&
	       (!end || line[n - 1] == ']' ||
		end[1 + strspn(end + 1, INVENTORY_BLANKS)] == '#');
}

/* What @line opens: "[group]", "[group:children]", "[group:vars]". */
static int open_ini_section(struct ini *ini, char *line, struct err *e)
{
	char *end = strchr(line, ']');
	const char *rest = end ? inventory_trim(end + 1) : "no end";
	char *kind = strchr(++line, ':');

	if (end)
		*end = '\0';
	if (kind)
		*kind++ = '\0';
	if ((*rest && *rest != '#') || !is_group_name(line) ||
	    (kind && strcmp(kind, "hosts") != 0 &&
	     strcmp(kind, "children") != 0 && strcmp(kind, "vars") != 0))
		return inventory_error(ini->a.in, ini->a.in->line, e,
				       "expected [GROUP], [GROUP:children] or "
				       "[GROUP:vars]");
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

/*
 * The next word of a line as a shell would cut it, in place: quotes and
 * backslashes go, '#' ends the line. NULL at the end; @open when a quote is
 * not closed.
 */
static char *next_ini_word(char **line, bool *open)
{
	char *from = *line + strspn(*line, INVENTORY_BLANKS);
	char *to = from, *word = from;
	char quote = '\0';

	if (!*from || *from == '#')
		return NULL;
	for (; *from && (quote || !strchr(INVENTORY_BLANKS "#", *from));
	     from++) {
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
static int take_host_line(struct ini *ini, char *line, struct err *e)
{
	AUTO(ansible_vars_done) struct ansible_vars vars = { 0 };
	size_t at = ini->a.in->line;
	bool open = false;
	char *pattern = next_ini_word(&line, &open);
	char *word;

	for (size_t n = 2; !open && (word = next_ini_word(&line, &open)); n++) {
		char *text = strchr(word, '=');

		if (!text)
			return inventory_error(ini->a.in, at, e, "word %zu: "
					       "expected KEY=VALUE behind a "
					       "host", n);
		*text++ = '\0';
		ansible_set(&ini->a, &vars, ansible_name(word), unquote(text), at);
	}
	if (open)
		return inventory_error(ini->a.in, at, e, "a quote that is not "
				       "closed");
	if (!pattern)
		return 0;
	return ansible_hosts(&ini->a, ini->group, pattern, &vars, at, e);
}

static int take_ini_line(struct ini *ini, char *line, struct err *e)
{
	struct inventory *in = ini->a.in;
	char *text;

	line = inventory_trim(line);
	if (!*line || *line == '#' || *line == ';')
		return 0;
	if (is_section(line))
		return open_ini_section(ini, line, e);
	if (ini->section == HOSTS)
		return take_host_line(ini, line, e);
	if (ini->section == CHILDREN) {
		cut_comment(line);
		line = inventory_trim(line);
		if (!is_group_name(line))
			return inventory_error(in, in->line, e, "expected the "
					       "name of a group");
		ansible_child(&ini->a, ini->group,
			      ansible_group(&ini->a, line, in->line));
		return 0;
	}
	text = strchr(line, '=');
	if (!text)
		return inventory_error(in, in->line, e, "expected KEY=VALUE");
	*text++ = '\0';
	text = inventory_trim(text);
	cut_comment(text);
	ansible_set(&ini->a, &ini->a.groups.items[ini->group].own,
		    ansible_name(inventory_trim(line)),
		    unquote(inventory_trim(text)), in->line);
	return 0;
}

int inventory_ini(struct inventory *in, struct err *e)
{
	AUTO(sbuf_done) struct sbuf line = SBUF_SECRET;
	struct ini ini = { .section = HOSTS };
	int ret = 0;

	if (in->file->len >= 15 &&
	    memcmp(in->file->text, "$ANSIBLE_VAULT;", 15) == 0) {
		err_set(e, ERR_INPUT, "%s:1: sealed by ansible-vault",
			in->file->name);
		return err_advise(e, ADVICE_SEALED_INVENTORY, NULL);
	}
	ansible_init(&ini.a, in);
	ini.group = ansible_group(&ini.a, "ungrouped", 0);
	while (ret == 0 && inventory_line(in, &line))
		ret = take_ini_line(&ini, line.s, e);
	if (ret == 0)
		ret = ansible_finish(&ini.a, e);
	ansible_done(&ini.a);
	return ret;
}
