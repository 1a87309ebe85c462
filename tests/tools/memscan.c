/*
 * Runs a program and, when it is about to exit, looks through all its memory
 * that can be written for the lines of a file. For the test that no secret
 * stays behind, freed memory included: of that the allocator itself writes over
 * the first bytes, so the ends of long lines are looked for.
 *
 *     memscan NEEDLES PROGRAM [ARG]...
 *
 * Exit status: 0 none was found, 1 the number of each one found is printed,
 * 2 it could not be done.
 */
#include "base/auto.h"
#include "base/vec.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static int read_needles(struct strings *out, const char *path)
{
	AUTO(auto_fclose) FILE *f = fopen(path, "re");
	char line[4096];

	while (f && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		if (strlen(line) >= 8)
			strings_add(out, line);
	}
	return f && out->len ? 0 : -1;
}

/* What the allocator writes at the start of freed memory, and some more. */
#define OVERWRITTEN 24

static const char *end_of(const char *line)
{
	return strlen(line) >= 2 * OVERWRITTEN - 8 ? line + OVERWRITTEN : line;
}

/* How many of @needles are in the range of memory; those are marked. */
static void scan_range(int mem, unsigned long from, unsigned long to,
		       const struct strings *needles, bool *found)
{
	size_t len = to - from;
	AUTO(auto_free) char *copy = mem_calloc(len, 1);
	ssize_t n = pread(mem, copy, len, (off_t)from);

	for (size_t i = 0; n > 0 && i < needles->len; i++)
		if (memmem(copy, (size_t)n, end_of(needles->items[i]),
			   strlen(end_of(needles->items[i]))))
			found[i] = true;
}

static void scan(pid_t pid, const struct strings *needles, bool *found)
{
	AUTO(auto_free) char *maps = mem_printf("/proc/%d/maps", (int)pid);
	AUTO(auto_free) char *path = mem_printf("/proc/%d/mem", (int)pid);
	AUTO(auto_close) int mem = open(path, O_RDONLY | O_CLOEXEC);
	AUTO(auto_fclose) FILE *f = fopen(maps, "re");
	unsigned long from, to;
	char line[4096], mode[8];

	while (f && mem >= 0 && fgets(line, sizeof line, f))
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3 &&
		    mode[0] == 'r' && mode[1] == 'w')
			scan_range(mem, from, to, needles, found);
}

static void run(char **argv)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	execvp(argv[0], argv);
	_exit(127);
}

/* Follow the program to its end; false when it did not get there. */
static bool follow(pid_t pid, const struct strings *needles, bool *found)
{
	bool scanned = false;
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return false;
	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACEEXIT);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		long sig = WSTOPSIG(status);

		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
			scan(pid, needles, found);
			scanned = true;
			sig = 0;
		}
		ptrace(PTRACE_CONT, pid, NULL, (void *)sig);
	}
	return scanned && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
	struct strings needles = { 0 };
	int status = 0;
	bool *found;
	pid_t pid;

	if (argc < 3 || read_needles(&needles, argv[1]) < 0)
		return 2;
	found = mem_calloc(needles.len, sizeof *found);
	pid = fork();
	if (pid == 0)
		run(argv + 2);
	if (pid < 0 || !follow(pid, &needles, found))
		status = 2;
	for (size_t i = 0; i < needles.len; i++)
		if (found[i]) {
			printf("line %zu stays in memory\n", i + 1);
			status = status ? status : 1;
		}
	strings_done(&needles);
	free(found);
	return status;
}
