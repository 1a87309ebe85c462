/*
 * Import of a file of another tool: into the state, or printed as mesh.yaml.
 */
#include "cmd/change.h"
#include "cmd/commit.h"
#include "cmd/import.h"
#include "cmd/input.h"
#include "cmd/keys.h"
#include "state/inventory/inventory.h"
#include "state/model/model.h"
#include "state/yaml/yaml.h"

#include <string.h>
#include <sys/stat.h>

/* So many notes, and so many nodes in one, are shown. */
#define NOTES_MAX 20
#define NAMED_MAX 10

/* What a file says, and how it is read. */
struct file_import {
	const struct cmd_env *env;
	const char *file;
	enum inventory_kind kind;
	struct inventory_no_key no_key;
	bool hooks_left;
	struct mesh wanted;
	struct strings notes;
};

static void show_notes(struct file_import *im)
{
	for (size_t i = 0; i < im->notes.len && i < NOTES_MAX; i++)
		note("%s", im->notes.items[i]);
	if (im->notes.len > NOTES_MAX)
		note("and %zu more such notes", im->notes.len - NOTES_MAX);
	if (im->hooks_left)
		import_note_hooks();
	strings_done(&im->notes);
}

/* Its one node, for a wg-quick file; the other kinds name theirs. */
static int name_node(struct file_import *im, struct err *e)
{
	const struct strings *args = &im->env->args;
	struct node *n = &im->wanted.nodes.items[0];
	AUTO(auto_free) char *shown = NULL;

	if (im->kind != INVENTORY_CONF)
		return args->len == 0 ? 0
				      : err_set(e, ERR_INPUT, "%s names its "
						"nodes itself, expected "
						"nothing behind it", im->file);
	if (args->len == 1 && strchr(args->items[0], '='))
		return import_place(n, args->items[0], e);
	if (args->len == 1) {
		shown = check_shown(args->items[0]);
		return err_set(e, ERR_INPUT, "'%s': expected "
			       "NAME=[USER@]HOST[:PORT]", shown);
	}
	if (args->len > 1 || !im->env->options.to_yaml)
		return err_set(e, ERR_INPUT, "%s is one node's: expected: "
			       "wgmesh import -from FILE "
			       "NAME=[USER@]HOST[:PORT]", im->file);
	mem_replace(&n->ssh_host, n->name);
	note("%s: the SSH host of '%s' is taken to be its name", im->file,
	     n->name);
	return 0;
}

static bool has_keys(const struct mesh *m)
{
	for (size_t i = 0; i < m->nodes.len; i++)
		if (m->nodes.items[i].private_key.len)
			return true;
	return false;
}

static int read_import(struct file_import *im, struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_SECRET;
	AUTO(beside_done) struct inventory_besides beside = { 0 };
	bool is_stdin = strcmp(im->file, "-") == 0;
	struct inventory_file f = { .name = is_stdin ? "standard input"
						     : im->file,
				    .no_key = &im->no_key,
				    .hooks = im->env->options.hooks,
				    .hooks_left = &im->hooks_left };
	struct stat st;

	if (!is_stdin && stat(im->file, &st) == 0 && S_ISDIR(st.st_mode)) {
		err_set_(e, ERR_INPUT, "'%s' is a folder, expected a file",
			 im->file);
		return err_advise(e, ADVICE_ANSIBLE_RESOLVES, NULL);
	}
	if (input_read(&text, im->file, INVENTORY_SIZE_MAX, e) < 0)
		return -1;
	im->file = f.name;
	f.text = sbuf_str(&text);
	f.len = text.len;
	im->kind = inventory_kind(&f);
	if (!is_stdin && (im->kind == INVENTORY_INI ||
			  im->kind == INVENTORY_YAML)) {
		if (beside_read(&beside, im->file, e) < 0)
			return -1;
		f.beside = &beside;
	}
	if (f.hooks && im->kind != INVENTORY_CONF)
		return err_set(e, ERR_INPUT, "%s: -hooks is for a wg-quick file "
			       "or hosts", f.name);
	if (inventory_read(&im->wanted, &f, &im->notes, e) < 0)
		return -1;
	if (!is_stdin && has_keys(&im->wanted) && stat(f.name, &st) == 0 &&
	    (st.st_mode & (S_IRGRP | S_IROTH)))
		note("%s has private keys in it and may be read by others "
		     "(mode %04o): 'chmod 600' it", f.name,
		     st.st_mode & 07777);
	return name_node(im, e);
}

/*
 * A new key would cut its peers off, so one that is elsewhere is fetched from
 * there; where our own boot files have it, a deploy finds it.
 */
static int check_has_key(struct file_import *im, struct err *e)
{
	const struct node *n = &im->wanted.nodes.items[0];
	AUTO(auto_free) char *place = NULL;
	AUTO(auto_free) char *where = NULL;

	if (im->kind != INVENTORY_CONF || n->private_key.len ||
	    n->key == KEY_ON_HOST)
		return 0;
	place = spec_place_text(n);
	where = mem_printf("%s=%s", n->name, place);
	if (im->no_key.post_up)
		err_set(e, ERR_INPUT, "%s:%zu: the private key is set by "
			"PostUp and not in the file", im->file,
			im->no_key.line);
	else
		err_set(e, ERR_INPUT, "%s:%zu: [Interface] without PrivateKey",
			im->file, im->no_key.line);
	return err_advise(e, ADVICE_KEY_FROM_HOST, where);
}

