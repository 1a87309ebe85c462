#include "cmd/cmd.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define HOST_OPTIONS "parallel timeout accept-new-host-keys no-install json"

const struct command commands[] = {
	{ "init", "", 0, 0, "make a new mesh state",
	  "network network6 interface listen-port", cmd_init },
	{ "add", "NAME:MESH_IP:[USER@]HOST[:PORT]", 1, 1,
	  "add a node and pin its host key", "accept-new-host-keys offline",
	  cmd_add },
	{ "remove", "NAME", 1, 1,
	  "remove a node; the next deploy takes it off its host", "forget",
	  cmd_remove },
	{ "list", "", 0, 0, "show the mesh", "simple json", cmd_list },
	{ "render", "[NODE]", 0, 1,
	  "print a node's wg-quick file, contacting nothing",
	  "json secrets all output", cmd_render },
	{ "plan", "[NODE|GROUP]...", 0, 10000,
	  "show what deploy would change, writing nothing",
	  HOST_OPTIONS " exit-code", cmd_plan },
	{ "deploy", "[NODE|GROUP]...", 0, 10000,
	  "bring the hosts to what the state says", HOST_OPTIONS " yes",
	  cmd_deploy },
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

static int run(struct cmd_env *env, int argc, char **argv)
{
	struct err e;

	if (options_parse(env, argc, argv, &e) < 0)
		return fail(&e);
	if (env->options.version)
		return cmd_version(env);
	if (env->options.help) {
		usage_print(stdout, env->command);
		return EXIT_DONE;
	}
	if (!env->command) {
		usage_print(stderr, NULL);
		return EXIT_USAGE;
	}
	return env->command->run(env);
}

/* A reader that has seen enough ("| head") is no error worth a word. */
static bool reader_is_gone(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLERR);
}

int main(int argc, char **argv)
{
	struct cmd_env env = { 0 };
	int status;

	signal(SIGPIPE, SIG_IGN);
	umask(077);
	status = run(&env, argc, argv);
	strings_done(&env.args);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		if (!reader_is_gone())
			note("cannot write to standard output");
		return status == EXIT_DONE ? EXIT_FAILED : status;
	}
	return status;
}
