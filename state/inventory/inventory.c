/*
 * A file of another tool becomes a mesh: which kind it is, and what all kinds
 * share.
 */
#include "state/inventory/inventory.h"

#include "base/auto.h"
#include "state/inventory/foreign.h"
#include "state/inventory/internal.h"
#include "vault/wgkey.h"

#include <search.h>
#include <string.h>
#include <strings.h>

#define BOM "\xef\xbb\xbf"

/* Begin @f, behind its byte order mark, which is no part of the text. */
static struct inventory begin_inventory(const struct inventory_file *f)
{
	bool marked = f->len >= 3 && memcmp(f->text, BOM, 3) == 0;

	return (struct inventory){ .file = f, .at = marked ? 3 : 0 };
}

void inventory_note(const struct inventory *in, const char *fmt, ...)
{
	AUTO(sbuf_done) struct sbuf b = SBUF_INIT;
	va_list ap;

	sbuf_printf(&b, "%s: ", in->file->name);
	va_start(ap, fmt);
	sbuf_vprintf(&b, fmt, ap);
	va_end(ap);
	strings_add(in->notes, sbuf_str(&b));
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
	sbuf_add(line, from, n);
	return true;
}

char *inventory_trim(char *s)
{
	size_t n;

	s += strspn(s, INVENTORY_BLANKS);
	n = strlen(s);
	while (n && strchr(INVENTORY_BLANKS, s[n - 1]))
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

int inventory_private_key(struct node *n, const char *value, struct err *e)
{
	char public_key[WGKEY_TEXT + 1];

	secret_set(&n->private_key, value, strlen(value));
	if (wgkey_public(&n->private_key, public_key, e) < 0)
		return err_set(e, ERR_INPUT, INVENTORY_KEY_FORM);
	mem_replace(&n->public_key, public_key);
	return 0;
}

int inventory_host(struct node *n, const char *value, struct err *e)
{
	AUTO(auto_free) char *copy = mem_strdup(value);
	char *host = copy;

	if (spec_strip_brackets(&host) && check_host(host, e) == 0) {
		mem_replace(&n->ssh_host, host);
		return 0;
	}
	return check_host(value, e);
}

void inventory_note_left(const struct inventory *in, const struct strings *left)
{
	AUTO(auto_free) char *line = strings_line(left, left->len);

	if (line)
		inventory_note(in, "not carried over: %s", line);
}

/* ---- which kind ---- */

static bool ends_with(const char *name, const char *ending)
{
	size_t n = strlen(name);
	size_t m = strlen(ending);

	return n > m && strcasecmp(name + n - m, ending) == 0;
}

static bool begins_with(const char *s, const char *word)
{
	return strncasecmp(s, word, strlen(word)) == 0;
}

enum inventory_kind inventory_kind(const struct inventory_file *f)
{
	struct inventory in = begin_inventory(f);
	AUTO(sbuf_done) struct sbuf line = SBUF_SECRET;
	char *s = NULL, *comment;

	/* the first line that is neither empty nor a comment tells */
	while (!s && inventory_line(&in, &line)) {
		s = inventory_trim(line.s);
		if (!*s || *s == '#' || *s == ';')
			s = NULL;
	}
	if (s && (begins_with(s, "[Interface]") || begins_with(s, "[Peer]")))
		return INVENTORY_CONF;
	if (ends_with(f->name, ".csv"))
		return INVENTORY_CSV;
	if (ends_with(f->name, ".yml") || ends_with(f->name, ".yaml"))
		return INVENTORY_YAML;
	if (!s)
		return ends_with(f->name, ".conf") ? INVENTORY_CONF
						   : INVENTORY_INI;
	if (begins_with(s, "\"Name\",") || begins_with(s, "Name,"))
		return INVENTORY_CSV;
	/* does a YAML text begin like this? no INI inventory does */
	comment = strstr(s, " #");
	if (comment)
		*comment = '\0';
	s = inventory_trim(s);
	return begins_with(s, "---") || *s == '%' || *s == '{' ||
			       ends_with(s, ":") || strstr(s, ": ")
		       ? INVENTORY_YAML
		       : INVENTORY_INI;
}

/* ---- names ---- */

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct inventory_entry *)a)->name,
		      ((const struct inventory_entry *)b)->name);
}

