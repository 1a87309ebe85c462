/*
 * wg-quick files: one node, and its peers as external ones.
 */
#include "state/inventory/internal.h"

#include "base/auto.h"
#include "base/num.h"
#include "base/path.h"
#include "state/model/model.h"
#include "vault/wgkey.h"

#include <string.h>
#include <strings.h>

#define PEERS_MAX 1024
#define KEY_FORM "expected a WireGuard key, 44 characters of base64"

enum section { NOWHERE, INTERFACE, PEER };

/* A peer with the line of its section. */
struct conf_peer {
	struct external x;
	size_t line;
};

struct conf {
	struct inventory *in;
	struct node *node; /* the only one */
	VEC(struct conf_peer) peers;
	enum section section;
	size_t interface_line; /* 0: none yet */
	unsigned seen;    /* keys of this section, a bit each */
	bool no_routes;   /* Table = off */
	char *above;      /* a name in the comment right above, or NULL */
	char *name;       /* of the node, in a comment */
	struct strings left; /* keys that are not carried over */
};

typedef int take_fn(struct conf *c, char *value, struct err *e);

static struct external *peer(struct conf *c)
{
	return &c->peers.items[c->peers.len - 1].x;
}

/* ---- [Interface] ---- */

static int take_private_key(struct conf *c, char *value, struct err *e)
{
	struct node *n = c->node;
	char public_key[WGKEY_TEXT + 1];

	secret_set(&n->private_key, value, strlen(value));
	if (wgkey_public(&n->private_key, public_key, e) < 0)
		return err_set(e, ERR_INPUT, KEY_FORM);
	mem_replace(&n->public_key, public_key);
	return 0;
}

static int take_addresses(struct conf *c, char *value, struct err *e)
{
	char *item;

	while ((item = inventory_item(&value)))
		if (inventory_address(c->in, c->node, item, e) < 0)
			return -1;
	return 0;
}

static int take_port(struct conf *c, char *value, struct err *e)
{
	return field_set(field_find(&fields_node, "port"), c->node, value, e);
}

static int take_mtu(struct conf *c, char *value, struct err *e)
{
	return field_set(field_find(&fields_node, "mtu"), c->node, value, e);
}

static int take_table(struct conf *c, char *value, struct err *e)
{
	(void)e;
	if (strcasecmp(value, "off") == 0)
		c->no_routes = true;
	else if (strcasecmp(value, "auto") != 0)
		strings_add(&c->left, "Table");
	return 0;
}

/* ---- [Peer] ---- */

static int take_public_key(struct conf *c, char *value, struct err *e)
{
	if (!wgkey_valid(value))
		return err_set(e, ERR_INPUT, KEY_FORM);
	mem_replace(&peer(c)->public_key, value);
	return 0;
}

static int take_preshared_key(struct conf *c, char *value, struct err *e)
{
	if (!wgkey_valid(value))
		return err_set(e, ERR_INPUT, KEY_FORM);
	secret_set(&peer(c)->preshared_key, value, strlen(value));
	return 0;
}

static int take_endpoint(struct conf *c, char *value, struct err *e)
{
	if (check_endpoint(value, e) < 0)
		return -1;
	mem_replace(&peer(c)->endpoint, value);
	return 0;
}

static int take_allowed_ips(struct conf *c, char *value, struct err *e)
{
	struct cidr net;
	char *item;

	if (!*value)
		return 0;
	while ((item = inventory_item(&value))) {
		AUTO(auto_free) char *shown = check_shown(item);

		if (!cidr_parse(&net, item))
			return err_set(e, ERR_INPUT, "'%s' found, expected a "
				       "network like 10.0.0.2/32", shown);
		cidr_mask(&net);
		vec_push(&peer(c)->allowed_ips, net);
	}
	return 0;
}

static int take_keepalive(struct conf *c, char *value, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(value);
	long n = 0;

	if (strcasecmp(value, "off") != 0 && !num_parse(&n, value, 0, 65535))
		return err_set(e, ERR_INPUT, "'%s' found, expected off or a "
			       "number from 0 to 65535", shown);
	peer(c)->keepalive_s = (int)n;
	return 0;
}

/* ---- keys ---- */

/* A key without a function is not carried over. */
static const struct conf_key {
	const char *name;
	enum section section;
	bool many;
	take_fn *take;
} keys[] = {
	{ "PrivateKey", INTERFACE, false, take_private_key },
	{ "Address", INTERFACE, true, take_addresses },
	{ "ListenPort", INTERFACE, false, take_port },
	{ "MTU", INTERFACE, false, take_mtu },
	{ "Table", INTERFACE, false, take_table },
	{ "FwMark", INTERFACE, false, NULL },
	{ "DNS", INTERFACE, true, NULL },
	{ "PreUp", INTERFACE, true, NULL },
	{ "PostUp", INTERFACE, true, NULL },
	{ "PreDown", INTERFACE, true, NULL },
	{ "PostDown", INTERFACE, true, NULL },
	{ "SaveConfig", INTERFACE, false, NULL },
	{ "PublicKey", PEER, false, take_public_key },
	{ "PresharedKey", PEER, false, take_preshared_key },
	{ "Endpoint", PEER, false, take_endpoint },
	{ "AllowedIPs", PEER, true, take_allowed_ips },
	{ "PersistentKeepalive", PEER, false, take_keepalive },
};

