#include "state/json/json.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* The text so far, how deep we are, and whether a comma is due. */
struct writer {
	struct sbuf *out;
	unsigned depth;
	bool first;
};

static void new_line(struct writer *w)
{
	sbuf_putc(w->out, '\n');
	for (unsigned i = 0; i < w->depth; i++)
		sbuf_puts(w->out, "  ");
}

static void open_with(struct writer *w, char c)
{
	sbuf_putc(w->out, c);
	w->depth++;
	w->first = true;
}

/* An empty list or object stays on its line. */
static void close_with(struct writer *w, char c)
{
	w->depth--;
	if (!w->first)
		new_line(w);
	sbuf_putc(w->out, c);
	w->first = false;
}

/* Begin the next item. */
static void next(struct writer *w)
{
	if (!w->first)
		sbuf_putc(w->out, ',');
	w->first = false;
	new_line(w);
}

/* How the Go tool writes a character that may not stand for itself. */
static const char *short_escape(unsigned cp)
{
	switch (cp) {
	case '"': return "\\\"";
	case '\\': return "\\\\";
	case '\b': return "\\b";
	case '\f': return "\\f";
	case '\n': return "\\n";
	case '\r': return "\\r";
	case '\t': return "\\t";
	}
	return NULL;
}

static bool needs_code(unsigned cp)
{
	return cp < 0x20 || cp == '<' || cp == '>' || cp == '&' ||
	       cp == 0x2028 || cp == 0x2029;
}

/* The inside of a string; bytes that are no UTF-8 become U+FFFD. */
static void put_characters(struct sbuf *out, const char *s)
{
	size_t len = strlen(s);

	while (len) {
		unsigned cp = 0;
		size_t n = text_utf8_length(s, len, &cp);

		if (n == 0)
			sbuf_puts(out, "\xef\xbf\xbd");
		else if (short_escape(cp))
			sbuf_puts(out, short_escape(cp));
		else if (needs_code(cp))
			sbuf_printf(out, "\\u%04x", cp);
		else
			sbuf_add(out, s, n);
		s += n ? n : 1;
		len -= n ? n : 1;
	}
}

static void put_text(struct writer *w, const char *s)
{
	sbuf_putc(w->out, '"');
	put_characters(w->out, s ? s : "");
	sbuf_putc(w->out, '"');
}

static void key(struct writer *w, const char *name)
{
	next(w);
	put_text(w, name);
	sbuf_puts(w->out, ": ");
}

static void text(struct writer *w, const char *name, const char *s)
{
	key(w, name);
	put_text(w, s);
}

static void optional_text(struct writer *w, const char *name, const char *s)
{
	if (s && *s)
		text(w, name, s);
}

static void number(struct writer *w, const char *name, int n)
{
	key(w, name);
	sbuf_printf(w->out, "%d", n);
}

static void truth(struct writer *w, const char *name, bool yes)
{
	key(w, name);
	sbuf_puts(w->out, yes ? "true" : "false");
}

static void address(struct writer *w, const char *name, const struct ip *a)
{
	char buf[ADDR_TEXT_MAX];

	text(w, name, ip_text(a, buf));
}

static void network(struct writer *w, const char *name, const struct cidr *c)
{
	char buf[ADDR_TEXT_MAX] = "";

	text(w, name, c->ip.family ? cidr_text(c, buf) : buf);
}

static void string_list(struct writer *w, const char *name,
			const struct strings *list, bool null)
{
	key(w, name);
	if (null && list->len == 0) {
		sbuf_puts(w->out, "null");
		return;
	}
	open_with(w, '[');
	for (size_t i = 0; i < list->len; i++) {
		next(w);
		put_text(w, list->items[i]);
	}
	close_with(w, ']');
}

static void secret_list(struct writer *w, const char *name,
			const struct secrets *list)
{
	if (list->len == 0)
		return;
	key(w, name);
	open_with(w, '[');
	for (size_t i = 0; i < list->len; i++) {
		next(w);
		put_text(w, secret_text(&list->items[i]));
	}
	close_with(w, ']');
}

