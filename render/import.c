/*
 * A host that was read becomes a node: checked against the nodes that are there.
 */
#include "render/import.h"

#include "acl/access.h"
#include "base/auto.h"
#include "render/desired.h"
#include "render/facts.h"
#include "render/import_peers.h"
#include "state/model/model.h"

#include <string.h>

/** The MTU that wg-quick chooses on Ethernet (bytes). */
#define USUAL_MTU 1420

bool import_wants_key(const struct mesh *m)
{
	return !m->key || strcmp(m->key, "host") != 0;
}

static int check_interface_there(const struct mesh *m,
				 const struct observed *o, struct err *e)
{
	const char *i = m->interface_name;

	if (!o->has_wg || !o->exists) {
		err_set(e, ERR_REMOTE, "there is no interface %s", i);
		return err_advise(e, ADVICE_NO_INTERFACE, NULL);
	}
	if (!o->is_wireguard)
		return err_set(e, ERR_REMOTE, "%s there is no WireGuard "
			       "interface", i);
	if (check_key(o->public_key, e) < 0)
		return err_set(e, ERR_REMOTE, "%s there has no private key", i);
	return 0;
}

/*
 * The name that the user said, or what the host calls itself up to the first dot:
 * a proposal, which may not be the name of the machine that we are on.
 */
