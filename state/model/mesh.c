/*
 * The mesh and its parts: made, found, copied, freed, and what holds where a
 * node says nothing. What each object has in it is told by its rows alone
 * (object.c).
 */
#include "state/model/mesh.h"

#include "base/random.h"
#include "base/sbuf.h"
#include "state/model/field.h"

void extras_done(struct extras *x)
{
	for (size_t i = 0; i < x->len; i++) {
		free(x->items[i].key);
		free(x->items[i].json);
	}
	vec_done(x);
}

void external_done(struct external *x)
{
	object_done(&object_external, x);
}

void externals_done(struct externals *list)
{
	for (size_t i = 0; i < list->len; i++)
		external_done(&list->items[i]);
	vec_done(list);
}

static void cidrs_copy(struct cidrs *to, const struct cidrs *from)
{
	for (size_t i = 0; i < from->len; i++)
		vec_push(to, from->items[i]);
}

void external_copy(struct external *to, const struct external *from)
{
	to->name = mem_strdup(from->name);
	to->public_key = mem_strdup(from->public_key);
	secret_copy(&to->preshared_key, &from->preshared_key);
	to->endpoint = mem_strdup(from->endpoint);
	cidrs_copy(&to->allowed_ips, &from->allowed_ips);
	cidrs_copy(&to->routes, &from->routes);
	to->keepalive_s = from->keepalive_s;
	for (size_t i = 0; i < from->extras.len; i++) {
		const struct extra *x = &from->extras.items[i];

		vec_push(&to->extras, ((struct extra){ mem_strdup(x->key),
						       mem_strdup(x->json) }));
	}
}

void node_done(struct node *n)
{
	object_done(&object_node, n);
}

void group_done(struct group *g)
{
	object_done(&object_group, g);
}

void policy_done(struct policy *p)
{
	object_done(&object_policy, p);
}

void mesh_done(struct mesh *m)
{
	object_done(&object_mesh, m);
}

void mesh_init(struct mesh *m)
{
	memset(m, 0, sizeof *m);
	object_init(&object_mesh, m);
	m->interface_name = mem_strdup(MESH_DEFAULT_INTERFACE);
	cidr_parse(&m->network, MESH_DEFAULT_NETWORK);
	m->listen_port = MESH_DEFAULT_PORT;
}

/*
 * By 128 random bits two meshes are told apart wherever they could meet: on a
 * host that was in another one, in a saved plan, in a merge.
 */
int mesh_make_id(struct mesh *m, struct err *e)
{
	char text[33];

	if (m->mesh_id)
		return 0;
	if (random_hex(text, sizeof text - 1, e) < 0)
		return -1;
	m->mesh_id = mem_strdup(text);
	return 0;
}

/* A serial that wrapped around would make the newest state the oldest. */
int mesh_serial_next(struct mesh *m, uint64_t serial, struct err *e)
{
	if (serial == UINT64_MAX)
		return err_set(e, ERR_INPUT, "the serial is the highest that "
			       "there is: get a state from before it jumped");
	m->serial = serial + 1;
	return 0;
}

bool mesh_serial_jumps(const struct mesh *before, const struct mesh *after)
{
	return after->serial > before->serial &&
	       after->serial - before->serial > SERIAL_JUMP;
}

int node_compare(const void *a, const void *b)
{
	return strcmp(((const struct node *)a)->name,
		      ((const struct node *)b)->name);
}

int group_compare(const void *a, const void *b)
{
	return strcmp(((const struct group *)a)->name,
		      ((const struct group *)b)->name);
}

int external_compare(const void *a, const void *b)
{
	return wgkey_compare(((const struct external *)a)->public_key,
			     ((const struct external *)b)->public_key);
}

/* Nodes and groups begin with their name. */
static int compare_to_name(const void *item, const void *name)
{
	_Static_assert(offsetof(struct node, name) == 0 &&
		       offsetof(struct group, name) == 0, "the name is first");
	return strcmp(*(char *const *)item, name);
}

struct node *nodes_find(const struct nodes *nodes, const char *name)
{
	size_t at = vec_place(nodes, name, compare_to_name);

	if (at == nodes->len || strcmp(nodes->items[at].name, name) != 0)
		return NULL;
	return &nodes->items[at];
}

struct group *mesh_group(const struct mesh *m, const char *name)
{
	size_t at = vec_place(&m->groups, name, compare_to_name);

