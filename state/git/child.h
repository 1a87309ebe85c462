/*
 * A program that git would run, too: git itself, gpg, ssh-keygen. It sees our
 * environment without what git sets for its own hooks; no shell.
 */
#ifndef WGMESH_STATE_GIT_CHILD_H
#define WGMESH_STATE_GIT_CHILD_H

#include "base/err.h"
#include "base/sbuf.h"
#include "base/vec.h"

#include <stdbool.h>

/** No file that it writes gets longer; more is no mesh's repository. */
#define CHILD_FILE_MAX ((size_t)1 << 30)
/** What child_run() returns of one that a signal ended, perhaps ours. */
#define CHILD_KILLED 256

/** What to run; zeroed but for argv is plain. */
struct child {
	struct strings argv;
	const char *folder;     /* NULL: here */
	const char *in;         /* NULL: nothing */
	const char *const *set; /* "NAME=value", NULL at the end; or NULL */
	struct sbuf out;        /* what it printed */
	struct sbuf words;      /* the last lines that it said on stderr */
};

/**
 * Run it to its end: its exit status, or -1 with SYSTEM, which names the
 * program, when it cannot be started. One that prints more than it may, or says
 * nothing for too long, is ended with all that it started. Of the words lines
 * that show progress are left out.
 */
int child_run(struct child *c, struct err *e);

/** Free; for AUTO(child_done). */
void child_done(struct child *c);

/**
 * Until it is said with false, no child_run() waits any more: the program is
 * ended. From any thread.
 */
void child_interrupt(bool on);

/** What it said on stderr, one line, escaped, ": " before; the caller frees. */
char *child_words(const struct child *c);

#endif
