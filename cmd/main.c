/*
 * The program: what holds for the whole process, and the command that was
 * typed. Nothing else stands here: the tests link all of cmd/ but this file.
 */
#include "cmd/cmd.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static int run_typed(struct cmd_env *env, int argc, char **argv)
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

int main(int argc, char **argv)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	struct rlimit none = { 0, 0 };
	struct cmd_env env = { 0 };
	int fd, status;

	/* the three standard ones are open: else the next file that is opened
	   would get what is said to stderr */
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	signal(SIGPIPE, SIG_IGN);
	/* no core dump, no look from outside; of what is freed: base/wipe.c */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
	env_take_secrets(&env);
	status = run_typed(&env, argc, argv);
	env_done(&env);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	/* a reader that has seen enough ("| head") is no error worth a word */
	if (poll(&out, 1, 0) != 1 || !(out.revents & POLLERR))
		note("cannot write to standard output");
	return status == EXIT_DONE ? EXIT_FAILED : status;
}
