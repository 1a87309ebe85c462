/*
 * wg-quick files: one node, and its peers as external ones, or, where the user
 * asks for it, as nodes of the mesh. The form is that of wg(8), "CONFIGURATION
 * FILE FORMAT", with the keys that wg-quick(8) adds: both take keys and
 * sections in any letter case.
 */
#include "state/inventory/internal.h"

#include "base/auto.h"
#include "base/num.h"
#include "base/path.h"
#include "vault/wgkey.h"

#include <string.h>
#include <strings.h>

/* Names of peers are compared with each other: this bounds the square. */
#define PEERS_MAX 1024

enum section { NOWHERE, INTERFACE, PEER };

/* A peer with the line of its section, for what is found later. */
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
	unsigned seen;    /* keys of this section, a bit each as in keys[] */
	bool no_routes;   /* Table = off */
	struct naming naming;
	char *name;       /* of the node, in a comment */
	size_t key_line;  /* of a PostUp that sets the private key; 0: none */
	struct strings left; /* keys that are not carried over */
};

static void conf_done(struct conf *c)
{
	for (size_t i = 0; i < c->peers.len; i++)
		external_done(&c->peers.items[i].x);
	vec_done(&c->peers);
	strings_done(&c->left);
	naming_done(&c->naming);
	free(c->name);
}

typedef int take_fn(struct conf *c, char *value, struct err *e);

static struct external *last_peer(struct conf *c)
{
	return &c->peers.items[c->peers.len - 1].x;
}

/* ---- [Interface] ---- */

static int take_private_key(struct conf *c, char *value, struct err *e)
{
	return inventory_private_key(c->node, value, e);
}

static int take_conf_addresses(struct conf *c, char *value, struct err *e)
{
	char *item;

	while ((item = inventory_item(&value)))
		if (inventory_address(c->in, c->node, item, e) < 0)
			return -1;
	return 0;
}

/* With a table of its own wg-quick's routes would be elsewhere: noted. */
static int take_table(struct conf *c, char *value, struct err *e)
{
	(void)e;
	if (strcasecmp(value, "off") == 0)
		c->no_routes = true;
	else if (strcasecmp(value, "auto") != 0)
		strings_add(&c->left, "Table");
	return 0;
}

static int take_hook(struct conf *c, const char *name, const char *key,
		     const char *value, struct err *e)
{
	const struct inventory_file *f = c->in->file;

	if (!*value)
		return 0;
	if (f->hooks)
		return field_set(field_find(&fields_node, key), c->node, value,
				 e);
	if (f->hooks_left)
		*f->hooks_left = true;
	if (strings_find(&c->left, name) < 0)
		strings_add(&c->left, name);
	return 0;
}

static int take_pre_down(struct conf *c, char *value, struct err *e)
{
	return take_hook(c, "PreDown", "pre_down", value, e);
}

/*
 * The private key may come from a file or a program: ours comes from a file of
 * one name, and then the key lives on its host as ours do.
 */
static int take_post_up(struct conf *c, char *value, struct err *e)
{
	AUTO(auto_free) char *named = mem_printf(
		"wg set %%i private-key /etc/wireguard/%s.key",
		c->in->mesh->interface_name);

	if (!strstr(value, "private-key"))
		return take_hook(c, "PostUp", "post_up", value, e);
	c->key_line = c->in->line;
	if (strcmp(value, "wg set %i private-key /etc/wireguard/%i.key") == 0 ||
	    strcmp(value, named) == 0)
		c->node->key = KEY_ON_HOST;
	return 0;
}

/* ---- [Peer] ---- */

static int take_public_key(struct conf *c, char *value, struct err *e)
{
	if (!wgkey_valid(value))
		return err_set(e, ERR_INPUT, INVENTORY_KEY_FORM);
	mem_replace(&last_peer(c)->public_key, value);
	return 0;
}

static int take_preshared_key(struct conf *c, char *value, struct err *e)
{
	if (!wgkey_valid(value))
		return err_set(e, ERR_INPUT, INVENTORY_KEY_FORM);
	secret_set(&last_peer(c)->preshared_key, value, strlen(value));
	return 0;
}

static int take_endpoint(struct conf *c, char *value, struct err *e)
{
	if (check_endpoint(value, e) < 0)
		return -1;
	mem_replace(&last_peer(c)->endpoint, value);
	return 0;
}

/* An empty list is allowed: a peer that nothing is routed to, yet. */
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
		vec_push(&last_peer(c)->allowed_ips, net);
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
	last_peer(c)->keepalive_s = (int)n;
	return 0;
}

/* ---- keys ---- */

