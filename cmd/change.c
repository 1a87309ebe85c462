/*
 * One change of the mesh, the same for all commands that edit: opened, made,
 * judged, shown, saved.
 */
#include "cmd/change.h"

#include "cmd/ask.h"
#include "cmd/keys.h"
#include "render/validate.h"
#include "ssh/session/remote.h"
#include "state/model/model.h"
#include "state/yaml/yaml.h"

#include <string.h>

/** So many findings are shown, then how many more there are. */
#define SHOWN_MAX 20
/** Addresses of a name that are looked at. */
#define NAME_ADDRESSES 16
/** How long all look-ups of one change may take. */
#define NAMES_MS 2000

int change_begin(struct change_run *c, const struct cmd_env *env,
		 struct err *e)
{
	*c = (struct change_run){ .dry_run = env->options.dry_run };
	if (env_open(&c->store, env, true, e) < 0)
		return -1;
	return store_original(&c->before, c->store, e);
}

struct mesh *change_mesh(struct change_run *c)
{
	return store_mesh(c->store);
}

void change_done(struct change_run *c)
{
	store_close(c->store);
	mesh_done(&c->before);
	yaml_marks_free(c->marks);
	changes_done(&c->changes);
	free(c->done);
	*c = (struct change_run){ 0 };
}

void change_print(const struct change_run *c)
{
	AUTO(sbuf_done) struct sbuf line = SBUF_INIT;

	for (size_t i = 0; i < c->changes.len; i++) {
		sbuf_clear(&line);
		change_text(&line, &c->changes.items[i]);
		put("%s\n", sbuf_str(&line));
	}
}

/* What is said besides the failure itself; NULL for nothing. */
static const char *finding_label(const struct finding *f, bool is_new,
				 bool always)
{
	if (!f->error)
		return is_new ? "warning" : NULL;
	if (!is_new)
		return "an error as before";
	return always ? "deploys are refused until this is mended" : "error";
}

/* The sentence, behind its place in the user's file; the caller frees. */
static char *placed_text(const struct change_run *c, const struct finding *f)
{
	struct finding_place place = { f->part, f->name, f->key, f->value };
	struct advice_words act = advice_words(f->advice, "");
	struct yaml_mark at = { 0 };

	if (c->marks)
		at = yaml_find(c->marks, &place);
	if (!at.line)
		return mem_printf("%s%s", f->text, act.s);
	return mem_printf("%s:%zu:%zu: %s%s", c->file, at.line, at.column,
			  f->text, act.s);
}

/*
 * A name that leads into the mesh is no better than the address. It is asked
 * for where it is said; where it leads to later is seen on the hosts.
 */
static int judge_endpoint_name(const struct change_run *c, const struct node *n,
			       int *left_ms, struct err *e)
{
	const struct node *old = nodes_find(&c->before.nodes, n->name);
	const struct mesh *m = store_mesh(c->store);
	AUTO(auto_free) char *host = NULL;
	struct ip found[NAME_ADDRESSES];
	char text[ADDR_TEXT_MAX];
	struct err ignored;
	size_t count;
	int port;

	if (!n->public_endpoint ||
	    (old && old->public_endpoint &&
	     strcmp(old->public_endpoint, n->public_endpoint) == 0) ||
	    endpoint_parse(n->public_endpoint, &host, &port, &ignored) < 0 ||
	    ip_parse(&found[0], host))
		return 0;
	count = remote_addresses(found, NAME_ADDRESSES, host, left_ms);
	for (size_t i = 0; i < count; i++)
		if (place_in_mesh(m, &found[i]))
			return err_set(e, ERR_INPUT, "node '%s': endpoint: %s "
				       "is %s here, which %s%s", n->name,
				       host, ip_text(&found[i], text),
				       place_fault(m, &found[i]),
				       c->always ? "" : "; nothing is saved");
	return 0;
}

