/*
 * The program: what holds for the whole process, and the command that was
 * typed.
 */
#include "cmd/cmd.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

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

/* No core dump and no look from outside; see base/wipe.c for what is freed. */
static void guard_memory(void)
{
	struct rlimit none = { 0, 0 };

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
}

/* Else the next file that is opened would get what is said to stderr. */
static void open_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct cmd_env env = { 0 };
	int status;

	open_standard();
	signal(SIGPIPE, SIG_IGN);
	guard_memory();
	env_take_secrets(&env);
	status = run(&env, argc, argv);
	env_done(&env);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		if (!reader_is_gone())
			note("cannot write to standard output");
		return status == EXIT_DONE ? EXIT_FAILED : status;
	}
	return status;
}