static void optional_networks(struct writer *w, const char *name,
			      const struct cidrs *list)
{
	char buf[ADDR_TEXT_MAX];

	if (list->len == 0)
		return;
	key(w, name);
	open_with(w, '[');
	for (size_t i = 0; i < list->len; i++) {
		next(w);
		put_text(w, cidr_text(&list->items[i], buf));
	}
	close_with(w, ']');
}

/* Copy a string token of JSON text, opening quote taken; returns its end. */
static const char *copy_string(struct writer *w, const char *s)
{
	sbuf_putc(w->out, '"');
	while (*s && *s != '"') {
		unsigned cp = 0;
		size_t n = text_utf8_length(s, strnlen(s, 4), &cp);

		if (*s == '\\' && s[1]) {
			sbuf_add(w->out, s, 2);
			s += 2;
			continue;
		}
		if (needs_code(cp))
			sbuf_printf(w->out, "\\u%04x", cp);
		else
			sbuf_add(w->out, s, n ? n : 1);
		s += n ? n : 1;
	}
	sbuf_putc(w->out, '"');
	return *s ? s + 1 : s;
}

/* Copy compact JSON text, laid out as the rest. */
static void copy_json(struct writer *w, const char *s)
{
	while (*s) {
		char c = *s++;

		if (w->first && c != '}' && c != ']') {
			new_line(w);
			w->first = false;
		}
		if (c == '"') {
			s = copy_string(w, s);
		} else if (c == '{' || c == '[') {
			open_with(w, c);
		} else if (c == '}' || c == ']') {
			close_with(w, c);
		} else {
			sbuf_putc(w->out, c);
			if (c == ',')
				new_line(w);
			else if (c == ':')
				sbuf_putc(w->out, ' ');
		}
	}
}

static void extras(struct writer *w, const struct extras *x)
{
	for (size_t i = 0; i < x->len; i++) {
		key(w, x->items[i].key);
		copy_json(w, x->items[i].json);
	}
}

static void facts(struct writer *w, const struct node_facts *f)
{
	if (!f->addresses.len && !f->address && !f->dialled && !f->nat_from &&
	    !f->mtu && !f->mtu_kept && !f->deployed && !f->extras.len)
		return;
	key(w, "facts");
	open_with(w, '{');
	optional_networks(w, "addresses", &f->addresses);
	optional_text(w, "address", f->address);
	optional_text(w, "dialled", f->dialled);
	optional_text(w, "nat_from", f->nat_from);
	if (f->mtu)
		number(w, "mtu", f->mtu);
	if (f->mtu_kept)
		truth(w, "mtu_kept", true);
	if (f->deployed)
		truth(w, "deployed", true);
	extras(w, &f->extras);
	close_with(w, '}');
}

static void external(struct writer *w, const struct external *x)
{
	next(w);
	open_with(w, '{');
	text(w, "name", x->name);
	text(w, "public_key", x->public_key);
	optional_text(w, "preshared_key", secret_text(&x->preshared_key));
	optional_text(w, "endpoint", x->endpoint);
	optional_networks(w, "allowed_ips", &x->allowed_ips);
	optional_networks(w, "routes", &x->routes);
	if (x->keepalive_s)
		number(w, "keepalive", x->keepalive_s);
	extras(w, &x->extras);
	close_with(w, '}');
}

static void externals(struct writer *w, const struct externals *list)
{
	if (list->len == 0)
		return;
	key(w, "external_peers");
	open_with(w, '[');
	for (size_t i = 0; i < list->len; i++)
		external(w, &list->items[i]);
	close_with(w, ']');
}

/* Our additions to a node. */
static void node_additions(struct writer *w, const struct node *n)
{
	if (n->mesh_ip6.family)
		address(w, "mesh_ip6", &n->mesh_ip6);
	optional_text(w, "local_machine", n->local_machine);
	optional_text(w, "key", n->key);
	optional_text(w, "ssh_user", n->ssh_user);
	if (n->mtu)
		number(w, "mtu", n->mtu);
	if (n->keepalive_s >= 0)
		number(w, "keepalive", n->keepalive_s);
	if (n->exit)
		truth(w, "exit", true);
	if (n->ssh_host_keys.len)
		string_list(w, "ssh_host_keys", &n->ssh_host_keys, false);
	externals(w, &n->externals);
	facts(w, &n->facts);
}