	if (at == m->groups.len || strcmp(m->groups.items[at].name, name) != 0)
		return NULL;
	return &m->groups.items[at];
}

/* Names of policies need not be unique: the second is told from the first. */
struct policy *policies_same(const struct policies *list,
			     const struct policies *from, size_t at)
{
	const char *name = from->items[at].name;
	size_t nth = 0;

	for (size_t i = 0; i < at; i++)
		nth += strcmp(from->items[i].name, name) == 0;
	for (size_t i = 0; i < list->len; i++)
		if (strcmp(list->items[i].name, name) == 0 && nth-- == 0)
			return &list->items[i];
	return NULL;
}

struct external *node_external(const struct node *n, const char *public_key)
{
	struct external wanted = { .public_key = (char *)(uintptr_t)public_key };

	if (n->externals.len == 0)
		return NULL;
	return bsearch(&wanted, n->externals.items, n->externals.len,
		       sizeof wanted, external_compare);
}

struct group *mesh_add_group(struct mesh *m, const char *name)
{
	size_t at = vec_place(&m->groups, name, compare_to_name);
	struct group *g = vec_insert(&m->groups, at);

	g->name = mem_strdup(name);
	return g;
}

void node_init(struct node *n, const char *name)
{
	n->name = mem_strdup(name);
	object_init(&object_node, n);
}

struct node *nodes_insert(struct nodes *nodes, const char *name)
{
	size_t at = vec_place(nodes, name, compare_to_name);
	struct node *n = vec_insert(nodes, at);

	node_init(n, name);
	return n;
}

/* Nothing points into a struct node: it may be moved as it is. */
bool nodes_move(struct nodes *from, struct nodes *to, const char *name)
{
	struct node *n = nodes_find(from, name);
	struct node moved;
	size_t at;

	if (!n)
		return false;
	moved = *n;
	vec_remove(from, (size_t)(n - from->items));
	nodes_drop(to, moved.name);
	at = vec_place(to, moved.name, compare_to_name);
	*vec_insert(to, at) = moved;
	return true;
}

bool nodes_drop(struct nodes *nodes, const char *name)
{
	struct node *n = nodes_find(nodes, name);

	if (!n)
		return false;
	node_done(n);
	vec_remove(nodes, (size_t)(n - nodes->items));
	return true;
}

/* Goes through all: who looks for many keys makes an index, as link.c does. */
struct node *mesh_by_key(const struct mesh *m, const char *public_key)
{
	for (size_t i = 0; i < m->nodes.len; i++) {
		const char *key = m->nodes.items[i].public_key;

		if (wgkey_is_set(key) && wgkey_equal(key, public_key))
			return &m->nodes.items[i];
	}
	return NULL;
}

int node_port(const struct mesh *m, const struct node *n)
{
	if (n->listen_port)
		return n->listen_port;
	return m->listen_port ? m->listen_port : MESH_DEFAULT_PORT;
}

int node_live_port(const struct mesh *m, const struct node *n)
{
	return n->facts.listen_port ? n->facts.listen_port : node_port(m, n);
}

void mesh_hold_ports(struct mesh *m, const struct mesh *before)
{
	for (size_t i = 0; i < m->nodes.len; i++) {
		struct node *n = &m->nodes.items[i];
		const struct node *old = nodes_find(&before->nodes, n->name);
		int live;

		if (!old && wgkey_is_set(n->public_key)) /* renamed */
			old = mesh_by_key(before, n->public_key);
		if (!old || !old->facts.deployed)
			continue;
		live = node_live_port(before, old);
		n->facts.listen_port = live == node_port(m, n) ? 0 : live;
	}
}

int node_mtu(const struct mesh *m, const struct node *n)
{
	return n->mtu ? n->mtu : m->mtu;
}

bool node_keepalive(const struct mesh *m, const struct node *n, int *seconds)
{
	int said = n->keepalive_s ? n->keepalive_s : m->keepalive_s;

	if (said)
		*seconds = said == KEEPALIVE_OFF ? 0 : said;
	return said;
}

static const char *const key_places[] = {
	[KEY_UNSAID] = "",
	[KEY_IN_STATE] = "state",
	[KEY_ON_HOST] = "host",
};

const char *key_place_word(enum key_place place)
{
	return key_places[place];
}

