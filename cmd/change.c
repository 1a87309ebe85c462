/*
 * One change of the mesh, the same for all commands that edit: opened, made, judged,
 * shown, saved.
 */
#include "cmd/change.h"

#include "render/validate.h"
#include "state/model/model.h"
#include "state/yaml/yaml.h"

#include <string.h>

/** So many findings are shown, then how many more there are. */
#define SHOWN_MAX 20

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

bool change_find(struct change_run *c)
{
	mesh_diff(&c->changes, &c->before, change_mesh(c));
	return c->changes.len > 0;
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

/* Is the finding one of this change? */
static bool is_new(const struct findings *before, const struct finding *f)
{
	return !findings_have(before, f);
}

/* What is said besides the failure itself; NULL for nothing. */
static const char *label(const struct findings *before,
			 const struct finding *f, bool always)
{
	if (!f->error)
		return is_new(before, f) ? "warning" : NULL;
	if (!is_new(before, f))
		return "an error as before";
	return always ? "deploys are refused until this is mended" : "error";
}

/* The sentence, behind its place in the user's file; the caller frees. */
static char *placed(const struct change_run *c, const struct finding *f)
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

static void note_findings(const struct change_run *c,
			  const struct findings *before,
			  const struct findings *after,
			  const struct finding *failure)
{
	size_t shown = 0, more = 0;

	for (size_t i = 0; i < after->len; i++) {
		const struct finding *f = &after->items[i];
		const char *what = label(before, f, c->always);
		AUTO(auto_free) char *text = NULL;

		if (!what || f == failure)
			continue;
		if (shown++ >= SHOWN_MAX) {
			more++;
			continue;
		}
		text = placed(c, f);
		note("%s: %s", what, text);
	}
	if (more)
		note("and %zu more: 'wgmesh validate' shows them all", more);
}

static const struct finding *first_new_error(const struct findings *before,
					     const struct findings *after)
{
	for (size_t i = 0; i < after->len; i++)
		if (after->items[i].error && is_new(before, &after->items[i]))
			return &after->items[i];
	return NULL;
}

int change_judge(struct change_run *c, struct err *e)
{
	AUTO(findings_done) struct findings before = { 0 };
	AUTO(findings_done) struct findings after = { 0 };
	AUTO(auto_free) char *text = NULL;
	const struct finding *failure = NULL;

	validate_mesh(&after, change_mesh(c));
	if (after.len == 0)
		return 0;
	validate_mesh(&before, &c->before);
	findings_sort(&before);
	if (!c->always)
		failure = first_new_error(&before, &after);
	note_findings(c, &before, &after, failure);
	if (!failure)
		return 0;
	text = placed(c, failure);
	return err_set(e, ERR_INPUT, "%s; nothing is saved", text);
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

int change_save(struct change_run *c, struct err *e)
{
	if (!c->dry_run)
		return env_save(c->store, e);
	put("dry run: nothing is saved\n");
	return 0;
}

int change_finish(struct change_run *c, struct err *e)
{
	bool own = c->done && !c->dry_run;

	if (local_fill(change_mesh(c), e) < 0)
		return -1;
	if (!change_find(c)) {
		put("nothing changes\n");
		return 0;
	}
	if (change_judge(c, e) < 0)
		return -1;
	if (!own)
		change_print(c);
	if (change_save(c, e) < 0)
		return -1;
	if (own)
		put("%s\n", c->done);
	return 0;
}

/* Ask before it is saved; a pipeline says -yes. */
static int consent(const struct change_run *c, const struct cmd_env *env,
		   struct err *e)
{
	AUTO(auto_free) char *question =
		mem_printf("Save %s?", c->changes.len == 1 ? "this change"
							   : "these changes");
	int yes;

	if (env->options.yes || c->dry_run)
		return 0;
	yes = ask_yes(question);
	if (yes == 1)
		return 0;
	return err_set(e, yes < 0 ? ERR_INPUT : ERR_CONFLICT, "%s; nothing is "
		       "saved", yes < 0 ? "say -yes to agree" : "not agreed to");
}

int change_confirm(struct change_run *c, const struct cmd_env *env,
		   struct err *e)
{
	if (local_fill(change_mesh(c), e) < 0)
		return -1;
	if (!change_find(c)) {
		put("nothing changes\n");
		return 0;
	}
	if (change_judge(c, e) < 0)
		return -1;
	change_print(c);
	fflush(stdout);
	if (consent(c, env, e) < 0)
		return -1;
	return change_save(c, e);
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