const struct inventory_entry *inventory_index(struct inventory_index *ix,
					      const char *name, size_t fresh)
{
	struct inventory_entry wanted = { (char *)(uintptr_t)name, fresh };
	void *at = tfind(&wanted, &ix->root, compare_entries);
	struct inventory_entry *entry;

	if (at)
		return *(struct inventory_entry **)at;
	entry = mem_calloc(1, sizeof *entry);
	*entry = (struct inventory_entry){ mem_strdup(name), fresh };
	tsearch(entry, &ix->root, compare_entries);
	return entry;
}

static void free_entry(void *p)
{
	free(((struct inventory_entry *)p)->name);
	free(p);
}

void inventory_index_done(struct inventory_index *ix)
{
	tdestroy(ix->root, free_entry);
	ix->root = NULL;
}

/* ---- reading ---- */

/*
 * Endpoints that can't be are another tool's leftovers: said, and left out. That
 * of an external peer may be a wrapper on the host itself.
 */
static void drop_endpoint(struct inventory *in, const char *name,
			  char **endpoint, bool wrapped)
{
	AUTO(auto_free) char *host = NULL;
	const char *fault;
	struct err ignored;
	int port;

	if (!*endpoint ||
	    endpoint_parse(*endpoint, &host, &port, &ignored) < 0 ||
	    (wrapped && place_is_loopback(host)))
		return;
	fault = place_host_fault(in->mesh, host);
	if (!fault)
		return;
	inventory_note(in, "the endpoint of '%s' is left out: %s %s", name,
		       host, fault);
	mem_replace(endpoint, NULL);
}

void inventory_drop_endpoints(struct inventory *in)
{
	for (size_t i = 0; i < in->mesh->nodes.len; i++) {
		struct node *n = &in->mesh->nodes.items[i];

		drop_endpoint(in, n->name, &n->public_endpoint, false);
		for (size_t k = 0; k < n->externals.len; k++)
			drop_endpoint(in, n->externals.items[k].name,
				      &n->externals.items[k].endpoint, true);
	}
}

static void inventory_done(struct inventory *in)
{
	vec_done(&in->spans);
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
	AUTO(inventory_done) struct inventory in = begin_inventory(f);
	const char *nul = memchr(f->text, '\0', f->len);
	const struct nodes *nodes = &m.nodes;
	size_t line = 1;

	if (f->len > INVENTORY_SIZE_MAX)
		return err_set(e, ERR_INPUT, "%s: has more than %d MiB",
			       f->name, INVENTORY_SIZE_MAX >> 20);
	/* the readers take lines and fields for C strings: none is cut short */
	for (const char *p = f->text; nul && p < nul; p++)
		line += *p == '\n';
	if (foreign_refuse(f, e) < 0)
		return -1;
	if (nul)
		return err_set(e, ERR_INPUT, "%s:%zu: a zero byte, expected "
			       "text", f->name, line);
	if (f->len >= 2 && memcmp(f->text, "#!", 2) == 0) {
		err_set_(e, ERR_INPUT, "%s: this is a script, which only "
			 "Ansible can run for its hosts", f->name);
		return err_advise(e, ADVICE_ANSIBLE_RESOLVES, NULL);
	}
	mesh_init(&m);
	in.mesh = &m;
	in.notes = notes;
	if (readers[inventory_kind(f)](&in, e) < 0)
		return -1;
	vec_sort(&m.nodes, node_compare);
	vec_sort(&m.groups, group_compare);
	for (size_t i = 1; i < nodes->len; i++)
		if (node_compare(&nodes->items[i - 1], &nodes->items[i]) == 0)
			return err_set(e, ERR_INPUT, "%s: node '%s' is there "
				       "twice", f->name, nodes->items[i].name);
	if (nodes->len == 0)
		return err_set(e, ERR_INPUT, "%s: no hosts found, expected a "
			       "wg-quick file, a wg-meshconf CSV or an Ansible "
			       "inventory", f->name);
	inventory_sort_routes(&m);
	if (in.spans.len && inventory_networks(&in, e) < 0)
		return -1;
	inventory_drop_endpoints(&in);
	*out = m;
	m = (struct mesh){ 0 };
	return 0;
}
