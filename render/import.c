/*
 * A host that was read becomes a node: checked against the nodes that are
 * there. What it says of itself is taken once the user has named it; its peers
 * become links to nodes that we know, or external peers.
 */
#include "render/import.h"

#include "acl/access.h"
#include "base/auto.h"
#include "render/desired.h"
#include "render/facts.h"
#include "state/model/model.h"

#include <string.h>

/** The MTU that wg-quick chooses on Ethernet (bytes). */
#define USUAL_MTU 1420

bool import_wants_key(const struct mesh *m)
{
	return m->key != KEY_ON_HOST;
}

/*
 * The name that the user said, or what the host calls itself up to the first
 * dot: a proposal, which may not be the name of the machine that we are on.
 */
static int choose_node_name(char **out, const struct import_source *s,
			    struct err *e)
{
	const char *own = s->observed->hostname;
	AUTO(auto_free) char *name = s->name ? mem_strdup(s->name)
				: mem_strndup(own, strcspn(own, "."));

	if (check_node_name(name, e) < 0)
		return err_wrap(e, "say NAME=HOST");
	if (!s->name && s->here &&
	    strncmp(name, s->here, strcspn(s->here, ".")) == 0 &&
	    strlen(name) == strcspn(s->here, "."))
		return err_set(e, ERR_INPUT, "it calls itself '%s', as this "
			       "machine does: say NAME=HOST", name);
	*out = STEAL(name);
	return 0;
}

/* ---- a new node ---- */

/* The interface's addresses; the first of each kind is the node's. */
static int take_own_addresses(const struct mesh *m, struct node *n,
			      const struct observed *o, struct strings *notes,
			      struct err *e)
{
	char text[ADDR_TEXT_MAX], net_text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < o->addresses.len; i++) {
		const struct cidr *c = &o->addresses.items[i].address;
		const bool six = c->ip.family == 6;
		const struct cidr *net = six ? &m->network6 : &m->network;
		struct ip *slot = six ? &n->mesh_ip6 : &n->mesh_ip;
		struct cidr network = *c;

		if (strcmp(o->addresses.items[i].ifname, m->interface_name) ||
		    ip_is_link_local(&c->ip))
			continue;
		cidr_mask(&network);
		if (!net->ip.family || !cidr_contains(net, &c->ip)) {
			err_set(e, ERR_INPUT, "its address %s is in no network "
				"of the mesh", cidr_text(c, text));
			return err_advise(e, six ? ADVICE_OTHER_NETWORK6
						 : ADVICE_OTHER_NETWORK,
					  cidr_text(&network, net_text));
		}
		if (slot->family)
			strings_printf(notes, "'%s' has one address of a kind: "
				       "%s goes at the next deploy", n->name,
				       cidr_text(c, text));
		else
			*slot = c->ip;
	}
	if (!n->mesh_ip.family && !n->mesh_ip6.family)
		return err_set(e, ERR_INPUT, "%s there has no address",
			       m->interface_name);
	return 0;
}

/* A new node, from what the host says of itself. */
static int add_imported(struct mesh *m, const struct import_source *s,
			const char *name, struct strings *notes, struct err *e)
{
	const struct observed *o = s->observed;
	const struct node *place = s->place;
	AUTO(auto_free) char *dropped = strings_line(&s->found->dropped,
						     s->found->dropped.len);
	int usual = m->mtu ? m->mtu : USUAL_MTU;
	struct err ignored;
	struct node *n;

	if (nodes_find(&m->nodes, name))
		return err_set(e, ERR_INPUT, "there is a node '%s' already, "
			       "with another key: say NAME=HOST", name);
	n = nodes_insert(&m->nodes, name);
	mem_replace(&n->hostname, n->name);
	mem_replace(&n->ssh_host, place->ssh_host);
	mem_replace(&n->ssh_user, place->ssh_user);
	n->ssh_port = place->ssh_port ? place->ssh_port : 22;
	strings_done(&n->ssh_host_keys);
	strings_copy(&n->ssh_host_keys, &place->ssh_host_keys);
	if (spec_check_removed(m, n, e) < 0 ||
	    take_own_addresses(m, n, o, notes, e) < 0)
		return -1;
	spec_drop_removed(m, n);
	mem_replace(&n->public_key, o->public_key);
	if (!node_key_on_host(m, n)) {
		if (!s->found->private_key.len)
			return err_set(e, ERR_REMOTE, "%s there has no private "
				       "key", m->interface_name);
		secret_copy(&n->private_key, &s->found->private_key);
	}
	if (o->listen_port != node_port(m, n))
		n->listen_port = o->listen_port;
	if (s->found->mtu && s->found->mtu != m->mtu)
		n->mtu = s->found->mtu;
	else if (!s->found->mtu && o->mtu != usual &&
		 check_mtu(o->mtu, &ignored) == 0)
		n->mtu = o->mtu;
	if (dropped)
		strings_printf(notes, "the boot file of '%s' says %s, which "
			       "deploys do not keep (the file stays as "
			       "%s.conf.before-wgmesh)", n->name, dropped,
			       m->interface_name);
	return 0;
}