/* ---- into a mesh.yaml ---- */

static int import_to_yaml(struct file_import *im)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

	if (im->kind == INVENTORY_CONF)
		inventory_peers_to_nodes(&im->wanted, im->file, &im->notes);
	show_notes(im);
	if (im->kind == INVENTORY_CONF || has_keys(&im->wanted))
		note("%s: its keys are not in the YAML: nodes that are made "
		     "from it get new ones", im->file);
	yaml_write(&text, &im->wanted);
	fwrite(sbuf_str(&text), 1, text.len, stdout);
	return EXIT_DONE;
}

/* ---- into the state ---- */

/* Addresses and networks go together: say how, before anything is changed. */
static int check_address(const struct file_import *im, const struct node *n,
			 const struct ip *a, const struct mesh *m,
			 struct err *e)
{
	const struct cidr *has = a->family == 6 ? &m->network6 : &m->network;
	const struct cidr *wants = a->family == 6 ? &im->wanted.network6
						  : &im->wanted.network;
	char text[ADDR_TEXT_MAX], network[ADDR_TEXT_MAX], hint[ADDR_TEXT_MAX];

	if (!a->family || cidr_contains(has, a))
		return 0;
	return err_set(e, ERR_INPUT, "%s: '%s' has %s, which is outside of the "
		       "mesh network %s: 'wgmesh init -network%s %s' makes a "
		       "mesh for it", im->file, n->name, ip_text(a, text),
		       has->ip.family ? cidr_text(has, network) : "(none)",
		       a->family == 6 ? "6" : "", cidr_text(wants, hint));
}

/* What the file says becomes a part of the mesh. */
static int merge_import(struct file_import *im, struct change_run *c,
			struct err *e)
{
	AUTO(strings_done) struct strings doubts = { 0 };
	AUTO(strings_done) struct strings kept = { 0 };
	AUTO(links_done) struct links l = { 0 };
	AUTO(auto_free) char *names = NULL;
	struct mesh *m = change_mesh(c), *wanted = &im->wanted;
	struct finding_place failed;

	/* what a description leaves out is what the mesh says */
	wanted->listen_port = m->listen_port;
	wanted->mtu = m->mtu;
	wanted->keepalive_s = m->keepalive_s;
	wanted->key = m->key;
	for (size_t i = 0; i < wanted->nodes.len; i++) {
		struct node *n = &wanted->nodes.items[i];

		/* a key that lives on its host is there already */
		if (node_key_on_host(wanted, n))
			secret_done(&n->private_key);
		if (!nodes_find(&m->nodes, n->name) &&
		    (check_address(im, n, &n->mesh_ip, m, e) < 0 ||
		     check_address(im, n, &n->mesh_ip6, m, e) < 0))
			return -1;
	}
	if (mesh_apply(m, wanted, APPLY_ADD, &kept, &failed, e) < 0 ||
	    keys_fill(m, &c->before, e) < 0)
		return -1;
	/* what an earlier import of a host said of those who are nodes now */
	links_open(&l, m, &im->notes);
	links_externals(&l);
	links_doubts(&l, &doubts);
	names = strings_line(&kept, NAMED_MAX);
	if (names)
		note("there already, left as %s: %s",
		     kept.len > 1 ? "they are" : "it is", names);
	show_notes(im);
	return import_agree(im->env, &doubts, e);
}

static int import_to_state(struct file_import *im)
{
	AUTO(change_done) struct change_run c = { 0 };
	AUTO(auto_free) char *subject = mem_printf("import %s", im->file);
	const struct mesh *m;
	struct err e;

	if (check_has_key(im, &e) < 0 || change_begin(&c, im->env, &e) < 0)
		return fail(&e);
	commit_subject(c.store, subject);
	if (merge_import(im, &c, &e) < 0 || change_finish(&c, &e) < 0)
		return fail(&e);
	m = change_mesh(&c);
	if (im->wanted.groups.len && m->groups.len && !m->policies.len)
		note("there are groups and no policy: no node has a peer until "
		     "one says so: 'wgmesh policy add NAME -from GROUP -to "
		     "GROUP'");
	return EXIT_DONE;
}

int import_file(struct cmd_env *env)
{
	struct file_import im = { .env = env,
				  .file = env->options.from.items[0] };
	struct err e;
	int status;

	if (env->options.from.len > 1) {
		err_set(&e, ERR_INPUT, "-from: expected one file at a time");
		return fail(&e);
	}
	if (read_import(&im, &e) < 0)
		status = fail(&e);
	else
		status = env->options.to_yaml ? import_to_yaml(&im)
					      : import_to_state(&im);
	mesh_done(&im.wanted);
	strings_done(&im.notes);
	return status;
}
