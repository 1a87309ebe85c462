/*
 * A saved plan's text: written, and read strictly. The file passes through
 * other hands (a review, a pipeline), so it is believed only if it is, byte by
 * byte, what we would write, and even then it is compared, never run.
 */
#include "state/json/saved_plan.h"

#include "base/auto.h"
#include "base/text.h"
#include "state/json/json.h"
#include "state/json/value.h"
#include "state/model/model.h"

#include <json-c/json.h>
#include <string.h>

/** Of the format: a file of another one is not looked into. */
#define VERSION 1

#define ROW(type, key, member, kind, ...)                                      \
	{ .json = key, .value = kind, .offset = offsetof(struct type, member), \
	  __VA_ARGS__ }
#define ROWS(table, type)                                                      \
	{ .tables = { { table, sizeof table / sizeof *table } },               \
	  .size = sizeof(struct type), .extras = offsetof(struct type, extras) }

DEFINE_AUTO(struct json_object *, json_object_put)

static const struct mesh_field step_rows[] = {
	ROW(saved_step, "step", word, VALUE_TEXT),
	ROW(saved_step, "text", text, VALUE_TEXT),
};
static const struct mesh_object object_step = ROWS(step_rows, saved_step);

static const struct mesh_field host_rows[] = {
	ROW(saved_host, "node", node, VALUE_TEXT),
	ROW(saved_host, "removed", removed, VALUE_BOOL),
	ROW(saved_host, "result", result, VALUE_TEXT),
	ROW(saved_host, "observed", observed, VALUE_TEXT),
	ROW(saved_host, "desired", desired, VALUE_TEXT),
	ROW(saved_host, "steps", steps, VALUE_LIST, .of = &object_step),
};
static const struct mesh_object object_host = ROWS(host_rows, saved_host);

/* In the order of the file; the hash is last, for it is of all before it. */
static const struct mesh_field plan_rows[] = {
	ROW(saved_plan, "version", version, VALUE_SERIAL),
	ROW(saved_plan, "mesh_id", mesh_id, VALUE_TEXT),
	ROW(saved_plan, "serial", serial, VALUE_SERIAL),
	ROW(saved_plan, "state", state, VALUE_TEXT),
	ROW(saved_plan, "adopt", adopt, VALUE_BOOL),
	ROW(saved_plan, "install", install, VALUE_BOOL),
	ROW(saved_plan, "force_serial", force_serial, VALUE_BOOL),
	ROW(saved_plan, "hosts", hosts, VALUE_LIST, .of = &object_host),
	ROW(saved_plan, "sha256", sha256, VALUE_TEXT),
};
static const struct mesh_object object_plan = ROWS(plan_rows, saved_plan);

void saved_plan_done(struct saved_plan *p)
{
	object_done(&object_plan, p);
}

/* ---- the state ---- */

/*
 * Names, pins, addresses, MTUs, who is behind NAT, keys that hosts have: what a
 * plan finds out itself may not make that plan out of date.
 */
static void strip_node(const struct mesh *m, struct node *n)
{
	if (n->facts.nat_from)
		n->behind_nat = false;
	if (node_key_on_host(m, n) && !n->private_key.len)
		mem_replace(&n->public_key, "");
	mem_replace(&n->actual_hostname, NULL);
	mem_replace(&n->fqdn, NULL);
	strings_done(&n->ssh_host_keys);
	vec_done(&n->facts.addresses);
	mem_replace(&n->facts.address, NULL);
	mem_replace(&n->facts.dialled, NULL);
	mem_replace(&n->facts.nat_from, NULL);
	n->facts.mtu = 0;
	n->facts.mtu_kept = false;
	n->facts.listen_port = 0;
	n->facts.deployed = false;
}

void saved_plan_state(struct mesh *m, char out[DIGEST_HEX + 1])
{
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;

	mem_replace(&m->mesh_id, NULL);
	strings_done(&m->jump_host_keys);
	secret_done(&m->mesh_secret); /* the first deploy may make it */
	for (size_t i = 0; i < m->nodes.len; i++)
		strip_node(m, &m->nodes.items[i]);
	for (size_t i = 0; i < m->removed.len; i++)
		strip_node(m, &m->removed.items[i]);
	state_format(&text, m);
	digest_sha256(sbuf_str(&text), text.len, out);
}

/* ---- writing ---- */

