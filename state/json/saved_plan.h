/*
 * A plan in a file: what `plan -out` saw and would do, so that `deploy` can do
 * exactly that or nothing. No secrets are in it. The steps are not run from the
 * file: the plan is made anew, and must come out the same.
 */
#ifndef WGMESH_STATE_JSON_SAVED_PLAN_H
#define WGMESH_STATE_JSON_SAVED_PLAN_H

#include "base/err.h"
#include "base/sbuf.h"
#include "state/model/model.h"
#include "vault/crypto/digest.h"

/** Largest file that is written and read, in bytes. */
#define SAVED_PLAN_SIZE_MAX ((size_t)64 << 20)

struct saved_step {
	char *word; /* of --json: "add_peer" */
	char *text; /* the line for people */
	struct extras extras;
};

struct saved_host {
	char *node;
	bool removed;   /* a tombstone */
	char *result;   /* "unchanged", "to_change", "unreachable", "failed" */
	char *observed; /* SHA-256 of what was found there; "" when nothing */
	char *desired;  /* SHA-256 of what it is to have; "" when removed */
	VEC(struct saved_step) steps;
	struct extras extras;
};

struct saved_hosts { VEC_OF(struct saved_host); };

struct saved_plan {
	uint64_t version; /* 1 */
	char *mesh_id;    /* "" for none yet */
	uint64_t serial;
	char *state;      /* saved_plan_state() */
	bool adopt, install, force_serial; /* how it was made */
	struct saved_hosts hosts; /* by name, tombstones last */
	char *sha256;     /* of the text without this */
	struct extras extras;
};

/**
 * SHA-256 of what the user says in @m: its text without what deploys find out
 * and save by themselves. @m is spoilt.
 */
void saved_plan_state(struct mesh *m, char out[DIGEST_HEX + 1]);

/** Append the file's text; version and sha256 are set. ERR_INPUT: too long. */
int saved_plan_write(struct sbuf *out, struct saved_plan *p, struct err *e);

/**
 * Parse a file's text, which must be saved_plan_write()'s byte by byte. 0, or
 * -1 with ERR_INPUT; @out is untouched then. End with saved_plan_done().
 */
int saved_plan_parse(struct saved_plan *out, const char *text, size_t len,
		     struct err *e);

/** Does it take part? Not if it could not be reached or planned for. */
bool saved_host_runs(const struct saved_host *h);

/** The host of that name, or NULL. */
const struct saved_host *saved_plan_host(const struct saved_plan *p,
					 const char *node, bool removed);

/**
 * Was @saved made from the state that @now (whose hosts do not count) is of?
 * 0, or -1 with ERR_CONFLICT that says what is another one.
 */
int saved_plan_check_state(const struct saved_plan *saved,
			   const struct saved_plan *now, struct err *e);

/**
 * Are @now's hosts those of @saved that take part, with the same things found,
 * wanted and to be done? 0, or -1 with ERR_CONFLICT that names those that
 * differ.
 */
int saved_plan_check_hosts(const struct saved_plan *saved,
			   const struct saved_plan *now, struct err *e);

/** Free; for AUTO(saved_plan_done). */
void saved_plan_done(struct saved_plan *p);

#endif