/* A word that can be shown: a lost key of WireGuard's is none. */
static bool is_word(const char *s)
{
	return *s && strlen(s) <= 24 &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz"
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(s);
}

/* The key's place in the table, or -1 with an error that shows no value. */
static int find_key(const struct conf *c, const char *name, struct err *e)
{
	static const char *const sections[] = { "", "[Interface]", "[Peer]" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (strcasecmp(keys[i].name, name) != 0)
			continue;
		if (keys[i].section == c->section)
			return (int)i;
		return err_set(e, ERR_INPUT, "%s found, expected it under %s",
			       keys[i].name, sections[keys[i].section]);
	}
	return err_set(e, ERR_INPUT, "'%s' is no key of %s",
		       is_word(name) ? name : "...",
		       c->section ? sections[c->section] : "a wg-quick file");
}

static int take_setting(struct conf *c, char *line, struct err *e)
{
	char *value = strchr(line, '=');
	int i;

	if (!value)
		return err_set(e, ERR_INPUT, "expected [Interface], [Peer] or "
			       "'Key = value'");
	*value++ = '\0';
	value = inventory_trim(value);
	i = find_key(c, inventory_trim(line), e);
	if (i < 0)
		return -1;
	if (!keys[i].many && (c->seen & 1u << i))
		return err_set(e, ERR_INPUT, "%s is there twice, expected it "
			       "once", keys[i].name);
	c->seen |= 1u << i;
	if (!keys[i].take) {
		if (strings_find(&c->left, keys[i].name) < 0)
			strings_add(&c->left, keys[i].name);
		return 0;
	}
	return keys[i].take(c, value, e) < 0 ? err_wrap(e, "%s", keys[i].name)
					     : 0;
}

/* ---- lines ---- */

static int open_interface(struct conf *c, struct err *e)
{
	if (c->interface_line)
		return err_set(e, ERR_INPUT, "a second [Interface], expected "
			       "one (the first is in line %zu)",
			       c->interface_line);
	c->interface_line = c->in->line;
	c->section = INTERFACE;
	return 0;
}

static int open_peer(struct conf *c, struct err *e)
{
	struct conf_peer *p;

	if (c->peers.len == PEERS_MAX)
		return err_set(e, ERR_INPUT, "more than %d peers", PEERS_MAX);
	p = vec_add(&c->peers);
	p->line = c->in->line;
	p->x.name = STEAL(c->above);
	c->section = PEER;
	return 0;
}

static int open_section(struct conf *c, const char *name, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(name);

	c->seen = 0;
	if (strcasecmp(name, "[Interface]") == 0)
		return open_interface(c, e);
	if (strcasecmp(name, "[Peer]") == 0)
		return open_peer(c, e);
	return err_set(e, ERR_INPUT, "section '%s' found, expected [Interface] "
		       "or [Peer]", shown);
}

/*
 * A comment may name its section: behind the header, above it, or inside. One
 * inside may also be above the next section, so the first one there counts.
 */
static void take_comment(struct conf *c, const char *text)
{
	char **inside = c->section == PEER && !peer(c)->name ? &peer(c)->name
			: c->section == INTERFACE && !c->name ? &c->name : NULL;

	free(c->above);
	c->above = inventory_comment_name(text);
	if (inside && c->seen == 0)
		*inside = STEAL(c->above);
}

static int take_line(struct conf *c, char *line, struct err *e)
{
	char *comment = strchr(line, '#');
	int ret = 0;

	if (comment)
		*comment++ = '\0';
	line = inventory_trim(line);
	if (*line == '[')
		ret = open_section(c, line, e);
	else if (*line)
		ret = take_setting(c, line, e);
	if (ret < 0)
		return inventory_wrap(c->in, c->in->line, e);
	if (*line != '[' && (*line || !comment))
		mem_replace(&c->above, NULL);
	if (comment && (*line == '[' || !*line))
		take_comment(c, comment);
	return 0;
}

/* ---- the whole ---- */

static int compare_peers(const void *a, const void *b)
{
	return strcmp(((const struct conf_peer *)a)->x.public_key,
		      ((const struct conf_peer *)b)->x.public_key);
}