/* The object as JSON, by its rows; texts that are NULL are left out. */
static struct json_object *tree_of(const struct mesh_object *of,
				   const void *object)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < of->tables[0].len; i++) {
		const struct mesh_field *f = &of->tables[0].items[i];
		const void *slot = (const char *)object + f->offset;
		struct json_object *v;

		if (f->value == VALUE_TEXT && !*(char *const *)slot)
			continue;
		if (f->value == VALUE_TEXT)
			v = json_object_new_string(*(char *const *)slot);
		else if (f->value == VALUE_BOOL)
			v = json_object_new_boolean(*(const bool *)slot);
		else if (f->value == VALUE_SERIAL)
			v = json_object_new_uint64(*(const uint64_t *)slot);
		else
			v = json_object_new_array();
		for (size_t k = 0; f->of && k < field_len(f, object); k++)
			json_object_array_add(
				v, tree_of(f->of, field_item(f, object, k)));
		json_object_object_add(o, f->json, v);
	}
	return o;
}

int saved_plan_write(struct sbuf *out, struct saved_plan *p, struct err *e)
{
	AUTO(auto_json_object_put) struct json_object *o = NULL;
	char sha[DIGEST_HEX + 1];
	const char *text;

	p->version = VERSION;
	mem_replace(&p->sha256, NULL);
	o = tree_of(&object_plan, p);
	text = json_text(o);
	digest_sha256(text, strlen(text), sha);
	mem_replace(&p->sha256, sha);
	json_object_object_add(o, "sha256", json_object_new_string(sha));
	text = json_text(o);
	if (strlen(text) >= SAVED_PLAN_SIZE_MAX)
		return err_set(e, ERR_INPUT, "the plan would have more than "
			       "%zu MiB, name fewer hosts",
			       SAVED_PLAN_SIZE_MAX >> 20);
	sbuf_printf(out, "%s\n", text);
	return 0;
}

/* ---- reading ---- */

/* Tombstones behind all others, each by name. */
static int compare_hosts(const void *a, const void *b)
{
	const struct saved_host *left = a, *right = b;

	return left->removed != right->removed
		       ? left->removed - right->removed
		       : strcmp(left->node, right->node);
}

/* Read by the same rows and written again: what differs was not from us. */
int saved_plan_parse(struct saved_plan *out, const char *text, size_t len,
		     struct err *e)
{
	AUTO(auto_json_object_put) struct json_object *o = NULL;
	AUTO(saved_plan_done) struct saved_plan p = { 0 };
	AUTO(sbuf_done) struct sbuf again = SBUF_INIT;
	AUTO(auto_free) char *copy = NULL;

	if (len > SAVED_PLAN_SIZE_MAX)
		return err_set(e, ERR_INPUT, "too large, expected at most "
			       "%zu MiB", SAVED_PLAN_SIZE_MAX >> 20);
	if (json_check_syntax(text, len, e) < 0)
		return -1;
	copy = mem_strndup(text, len);
	o = json_tokener_parse(copy);
	if (!o)
		return err_set(e, ERR_INPUT, "no JSON");
	object_init(&object_plan, &p);
	if (json_read_object(&object_plan, &p, o, e) < 0)
		return -1;
	for (size_t i = 0; i < p.hosts.len; i++) {
		const struct saved_host *h = &p.hosts.items[i];

		if (check_node_name(h->node, e) < 0)
			return -1;
		if (i && compare_hosts(h - 1, h) >= 0)
			return err_set(e, ERR_INPUT, "host '%s' is not in its "
				       "place: the plan was edited, make it "
				       "anew", h->node);
	}
	if (p.version != VERSION)
		return err_set(e, ERR_INPUT, "no plan of this version of "
			       "wgmesh, make it anew");
	again.max = SAVED_PLAN_SIZE_MAX + 1;
	if (saved_plan_write(&again, &p, e) < 0)
		return -1;
	if (again.len != len || memcmp(sbuf_str(&again), text, len) != 0)
		return err_set(e, ERR_INPUT, "was edited since it was "
			       "written, or is not whole: make it anew");
	*out = p;
	memset(&p, 0, sizeof p);
	return 0;
}

bool saved_host_runs(const struct saved_host *h)
{
	return strcmp(h->result, "unchanged") == 0 ||
	       strcmp(h->result, "to_change") == 0;
}

const struct saved_host *saved_plan_host(const struct saved_plan *p,
					 const char *node, bool removed)
{
	const struct saved_host key = { .node = (char *)(uintptr_t)node,
					.removed = removed };

	return p->hosts.len ? bsearch(&key, p->hosts.items, p->hosts.len,
				      sizeof key, compare_hosts)
			    : NULL;
}
