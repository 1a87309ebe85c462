/*
 * The database of wg-meshconf: CSV (RFC 4180) with a header line, a node a row.
 * Columns may come in any order and there may be others, as wg-meshconf's own
 * versions differ in both.
 */
#include "state/inventory/internal.h"

#include "base/auto.h"

#include <string.h>
#include <strings.h>

/* More than wg-meshconf ever had; a record is kept in arrays of so many. */
#define COLUMNS_MAX 64
/* What wg-meshconf takes when ListenPort is empty. */
#define CSV_PORT "51820"

enum column {
	NAME, ADDRESS, ENDPOINT, ALLOWED_IPS, LISTEN_PORT, KEEPALIVE, MTU,
	PRIVATE_KEY, COLUMNS, OTHER = COLUMNS,
};

static const char *const column_names[COLUMNS] = {
	"Name", "Address", "Endpoint", "AllowedIPs", "ListenPort",
	"PersistentKeepalive", "MTU", "PrivateKey",
};

struct csv {
	struct inventory *in;
	struct sbuf record; /* the fields, a NUL behind each; secret */
	size_t fields[COLUMNS_MAX]; /* where they begin */
	size_t len;                 /* how many there are */
	size_t line; /* where the record begins, from 1 */
	struct strings header;
	enum column columns[COLUMNS_MAX]; /* of the header's fields */
	bool left[COLUMNS_MAX];     /* not empty and not carried over */
	struct inventory_index names; /* to lines */
};

static void csv_done(struct csv *c)
{
	sbuf_done(&c->record);
	strings_done(&c->header);
	inventory_index_done(&c->names);
}

/* ---- records ---- */

/* The next byte; NUL at the end, as there is none in the text. */
static char peek_csv(const struct inventory *in)
{
	return in->at < in->file->len ? in->file->text[in->at] : '\0';
}

/*
 * A field in quotes, up to what is behind it. It may have line ends in it; an
 * open quote would take all that follows, so the error is where it began.
 */
static int read_quoted(struct csv *c, struct err *e)
{
	struct inventory *in = c->in;
	size_t first = in->line;

	for (in->at++; in->at < in->file->len; in->at++) {
		char ch = peek_csv(in);

		if (ch == '"' && (in->at++, peek_csv(in) != '"'))
			return 0;
		in->line += ch == '\n';
		sbuf_putc(&c->record, ch);
	}
	return inventory_error(in, first, e, "a field whose closing quote is "
			       "missing");
}

static int read_field(struct csv *c, struct err *e)
{
	struct inventory *in = c->in;
	size_t n;

	if (c->len == COLUMNS_MAX)
		return inventory_error(in, in->line, e, "more than %d fields",
				       COLUMNS_MAX);
	c->fields[c->len++] = c->record.len;
	if (peek_csv(in) == '"') {
		if (read_quoted(c, e) < 0)
			return -1;
	} else {
		for (n = in->at; n < in->file->len; n++)
			if (strchr(",\r\n\"", in->file->text[n]))
				break;
		sbuf_add(&c->record, in->file->text + in->at, n - in->at);
		in->at = n;
	}
	if (in->at < in->file->len && !strchr(",\r\n", peek_csv(in)))
		return inventory_error(in, in->line, e, "field %zu: expected a "
				       "comma or the end of the line behind it",
				       c->len);
	sbuf_putc(&c->record, '\0');
	return 0;
}

/* The next record; 0 at the end of the file, 1 when there is one, or -1. */
static int read_record(struct csv *c, struct err *e)
{
	struct inventory *in = c->in;

	c->line = ++in->line;
	c->len = 0;
	sbuf_clear(&c->record);
	if (in->at >= in->file->len)
		return 0;
	do {
		in->at += c->len > 0; /* the comma */
		if (read_field(c, e) < 0)
			return -1;
	} while (peek_csv(in) == ',');
	in->at += peek_csv(in) == '\r';
	in->at += peek_csv(in) == '\n';
	return 1;
}

static char *field(const struct csv *c, size_t i)
{
	return inventory_trim(c->record.s + c->fields[i]);
}

/* ---- the header ---- */

static int read_header(struct csv *c, struct err *e)
{
	bool have[COLUMNS + 1] = { false };

	if (read_record(c, e) < 0)
		return -1;
	for (size_t i = 0; i < c->len; i++) {
		AUTO(auto_free) char *shown = check_shown(field(c, i));
		int column = NAME;

		while (column != OTHER &&
		       strcasecmp(column_names[column], field(c, i)) != 0)
			column++;
		if (column != OTHER && have[column])
			return inventory_error(c->in, 1, e, "column %s is "
					       "there twice", shown);
		have[column] = true;
		c->columns[i] = (enum column)column;
		strings_add(&c->header, shown);
	}
	if (!have[NAME] || !have[ADDRESS])
		return inventory_error(c->in, 1, e, "expected the column names "
				       "of wg-meshconf with commas between "
				       "them, Name and Address among them");
	return 0;
}