/* A key with neither a function nor a field of the node is not carried over. */
static const struct conf_key {
	const char *name;
	enum section section;
	bool many; /* wg-quick takes it more than once in a section */
	take_fn *take;
	const char *field; /* as mesh.yaml calls it */
} keys[] = {
	{ "PrivateKey", INTERFACE, false, take_private_key, NULL },
	{ "Address", INTERFACE, true, take_conf_addresses, NULL },
	{ "ListenPort", INTERFACE, false, NULL, "port" },
	{ "MTU", INTERFACE, false, NULL, "mtu" },
	{ "Table", INTERFACE, false, take_table, NULL },
	{ "FwMark", INTERFACE, false, NULL, NULL },
	{ "DNS", INTERFACE, true, NULL, NULL },
	{ "PreUp", INTERFACE, true, NULL, NULL },
	{ "PostUp", INTERFACE, true, take_post_up, NULL },
	{ "PreDown", INTERFACE, true, take_pre_down, NULL },
	{ "PostDown", INTERFACE, true, NULL, NULL },
	{ "SaveConfig", INTERFACE, false, NULL, NULL },
	{ "PublicKey", PEER, false, take_public_key, NULL },
	{ "PresharedKey", PEER, false, take_preshared_key, NULL },
	{ "Endpoint", PEER, false, take_endpoint, NULL },
	{ "AllowedIPs", PEER, true, take_allowed_ips, NULL },
	{ "PersistentKeepalive", PEER, false, take_keepalive, NULL },
};

/* A word that can be shown: a lost key of WireGuard's is none. */
static bool is_word(const char *s)
{
	return *s && strlen(s) <= 24 &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz"
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(s);
}

/* "Key = value"; an error of the line shows no value. */
static int take_conf_setting(struct conf *c, char *line, struct err *e)
{
	static const char *const sections[] = { "a wg-quick file",
						"[Interface]", "[Peer]" };
	const struct conf_key *key = NULL;
	char *value = strchr(line, '=');
	unsigned bit;
	int ret = 0;

	if (!value)
		return err_set(e, ERR_INPUT, "expected [Interface], [Peer] or "
			       "'Key = value'");
	*value++ = '\0';
	value = inventory_trim(value);
	line = inventory_trim(line);
	for (size_t i = 0; i < sizeof keys / sizeof *keys && !key; i++)
		if (strcasecmp(keys[i].name, line) == 0)
			key = &keys[i];
	if (!key)
		return err_set(e, ERR_INPUT, "'%s' is no key of %s",
			       is_word(line) ? line : "...",
			       sections[c->section]);
	if (key->section != c->section)
		return err_set(e, ERR_INPUT, "%s found, expected it under %s",
			       key->name, sections[key->section]);
	bit = 1u << (key - keys);
	if (!key->many && (c->seen & bit))
		return err_set(e, ERR_INPUT, "%s is there twice, expected it "
			       "once", key->name);
	c->seen |= bit;
	if (key->take)
		ret = key->take(c, value, e);
	else if (key->field)
		ret = field_set(field_find(&fields_node, key->field), c->node,
				value, e);
	else if (strings_find(&c->left, key->name) < 0)
		strings_add(&c->left, key->name);
	return ret < 0 ? err_wrap(e, "%s", key->name) : 0;
}

/* ---- lines ---- */

static int open_conf_section(struct conf *c, const char *name, struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(name);
	struct conf_peer *p;

	c->seen = 0;
	if (strcasecmp(name, "[Interface]") == 0) {
		if (c->interface_line)
			return err_set(e, ERR_INPUT, "a second [Interface], "
				       "expected one (the first is in line "
				       "%zu)", c->interface_line);
		c->interface_line = c->in->line;
		c->section = INTERFACE;
		return 0;
	}
	if (strcasecmp(name, "[Peer]") != 0)
		return err_set(e, ERR_INPUT, "section '%s' found, expected "
			       "[Interface] or [Peer]", shown);
	if (c->peers.len == PEERS_MAX)
		return err_set(e, ERR_INPUT, "more than %d peers", PEERS_MAX);
	p = vec_add(&c->peers);
	p->line = c->in->line;
	c->section = PEER;
	return 0;
}

/* The name that the comments gave to the section that ends here. */
static void name_section(struct conf *c)
{
	char **name = c->section == PEER ? &last_peer(c)->name :
		      c->section == INTERFACE ? &c->name : NULL;

	if (name)
		*name = STEAL(c->naming.name);
}