/* Commands that were asked for: all of a kind, where there are some. */
static void take_hooks(struct node *n, const struct found *f)
{
	if (f->post_up.len) {
		strings_done(&n->post_up);
		strings_copy(&n->post_up, &f->post_up);
	}
	if (f->pre_down.len) {
		strings_done(&n->pre_down);
		strings_copy(&n->pre_down, &f->pre_down);
	}
}

/* ---- its peers: a host speaks of others here, which needs more doubt ---- */

/*
 * Is an external peer of @list called so? Gone ones (not on @o) do not count.
 */
static bool has_live_name(const struct externals *list, const char *name,
		     const struct observed *o)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct external *x = &list->items[i];

		if (x->name && strcmp(x->name, name) == 0 &&
		    observed_peer_by_key(o, x->public_key))
			return true;
	}
	return false;
}

/*
 * What the boot file calls it, if nobody else is called so; else "peer-" and
 * what can stand in a name of the key's beginning. @list: those who are named
 * already; @n: those who keep their names.
 */
static char *choose_peer_name(const struct links *l,
			      const struct externals *list,
			      const struct node *n,
			      const struct import_source *s, const char *key)
{
	const struct found_peer *f = found_peer(s->found, key);
	char name[16] = "peer-";
	size_t len = strlen(name);
	struct err ignored;

	if (f && f->name && check_node_name(f->name, &ignored) == 0 &&
	    !nodes_find(&l->mesh->nodes, f->name) &&
	    !has_live_name(list, f->name, s->observed) &&
	    !has_live_name(&n->externals, f->name, s->observed))
		return mem_strdup(f->name);
	for (; *key && len < 13; key++)
		if (*key != '+' && *key != '/' && *key != '=')
			name[len++] = *key;
	return mem_strdup(name);
}

/* An allowed IP, and which external peer has it; NULL: a node. */
struct target {
	struct cidr net;
	struct external *external;
};

struct targets {
	struct target *items;
	size_t len;
	size_t cap;
};

static int compare_targets(const void *a, const void *b)
{
	return cidr_compare(&((const struct target *)a)->net,
			    &((const struct target *)b)->net);
}

/*
 * Routes that nobody tagged and that lead to an external peer are its own: by
 * the longest allowed IP, as WireGuard chooses the peer for a packet.
 */
static void take_routes(struct externals *list, const struct observed *o)
{
	struct targets all = { 0 };

	for (size_t i = 0; i < o->peers.len; i++) {
		const struct observed_peer *p = &o->peers.items[i];
		struct external wanted = { .public_key = p->public_key };
		struct external *x =
			list->len ? bsearch(&wanted, list->items, list->len,
					    sizeof wanted, external_compare)
				  : NULL;

		for (size_t k = 0; k < p->allowed_ips.len; k++)
			vec_push(&all, ((struct target){
						p->allowed_ips.items[k], x }));
	}
	vec_sort(&all, compare_targets);
	for (size_t i = 0; i < o->routes.len && all.len; i++) {
		const struct observed_route *r = &o->routes.items[i];
		struct target wanted = { .net = r->network };
		const struct target *t = NULL;

		if (r->kernel || r->tagged)
			continue;
		for (unsigned bits = r->network.plen + 1; bits-- > 0 && !t;) {
			wanted.net.plen = bits;
			cidr_mask(&wanted.net);
			t = bsearch(&wanted, all.items, all.len, sizeof wanted,
				    compare_targets);
		}
		if (t && t->external)
			vec_push(&t->external->routes, r->network);
	}
	vec_done(&all);
}

/*
 * Where it is by the boot file, which tells an endpoint that was set from one
 * that was learnt; by the interface if the file does not know the peer.
 */