/* All new names together take no longer than NAMES_MS. */
static int judge_endpoint_names(const struct change_run *c, struct err *e)
{
	const struct mesh *m = store_mesh(c->store);
	int left_ms = NAMES_MS;

	for (size_t i = 0; i < m->nodes.len; i++) {
		if (judge_endpoint_name(c, &m->nodes.items[i], &left_ms,
					e) == 0)
			continue;
		if (!c->always)
			return -1;
		note("error: %s", e->msg);
	}
	return 0;
}

/*
 * Refuse errors that were not there before: the first is in @e. Those of before
 * are only noted, or two could never be mended one by one.
 */
static int judge_change(const struct change_run *c, struct err *e)
{
	AUTO(findings_done) struct findings before = { 0 };
	AUTO(findings_done) struct findings after = { 0 };
	AUTO(auto_free) char *reason = NULL;
	size_t shown = 0, more = 0;

	validate_mesh(&after, store_mesh(c->store));
	if (after.len == 0)
		return 0;
	validate_mesh(&before, &c->before);
	findings_sort(&before);
	for (size_t i = 0; i < after.len; i++) {
		const struct finding *f = &after.items[i];
		bool is_new = !findings_have(&before, f);
		const char *label = finding_label(f, is_new, c->always);
		AUTO(auto_free) char *text = NULL;

		if (f->error && is_new && !c->always && !reason) {
			reason = placed_text(c, f);
			continue;
		}
		if (!label)
			continue;
		if (shown++ >= SHOWN_MAX) {
			more++;
			continue;
		}
		text = placed_text(c, f);
		note("%s: %s", label, text);
	}
	if (more)
		note("and %zu more: 'wgmesh validate' shows them all", more);
	if (!reason)
		return 0;
	return err_set(e, ERR_INPUT, "%s; nothing is saved", reason);
}

int change_follow(struct change_run *c, struct node *n, struct err *e)
{
	const struct mesh *m = change_mesh(c);
	const struct node *old = nodes_find(&c->before.nodes, n->name);

	if (!old)
		return 0;
	if (strcmp(old->ssh_host, n->ssh_host) != 0 && n->ssh_host_keys.len)
		note("'%s' keeps its pinned SSH host keys; if it is another "
		     "host now, 'wgmesh unset %s " EDIT_HOST_KEYS "' drops "
		     "them", n->name, n->name);
	if (node_key_on_host(m, n) == node_key_on_host(&c->before, old))
		return 0;
	return key_moved(m, n, e);
}

int change_confirm(struct change_run *c, const struct cmd_env *env,
		   struct err *e)
{
	bool own = c->done && !c->dry_run;

	if (local_fill(change_mesh(c), e) < 0)
		return -1;
	mesh_hold_ports(change_mesh(c), &c->before);
	mesh_diff(&c->changes, &c->before, change_mesh(c));
	if (c->changes.len == 0) {
		put("nothing changes\n");
		return 0;
	}
	if (judge_change(c, e) < 0 || judge_endpoint_names(c, e) < 0)
		return -1;
	if (!own)
		change_print(c);
	fflush(stdout);
	if (env && ask_consent(env->options.yes || c->dry_run,
			       c->changes.len == 1 ? "Save this change?"
						   : "Save these changes?",
			       "say -yes to agree; nothing is saved",
			       "not agreed to; nothing is saved", e) < 0)
		return -1;
	if (c->dry_run) {
		put("dry run: nothing is saved\n");
		return 0;
	}
	if (env_save(c->store, e) < 0)
		return -1;
	if (own)
		put("%s\n", c->done);
	return 0;
}

int change_finish(struct change_run *c, struct err *e)
{
	return change_confirm(c, NULL, e);
}

int change_command(const struct cmd_env *env, change_fn *edit)
{
	AUTO(change_done) struct change_run c;
	struct err e;

	if (change_begin(&c, env, &e) < 0 || edit(&c, env, &e) < 0 ||
	    change_finish(&c, &e) < 0)
		return fail(&e);
	return EXIT_DONE;
}
