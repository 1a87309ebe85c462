/*
 * wgmesh import: a file or hosts, and the yes that what they doubt needs.
 */
#include "cmd/import.h"

#include "cmd/ask.h"

#include <string.h>

/** So many doubts stand in the error itself; all are notes. */
#define DOUBTS_NAMED 3

int import_place(struct node *n, const char *text, struct err *e)
{
	const char *equals = strchr(text, '=');
	AUTO(auto_free) char *shown = check_shown(text);
	AUTO(auto_free) char *name =
		mem_strndup(text, equals ? (size_t)(equals - text) : 0);

	if ((equals && check_node_name(name, e) < 0) ||
	    spec_place(n, equals ? equals + 1 : text, e) < 0)
		return err_wrap(e, "'%s'", shown);
	if (equals)
		mem_replace(&n->name, name);
	return 0;
}

int import_agree(const struct cmd_env *env, const struct strings *doubts,
		 struct err *e)
{
	AUTO(auto_free) char *list = strings_line(doubts, DOUBTS_NAMED);

	for (size_t i = 0; i < doubts->len; i++)
		note("%s", doubts->items[i]);
	if (doubts->len == 0 ||
	    ask_consent(env->options.yes || env->options.dry_run,
			doubts->len == 1 ? "Is that to be so?"
					 : "Is all of that to be so?",
			"say -yes to agree to exactly that; nothing was "
			"imported", "not agreed to; nothing was imported",
			e) == 0)
		return 0;
	return err_wrap(e, "%s", list);
}

void import_note_hooks(void)
{
	note("PostUp and PreDown can be kept%s",
	     advice_words(ADVICE_KEEP_HOOKS, "").s);
}

int cmd_import(struct cmd_env *env)
{
	const struct options *o = &env->options;
	struct err e;

	if (o->from.len)
		return import_file(env);
	if (o->to_yaml) {
		err_set(&e, ERR_INPUT, "-to-yaml goes with -from FILE");
		return fail(&e);
	}
	if (env->args.len)
		return import_host(env);
	err_set(&e, ERR_INPUT, "expected: wgmesh import "
		"[NAME=][USER@]HOST[:PORT]..., or: wgmesh import -from FILE");
	return fail(&e);
}
