/*
 * The commands: one table, and the two that speak of it.
 */
#include "cmd/cmd.h"

#include <string.h>

#define HOST_OPTIONS "parallel timeout accept-new-host-keys no-install json"

const struct command commands[] = {
	{ "init", "", 0, 0, "make a new mesh state",
	  "network network6 interface listen-port encrypt recipient format git",
	  cmd_init },
	{ "add", "NAME:MESH_IP:[USER@]HOST[:PORT]", 1, 1,
	  "add a node and pin its host key",
	  "accept-new-host-keys offline dry-run",
	  cmd_add },
	{ "remove", "NAME", 1, 1,
	  "remove a node; the next deploy takes it off its host",
	  "forget dry-run", cmd_remove },
	{ "rename", "OLD NEW", 2, 2,
	  "give a node another name; keys and addresses stay", "dry-run",
	  cmd_rename },
	{ "set", "NODE KEY=VALUE...", 2, 1000,
	  "change what the state says about a node", "dry-run", cmd_set },
	{ "unset", "NODE KEY...", 2, 1000,
	  "say nothing about it any more: the default holds", "dry-run",
	  cmd_unset },
	{ "route", "add|remove NODE CIDR...", 3, 10000,
	  "change the networks behind a node", "dry-run", cmd_route },
	{ "group", "add|remove|list [NAME [NODE]...]", 1, 10000,
	  "show or change groups and who is in them",
	  "description dry-run json", cmd_group },
	{ "policy", "add|remove|list [NAME]", 1, 2,
	  "show or change which groups reach which",
	  "from to networks description dry-run json", cmd_policy },
	{ "apply", "-f FILE", 0, 0, "bring the state to what a mesh.yaml says",
	  "file prune yes dry-run recipient format", cmd_apply },
	{ "export", "", 0, 0, "print the mesh.yaml of the present state", "",
	  cmd_export },
	{ "schema", "", 0, 0, "print the JSON Schema of mesh.yaml", "",
	  cmd_schema },
	{ "list", "", 0, 0, "show the mesh", "simple json", cmd_list },
	{ "show", "NODE|REV", 1, 1,
	  "show all about a node, or the mesh of a revision", "json", cmd_show },
	{ "validate", "", 0, 0, "show what is wrong in the mesh", "json",
	  cmd_validate },
	{ "render", "[NODE]", 0, 1,
	  "print a node's wg-quick file, contacting nothing",
	  "json secrets all output", cmd_render },
	{ "plan", "[NODE|GROUP]...", 0, 10000,
	  "show what deploy would change, writing nothing",
	  HOST_OPTIONS " pull exit-code adopt force-serial accept-new-secret out markdown "
	  "log",
	  cmd_plan },
	{ "deploy", "[PLAN|NODE|GROUP]...", 0, 10000,
	  "bring the hosts to what the state says",
	  HOST_OPTIONS " pull push yes accept-changed-keys adopt force-serial "
		       "accept-new-secret log",
	  cmd_deploy },
	{ "import", "[NAME=][USER@]HOST[:PORT]...", 0, 1000,
	  "take hosts over as they are, or read a file",
	  "accept-new-host-keys parallel timeout yes dry-run from to-yaml",
	  cmd_import },
	{ "seal", "", 0, 0, "seal a plain state",
	  "recipient format", cmd_seal },
	{ "unseal", "", 0, 0, "write a sealed state as plain text", "",
	  cmd_unseal },
	{ "rekey", "", 0, 0,
	  "seal anew, with a new passphrase or to the recipients as they are",
	  "recipient new-password-file new-password-command format yes",
	  cmd_rekey },
	{ "recipients", "list|add R...|remove R...", 1, 1001,
	  "show or change who a sealed state is sealed to", "json",
	  cmd_recipients },
	{ "identity", "new FILE", 2, 2,
	  "make an age identity: its file, and the recipient to give away", "",
	  cmd_identity },
	{ "keys", "host|state|new [NODE]...", 1, 10000,
	  "choose where private keys live, or make new ones", "",
	  cmd_keys },
	{ "cat", "", 0, 0, "print the plain state", "secrets", cmd_cat },
	{ "edit", "", 0, 0, "edit the plain state, never on disk", "",
	  cmd_edit },
	{ "merge", "[all|PART NAME FIELD ours|theirs]", 0, 4,
	  "show or resolve the conflicts of a merge", "resolve json",
	  cmd_merge },
	{ "history", "", 0, 0, "show who changed and deployed what, and when",
	  "json", cmd_history },
	{ "diff", "[REV [REV]]", 0, 2,
	  "show what changed since a revision, or between two", "json",
	  cmd_diff },
	{ "blame", "NODE", 1, 1,
	  "show which commit last changed each field of a node", "json",
	  cmd_blame },
	{ "rollback", "REV", 1, 1, "bring the state back to a revision",
	  "yes dry-run", cmd_rollback },
	{ "git-setup", "", 0, 0,
	  "let git show and merge the state by meaning", "", cmd_git_setup },
	{ "textconv", "FILE", 1, 1, "for git: print a state without secrets",
	  "", cmd_textconv },
	{ "merge-driver", "BASE OURS THEIRS [PATH]", 3, 4,
	  "for git: merge a state into OURS", "", cmd_merge_driver },
	{ "pull", "", 0, 0, "merge the state with what the git remote has",
	  "yes accept-new-secret", cmd_pull },
	{ "push", "", 0, 0, "push the state to the git remote", "", cmd_push },
	{ "lock", "", 0, 0, "show who deploys, by the lock at the git remote",
	  "", cmd_lock },
	{ "unlock", "", 0, 0, "remove the deploy lock that a dead deploy left",
	  "yes", cmd_unlock },
	{ "version", "", 0, 0, "print the version", "", cmd_version },
	{ "help", "[COMMAND]", 0, 1, "explain a command", "", cmd_help },
};
const size_t commands_len = sizeof commands / sizeof *commands;

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < commands_len; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

int cmd_version(struct cmd_env *env)
{
	(void)env;
	put("wgmesh version %s\n", WGMESH_VERSION);
	return EXIT_DONE;
}

int cmd_help(struct cmd_env *env)
{
	const struct command *c = NULL;
	struct err e;

	if (env->args.len) {
		c = command_find(env->args.items[0]);
		if (!c) {
			err_set(&e, ERR_INPUT, "there is no command '%s'; "
				"'wgmesh help' lists them", env->args.items[0]);
			return fail(&e);
		}
	}
	usage_print(stdout, c);
	return EXIT_DONE;
}