static int check_peers(struct conf *c, struct err *e)
{
	for (size_t i = 0; i < c->peers.len; i++)
		if (!c->peers.items[i].x.public_key)
			return inventory_error(c->in, c->peers.items[i].line, e,
					       "[Peer] without PublicKey");
	vec_sort(&c->peers, compare_peers);
	for (size_t i = 0; i < c->peers.len; i++) {
		const struct conf_peer *p = &c->peers.items[i];

		if (i && compare_peers(p, p - 1) == 0)
			return inventory_error(c->in, p->line, e, "the peer of "
					       "line %zu once more, expected "
					       "each key once", (p - 1)->line);
		if (strcmp(p->x.public_key, c->node->public_key) == 0)
			return inventory_error(c->in, p->line, e, "PublicKey "
					       "is the interface's own");
	}
	return 0;
}

static bool has_name(const struct externals *list, const char *name)
{
	for (size_t i = 0; i < list->len; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return true;
	return false;
}

/* A name that no peer has yet; one without a comment is named by its key. */
static void name_peer(const struct externals *list, struct external *x)
{
	AUTO(auto_free) char *base = NULL;

	if (!x->name) {
		AUTO(auto_free) char *key = mem_printf("peer-%.8s",
						       x->public_key);
		x->name = inventory_name(key);
	}
	base = mem_strdup(x->name);
	for (unsigned n = 2; has_name(list, x->name); n++) {
		free(x->name);
		x->name = mem_printf("%s-%u", base, n);
	}
}

/* As wg-quick does: routes to what the interface's networks do not hold. */
static void add_routes(const struct conf *c, struct external *x)
{
	bool said = false;

	for (size_t i = 0; i < x->allowed_ips.len; i++) {
		const struct cidr *net = &x->allowed_ips.items[i];
		bool held = c->no_routes || net->plen == 0;

		for (size_t k = 0; k < c->in->spans.len && !held; k++)
			held = c->in->spans.items[k].plen <= net->plen &&
			       cidr_contains(&c->in->spans.items[k], &net->ip);
		if (!held)
			vec_push(&x->routes, *net);
		if (net->plen == 0 && !c->no_routes && !said) {
			said = true;
			inventory_note(c->in, "peer '%s' has a default route; "
				       "wg-quick's rules for it are not "
				       "carried over", x->name);
		}
	}
}

static void hand_over(struct conf *c)
{
	for (size_t i = 0; i < c->peers.len; i++) {
		struct external *x = &c->peers.items[i].x;

		cidrs_sort(&x->allowed_ips);
		name_peer(&c->node->externals, x);
		add_routes(c, x);
		vec_push(&c->node->externals, *x);
	}
	c->peers.len = 0;
}

static void note_left(const struct conf *c)
{
	AUTO(sbuf_done) struct sbuf b = SBUF_INIT;

	for (size_t i = 0; i < c->left.len; i++)
		sbuf_printf(&b, "%s%s", i ? ", " : "", c->left.items[i]);
	if (b.len)
		inventory_note(c->in, "not carried over: %s", sbuf_str(&b));
}

static int finish(struct conf *c, struct err *e)
{
	if (!c->interface_line)
		return err_set(e, ERR_INPUT, "%s: no [Interface] found",
			       c->in->file->name);
	if (!c->node->private_key.len)
		return inventory_error(c->in, c->interface_line, e,
				       "[Interface] without PrivateKey");
	if (!c->in->spans.len)
		return inventory_error(c->in, c->interface_line, e,
				       "[Interface] without an Address");
	if (check_peers(c, e) < 0)
		return -1;
	if (c->name)
		mem_replace(&c->node->name, c->name);
	hand_over(c);
	note_left(c);
	return 0;
}

/* "wg0" of "/etc/wireguard/wg0.conf": the interface, and a name at hand. */
static char *stem(const char *path)
{
	const char *base = path_name(path);
	const char *ending = strstr(base, ".conf");
	AUTO(auto_free) char *cut =
		ending ? mem_strndup(base, (size_t)(ending - base)) : NULL;

	return inventory_name(cut ? cut : MESH_DEFAULT_INTERFACE);
}

int inventory_conf(struct inventory *in, struct err *e)
{
	AUTO(sbuf_done) struct sbuf line = SBUF_SECRET;
	AUTO(auto_free) char *name = stem(in->file->name);
	struct conf c = { .in = in, .node = vec_add(&in->mesh->nodes) };
	struct err ignored;
	int ret = 0;

	node_init(c.node, name);
	if (check_interface(name, &ignored) == 0)
		mem_replace(&in->mesh->interface_name, name);
	while (ret == 0 && inventory_line(in, &line))
		ret = take_line(&c, line.s, e);
	if (ret == 0)
		ret = finish(&c, e);
	for (size_t i = 0; i < c.peers.len; i++)
		external_done(&c.peers.items[i].x);
	vec_done(&c.peers);
	strings_done(&c.left);
	free(c.above);
	free(c.name);
	return ret;
}
