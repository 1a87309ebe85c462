/*
 * A plan as one POSIX shell script, and what came back from it. The script is a
 * function that is called in its last line: cut off anywhere, nothing of it
 * runs. It reports part by part and stops at the first part that fails; a
 * broken connection does not stop it. Secrets are in its text, never in an
 * argument or the environment of a program.
 */
#ifndef WGMESH_RENDER_HOST_SCRIPT_H
#define WGMESH_RENDER_HOST_SCRIPT_H

#include "base/err.h"
#include "base/sbuf.h"
#include "render/plan.h"

#include <stdbool.h>

/**
 * How a script and its host know each other. The script holds a lock while it
 * works (render/host/lock.sh) and says in it who it is; it waits a bounded time
 * for another one, and does nothing where no lock can be made. It runs only if
 * no other deploy has taken the lock since the probe, and leaves the nonce as
 * the token of this one. Strings are borrowed.
 */
struct script_run {
	const char *nonce; /* hex digits; frames the answer, which ends with the
			      line of probe_end() */
	const char *who;   /* "alice@laptop, pid 123" */
	const char *token; /* that the probe saw: observed.lock_token */
	bool hidden; /* to be shown: "(hidden)" in place of a private key */
};

/**
 * Append the script for @p to @out (a secret buffer). @boot_file is the text of
 * the boot file, NULL for a teardown.
 */
void script_text(struct sbuf *out, const struct plan *p, const char *boot_file,
		 const struct script_run *run);

/**
 * Append the script that makes sure of a private key on the host, in its file
 * (the interface's, if it is there and has one), installing WireGuard first if
 * @install, and answers with the public one: see
 * script_parse_key(). The private key never leaves the host.
 */
void script_make_key(struct sbuf *out, const char *interface, bool install,
		     const struct script_run *run);

/**
 * The public key in the answer; the caller frees. REMOTE when there is none,
 * CONFLICT when another deploy was in the way.
 */
int script_parse_key(char **out, const char *text, size_t len,
		     const char *nonce, struct err *e);

/** How a script went. */
struct script_result {
	size_t steps_done;  /* of the plan, from its first on */
	bool refused;       /* nothing ran: another deploy is in the way, and
			       failure says so */
	char *failure;      /* NULL: all done; else the failed part's words,
			       escaped, one line */
	size_t failed_step; /* its first step, when failure is set */
};

/**
 * Read as much of an answer to script_text() as there is: what did not come is
 * not done. Free with script_result_done().
 */
void script_parse_start(struct script_result *out, const struct plan *p,
			const char *text, size_t len, const char *nonce);

/**
 * Read the answer to script_text(). REMOTE when it is not one.
 * Free with script_result_done().
 */
int script_parse(struct script_result *out, const struct plan *p,
		 const char *text, size_t len, const char *nonce,
		 struct err *e);

void script_result_done(struct script_result *r);

#endif