/* ---- a row ---- */

static int take_csv_field(struct csv *c, struct node *n, enum column column,
			  char *value, struct err *e)
{
	static const char *const keys[COLUMNS] = {
		[LISTEN_PORT] = "port", [MTU] = "mtu",
		[KEEPALIVE] = "keepalive",
	};
	struct cidr net;
	char *item;

	switch (column) {
	case ADDRESS:
		while ((item = inventory_item(&value)))
			if (inventory_address(c->in, n, item, e) < 0)
				return -1;
		return 0;
	case ALLOWED_IPS:
		while ((item = inventory_item(&value))) {
			AUTO(auto_free) char *shown = check_shown(item);

			if (!cidr_parse(&net, item))
				return err_set(e, ERR_INPUT, "'%s' found, "
					       "expected a network like "
					       "192.168.10.0/24", shown);
			inventory_route(c->in, n, net);
		}
		return 0;
	case ENDPOINT: /* the host alone; the port is the node's */
		return inventory_host(n, value, e);
	case PRIVATE_KEY:
		return inventory_private_key(n, value, e);
	case LISTEN_PORT:
	case MTU:
	case KEEPALIVE:
		return field_set(field_find(&fields_node, keys[column]), n,
				 value, e);
	case NAME:
	case OTHER:
		break;
	}
	return 0;
}

static int take_csv_name(struct csv *c, struct node *n, struct err *e)
{
	const char *name = "";
	const struct inventory_entry *first;

	for (size_t i = 0; i < c->len; i++)
		if (c->columns[i] == NAME)
			name = field(c, i);
	if (check_node_name(name, e) < 0)
		return inventory_wrap(c->in, c->line, e);
	node_init(n, name);
	first = inventory_index(&c->names, name, c->line);
	if (first->number != c->line)
		return inventory_error(c->in, c->line, e, "'%s' is in line %zu "
				       "already, expected each name once", name,
				       first->number);
	return 0;
}

static int take_row(struct csv *c, struct err *e)
{
	struct node *n;
	bool v6;

	if (c->len == 1 && !*field(c, 0))
		return 0; /* an empty line */
	if (c->len != c->header.len)
		return inventory_error(c->in, c->line, e, "%zu fields found, "
				       "expected %zu as in the first line",
				       c->len, c->header.len);
	if (c->in->mesh->nodes.len == INVENTORY_HOSTS_MAX)
		return inventory_error(c->in, c->line, e, "more than %d nodes",
				       INVENTORY_HOSTS_MAX);
	n = vec_add(&c->in->mesh->nodes);
	if (take_csv_name(c, n, e) < 0)
		return -1;
	field_set(field_find(&fields_node, "port"), n, CSV_PORT, e);
	for (size_t i = 0; i < c->len; i++) {
		char *value = field(c, i);

		c->left[i] |= c->columns[i] == OTHER && *value;
		if (*value && take_csv_field(c, n, c->columns[i], value, e) < 0)
			return err_wrap(e, "%s:%zu: '%s': %s",
					c->in->file->name, c->line, n->name,
					column_names[c->columns[i]]);
	}
	/* reached by Endpoint, else by its name, which is all that is there */
	v6 = strchr(n->ssh_host, ':');
	if (*n->ssh_host) {
		n->public_endpoint = mem_printf("%s%s%s:%d", v6 ? "[" : "",
						n->ssh_host, v6 ? "]" : "",
						n->listen_port);
		return 0;
	}
	if (check_host(n->name, e) < 0)
		return inventory_error(c->in, c->line, e, "'%s' has no "
				       "Endpoint, and its name is no host to "
				       "log in to", n->name);
	mem_replace(&n->ssh_host, n->name);
	inventory_note(c->in, "'%s' has no Endpoint: its name is taken as its "
		       "SSH host", n->name);
	return 0;
}

int inventory_csv(struct inventory *in, struct err *e)
{
	AUTO(csv_done) struct csv c = { .in = in, .record = SBUF_SECRET };
	AUTO(strings_done) struct strings left = { 0 };
	int more;

	if (read_header(&c, e) < 0)
		return -1;
	while ((more = read_record(&c, e)) > 0)
		if (take_row(&c, e) < 0)
			return -1;
	if (more < 0)
		return -1;
	for (size_t i = 0; i < c.header.len; i++)
		if (c.left[i])
			strings_add(&left, c.header.items[i]);
	inventory_note_left(in, &left);
	return 0;
}
