/*
 * One state, several clones: pull, push, the deploy lock at the remote, and the
 * record of a deploy.
 */
#ifndef WGMESH_CMD_TEAM_H
#define WGMESH_CMD_TEAM_H

#include "cmd/engine.h"
#include "state/git/git.h"

#include <pthread.h>
#include <signal.h>

/** What a command has to do with the remote; begin with all zero. */
struct team {
	const struct cmd_env *env; /* borrowed */
	char *file;        /* the state */
	struct repo *repo; /* NULL: no remote is used */
	char *mesh_id;
	struct repo_lock lock; /* at the remote; id "": we have none */
	pthread_t guard;   /* releases it when a signal comes */
	sigset_t before;   /* the signals that were blocked without the guard */
	bool recorded;     /* there may be a record to push */
};

/**
 * Open the repository of the state. INPUT: it is in none, or -no-commit, which
 * leaves nothing to pull or push.
 */
int team_open(struct team *t, const struct cmd_env *env, struct err *e);

/** Pull, and tell on stderr what that did. CONFLICT: see repo_pull(). */
int team_pull(struct team *t, struct err *e);

/** Before the state is opened: what -pull and -push ask for; else nothing. */
int team_begin(struct team *t, const struct cmd_env *env, struct err *e);

/**
 * A deploy of @s begins; no host is to be contacted before. With a remote: take
 * the lock there, and see that it has what is to be deployed (-push) or nothing
 * newer (-pull). CONFLICT: somebody else was first.
 */
int team_enter(struct team *t, struct store *s, struct err *e);

/** Push what has been saved since, if -push; the last moment to refuse. */
int team_push(struct team *t, struct err *e);

/**
 * Record a deploy that ran as a commit. Nothing when nothing was changed or
 * failed, and the newest record has these hosts at this serial.
 */
int team_record(struct team *t, const struct fleet *f, struct store *s,
		struct err *e);

/**
 * A deploy has ended with @status, and the state is closed: push what it saved
 * and release the lock. Returns the exit status: EXIT_FAILED when a deploy that
 * was fine could not be pushed.
 */
int team_end(struct team *t, int status);

/** Release the lock and free; for AUTO(team_done). */
void team_done(struct team *t);

/**
 * Take the lock at the remote. From now on SIGINT, SIGTERM and SIGHUP release
 * it before they end the process.
 */
int team_lock(struct team *t, struct err *e);

/**
 * The main thread waits for hosts or people, and is in no library meanwhile;
 * then it goes on. Only between the two is the lock released when a signal
 * comes.
 */
void team_rest(void);
void team_go_on(void);

/** Release the lock; a note when that fails. Nothing when there is none. */
void team_unlock(struct team *t);

#endif
