/*
 * What values of a mesh are to each other: duplicates, references, ranges. A
 * state is loaded and saved only if these hold, so they let pass what the Go
 * tool has let pass; what a deploy needs besides stands in check_deploy.c.
 */
#include "state/model/check.h"

#include "base/auto.h"
#include "base/text.h"
#include "state/model/claim.h"
#include "state/model/mesh_secret.h"
#include "vault/crypto/digest.h"
#include "vault/proof.h"

#include <string.h>

/* Whose values are looked at, and where the errors go. */
struct subject {
	struct findings *out;
	enum mesh_part part;
	const char *what; /* how messages call it, "node"; NULL: not */
	const char *name;
	struct err e;     /* of the rule that was tried last */
};

/* A value: its key in the state file and in mesh.yaml. */
struct spot {
	const char *code, *field, *key, *value;
};

/* A rule that failed (@ret < 0) becomes a finding. */
static void judge(struct subject *s, struct spot at, int ret)
{
	struct finding_place place = { s->part, s->name, at.key, at.value };

	if (ret == 0)
		return;
	if (at.field)
		err_wrap(&s->e, "%s", at.field);
	if (s->what) {
		AUTO(auto_free) char *shown = check_shown(s->name);

		err_wrap(&s->e, "%s '%s'", s->what, shown);
	}
	finding_add(s->out, true, at.code, place, "%s", s->e.msg);
}

/* A value that cannot be, whatever stands around it. */
static void judge_value(struct subject *s, const char *field, const char *key,
			int ret)
{
	judge(s, (struct spot){ "bad_value", field, key, NULL }, ret);
}

/*
 * Text that needs no more than being short and printable: what it says is
 * nobody's to judge here, but it is shown, and it must not fill a terminal or a
 * log.
 */
static int check_words(const char *s, size_t max, struct err *e)
{
	if (!s || (strlen(s) <= max && text_is_printable(s)))
		return 0;
	return err_set(e, ERR_INPUT, "expected at most %zu bytes of text "
		       "without control characters", max);
}

/* A host as the Go tool may have saved it: no control characters at least. */
static int check_ssh_host_text(const char *s, struct err *e)
{
	AUTO(auto_free) char *shown = NULL;

	for (const char *p = s ? s : ""; *p; p++) {
		if ((unsigned char)*p >= 0x20 && *p != 0x7f)
			continue;
		shown = check_shown(s);
		return err_set(e, ERR_INPUT, "'%s' holds a control character",
			       shown);
	}
	return 0;
}

/* What is not said is not checked. */
static int check_said(int n, int (*check)(long n, struct err *e), struct err *e)
{
	return n ? check(n, e) : 0;
}

static int check_said_keepalive(int keepalive_s, struct err *e)
{
	return keepalive_s == KEEPALIVE_OFF
		       ? 0
		       : check_said(keepalive_s, check_keepalive, e);
}

static int check_facts_address(const char *s, struct err *e)
{
	struct ip ip;

	if (!s || ip_parse(&ip, s))
		return 0;
	return err_set(e, ERR_INPUT, "expected an IPv4 or IPv6 address");
}

static void check_hooks(struct subject *s, const char *key,
			const struct strings *list)
{
	if (list->len > HOOKS_MAX)
		judge_value(s, key, key,
			    err_set(&s->e, ERR_INPUT, "%zu commands found, "
				    "expected at most %d", list->len,
				    HOOKS_MAX));
	for (size_t i = 0; i < list->len; i++)
		judge_value(s, key, key, check_hook(list->items[i], &s->e));
}

/*
 * A node's values, each by itself. Keys are only bounded here: a state of the
 * Go tool may hold any, and says so when it is to be deployed.
 */