static int take_conf_line(struct conf *c, char *line, struct err *e)
{
	char *comment = strchr(line, '#');
	bool had_key = c->section == PEER && last_peer(c)->public_key;
	int ret = 0;

	if (comment)
		*comment++ = '\0';
	line = inventory_trim(line);
	if (*line == '[') {
		name_section(c);
		ret = open_conf_section(c, line, e);
	} else if (*line) {
		ret = take_conf_setting(c, line, e);
	}
	if (ret < 0)
		return inventory_wrap(c->in, c->in->line, e);
	naming_line(&c->naming,
		    !*line ? NAMING_COMMENT :
		    *line == '[' ? c->section == PEER ? NAMING_PEER
						      : NAMING_INTERFACE :
		    c->section == PEER && last_peer(c)->public_key && !had_key
			    ? NAMING_KEY : NAMING_OTHER, comment);
	return 0;
}

/* ---- the whole ---- */

static int compare_conf_peers(const void *a, const void *b)
{
	return wgkey_compare(((const struct conf_peer *)a)->x.public_key,
			     ((const struct conf_peer *)b)->x.public_key);
}

/* What must be there, and each peer once; the peers are sorted afterwards. */
static int check_conf(struct conf *c, struct err *e)
{
	if (!c->interface_line)
		return err_set(e, ERR_INPUT, "%s: no [Interface] found",
			       c->in->file->name);
	if (!c->in->spans.len) {
		inventory_error(c->in, c->interface_line, e, "[Interface] "
				"without an Address, as 'wg showconf' prints "
				"it");
		return err_advise(e, ADVICE_IMPORT_HOST, NULL);
	}
	if (c->node->private_key.len)
		c->node->key = KEY_UNSAID;
	else if (c->in->file->no_key)
		*c->in->file->no_key = (struct inventory_no_key){
			c->key_line ? c->key_line : c->interface_line,
			c->key_line != 0 };
	for (size_t i = 0; i < c->peers.len; i++)
		if (!c->peers.items[i].x.public_key)
			return inventory_error(c->in, c->peers.items[i].line, e,
					       "[Peer] without PublicKey");
	vec_sort(&c->peers, compare_conf_peers);
	for (size_t i = 0; i < c->peers.len; i++) {
		const struct conf_peer *p = &c->peers.items[i];

		if (i && compare_conf_peers(p, p - 1) == 0)
			return inventory_error(c->in, p->line, e, "the peer of "
					       "line %zu once more, expected "
					       "each key once", (p - 1)->line);
		if (c->node->private_key.len &&
		    wgkey_equal(p->x.public_key, c->node->public_key))
			return inventory_error(c->in, p->line, e, "PublicKey "
					       "is the interface's own");
	}
	return 0;
}

static bool has_peer(const struct externals *peers, const char *name)
{
	for (size_t i = 0; i < peers->len; i++)
		if (strcmp(peers->items[i].name, name) == 0)
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
	for (unsigned n = 2; has_peer(list, x->name); n++) {
		free(x->name);
		x->name = mem_printf("%s-%u", base, n);
	}
}

/* As wg-quick does: routes to what the interface's networks do not hold. */
static void add_peer_routes(const struct conf *c, struct external *x)
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

/* ---- an address that more than one peer names ---- */

struct owner {
	struct cidr net;
	size_t line; /* of its peer's section */
	struct external *x;
};

static int compare_owners(const void *a, const void *b)
{
	const struct owner *l = a, *r = b;
	int order = cidr_compare(&l->net, &r->net);

	return order ? order : (l->line > r->line) - (l->line < r->line);
}

/*
 * WireGuard gives an address to the peer that names it last. Peers here have no
 * order, so the others lose it.
 */
static void settle_addresses(struct conf *c)
{
	struct externals *peers = &c->node->externals;
	VEC(struct owner) all = { 0 };
	char text[ADDR_TEXT_MAX];
	size_t others = 0;

	for (size_t i = 0; i < peers->len; i++) {
		struct external *x = &peers->items[i];

		for (size_t k = 0; k < x->allowed_ips.len; k++)
			vec_push(&all, ((struct owner){
						x->allowed_ips.items[k],
						c->peers.items[i].line, x }));
		vec_done(&x->allowed_ips);
	}
	vec_sort(&all, compare_owners);
	for (size_t i = 0; i < all.len; i++) {
		const struct owner *o = &all.items[i];

		if (i + 1 < all.len && cidr_equal(&o->net, &o[1].net)) {
			others += o->x != o[1].x;
			continue;
		}
		vec_push(&o->x->allowed_ips, o->net);
		if (others)
			inventory_note(c->in, "%s is named by %zu peers; the "
				       "last one, %s, has it, as WireGuard "
				       "gives it", cidr_text(&o->net, text),
				       others + 1, o->x->name);
		others = 0;
	}
	vec_done(&all);
}

