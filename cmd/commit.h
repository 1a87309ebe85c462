/*
 * Saves of a state that lies in a git work tree become commits.
 */
#ifndef WGMESH_CMD_COMMIT_H
#define WGMESH_CMD_COMMIT_H

#include "cmd/cmd.h"
#include "state/git/git.h"

/**
 * From now on each save of @s, open for writing, is a commit of that file, if
 * it lies in a git work tree and -no-commit is not given. A plain state that
 * holds keys, or will, is never committed: a note says so. An interrupted
 * commit is finished. Errors, before anything is changed: as repo_open(),
 * repo_ready().
 */
int commit_follow(struct store *s, const struct cmd_env *env, struct err *e);

/** The subject of the commits to come, instead of the command's words. */
void commit_subject(struct store *s, const char *subject);

/**
 * Record what was done with hosts: a commit that holds @body and @trailers and
 * changes no file; what all commits have is added to @trailers. Nothing when
 * saves of @s are no commits.
 */
int commit_record(struct store *s, const char *subject,
		  const struct strings *body, struct trailers *trailers,
		  struct err *e);

#endif
