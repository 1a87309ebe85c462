/*
 * The commands: one table, and the two that speak of it.
 */
#include "cmd/cmd.h"

#include "state/model/model.h"

#include <string.h>

/** Of all that log in on hosts. */
#define HOST_OPTIONS "parallel timeout accept-new-host-keys ask-sudo-password " \
	"sudo-password-file no-install json"

/*
 * In the order of the help text. What the commands do not share (who takes
 * conflicts, where changes are shown) is a flag here: no code asks for a name.
 */
const struct command commands[] = {
	{ .name = "init", .run = cmd_init,
	  .summary = "make a new mesh state",
	  .options = "network network6 interface listen-port encrypt recipient format git" },
	{ .name = "add", .run = cmd_add,
	  .arguments = "NAME:MESH_IP:[USER@]HOST[:PORT]", .min_args = 1, .max_args = 1,
	  .summary = "add a node and pin its host key",
	  .options = "accept-new-host-keys offline dry-run" },
	{ .name = "remove", .run = cmd_remove,
	  .arguments = "NAME", .min_args = 1, .max_args = 1,
	  .summary = "remove a node; the next deploy takes it off its host",
	  .options = "forget dry-run" },
	{ .name = "rename", .run = cmd_rename,
	  .arguments = "OLD NEW", .min_args = 2, .max_args = 2,
	  .summary = "give a node another name; keys and addresses stay",
	  .options = "dry-run" },
	{ .name = "set", .run = cmd_set,
	  .arguments = "NODE KEY=VALUE...", .min_args = 2, .max_args = 1000,
	  .summary = "change what the state says about a node",
	  .options = "dry-run" },
	{ .name = "unset", .run = cmd_unset,
	  .arguments = "NODE KEY...", .min_args = 2, .max_args = 1000,
	  .summary = "say nothing about it any more: the default holds",
	  .options = "dry-run" },
	{ .name = "route", .run = cmd_route,
	  .arguments = "add|remove NODE CIDR...", .min_args = 3, .max_args = 10000,
	  .summary = "change the networks behind a node",
	  .options = "dry-run" },
	{ .name = "group", .run = cmd_group,
	  .arguments = "add|remove|list [NAME [NODE]...]", .min_args = 1, .max_args = 10000,
	  .summary = "show or change groups and who is in them",
	  .options = "description dry-run json" },
	{ .name = "policy", .run = cmd_policy,
	  .arguments = "add|remove|list [NAME]", .min_args = 1, .max_args = 2,
	  .summary = "show or change which groups reach which",
	  .options = "from to networks description dry-run json" },
	{ .name = "apply", .run = cmd_apply,
	  .arguments = "-f FILE",
	  .summary = "bring the state to what a mesh.yaml says",
	  .options = "file prune yes dry-run recipient format" },
	{ .name = "export", .run = cmd_export,
	  .summary = "print the mesh.yaml of the present state" },
	{ .name = "schema", .run = cmd_schema,
	  .summary = "print the JSON Schema of mesh.yaml" },
	{ .name = "list", .run = cmd_list,
	  .summary = "show the mesh",
	  .options = "simple json" },
	{ .name = "show", .run = cmd_show,
	  .arguments = "NODE|REV", .min_args = 1, .max_args = 1,
	  .summary = "show all about a node, or the mesh of a revision",
	  .options = "json" },
	{ .name = "validate", .run = cmd_validate,
	  .summary = "show what is wrong in the mesh",
	  .options = "json" },
	{ .name = "render", .run = cmd_render,
	  .arguments = "[NODE]", .max_args = 1,
	  .summary = "print a node's wg-quick file, contacting nothing",
	  .options = "json secrets all output" },
	{ .name = "plan", .run = cmd_plan,
	  .arguments = "[NODE|GROUP]...", .max_args = 10000,
	  .summary = "show what deploy would change, writing nothing",
	  .options = HOST_OPTIONS " pull exit-code adopt force-serial accept-new-secret out markdown script "
		     "log" },
	{ .name = "deploy", .run = cmd_deploy,
	  .arguments = "[PLAN|NODE|GROUP]...", .max_args = 10000,
	  .summary = "bring the hosts to what the state says",
	  .options = HOST_OPTIONS " pull push yes accept-changed-keys adopt force-serial "
		     "accept-new-secret log" },
	{ .name = "import", .run = cmd_import,
	  .arguments = "[NAME=][USER@]HOST[:PORT]...", .max_args = 1000,
	  .summary = "take hosts over as they are, or read a file",
	  .options = "accept-new-host-keys ask-sudo-password sudo-password-file "
		     "parallel timeout yes dry-run from to-yaml hooks" },
	{ .name = "seal", .run = cmd_seal,
	  .summary = "seal a plain state",
	  .options = "recipient format" },
	{ .name = "unseal", .run = cmd_unseal,
	  .summary = "write a sealed state as plain text" },
	{ .name = "rekey", .run = cmd_rekey,
	  .summary = "seal anew, with a new passphrase or to the recipients as they are",
	  .options = "recipient new-password-file new-password-command format yes" },
	{ .name = "recipients", .run = cmd_recipients,
	  .arguments = "list|add R...|remove R...", .min_args = 1, .max_args = 1001,
	  .summary = "show or change who a sealed state is sealed to",
	  .options = "json" },
	{ .name = "identity", .run = cmd_identity,
	  .arguments = "new FILE", .min_args = 2, .max_args = 2,
	  .summary = "make an age identity: its file, and the recipient to give away" },
	{ .name = "keys", .run = cmd_keys,
	  .arguments = "host|state|new [NODE]...", .min_args = 1, .max_args = 10000,
	  .summary = "choose where private keys live, or make new ones" },
	{ .name = "cat", .run = cmd_cat,
	  .summary = "print the plain state",
	  .options = "secrets" },
	{ .name = "edit", .run = cmd_edit,
	  .summary = "edit the plain state, never on disk" },
	{ .name = "merge", .run = cmd_merge,
	  .arguments = "[all|PART NAME FIELD ours|theirs]", .max_args = 4,
	  .summary = "show or resolve the conflicts of a merge",
	  .options = "resolve json",
	  .takes_conflicts = true },
	{ .name = "history", .run = cmd_history,
	  .summary = "show who changed and deployed what, and when",
	  .options = "json" },
	{ .name = "diff", .run = cmd_diff,
	  .arguments = "[REV [REV]]", .max_args = 2,
	  .summary = "show what changed since a revision, or between two",
	  .options = "json" },
	{ .name = "blame", .run = cmd_blame,
	  .arguments = "NODE", .min_args = 1, .max_args = 1,
	  .summary = "show which commit last changed each field of a node",
	  .options = "json" },
	{ .name = "rollback", .run = cmd_rollback,
	  .arguments = "REV", .min_args = 1, .max_args = 1,
	  .summary = "bring the state back to a revision",
	  .options = "yes dry-run" },
	{ .name = "git-setup", .run = cmd_git_setup,
	  .summary = "let git show and merge the state by meaning" },
	{ .name = "textconv", .run = cmd_textconv,
	  .arguments = "FILE", .min_args = 1, .max_args = 1,
	  .summary = "for git: print a state without secrets" },
	{ .name = "merge-driver", .run = cmd_merge_driver,
	  .arguments = "BASE OURS THEIRS [PATH]", .min_args = 3, .max_args = 4,
	  .summary = "for git: merge a state into OURS" },
	{ .name = "pull", .run = cmd_pull,
	  .summary = "merge the state with what the git remote has",
	  .options = "yes accept-new-secret",
	  .shows_what_comes = true },
	{ .name = "push", .run = cmd_push,
	  .summary = "push the state to the git remote" },
	{ .name = "lock", .run = cmd_lock,
	  .summary = "show who deploys, by the lock at the git remote" },
	{ .name = "unlock", .run = cmd_unlock,
	  .summary = "remove the deploy lock that a dead deploy left",
	  .options = "yes" },
	{ .name = "version", .run = cmd_version,
	  .summary = "print the version" },
	{ .name = "help", .run = cmd_help,
	  .arguments = "[COMMAND]", .max_args = 1,
	  .summary = "explain a command" },
};
const size_t commands_len = sizeof commands / sizeof *commands;

const struct command *command_find(const char *name, struct err *e)
{
	const char *near;

	for (size_t i = 0; i < commands_len; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	near = nearest_name(commands, commands_len, sizeof *commands, name);
	if (near)
		err_set_(e, ERR_INPUT, "there is no command '%s'; did you mean "
			 "'%s'?", name, near);
	else
		err_set_(e, ERR_INPUT, "there is no command '%s'; 'wgmesh "
			 "help' lists them", name);
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
		c = command_find(env->args.items[0], &e);
		if (!c)
			return fail(&e);
	}
	usage_print(stdout, c);
	return EXIT_DONE;
}