int inventory_conf(struct inventory *in, struct err *e)
{
	AUTO(sbuf_done) struct sbuf line = SBUF_SECRET;
	const char *base = path_name(in->file->name);
	const char *ending = strstr(base, ".conf");
	AUTO(auto_free) char *stem =
		ending ? mem_strndup(base, (size_t)(ending - base))
		       : mem_strdup(MESH_DEFAULT_INTERFACE);
	AUTO(auto_free) char *name = inventory_name(stem);
	AUTO(conf_done) struct conf c = { .in = in };
	struct err ignored;

	/* "wg0" of "/etc/wireguard/wg0.conf": its interface, a name at hand */
	c.node = vec_add(&in->mesh->nodes);
	node_init(c.node, name);
	if (check_interface(name, &ignored) == 0)
		mem_replace(&in->mesh->interface_name, name);
	while (inventory_line(in, &line))
		if (take_conf_line(&c, line.s, e) < 0)
			return -1;
	name_section(&c);
	if (check_conf(&c, e) < 0)
		return -1;
	if (c.name)
		mem_replace(&c.node->name, c.name);
	for (size_t i = 0; i < c.peers.len; i++) {
		name_peer(&c.node->externals, &c.peers.items[i].x);
		vec_push(&c.node->externals, c.peers.items[i].x);
	}
	settle_addresses(&c);
	c.peers.len = 0; /* the node has them now */
	for (size_t i = 0; i < c.node->externals.len; i++)
		add_peer_routes(&c, &c.node->externals.items[i]);
	inventory_note_left(in, &c.left);
	return 0;
}

/* ---- peers that become nodes ---- */

/* The first address in the mesh's network is the node's, others are routes. */
static void spread_allowed_ips(struct inventory *in, struct node *n,
			       const struct external *x)
{
	char text[ADDR_TEXT_MAX];
	struct err ignored;

	for (size_t i = 0; i < x->allowed_ips.len; i++) {
		const struct cidr *c = &x->allowed_ips.items[i];
		bool v6 = c->ip.family == 6;
		const struct ip *taken = v6 ? &n->mesh_ip6 : &n->mesh_ip;
		const struct cidr *network = v6 ? &in->mesh->network6
						: &in->mesh->network;

		cidr_text(c, text);
		if (c->plen == ip_bits(&c->ip) && !taken->family &&
		    cidr_contains(network, &c->ip))
			inventory_address(in, n, text, &ignored);
		else if (c->plen && network->ip.family &&
			 cidr_overlaps(c, network))
			inventory_note(in, "allowed IPs %s of '%s' are left "
				       "out: they are in the mesh network",
				       text, n->name);
		else
			inventory_route(in, n, *c);
	}
}

static void add_peer_node(struct inventory *in, const struct externals *peers,
			  const struct external *x)
{
	AUTO(auto_free) char *name = mem_strdup(x->name);
	AUTO(auto_free) char *host = NULL;
	struct node *n;
	struct err ignored;
	int port;

	/* another name when the node whose peers they are is called so */
	for (size_t k = 1; strcmp(name, in->mesh->nodes.items[0].name) == 0 ||
			   (k > 1 && has_peer(peers, name)); k++) {
		free(name);
		name = mem_printf("%.50s-peer%zu", x->name, k);
	}
	n = vec_add(&in->mesh->nodes);
	node_init(n, name);
	spread_allowed_ips(in, n, x);
	if (x->endpoint &&
	    endpoint_parse(x->endpoint, &host, &port, &ignored) == 0 &&
	    !place_is_loopback(host)) {
		mem_replace(&n->public_endpoint, x->endpoint);
		mem_replace(&n->ssh_host, host);
		return;
	}
	mem_replace(&n->ssh_host, name);
	inventory_note(in, "peer '%s' has no Endpoint that others reach: its "
		       "name is taken as its SSH host", name);
}

void inventory_peers_to_nodes(struct mesh *m, const char *file,
			      struct strings *notes)
{
	struct inventory_file f = { .name = file };
	struct inventory in = { .file = &f, .mesh = m, .notes = notes };
	struct externals peers = m->nodes.items[0].externals;

	m->nodes.items[0].externals = (struct externals){ 0 };
	for (size_t i = 0; i < peers.len; i++)
		add_peer_node(&in, &peers, &peers.items[i]);
	vec_sort(&m->nodes, node_compare);
	inventory_sort_routes(m);
	externals_done(&peers);
	vec_done(&in.spans);
}
