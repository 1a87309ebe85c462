/*
 * `show NODE -json`: its shape is docs/json.md's, and what is not known is
 * null, so that a reader finds each member in every mesh.
 */
#include "cmd/cmd.h"

#include "base/num.h"
#include "cmd/jout.h"
#include "cmd/show.h"
#include "state/model/model.h"

#include <string.h>

static const char *or_null(const char *s)
{
	return s && *s ? s : NULL;
}

/* A number that holds, or null. */
static void add_number(struct jout *j, const char *key, int n, bool known)
{
	if (known)
		jout_number(j, key, n);
	else
		jout_text(j, key, NULL);
}

/*
 * The members that mesh.yaml would have, in its types; what is not said has
 * none.
 */
static void json_said(struct jout *j, const struct shown *s)
{
	jout_open(j, "said");
	for (size_t i = 0; i < fields_node.len; i++) {
		const struct mesh_field *f = &fields_node.items[i];
		AUTO(strings_done) struct strings values = { 0 };
		const char *first;
		long n;

		show_said(s, f, &values);
		if (values.len == 0)
			continue;
		first = values.items[0];
		if (f->type == FIELD_LIST)
			jout_strings(j, f->key, &values);
		else if (f->type == FIELD_BOOL)
			jout_bool(j, f->key, strcmp(first, "true") == 0);
		else if (f->type == FIELD_NUMBER &&
			 num_parse(&n, first, f->min, f->max))
			jout_number(j, f->key, n);
		else
			jout_text(j, f->key, first);
	}
	jout_end(j);
}

/* What holds, whoever said it: the node, the mesh, a deploy or nobody. */
static void json_effective(struct jout *j, const struct shown *s)
{
	const struct mesh *m = s->d.mesh;
	const struct node *n = s->d.node;
	AUTO(auto_free) char *endpoint = node_endpoint(m, n);
	int keepalive = 0;
	bool said = node_keepalive(m, n, &keepalive);

	jout_open(j, "effective");
	jout_cidrs(j, "addresses", &s->d.addresses);
	jout_number(j, "port", s->d.listen_port);
	add_number(j, "mtu", s->d.mtu, s->d.mtu > 0);
	add_number(j, "keepalive", keepalive, said);
	jout_text(j, "key", key_place_word(node_key_on_host(m, n)
						   ? KEY_ON_HOST
						   : KEY_IN_STATE));
	jout_text(j, "endpoint", or_null(endpoint));
	jout_end(j);
}

static void json_peers(struct jout *j, const struct shown *s)
{
	jout_list(j, "peers");
	for (size_t i = 0; i < s->d.peers.len; i++) {
		const struct desired_peer *p = &s->d.peers.items[i];

		jout_open(j, NULL);
		jout_text(j, "name", p->name);
		jout_strings(j, "policies", &s->reasons[i]);
		jout_text(j, "public_key", or_null(p->public_key));
		jout_cidrs(j, "allowed_ips", &p->allowed_ips);
		jout_text(j, "endpoint", or_null(p->endpoint));
		jout_number(j, "keepalive", p->keepalive_s);
		jout_end(j);
	}
	jout_end(j);
}

static void json_routes(struct jout *j, const struct desired *d)
{
	char text[ADDR_TEXT_MAX];

	jout_list(j, "routes");
	for (size_t i = 0; i < d->routes.len; i++) {
		const struct desired_route *r = &d->routes.items[i];

		jout_open(j, NULL);
		jout_text(j, "network", cidr_text(&r->network, text));
		jout_ip(j, "gateway", &r->gateway);
		jout_end(j);
	}
	jout_end(j);
	jout_cidrs(j, "not_routed", &d->connected);
	jout_cidrs(j, "left_to_external_peers", &d->yielded);
}

static void json_externals(struct jout *j, const struct externals *all)
{
	jout_list(j, "external_peers");
	for (size_t i = 0; i < all->len; i++) {
		const struct external *x = &all->items[i];

		jout_open(j, NULL);
		jout_text(j, "name", x->name);
		jout_text(j, "public_key", x->public_key);
		jout_bool(j, "preshared_key", x->preshared_key.len > 0);
		jout_cidrs(j, "allowed_ips", &x->allowed_ips);
		jout_text(j, "endpoint", x->endpoint);
		jout_number(j, "keepalive", x->keepalive_s);
		jout_cidrs(j, "routes", &x->routes);
		jout_end(j);
	}
	jout_end(j);
}

void show_json(const struct shown *s)
{
	const struct node *n = s->d.node;
	struct jout *j = jout_new();

	jout_text(j, "name", n->name);
	jout_bool(j, "is_local", n->is_local);
	json_said(j, s);
	json_effective(j, s);
	jout_text(j, "public_key", or_null(n->public_key));
	jout_text(j, "private_key", or_null(key_place_word(s->key_place)));
	jout_strings(j, "host_keys", &s->pins);
	jout_open(j, "facts");
	jout_text(j, "actual_hostname", n->actual_hostname);
	jout_text(j, "fqdn", n->fqdn);
	jout_cidrs(j, "addresses", &n->facts.addresses);
	jout_text(j, "dialled", n->facts.dialled);
	jout_text(j, "address", n->facts.address);
	jout_text(j, "address_from", node_address_from(n));
	jout_bool(j, "behind_nat", n->behind_nat);
	jout_text(j, "nat_from", n->facts.nat_from);
	add_number(j, "mtu", n->facts.mtu, n->facts.mtu > 0);
	jout_bool(j, "mtu_kept", n->facts.mtu_kept);
	jout_bool(j, "deployed", n->facts.deployed);
	jout_end(j);
	json_peers(j, s);
	json_routes(j, &s->d);
	json_externals(j, &n->externals);
	jout_print(j);
}
