/*
 * wgmesh validate, and how errors of the mesh stop other commands. What is
 * judged, and how, is render/validate.c.
 */
#include "cmd/cmd.h"

#include "cmd/jout.h"
#include "render/validate.h"

#include <string.h>

/** So many findings are noted, then how many more there are. */
#define NOTED_MAX 20

/* All findings from number @first on, as notes. */
static void note_from(const struct findings *all, size_t first)
{
	for (size_t i = first; i < all->len; i++) {
		if (i - first == NOTED_MAX) {
			note("and %zu more: 'wgmesh validate' shows them all",
			     all->len - i);
			return;
		}
		note("%s: %s%s", all->items[i].error ? "error" : "warning",
		     all->items[i].text,
		     advice_words(all->items[i].advice, "").s);
	}
}

int refuse_invalid(const struct mesh *m, struct err *e)
{
	AUTO(findings_done) struct findings all = { 0 };

	validate_errors(&all, m);
	note_from(&all, 1);
	return findings_refuse(&all, e);
}

void warn_of(const struct mesh *m)
{
	AUTO(findings_done) struct findings all = { 0 };

	validate_warnings(&all, m);
	note_from(&all, 0);
}

static void print_findings(const struct findings *all)
{
	size_t errors = findings_errors(all);
	size_t warnings = all->len - errors;

	for (size_t i = 0; i < all->len; i++)
		put("%s: %s%s\n", all->items[i].error ? "error" : "warning",
		    all->items[i].text,
		    advice_words(all->items[i].advice, "").s);
	if (errors)
		put("not valid: %zu error%s", errors, errors == 1 ? "" : "s");
	else
		put("valid");
	if (warnings)
		put(", %zu warning%s", warnings, warnings == 1 ? "" : "s");
	put("\n");
}

static void print_findings_json(const struct findings *all)
{
	struct jout *j = jout_new();

	jout_bool(j, "valid", findings_errors(all) == 0);
	jout_list(j, "findings");
	for (size_t i = 0; i < all->len; i++) {
		const struct finding *f = &all->items[i];
		AUTO(auto_free) char *text =
			mem_printf("%s%s", f->text,
				   advice_words(f->advice, "").s);

		jout_open(j, NULL);
		jout_text(j, "level", f->error ? "error" : "warning");
		jout_text(j, "code", f->code);
		jout_text(j, "part", part_word(f->part));
		jout_text(j, "name", f->name);
		jout_text(j, "key", f->key);
		jout_text(j, "value", f->value);
		jout_text(j, "text", text);
		jout_end(j);
	}
	jout_end(j);
	jout_print(j);
}

/*
 * A state that cannot be read is a finding as well, so that a CI job that asks
 * for JSON gets JSON; as text it is the error that any command says.
 */
int cmd_validate(struct cmd_env *env)
{
	AUTO(auto_store_close) struct store *s = NULL;
	AUTO(findings_done) struct findings all = { 0 };
	struct err e;

	if (env_open(&s, env, false, &e) == 0)
		validate_mesh(&all, store_mesh(s));
	else
		finding_add(&all, true, "unreadable",
			    (struct finding_place){ 0 }, "%s",
			    err_words(&e).s);
	if (env->options.json)
		print_findings_json(&all);
	else if (s)
		print_findings(&all);
	else
		fail(&e);
	return findings_errors(&all) ? EXIT_USAGE : EXIT_DONE;
}
