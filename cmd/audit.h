/*
 * The -log file: what was planned or done, one JSON line per step. Shape in
 * docs/json.md.
 */
#ifndef WGMESH_CMD_AUDIT_H
#define WGMESH_CMD_AUDIT_H

#include "cmd/engine.h"

struct audit;

/**
 * Open the file that -log names to append to, 0600 when it is new. @out stays
 * NULL when none is named. ERR_SYSTEM; ERR_INPUT when it is no plain file of
 * one name. End with audit_close().
 */
int audit_open(struct audit **out, const struct cmd_env *env, struct err *e);

/** The steps of @h and how they ended; any thread may. NULL @a: nothing. */
void audit_host(struct audit *a, const struct fleet *f, const struct host *h);

/** audit_host() for each host that is unreachable, failed or (@planned) not. */
void audit_fleet(struct audit *a, const struct fleet *f, bool planned);

/** The whole command was refused; @m may be NULL. */
void audit_refused(struct audit *a, const struct mesh *m,
		   const struct err *why);

/** Could every line be written? True when there is no log. */
bool audit_is_whole(const struct audit *a);

/** Close the file; NULL is fine. */
void audit_close(struct audit *a);

DEFINE_AUTO(struct audit *, audit_close)

#endif
