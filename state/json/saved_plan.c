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

#define SHAPE(table, type)                                                     \
	{ table, sizeof table / sizeof *table, offsetof(type, extras) }
#define FIELD(type, read, member)                                              \
	{ #member, read, offsetof(type, member), false }

DEFINE_AUTO(struct json_object *, json_object_put)

static void host_done(struct saved_host *h)
{
	for (size_t i = 0; i < h->steps.len; i++) {
		free(h->steps.items[i].word);
		free(h->steps.items[i].text);
		extras_done(&h->steps.items[i].extras);
	}
	vec_done(&h->steps);
	free(h->node);
	free(h->result);
	free(h->observed);
	free(h->desired);
	extras_done(&h->extras);
}

void saved_plan_done(struct saved_plan *p)
{
	for (size_t i = 0; i < p->hosts.len; i++)
		host_done(&p->hosts.items[i]);
	vec_done(&p->hosts);
	free(p->mesh_id);
	free(p->state);
	free(p->sha256);
	extras_done(&p->extras);
	memset(p, 0, sizeof *p);
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

static int read_step(struct saved_step *s, struct json_object *v,
		     struct err *e)
{
	static const struct field fields[] = {
		{ "step", json_read_text, offsetof(struct saved_step, word),
		  false },
		FIELD(struct saved_step, json_read_text, text),
	};
	static const struct shape shape = SHAPE(fields, struct saved_step);

	s->word = mem_strdup("");
	s->text = mem_strdup("");
	return json_read_shape(s, &shape, v, e);
}

static int read_steps(void *slot, struct json_object *v, struct err *e)
{
	struct saved_host *h = slot;

	if (!json_object_is_type(v, json_type_array))
		return json_wrong_type(v, "a list", e);
	for (size_t i = 0; i < json_object_array_length(v); i++)
		if (read_step(vec_add(&h->steps),
			      json_object_array_get_idx(v, i), e) < 0)
			return err_wrap(e, "item %zu", i + 1);
	return 0;
}

static int read_host(struct saved_host *h, struct json_object *v,
		     struct err *e)
{
	static const struct field fields[] = {
		FIELD(struct saved_host, json_read_text, node),
		FIELD(struct saved_host, json_read_bool, removed),
		FIELD(struct saved_host, json_read_text, result),
		FIELD(struct saved_host, json_read_text, observed),
		FIELD(struct saved_host, json_read_text, desired),
		{ "steps", read_steps, 0, false },
	};
	static const struct shape shape = SHAPE(fields, struct saved_host);

	h->node = mem_strdup("");
	h->result = mem_strdup("");
	h->observed = mem_strdup("");
	h->desired = mem_strdup("");
	return json_read_shape(h, &shape, v, e);
}

static int read_hosts(void *slot, struct json_object *v, struct err *e)
{
	struct saved_hosts *hosts = slot;

	if (!json_object_is_type(v, json_type_array))
		return json_wrong_type(v, "a list", e);
	for (size_t i = 0; i < json_object_array_length(v); i++)
		if (read_host(vec_add(hosts), json_object_array_get_idx(v, i),
			      e) < 0)
			return err_wrap(e, "item %zu", i + 1);
	return 0;
}

static int read_plan(struct saved_plan *p, struct json_object *v,
		     struct err *e)
{
	static const struct field fields[] = {
		FIELD(struct saved_plan, json_read_serial, version),
		FIELD(struct saved_plan, json_read_text, mesh_id),
		FIELD(struct saved_plan, json_read_serial, serial),
		FIELD(struct saved_plan, json_read_text, state),
		FIELD(struct saved_plan, json_read_bool, adopt),
		FIELD(struct saved_plan, json_read_bool, install),
		FIELD(struct saved_plan, json_read_bool, force_serial),
		FIELD(struct saved_plan, read_hosts, hosts),
		FIELD(struct saved_plan, json_read_text, sha256),
	};
	static const struct shape shape = SHAPE(fields, struct saved_plan);

	p->mesh_id = mem_strdup("");
	p->state = mem_strdup("");
	p->sha256 = mem_strdup("");
	return json_read_shape(p, &shape, v, e);
}

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
		return err_set(e, ERR_INPUT, "was edited since 'plan -out' "
			       "wrote it, or is not whole: make it anew");
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
	if (read_plan(&p, o, e) < 0 || check_hosts(&p, e) < 0 ||
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
