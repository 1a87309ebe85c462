/*
 * A saved plan's text: written, and read strictly.
 */
#include "state/json/saved_plan.h"

#include "base/auto.h"
#include "base/text.h"
#include "state/json/json.h"
#include "state/json/syntax.h"
#include "state/json/value.h"
#include "state/model/model.h"

#include <json-c/json.h>
#include <string.h>

#define VERSION 1

#define ROW(type, member, kind)                                                \
	{ .json = #member, .value = kind, .offset = offsetof(struct type, member) }
#define ROWS(table, type)                                                      \
	{ .tables = { { table, sizeof table / sizeof *table } },               \
	  .size = sizeof(struct type), .extras = offsetof(struct type, extras) }

DEFINE_AUTO(struct json_object *, json_object_put)

static const struct mesh_field step_rows[] = {
	{ .json = "step", .value = VALUE_TEXT,
	  .offset = offsetof(struct saved_step, word) },
	ROW(saved_step, text, VALUE_TEXT),
};
static const struct mesh_object object_step = ROWS(step_rows, saved_step);

static const struct mesh_field host_rows[] = {
	ROW(saved_host, node, VALUE_TEXT),
	ROW(saved_host, removed, VALUE_BOOL),
	ROW(saved_host, result, VALUE_TEXT),
	ROW(saved_host, observed, VALUE_TEXT),
	ROW(saved_host, desired, VALUE_TEXT),
	{ .json = "steps", .value = VALUE_LIST, .of = &object_step,
	  .offset = offsetof(struct saved_host, steps) },
};
static const struct mesh_object object_host = ROWS(host_rows, saved_host);

static const struct mesh_field plan_rows[] = {
	ROW(saved_plan, version, VALUE_SERIAL),
	ROW(saved_plan, mesh_id, VALUE_TEXT),
	ROW(saved_plan, serial, VALUE_SERIAL),
	ROW(saved_plan, state, VALUE_TEXT),
	ROW(saved_plan, adopt, VALUE_BOOL),
	ROW(saved_plan, install, VALUE_BOOL),
	ROW(saved_plan, force_serial, VALUE_BOOL),
	{ .json = "hosts", .value = VALUE_LIST, .of = &object_host,
	  .offset = offsetof(struct saved_plan, hosts) },
	ROW(saved_plan, sha256, VALUE_TEXT),
};
static const struct mesh_object object_plan = ROWS(plan_rows, saved_plan);

void saved_plan_done(struct saved_plan *p)
{
	object_done(&object_plan, p);
}

/* ---- the state ---- */

/* Names, pins, addresses, MTUs, who is behind NAT, keys that hosts have. */
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
	n->facts.deployed = false;
}

void saved_plan_state(struct mesh *m, char out[DIGEST_HEX + 1])
{
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;

	mem_replace(&m->mesh_id, NULL);
	secret_done(&m->mesh_secret); /* the first deploy may make it */
	for (size_t i = 0; i < m->nodes.len; i++)
		strip_node(m, &m->nodes.items[i]);
	for (size_t i = 0; i < m->removed.len; i++)
		strip_node(m, &m->removed.items[i]);
	state_format(&text, m);
	digest_sha256(sbuf_str(&text), text.len, out);
}

/* ---- writing ---- */

static void add_text(struct json_object *o, const char *key, const char *s)
{
	json_object_object_add(o, key, json_object_new_string(s));
}

static struct json_object *host_tree(const struct saved_host *h)
{
	struct json_object *o = json_object_new_object();
	struct json_object *steps = json_object_new_array();

	add_text(o, "node", h->node);
	json_object_object_add(o, "removed", json_object_new_boolean(h->removed));
	add_text(o, "result", h->result);
	add_text(o, "observed", h->observed);
	add_text(o, "desired", h->desired);
	json_object_object_add(o, "steps", steps);
	for (size_t i = 0; i < h->steps.len; i++) {
		struct json_object *step = json_object_new_object();

		add_text(step, "step", h->steps.items[i].word);
		add_text(step, "text", h->steps.items[i].text);
		json_object_array_add(steps, step);
	}
	return o;
}

