/*
 * measure OUT COMMAND...: run the command and append one line to the file OUT:
 * wall seconds, CPU seconds, peak KiB of its largest process, exit status.
 *
 * The CPU is user and system time of the command and of everything that it
 * started. What it leaves behind (the connections that Ansible keeps open) is
 * handed over to this process by the kernel, ended when the command is done,
 * and counted too.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

/* Signal every child that we have; 0 when there is none. */
static int signal_children(int sig)
{
	char path[64];
	FILE *f;
	int n = 0, pid;

	snprintf(path, sizeof path, "/proc/self/task/%d/children",
		 (int)getpid());
	f = fopen(path, "re");
	while (f && fscanf(f, "%d", &pid) == 1) {
		kill(pid, sig);
		n++;
	}
	if (f)
		fclose(f);
	return n;
}

/* End and reap what the command left behind. */
static void sweep(void)
{
	const struct timespec pause = { 0, 2000000 };
	double limit = now() + 2;

	while (signal_children(now() < limit ? SIGTERM : SIGKILL) > 0) {
		nanosleep(&pause, NULL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct rusage used;
	double began, wall;
	FILE *out;
	pid_t pid;
	int status;

	if (argc < 3 || !(out = fopen(argv[1], "ae"))) {
		fprintf(stderr, "usage: measure OUT COMMAND...\n");
		return 2;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	began = now();
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	if (pid < 0)
		return 1;
	status = wait_for(pid);
	wall = now() - began;
	sweep();
	getrusage(RUSAGE_CHILDREN, &used);
	fprintf(out, "%.6f %.6f %ld %d\n", wall,
		seconds(&used.ru_utime) + seconds(&used.ru_stime),
		used.ru_maxrss, status);
	return fclose(out) == 0 ? status : 1;
}