static void check_node_values(struct subject *s, const struct node *n)
{
	judge_value(s, "ssh_port", "ssh",
		    check_said(n->ssh_port, check_port, &s->e));
	judge_value(s, "listen_port", "port",
		    check_said(n->listen_port, check_port, &s->e));
	judge_value(s, "mtu", "mtu", check_said(n->mtu, check_mtu, &s->e));
	judge_value(s, "keepalive", "keepalive",
		    check_said_keepalive(n->keepalive_s, &s->e));
	if (n->public_endpoint)
		judge_value(s, "public_endpoint", "endpoint",
			    check_endpoint(n->public_endpoint, &s->e));
	judge_value(s, "facts: address", NULL,
		    check_facts_address(n->facts.address, &s->e));
	judge_value(s, "local_machine", NULL,
		    check_words(n->local_machine, DIGEST_HEX, &s->e));
	judge_value(s, "facts: dialled", NULL,
		    check_facts_address(n->facts.dialled, &s->e));
	judge_value(s, "facts: nat_from", NULL,
		    check_words(n->facts.nat_from, 160, &s->e));
	judge_value(s, "facts: mtu", NULL,
		    check_said(n->facts.mtu, check_mtu, &s->e));
	judge_value(s, "facts: listen_port", NULL,
		    check_said(n->facts.listen_port, check_port, &s->e));
	judge_value(s, "public_key", NULL,
		    check_words(n->public_key, 128, &s->e));
	judge_value(s, "private_key", NULL,
		    check_words(secret_text(&n->private_key), 128, &s->e));
	judge_value(s, "ssh_host", "ssh",
		    check_ssh_host_text(n->ssh_host, &s->e));
	if (n->ssh_user)
		judge_value(s, "ssh_user", "ssh",
			    check_user(n->ssh_user, &s->e));
	for (size_t i = 0; i < n->ssh_host_keys.len; i++)
		judge_value(s, "ssh_host_keys", NULL,
			    check_words(n->ssh_host_keys.items[i], 4096,
					&s->e));
	check_hooks(s, "post_up", &n->post_up);
	check_hooks(s, "pre_down", &n->pre_down);
	judge_value(s, NULL, NULL, check_externals(n, &s->e));
}

static void check_node_networks(struct subject *s, const struct mesh *m,
				const struct node *n)
{
	for (size_t i = 0; i < n->routable_networks.len; i++) {
		const struct cidr *c = &n->routable_networks.items[i];
		const struct cidr *own = c->ip.family == 6 ? &m->network6
							   : &m->network;
		char text[ADDR_TEXT_MAX], network[ADDR_TEXT_MAX];
		struct spot at = { "bad_route", "routable_networks", "routes",
				   cidr_text(c, text) };

		judge(s, at, check_routable(c, &s->e));
		if (c->plen == 0 && !n->exit) {
			at.code = "default_route";
			judge(s, at, err_set(&s->e, ERR_INPUT, "%s is a "
					     "default route, expected 'exit' "
					     "to be set for this node", text));
		}
		/* what leads into the mesh cannot also lead out of it */
		at.code = "route_over_mesh";
		if (c->plen && own->ip.family && cidr_overlaps(own, c))
			judge(s, at, err_set(&s->e, ERR_INPUT, "%s overlaps "
					     "the mesh network %s", text,
					     cidr_text(own, network)));
	}
}

static void check_node_address(struct subject *s, const struct mesh *m,
			       const char *field, const struct ip *a)
{
	char text[ADDR_TEXT_MAX];
	struct spot at = { "bad_address", field, "address",
			   ip_text(a, text) };

	if (a->family)
		judge(s, at, check_mesh_ip(m, a, &s->e));
}

/*
 * One node by itself. Each rule is tried, so that all that is wrong is told at
 * once; the first is what a command says. A tombstone's addresses may be those
 * of a mesh network of before, and no longer count.
 */
static void check_node(struct findings *out, const struct mesh *m,
		       const struct node *n, bool tombstone)
{
	struct subject s = { .out = out, .part = PART_NODE,
			     .what = tombstone ? "removed node" : "node",
			     .name = n->name };

	judge_value(&s, NULL, NULL, check_node_name(n->name, &s.e));
	check_node_values(&s, n);
	if (tombstone)
		return;
	check_node_address(&s, m, "mesh_ip", &n->mesh_ip);
	check_node_address(&s, m, "mesh_ip6", &n->mesh_ip6);
	check_node_networks(&s, m, n);
}

/*
 * No mesh address with two owners: WireGuard would give it to the last peer
 * set.
 */
static void check_shared_addresses(struct findings *out, const struct mesh *m)
{
	static const struct claim_words words = {
		true, "duplicate_address", "address",
		"have the same mesh address"
	};
	AUTO(claims_done) struct claims all = { 0 };

	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];
		struct cidr c4 = cidr_host(&n->mesh_ip);
		struct cidr c6 = cidr_host(&n->mesh_ip6);

		if (n->mesh_ip.family)
			claims_net(&all, &c4, n);
		if (n->mesh_ip6.family)
			claims_net(&all, &c6, n);
	}
	claims_report(&all, &words, out);
}