static struct json_object *tree(const struct saved_plan *p)
{
	struct json_object *o = json_object_new_object();
	struct json_object *hosts = json_object_new_array();

	json_object_object_add(o, "version", json_object_new_int(VERSION));
	add_text(o, "mesh_id", p->mesh_id);
	json_object_object_add(o, "serial", json_object_new_uint64(p->serial));
	add_text(o, "state", p->state);
	json_object_object_add(o, "adopt", json_object_new_boolean(p->adopt));
	json_object_object_add(o, "install",
			       json_object_new_boolean(p->install));
	json_object_object_add(o, "force_serial",
			       json_object_new_boolean(p->force_serial));
	json_object_object_add(o, "hosts", hosts);
	for (size_t i = 0; i < p->hosts.len; i++)
		json_object_array_add(hosts, host_tree(&p->hosts.items[i]));
	return o;
}

/* One line: every version of json-c lays it out the same way. */
static const char *text_of(struct json_object *o)
{
	return json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
						 JSON_C_TO_STRING_NOSLASHESCAPE);
}

int saved_plan_write(struct sbuf *out, struct saved_plan *p, struct err *e)
{
	AUTO(auto_json_object_put) struct json_object *o = tree(p);
	const char *text = text_of(o);
	char sha[DIGEST_HEX + 1];

	p->version = VERSION;
	digest_sha256(text, strlen(text), sha);
	mem_replace(&p->sha256, sha);
	add_text(o, "sha256", sha);
	text = text_of(o);
	if (strlen(text) >= SAVED_PLAN_SIZE_MAX)
		return err_set(e, ERR_INPUT, "the plan would have more than "
			       "%zu MiB, name fewer hosts",
			       SAVED_PLAN_SIZE_MAX >> 20);
	sbuf_printf(out, "%s\n", text);
	return 0;
}

/* ---- reading ---- */

/* Tombstones behind all others, each by name. */
static int compare_hosts(const char *a_node, bool a_removed,
			 const struct saved_host *b)
{
	if (a_removed != b->removed)
		return a_removed - b->removed;
	return strcmp(a_node, b->node);
}

static int check_hosts(const struct saved_plan *p, struct err *e)
{
	for (size_t i = 0; i < p->hosts.len; i++) {
		const struct saved_host *h = &p->hosts.items[i];

		if (check_node_name(h->node, e) < 0)
			return -1;
		if (i && compare_hosts(h->node, h->removed, h - 1) <= 0)
			return err_set(e, ERR_INPUT, "host '%s' is not in its "
				       "place", h->node);
	}
	return 0;
}

/* What we would write is what is there, or somebody had a hand in it. */
static int check_untouched(struct saved_plan *p, const char *text, size_t len,
			   struct err *e)
{
	AUTO(sbuf_done) struct sbuf again = SBUF_INIT;

	again.max = SAVED_PLAN_SIZE_MAX + 1;
	if (p->version != VERSION)
		return err_set(e, ERR_INPUT, "no plan of this version of "
			       "wgmesh, make it anew");
	if (saved_plan_write(&again, p, e) < 0)
		return -1;
	if (again.len != len || memcmp(sbuf_str(&again), text, len) != 0)
		return err_set(e, ERR_INPUT, "was edited since it was "
			       "written, or is not whole: make it anew");
	return 0;
}

int saved_plan_parse(struct saved_plan *out, const char *text, size_t len,
		     struct err *e)
{
	AUTO(auto_json_object_put) struct json_object *o = NULL;
	AUTO(saved_plan_done) struct saved_plan p = { 0 };
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
	if (json_read_object(&object_plan, &p, o, e) < 0 || check_hosts(&p, e) < 0 ||
	    check_untouched(&p, text, len, e) < 0)
		return -1;
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
	size_t low = 0, high = p->hosts.len;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct saved_host *h = &p->hosts.items[mid];
		int order = compare_hosts(node, removed, h);

		if (order == 0)
			return h;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}