static void node(struct writer *w, const struct node *n)
{
	open_with(w, '{');
	text(w, "hostname", n->hostname);
	address(w, "mesh_ip", &n->mesh_ip);
	text(w, "public_key", n->public_key);
	optional_text(w, "private_key", secret_text(&n->private_key));
	text(w, "ssh_host", n->ssh_host);
	number(w, "ssh_port", n->ssh_port);
	optional_text(w, "public_endpoint", n->public_endpoint);
	number(w, "listen_port", n->listen_port);
	truth(w, "behind_nat", n->behind_nat);
	optional_networks(w, "routable_networks", &n->routable_networks);
	truth(w, "is_local", n->is_local);
	optional_text(w, "actual_hostname", n->actual_hostname);
	optional_text(w, "fqdn", n->fqdn);
	node_additions(w, n);
	extras(w, &n->extras);
	close_with(w, '}');
}

static void nodes(struct writer *w, const char *name, const struct nodes *list)
{
	key(w, name);
	open_with(w, '{');
	for (size_t i = 0; i < list->len; i++) {
		key(w, list->items[i].name);
		node(w, &list->items[i]);
	}
	close_with(w, '}');
}

static void groups(struct writer *w, const struct groups *list)
{
	if (list->len == 0)
		return;
	key(w, "groups");
	open_with(w, '{');
	for (size_t i = 0; i < list->len; i++) {
		const struct group *g = &list->items[i];

		key(w, g->name);
		open_with(w, '{');
		optional_text(w, "description", g->description);
		string_list(w, "members", &g->members, g->members_null);
		extras(w, &g->extras);
		close_with(w, '}');
	}
	close_with(w, '}');
}

static void policy(struct writer *w, const struct policy *p)
{
	next(w);
	open_with(w, '{');
	text(w, "name", p->name);
	optional_text(w, "description", p->description);
	string_list(w, "from_groups", &p->from_groups, p->from_null);
	string_list(w, "to_groups", &p->to_groups, p->to_null);
	truth(w, "allow_mesh_ips", p->allow_mesh_ips);
	truth(w, "allow_routable_networks", p->allow_routable_networks);
	extras(w, &p->extras);
	close_with(w, '}');
}

static void policies(struct writer *w, const struct policies *list)
{
	if (list->len == 0)
		return;
	key(w, "access_policies");
	open_with(w, '[');
	for (size_t i = 0; i < list->len; i++)
		policy(w, &list->items[i]);
	close_with(w, ']');
}

/* Our additions to the mesh. */
static void mesh_additions(struct writer *w, const struct mesh *m)
{
	if (m->network6.ip.family)
		network(w, "network6", &m->network6);
	if (m->mtu)
		number(w, "mtu", m->mtu);
	if (m->keepalive_s >= 0)
		number(w, "keepalive", m->keepalive_s);
	optional_text(w, "key", m->key);
	optional_text(w, "mesh_id", m->mesh_id);
	if (m->serial) {
		key(w, "serial");
		sbuf_printf(w->out, "%" PRIu64, m->serial);
	}
	if (m->removed.len)
		nodes(w, "removed_nodes", &m->removed);
	if (m->recipients.len)
		string_list(w, "recipients", &m->recipients, false);
	if (m->verify_signatures)
		truth(w, "verify_signatures", true);
	optional_text(w, "mesh_secret", secret_text(&m->mesh_secret));
	secret_list(w, "former_secrets", &m->former_secrets);
}

void state_format(struct sbuf *out, const struct mesh *m)
{
	struct writer w = { out, 0, true };

	open_with(&w, '{');
	text(&w, "interface_name", m->interface_name);
	network(&w, "network", &m->network);
	number(&w, "listen_port", m->listen_port);
	nodes(&w, "nodes", &m->nodes);
	text(&w, "local_hostname", m->local_hostname);
	groups(&w, &m->groups);
	policies(&w, &m->policies);
	mesh_additions(&w, m);
	extras(&w, &m->extras);
	close_with(&w, '}');
}
