/*
 * A program that git would run, too: ssh, git itself, gpg, ssh-keygen. It sees
 * our environment without what git sets for its own hooks; no shell.
 */
#ifndef WGMESH_STATE_GIT_CHILD_H
#define WGMESH_STATE_GIT_CHILD_H

#include "base/err.h"
#include "base/sbuf.h"
#include "base/vec.h"

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int in, out, errors; /* -1: closed */
	struct sbuf words;   /* the last that it said on stderr */
};

/**
 * Start @argv in @folder (NULL: here). SYSTEM, which names the program, when it
 * cannot be started.
 */
int child_start(struct child *c, const struct strings *argv,
		const char *folder, struct err *e);

/**
 * Move bytes until some of @in were written or some came into @out, or nothing
 * more can come; either may be NULL with length 0. What it says on stderr is
 * kept. *@wrote and *@got tell how many; both 0 is the end. -1 when it took
 * nothing any more, or was silent for too long.
 */
int child_move(struct child *c, const char *in, size_t len, size_t *wrote,
	       char *out, size_t size, size_t *got);

/**
 * Until it is said with false, no child_move() waits any more: all end with -1.
 * From any thread.
 */
void child_interrupt(bool on);

/**
 * Close all and wait for its end, which a program that hangs is made to come
 * to. Returns its exit status, -1 when a signal ended it.
 */
int child_end(struct child *c);

/** Give it @in, collect what it prints; true when it exited with 0. */
bool child_run(struct child *c, const char *in, struct sbuf *out);

/** What it said on stderr, one line, escaped, ": " before; the caller frees. */
char *child_words(const struct child *c);

#endif