bool key_place_parse(enum key_place *out, const char *word)
{
	for (size_t i = 0; i < sizeof key_places / sizeof *key_places; i++)
		if (strcmp(key_places[i], word) == 0) {
			*out = (enum key_place)i;
			return true;
		}
	return false;
}

bool node_key_on_host(const struct mesh *m, const struct node *n)
{
	return (n->key ? n->key : m->key) == KEY_ON_HOST;
}

const char *node_address_from(const struct node *n)
{
	const struct node_facts *f = &n->facts;

	if (!f->address)
		return NULL;
	return f->dialled && strcmp(f->dialled, f->address) == 0 ? FACT_DIALLED
								 : FACT_SAID;
}

bool node_is_hidden(const struct node *n)
{
	const char *from = n->facts.nat_from;

	/*
	 * others could take a node's endpoint away, by what they claim to see
	 */
	return n->behind_nat && !(from && strncmp(from, FACT_SEEN_BY,
						  strlen(FACT_SEEN_BY)) == 0);
}

char *node_endpoint(const struct mesh *m, const struct node *n)
{
	char text[ENDPOINT_TEXT_MAX];
	struct ip ip;

	if (n->public_endpoint && *n->public_endpoint)
		return mem_strdup(n->public_endpoint);
	if (node_is_hidden(n) || !n->facts.address ||
	    !ip_parse(&ip, n->facts.address))
		return mem_strdup("");
	return mem_strdup(endpoint_text(&ip, node_live_port(m, n), text));
}

/* The Go tool writes 22 where nobody said a port. */
int node_ssh_port(const struct node *n)
{
	return n->ssh_port == 22 ? 0 : n->ssh_port;
}

struct ips { VEC_OF(struct ip); };

/* Orders the addresses that are taken, for the walk of mesh_free_ips(). */
static int compare_ips(const void *a, const void *b)
{
	return ip_compare(a, b);
}

/*
 * Append the single hosts of @list that lie in @network: a peer that is no node
 * has its address among its allowed IPs; a wider network of it is no address.
 */
static void collect_hosts(struct ips *used, const struct cidrs *list,
			  const struct cidr *network)
{
	for (size_t i = 0; i < list->len; i++)
		if (list->items[i].plen == ip_bits(&network->ip) &&
		    cidr_contains(network, &list->items[i].ip))
			vec_push(used, list->items[i].ip);
}

/*
 * Append the addresses of @nodes and their external peers that lie in @network.
 */
static void collect_used(struct ips *used, const struct nodes *nodes,
			 const struct cidr *network)
{
	for (size_t i = 0; i < nodes->len; i++) {
		const struct node *n = &nodes->items[i];
		const struct ip *a = network->ip.family == 6 ? &n->mesh_ip6
							      : &n->mesh_ip;

		if (cidr_contains(network, a))
			vec_push(used, *a);
		for (size_t k = 0; k < n->externals.len; k++)
			collect_hosts(used, &n->externals.items[k].allowed_ips,
				      network);
	}
}

int mesh_free_ips(const struct mesh *m, const struct nodes *more,
		  const struct cidr *network, struct ip *const *slots,
		  size_t n, struct err *e)
{
	char text[ADDR_TEXT_MAX];
	struct ip last = cidr_last(network);
	struct ip a = network->ip;
	struct ips used = { 0 };
	size_t i = 0, done = 0;

	collect_used(&used, &m->nodes, network);
	collect_used(&used, &m->removed, network);
	if (more)
		collect_used(&used, more, network);
	vec_sort(&used, compare_ips);
	/* both lists go up: one walk, however large the network is */
	while (done < n && ip_next(&a) && ip_compare(&a, &last) < 0) {
		while (i < used.len && ip_compare(&used.items[i], &a) < 0)
			i++;
		if (!(i < used.len && ip_equal(&used.items[i], &a)) &&
		    !ip_is_special(&a))
			*slots[done++] = a;
	}
	vec_done(&used);
	if (done == n)
		return 0;
	err_set(e, ERR_INPUT, "the mesh network %s is full",
		cidr_text(network, text));
	return err_advise(e, ADVICE_NETWORK_FULL, NULL);
}

int mesh_free_ip(const struct mesh *m, const struct cidr *network,
		 struct ip *out, struct err *e)
{
	return mesh_free_ips(m, NULL, network, &out, 1, e);
}