/* No routable network with two owners, nor twice with one. */
static void check_shared_networks(struct findings *out, const struct mesh *m)
{
	AUTO(claims_done) struct claims all = { 0 };

	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct node *n = &m->nodes.items[i];

		for (size_t k = 0; k < n->routable_networks.len; k++)
			claims_net(&all, &n->routable_networks.items[k], n);
	}
	claims_sort(&all);
	for (size_t i = 1; i < all.len; i++) {
		const struct claim *c = &all.items[i];
		const char *one = c[-1].node->name, *other = c->node->name;
		char text[ADDR_TEXT_MAX];
		struct finding_place at = { PART_NODE, other, "routes",
					    cidr_text(&c->net, text) };

		if (!claims_shared(&all, i))
			continue;
		if (c[-1].node == c->node)
			finding_add(out, true, "repeated_route", at,
				    "node '%s': routable_networks: %s is there "
				    "twice", one, text);
		else
			finding_add(out, true, "duplicate_route", at,
				    "nodes '%s' and '%s' both have the "
				    "routable network %s, expected one owner",
				    one, other, text);
	}
}

/* Of which no error may show a byte. */
static int check_secrets(const struct mesh *m, struct err *e)
{
	if (m->former_secrets.len > FORMER_SECRETS_MAX)
		return err_set(e, ERR_INPUT, "expected at most %d former ones",
			       FORMER_SECRETS_MAX);
	for (size_t i = 0; i < m->former_secrets.len; i++)
		if (proof_secret_check(secret_text(&m->former_secrets.items[i]),
				       e) < 0)
			return -1;
	return m->mesh_secret.len
		       ? proof_secret_check(secret_text(&m->mesh_secret), e)
		       : 0;
}

/* What the mesh says for all nodes. */
static void check_globals(struct findings *out, const struct mesh *m)
{
	struct subject s = { .out = out, .part = PART_MESH };
	const char *id = m->mesh_id;

	if (m->interface_name && *m->interface_name)
		judge(&s, (struct spot){ "bad_interface", "interface_name",
					 "interface", NULL },
		      check_interface(m->interface_name, &s.e));
	if (m->network.ip.family)
		judge(&s, (struct spot){ "bad_network", "network", "network",
					 NULL },
		      check_network(&m->network, 4, &s.e));
	if (m->network6.ip.family)
		judge(&s, (struct spot){ "bad_network", "network6", "network6",
					 NULL },
		      check_network(&m->network6, 6, &s.e));
	judge_value(&s, "listen_port", "port",
		    check_said(m->listen_port, check_port, &s.e));
	judge_value(&s, "mtu", "mtu", check_said(m->mtu, check_mtu, &s.e));
	if (id && (strlen(id) != 32 || strspn(id, "0123456789abcdef") != 32))
		judge_value(&s, "mesh_id", NULL,
			    err_set(&s.e, ERR_INPUT,
				    "expected 32 hexadecimal digits"));
	for (size_t i = 0; i < m->jump_host_keys.len; i++)
		judge_value(&s, "jump_host_keys", NULL,
			    check_words(m->jump_host_keys.items[i], 4096,
					&s.e));
	judge_value(&s, "mesh_secret", NULL, check_secrets(m, &s.e));
	judge_value(&s, "keepalive", "keepalive",
		    check_said_keepalive(m->keepalive_s, &s.e));
}

void check_loadable(struct findings *out, const struct mesh *m)
{
	check_globals(out, m);
	for (size_t i = 0; i < m->nodes.len; i++)
		check_node(out, m, &m->nodes.items[i], false);
	for (size_t i = 0; i < m->removed.len; i++)
		check_node(out, m, &m->removed.items[i], true);
	for (size_t i = 0; i < m->groups.len; i++) {
		struct subject s = { .out = out, .part = PART_GROUP,
				     .name = m->groups.items[i].name };

		judge_value(&s, "groups", NULL, check_group_name(s.name, &s.e));
	}
	check_shared_addresses(out, m);
	check_shared_networks(out, m);
}

int check_mesh(const struct mesh *m, struct err *e)
{
	AUTO(findings_done) struct findings all = { 0 };

	check_loadable(&all, m);
	return findings_refuse(&all, e);
}