static const char *found_endpoint(const struct observed *o,
				  const struct observed_peer *p)
{
	struct err ignored;

	for (size_t i = 0; i < o->boot_peers.len; i++) {
		const struct observed_boot_peer *b = &o->boot_peers.items[i];

		if (!wgkey_equal(b->public_key, p->public_key))
			continue;
		if (!b->endpoint || check_endpoint(b->endpoint, &ignored) == 0)
			return b->endpoint;
	}
	return check_endpoint(p->endpoint, &ignored) == 0 ? p->endpoint : NULL;
}

/*
 * One that the state had keeps its name and what we do not know. What could get
 * all of the host's traffic the user has to agree to, once each.
 */
static void add_external(const struct links *l, struct externals *list,
			 const struct node *n, const struct import_source *s,
			 const struct observed_peer *p, struct strings *doubts)
{
	const struct found_peer *f = found_peer(s->found, p->public_key);
	struct external *before = node_external(n, p->public_key);
	struct external x = { .keepalive_s = p->keepalive_s };
	bool is_default = false;
	char text[ADDR_TEXT_MAX];

	x.name = before ? STEAL(before->name)
			: choose_peer_name(l, list, n, s, p->public_key);
	x.public_key = mem_strdup(p->public_key);
	if (f)
		secret_copy(&x.preshared_key, &f->preshared_key);
	x.endpoint = mem_strdup(found_endpoint(s->observed, p));
	for (size_t i = 0; i < p->allowed_ips.len; i++) {
		const struct cidr *c = &p->allowed_ips.items[i];

		vec_push(&x.allowed_ips, *c);
		is_default |= c->plen == 0;
		if (cidr_is_wide(c) &&
		    (!before || cidrs_find(&before->allowed_ips, c) < 0))
			strings_printf(doubts, "%s of '%s' goes to its "
				       "external peer '%s'", cidr_text(c, text),
				       n->name, x.name);
	}
	if (before) {
		x.extras = before->extras;
		memset(&before->extras, 0, sizeof before->extras);
	} else if (is_default) { /* by rules that wg-quick makes */
		strings_printf(l->notes, "external peer '%s' of '%s' has a "
			       "default route; wg-quick's rules for it are not "
			       "carried over, they end when the interface goes "
			       "down", x.name, n->name);
	}
	vec_push(list, x);
}

/*
 * Peers of @n that are nodes: what they say of networks, unless the node was
 * there before (not @fresh). All others become its external peers; to those
 * that could get all of its traffic the user has to agree: @doubts. 0, or -1
 * with ERR_INPUT when there are too many.
 */
static int take_peers(struct links *l, struct node *n,
		      const struct import_source *s, bool fresh,
		      struct strings *doubts, struct err *e)
{
	const struct observed *o = s->observed;
	struct externals list = { 0 };

	for (size_t i = 0; i < o->peers.len; i++) {
		const struct observed_peer *p = &o->peers.items[i];
		struct node *peer = links_node(l, p->public_key);

		if (peer && fresh)
			links_networks(l, peer, n->name, &p->allowed_ips);
		if (peer && fresh && p->has_psk)
			strings_printf(l->notes, "the preshared key of '%s' "
				       "and '%s' goes at the next deploy: "
				       "nodes have none", n->name, peer->name);
		if (peer)
			continue;
		if (list.len == EXTERNALS_MAX) {
			externals_done(&list);
			return err_set(e, ERR_INPUT, "more than %d of its "
				       "peers are no nodes", EXTERNALS_MAX);
		}
		add_external(l, &list, n, s, p, doubts);
	}
	take_routes(&list, o);
	externals_done(&n->externals);
	n->externals = list;
	return 0;
}

/* ---- all of them ---- */

/* A host, and the node that it is. */
struct taken {
	const struct import_source *from;
	char *name;
	bool fresh;
};

struct all_taken {
	struct taken *items;
	size_t len;
	size_t cap;
};

static void all_done(struct all_taken *all)
{
	for (size_t i = 0; i < all->len; i++)
		free(all->items[i].name);
	vec_done(all);
}

/*
 * Is @place where the node is? A public key is shown by whoever has seen it;
 * what counts is the SSH place, or a host key that is pinned for the node.
 */
static bool is_where(const struct node *n, const struct node *place)
{
	if (n->ssh_host && strcmp(n->ssh_host, place->ssh_host) == 0 &&
	    node_ssh_port(n) == node_ssh_port(place))
		return true;
	for (size_t i = 0; i < place->ssh_host_keys.len; i++)
		if (strings_find(&n->ssh_host_keys,
				 place->ssh_host_keys.items[i]) >= 0)
			return true;
	return false;
}

