/*
 * wgmesh cat: the plain state, secrets hidden unless asked for.
 */
#include "cmd/cmd.h"

#include "base/text.h"
#include "state/json/json.h"
#include "state/merge/merge.h"

#include <string.h>

static void hide(struct secret *key)
{
	static const char hidden[] = "(hidden)";

	if (key->len)
		secret_set(key, hidden, strlen(hidden));
}

static void hide_keys(struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->len; i++) {
		struct node *n = &nodes->items[i];

		hide(&n->private_key);
		for (size_t k = 0; k < n->externals.len; k++)
			hide(&n->externals.items[k].preshared_key);
	}
}

int cmd_cat(struct cmd_env *env)
{
	AUTO(auto_store_close) struct store *s = NULL;
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	AUTO(sbuf_done) struct sbuf shown = SBUF_SECRET;
	struct err e;

	if (env_open(&s, env, false, &e) < 0)
		return fail(&e);
	if (!env->options.secrets) {
		hide_keys(&store_mesh(s)->nodes);
		hide_keys(&store_mesh(s)->removed);
		hide(&store_mesh(s)->mesh_secret);
		for (size_t i = 0; i < store_mesh(s)->former_secrets.len; i++)
			hide(&store_mesh(s)->former_secrets.items[i]);
		conflicts_hide_secrets(store_mesh(s));
	}
	state_format(&text, store_mesh(s));
	sbuf_putc(&text, '\n');
	setvbuf(stdout, NULL, _IONBF, 0); /* no copy of keys in a buffer */
	shown.max = SIZE_MAX;
	text_escape_json(&shown, sbuf_str(&text));
	fwrite(sbuf_str(&shown), 1, shown.len, stdout);
	return EXIT_DONE;
}
