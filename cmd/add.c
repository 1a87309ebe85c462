/*
 * wgmesh add: a node, and the host key that it shows now.
 */
#include "cmd/change.h"
#include "cmd/commit.h"
#include "cmd/engine.h"
#include "cmd/keys.h"
#include "state/model/model.h"

/** How long `add` waits for the host (milliseconds). */
#define PEEK_TIMEOUT_MS 5000

/*
 * Contact the host and pin its key. One that does not answer is no error:
 * nodes are often written down before their machines are up. An answer that is
 * wrong is one, since it can be another machine's.
 */
static int pin_new_host(const struct cmd_env *env, struct mesh *m,
			struct node *n, struct err *e)
{
	AUTO(auto_remote_free) struct remote *r = NULL;
	struct remote_target target = { .host = n->ssh_host,
					.user = n->ssh_user,
					.port = node_ssh_port(n),
					.pinned = &n->ssh_host_keys };
	struct jump_asker asker = { .env = env };
	struct remote_conf conf = { .timeout_ms = PEEK_TIMEOUT_MS,
				    .jump_pins = &m->jump_host_keys,
				    .take_jump = ask_jump_key,
				    .take_arg = &asker };
	const struct remote_facts *facts;
	int yes;

	if (remote_peek(&r, &target, &conf, e) < 0) {
		if (e->code == ERR_HOSTKEY && n->ssh_host_keys.len)
			return err_wrap(e, "a removed node was there (for "
					"another machine: 'remove -forget' it "
					"first)");
		if (e->code != ERR_UNREACHABLE && !asker.nobody)
			return -1;
		note("%s; added without a pinned host key", err_words(e).s);
		return 0;
	}
	facts = remote_facts(r);
	if (fleet_pin_jumps(m, facts, true, note, e) < 0)
		return -1;
	if (facts->hostkey == REMOTE_KEY_PINNED)
		return 0;
	if (note_vouched(n->name, facts))
		return 0;
	yes = ask_host_key(env, n->ssh_host, facts);
	if (yes == 0)
		return err_set(e, ERR_HOSTKEY, "the host key of '%s' was not "
			       "accepted; nothing was added", n->name);
	if (yes < 0) {
		note("host key %s of '%s' is not known: not pinned; check it "
		     "and deploy once with -accept-new-host-keys",
		     facts->fingerprint, n->name);
		return 0;
	}
	strings_add(&n->ssh_host_keys, facts->hostkey_line);
	note("pinned the host key of '%s': %s%s", n->name, facts->fingerprint,
	     facts->hostkey == REMOTE_KEY_KNOWN ? " (in known_hosts)" : "");
	return 0;
}

static int add_node(struct change_run *c, const struct cmd_env *env,
		    struct err *e)
{
	char text[ADDR_TEXT_MAX];
	AUTO(auto_free) char *subject = NULL;
	struct mesh *m = change_mesh(c);
	struct node *n = spec_add(m, env->args.items[0], e);

	if (!n || (!node_key_on_host(m, n) && key_make(n, e) < 0))
		return -1;
	if (!n->is_local && !env->options.offline && !c->dry_run &&
	    pin_new_host(env, m, n, e) < 0)
		return -1;
	ip_text(n->mesh_ip.family ? &n->mesh_ip : &n->mesh_ip6, text);
	subject = mem_printf("add %s (%s)", n->name, text);
	commit_subject(c->store, subject);
	c->done = mem_printf("Added node: %s (%s)\nNode added successfully",
			     n->name, text);
	return 0;
}

int cmd_add(struct cmd_env *env)
{
	return change_command(env, add_node);
}