/* Which node it is: one that has its key, or a new one. */
static int take_import(struct mesh *m, struct taken *t, struct strings *notes,
		     struct err *e)
{
	const struct import_source *s = t->from;
	const struct observed *o = s->observed;
	const char *interface = m->interface_name;
	const struct node *known;

	if (!o->has_wg || !o->exists) {
		err_set(e, ERR_REMOTE, "there is no interface %s", interface);
		return err_advise(e, ADVICE_NO_INTERFACE, NULL);
	}
	if (!o->is_wireguard)
		return err_set(e, ERR_REMOTE, "%s there is no WireGuard "
			       "interface", interface);
	if (check_key(o->public_key, e) < 0)
		return err_set(e, ERR_REMOTE, "%s there has no private key",
			       interface);
	known = mesh_by_key(m, o->public_key);
	t->fresh = !known;
	if (!known)
		return choose_node_name(&t->name, s, e) < 0 ||
		       add_imported(m, s, t->name, notes, e) < 0 ? -1 : 0;
	if (s->name && strcmp(s->name, known->name) != 0)
		return err_set(e, ERR_INPUT, "its key is that of the node '%s'",
			       known->name);
	if (!is_where(known, s->place)) {
		AUTO(auto_free) char *move =
			mem_printf("%s ssh=%s", known->name,
				   s->place->ssh_host);

		err_set(e, ERR_HOSTKEY, "it shows the public key of the node "
			"'%s', which is at %s with other SSH host keys: "
			"import that, or, if the host moved, say so first",
			known->name, known->ssh_host);
		return err_advise(e, ADVICE_HOST_MOVED, move);
	}
	t->name = mem_strdup(known->name);
	return 0;
}

/* The keepalive that all live peers of @d have, if the rule says another. */
static int unlike_keepalive(const struct desired *d, const struct observed *o)
{
	int all = -1;
	bool differs = false;

	for (size_t i = 0; i < d->peers.len; i++) {
		const struct desired_peer *p = &d->peers.items[i];
		const struct observed_peer *live =
			observed_peer_by_key(o, p->public_key);

		if (!live)
			continue;
		if (all >= 0 && live->keepalive_s != all)
			return -1;
		all = live->keepalive_s;
		differs |= all != p->keepalive_s;
	}
	return differs ? all : -1;
}

/*
 * What follows once all nodes are there: facts, and keepalives of the new ones.
 */
static void take_relations(struct mesh *m, const struct all_taken *all)
{
	VEC(struct host_report) reports = { 0 };
	struct access *a;

	for (size_t i = 0; i < all->len; i++) {
		const struct taken *t = &all->items[i];

		vec_push(&reports,
			 ((struct host_report){ nodes_find(&m->nodes, t->name),
						t->from->observed,
						t->from->dialled,
						t->from->source, false }));
	}
	facts_merge(m, reports.items, reports.len);
	a = access_new(m);
	for (size_t i = 0; i < all->len; i++) {
		struct node *n = reports.items[i].node;
		AUTO(desired_done) struct desired d = { 0 };
		int live;

		if (!all->items[i].fresh)
			continue;
		desired_compute(&d, m, a, n);
		live = unlike_keepalive(&d, reports.items[i].observed);
		n->keepalive_s = live < 0 ? 0 : live ? live : KEEPALIVE_OFF;
	}
	access_free(a);
	vec_done(&reports);
}

int import_hosts(struct mesh *m, const struct import_source *sources,
		 size_t n, struct strings *notes, struct strings *doubts,
		 struct err *e)
{
	AUTO(all_done) struct all_taken all = { 0 };
	AUTO(links_done) struct links l = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct taken *t = vec_add(&all);

		t->from = &sources[i];
		if (take_import(m, t, notes, e) < 0)
			return err_wrap(e, "'%s'", sources[i].place->ssh_host);
	}
	links_open(&l, m, notes);
	links_externals(&l);
	for (size_t i = 0; i < all.len; i++) {
		const struct taken *t = &all.items[i];
		struct node *node = nodes_find(&m->nodes, t->name);

		take_hooks(node, t->from->found);
		if (take_peers(&l, node, t->from, t->fresh, doubts, e) < 0)
			return err_wrap(e, "'%s'", t->from->place->ssh_host);
	}
	take_relations(m, &all);
	links_doubts(&l, doubts);
	return 0;
}
