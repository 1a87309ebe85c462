/*
 * The one way to start a program. It begins with no signal blocked or ignored
 * by us, and no descriptor of ours but the three that it is given; it is always
 * reaped.
 */
#ifndef WGMESH_BASE_RUN_H
#define WGMESH_BASE_RUN_H

#include "base/err.h"
#include "base/vec.h"

#include <stdbool.h>
#include <sys/types.h>

/** What to start; zeroed but for argv and fds is plain. */
struct run {
	const struct strings *argv; /* the program, found by $PATH; no shell */
	char *const *environment;   /* NULL: ours */
	const char *folder;         /* where it starts; NULL: here */
	int fds[3];     /* its stdin, stdout, stderr; 0, 1, 2 are our own */
	bool own_group; /* no signal of the terminal reaches it */
};

/** Let it run as long as it takes, for run_end(). */
#define RUN_FOREVER (-1)

/**
 * Start it: its process id, or -1 with SYSTEM, which names the program. The
 * caller ends it with run_end(), or it stays a zombie; @r is not needed then.
 */
pid_t run_start(const struct run *r, struct err *e);

/**
 * Wait @grace_ms for the end of what run_start() started, then terminate it (all
 * of its group, if @group), then kill it. Returns its exit status, -1 when a
 * signal ended it.
 */
int run_end(pid_t pid, bool group, int grace_ms);

#endif