static int choose_name(char **out, const struct import_source *s,
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

static int outside(const struct cidr *c, struct err *e)
{
	struct cidr network = *c;
	char text[ADDR_TEXT_MAX];
	char net[ADDR_TEXT_MAX];

	cidr_mask(&network);
	err_set(e, ERR_INPUT, "its address %s is in no network of the mesh",
		cidr_text(c, text));
	return err_advise(e, c->ip.family == 6 ? ADVICE_OTHER_NETWORK6
					       : ADVICE_OTHER_NETWORK,
			  cidr_text(&network, net));
}

/* The interface's addresses; the first of each kind is the node's. */
static int take_addresses(const struct mesh *m, struct node *n,
			  const struct observed *o, struct strings *notes,
			  struct err *e)
{
	for (size_t i = 0; i < o->addresses.len; i++) {
		const struct cidr *c = &o->addresses.items[i].address;
		const struct cidr *net = c->ip.family == 6 ? &m->network6
							   : &m->network;
		struct ip *slot = c->ip.family == 6 ? &n->mesh_ip6
						    : &n->mesh_ip;
		char text[ADDR_TEXT_MAX];

		if (strcmp(o->addresses.items[i].ifname, m->interface_name) ||
		    ip_is_link_local(&c->ip))
			continue;
		if (!net->ip.family || !cidr_contains(net, &c->ip))
			return outside(c, e);
		if (slot->family)
			import_note(notes, "'%s' has one address of a kind: %s "
				    "goes at the next deploy", n->name,
				    cidr_text(c, text));
		else
			*slot = c->ip;
	}
	if (!n->mesh_ip.family && !n->mesh_ip6.family)
		return err_set(e, ERR_INPUT, "%s there has no address",
			       m->interface_name);
	return 0;
}

static void take_numbers(const struct mesh *m, struct node *n,
			 const struct import_source *s)
{
	const struct observed *o = s->observed;
	int usual = m->mtu ? m->mtu : USUAL_MTU;
	struct err ignored;

	if (o->listen_port != node_port(m, n))
		n->listen_port = o->listen_port;
	if (s->found->mtu && s->found->mtu != m->mtu)
		n->mtu = s->found->mtu;
	else if (!s->found->mtu && o->mtu != usual &&
		 check_mtu(o->mtu, &ignored) == 0)
		n->mtu = o->mtu;
}

static void take_place(struct node *n, const struct node *place)
{
	mem_replace(&n->hostname, n->name);
	mem_replace(&n->ssh_host, place->ssh_host);
	mem_replace(&n->ssh_user, place->ssh_user);
	n->ssh_port = place->ssh_port ? place->ssh_port : 22;
	strings_done(&n->ssh_host_keys);
	strings_copy(&n->ssh_host_keys, &place->ssh_host_keys);
}

/* What deploys will not keep of the boot file. */
static void note_dropped(const struct mesh *m, const struct node *n,
			 const struct found *f, struct strings *notes)
{
	AUTO(sbuf_done) struct sbuf names = SBUF_INIT;

	for (size_t i = 0; i < f->dropped.len; i++)
		sbuf_printf(&names, "%s%s", i ? ", " : "", f->dropped.items[i]);
	if (names.len)
		import_note(notes, "the boot file of '%s' says %s, which "
			    "deploys do not keep (the file stays as "
			    "%s.conf.before-wgmesh)", n->name,
			    sbuf_str(&names), m->interface_name);
}

static int add_node(struct mesh *m, const struct import_source *s,
		    const char *name, struct strings *notes, struct err *e)
{
	struct node *n;

	if (nodes_find(&m->nodes, name))
		return err_set(e, ERR_INPUT, "there is a node '%s' already, "
			       "with another key: say NAME=HOST", name);
	n = nodes_insert(&m->nodes, name);
	take_place(n, s->place);
	if (spec_check_removed(m, n, e) < 0 ||
	    take_addresses(m, n, s->observed, notes, e) < 0)
		return -1;
	spec_drop_removed(m, n);
	mem_replace(&n->public_key, s->observed->public_key);
	if (!node_key_on_host(m, n)) {
		if (!s->found->private_key.len)
			return err_set(e, ERR_REMOTE, "%s there has no private "
				       "key", m->interface_name);
		secret_copy(&n->private_key, &s->found->private_key);
	}
	take_numbers(m, n, s);
	note_dropped(m, n, s->found, notes);
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
 * Is @place where the node is? A public key is shown by whoever has seen it; what
 * counts is the SSH place, or a host key that is pinned for the node.
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

static int take_host(struct mesh *m, struct taken *t, struct strings *notes,
		     struct err *e)
{
	const struct import_source *s = t->from;
	const struct node *known;

	if (check_interface_there(m, s->observed, e) < 0)
		return -1;
	known = mesh_by_key(m, s->observed->public_key);
	t->fresh = !known;
	if (!known)
		return choose_name(&t->name, s, e) < 0 ||
		       add_node(m, s, t->name, notes, e) < 0 ? -1 : 0;
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

static void merge_facts(struct mesh *m, const struct all_taken *all)
{
	VEC(struct host_report) reports = { 0 };

	for (size_t i = 0; i < all->len; i++) {
		const struct taken *t = &all->items[i];

		vec_push(&reports,
			 ((struct host_report){ nodes_find(&m->nodes, t->name),
						t->from->observed,
						t->from->dialled,
						t->from->source, false }));
	}
	facts_merge(m, reports.items, reports.len);
	vec_done(&reports);
}

/* The keepalive that all live peers of @d have, if the rule says another. */
static int other_keepalive(const struct desired *d, const struct observed *o)
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

static void take_keepalives(struct mesh *m, const struct all_taken *all)
{
	struct access *a = access_new(m);

	for (size_t i = 0; i < all->len; i++) {
		const struct taken *t = &all->items[i];
		struct node *n = nodes_find(&m->nodes, t->name);
		AUTO(desired_done) struct desired d = { 0 };
		int live;

		if (!t->fresh)
			continue;
		desired_compute(&d, m, a, n);
		live = other_keepalive(&d, t->from->observed);
		n->keepalive_s = live < 0 ? 0 : live ? live : KEEPALIVE_OFF;
	}
	access_free(a);
}

static int take_all_peers(struct links *l, const struct all_taken *all,
			  struct strings *doubts, struct err *e)
{
	for (size_t i = 0; i < all->len; i++) {
		const struct taken *t = &all->items[i];
		struct node *n = nodes_find(&l->mesh->nodes, t->name);

		if (import_peers(l, n, t->from, t->fresh, doubts, e) < 0)
			return err_wrap(e, "'%s'", t->from->place->ssh_host);
	}
	return 0;
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
		if (take_host(m, t, notes, e) < 0)
			return err_wrap(e, "'%s'", sources[i].place->ssh_host);
	}
	links_open(&l, m, notes);
	links_externals(&l);
	if (take_all_peers(&l, &all, doubts, e) < 0)
		return -1;
	merge_facts(m, &all);
	take_keepalives(m, &all);
	links_doubts(&l, doubts);
	return 0;
}
