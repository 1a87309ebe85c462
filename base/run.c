/*
 * Starting a program and waiting for its end: descriptors, signals, process group.
 */
#include "base/run.h"

#include "base/auto.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

/* From "terminate" to "kill". */
#define LAST_WORDS_MS 500
#define PAUSE_MAX_MS 20 /* between two looks; the first are closer */

pid_t run_start(const struct run *r, struct err *e)
{
	AUTO(auto_free) char **argv =
		mem_calloc(r->argv->len + 1, sizeof *argv);
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t none, pipe_only;
	int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	pid_t pid;

	memcpy(argv, r->argv->items, r->argv->len * sizeof *argv);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&how);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&files, r->fds[i], i);
	/* whatever a library has opened, a key's file among it */
	posix_spawn_file_actions_addclosefrom_np(&files, 3);
	if (r->folder)
		posix_spawn_file_actions_addchdir_np(&files, r->folder);
	/*
	 * SIGPIPE is the one signal that we ignore. What we were started to
	 * ignore (nohup) is ignored by the program, too.
	 */
	sigemptyset(&none);
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setsigdefault(&how, &pipe_only);
	if (r->own_group)
		flags |= POSIX_SPAWN_SETPGROUP;
	posix_spawnattr_setflags(&how, (short)flags);
	errno = posix_spawnp(&pid, argv[0], &files, &how, argv,
			     r->environment ? r->environment : environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&how);
	return errno ? err_sys(e, "cannot run '%s'", argv[0]) : pid;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reap @pid if it ends within @ms. */
static bool reap_within(pid_t pid, int *status, int ms)
{
	int64_t deadline = now_ms() + ms;
	long pause_ms = 1;

	while (true) {
		pid_t ended = waitpid(pid, status, WNOHANG);

		if (ended == pid || (ended < 0 && errno != EINTR))
			return true;
		if (now_ms() >= deadline)
			return false;
		nanosleep(&(struct timespec){ 0, pause_ms * 1000000 }, NULL);
		if (pause_ms < PAUSE_MAX_MS)
			pause_ms *= 2;
	}
}

static void reap(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
}

int run_end(pid_t pid, bool group, int grace_ms)
{
	int status = -1;

	if (grace_ms == RUN_FOREVER) {
		reap(pid, &status);
	} else if (!reap_within(pid, &status, grace_ms)) {
		kill(group ? -pid : pid, SIGTERM);
		if (!reap_within(pid, &status, LAST_WORDS_MS)) {
			kill(group ? -pid : pid, SIGKILL);
			reap(pid, &status);
		}
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
