/*
 * A file of another tool becomes a mesh: which kind it is, and what all kinds share.
 */
#include "state/inventory/inventory.h"

#include "base/auto.h"
#include "state/inventory/internal.h"
#include "state/model/model.h"

#include <search.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\r\v\f"
#define BOM "\xef\xbb\xbf"

void inventory_note(const struct inventory *in, const char *fmt, ...)
{
	struct sbuf b = SBUF_INIT;
	va_list ap;

	sbuf_printf(&b, "%s: ", in->file->name);
	va_start(ap, fmt);
	sbuf_vprintf(&b, fmt, ap);
	va_end(ap);
	strings_add(in->notes, sbuf_str(&b));
	sbuf_done(&b);
}

bool inventory_line(struct inventory *in, struct sbuf *line)
{
	const char *from = in->file->text + in->at;
	size_t rest = in->file->len - in->at;
	const char *end;
	size_t n;

	if (rest == 0)
		return false;
	end = memchr(from, '\n', rest);
	n = end ? (size_t)(end - from) : rest;
	in->at += end ? n + 1 : n;
	in->line++;
	sbuf_clear(line);
	if (in->line == 1 && n >= 3 && memcmp(from, BOM, 3) == 0)
		sbuf_add(line, from + 3, n - 3);
	else
		sbuf_add(line, from, n);
	return true;
}

char *inventory_trim(char *s)
{
	size_t n;

	s += strspn(s, BLANKS);
	n = strlen(s);
	while (n && strchr(BLANKS, s[n - 1]))
		n--;
	s[n] = '\0';
	return s;
}

char *inventory_item(char **list)
{
	char *item = *list;

	if (!item)
		return NULL;
	*list = strchr(item, ',');
	if (*list)
		*(*list)++ = '\0';
	return inventory_trim(item);
}

/* ---- which kind ---- */

static bool ends_with(const char *name, const char *ending)
{
	size_t n = strlen(name);
	size_t m = strlen(ending);

	return n > m && strcasecmp(name + n - m, ending) == 0;
}

/* The first line that is neither empty nor a comment. */
static char *first_line(struct inventory *in, struct sbuf *line)
{
	while (inventory_line(in, line)) {
		char *s = inventory_trim(line->s);

		if (*s && *s != '#' && *s != ';')
			return s;
	}
	return NULL;
}

static bool begins(const char *s, const char *word)
{
	return strncasecmp(s, word, strlen(word)) == 0;
}

/* Does a YAML text begin like this? No INI inventory does. */
static bool is_yaml_line(char *s)
{
	char *comment = strstr(s, " #");

	if (comment)
		*comment = '\0';
	s = inventory_trim(s);
	return begins(s, "---") || *s == '%' || *s == '{' ||
	       ends_with(s, ":") || strstr(s, ": ");
}

enum inventory_kind inventory_kind(const struct inventory_file *f)
{
	struct inventory in = { .file = f };
	AUTO(sbuf_done) struct sbuf line = SBUF_SECRET;
	char *s = first_line(&in, &line);

	if (s && (begins(s, "[Interface]") || begins(s, "[Peer]")))
		return INVENTORY_CONF;
	if (ends_with(f->name, ".csv"))
		return INVENTORY_CSV;
	if (ends_with(f->name, ".yml") || ends_with(f->name, ".yaml"))
		return INVENTORY_YAML;
	if (!s)
		return ends_with(f->name, ".conf") ? INVENTORY_CONF
						   : INVENTORY_INI;
	if (begins(s, "\"Name\",") || begins(s, "Name,"))
		return INVENTORY_CSV;
	return is_yaml_line(s) ? INVENTORY_YAML : INVENTORY_INI;
}

/* ---- names ---- */

struct numbered {
	const char *name;
	size_t number;
};

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct numbered *)a)->name,
		      ((const struct numbered *)b)->name);
}

size_t inventory_index(struct inventory_index *ix, const char *name,
		       size_t fresh)
{
	struct numbered wanted = { name, fresh };
	void *found = tfind(&wanted, &ix->root, compare_entries);
	struct numbered *entry;

	if (found)
		return (*(struct numbered **)found)->number;
	entry = mem_calloc(1, sizeof *entry);
	*entry = wanted;
	tsearch(entry, &ix->root, compare_entries);
	return fresh;
}

void inventory_index_done(struct inventory_index *ix)
{
	tdestroy(ix->root, free);
	ix->root = NULL;
}

/* ---- reading ---- */

static int check_text(const struct inventory_file *f, struct err *e)
{
	const char *nul = memchr(f->text, '\0', f->len);
	size_t line = 1;

	if (f->len > INVENTORY_SIZE_MAX)
		return err_set(e, ERR_INPUT, "%s: has more than %d MiB",
			       f->name, INVENTORY_SIZE_MAX >> 20);
	if (!nul)
		return 0;
	for (const char *p = f->text; p < nul; p++)
		line += *p == '\n';
	return err_set(e, ERR_INPUT, "%s:%zu: a zero byte, expected text",
		       f->name, line);
}

/* Nodes and groups into order; a name that two nodes have is an error. */
static int arrange(struct inventory *in, struct err *e)
{
	struct nodes *nodes = &in->mesh->nodes;

	vec_sort(nodes, node_compare);
	vec_sort(&in->mesh->groups, group_compare);
	for (size_t i = 1; i < nodes->len; i++)
		if (node_compare(&nodes->items[i - 1], &nodes->items[i]) == 0)
			return err_set(e, ERR_INPUT, "%s: node '%s' is there "
				       "twice", in->file->name,
				       nodes->items[i].name);
	if (nodes->len == 0)
		return err_set(e, ERR_INPUT, "%s: no hosts found, expected a "
			       "wg-quick file, a wg-meshconf CSV or an Ansible "
			       "inventory", in->file->name);
	return 0;
}

int inventory_read(struct mesh *out, const struct inventory_file *f,
		   struct strings *notes, struct err *e)
{
	static int (*const readers[])(struct inventory *, struct err *) = {
		[INVENTORY_CONF] = inventory_conf,
		[INVENTORY_CSV] = inventory_csv,
		[INVENTORY_INI] = inventory_ini,
		[INVENTORY_YAML] = inventory_yaml,
	};
	AUTO(mesh_done) struct mesh m = { 0 };
	struct inventory in = { .file = f, .mesh = &m, .notes = notes };
	int ret = check_text(f, e);

	mesh_init(&m);
	if (ret == 0)
		ret = readers[inventory_kind(f)](&in, e);
	if (ret == 0)
		ret = arrange(&in, e);
	inventory_sort_routes(&m);
	if (ret == 0 && in.spans.len)
		ret = inventory_networks(&in, e);
	vec_done(&in.spans);
	if (ret < 0)
		return -1;
	*out = m;
	m = (struct mesh){ 0 };
	return 0;
}
