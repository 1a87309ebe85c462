/*
 * The state at the revisions of its git repository.
 */
#ifndef WGMESH_CMD_REVISION_H
#define WGMESH_CMD_REVISION_H

#include "cmd/cmd.h"
#include "cmd/jout.h"
#include "state/git/git.h"
#include "state/model/model.h"

/** Digits of a commit's id that stand for it. */
#define REVISION_SHORT 12
/** Bytes of a date, "2026-07-28 10:11" or "2026-07-28T10:11:12Z", with NUL. */
#define REVISION_DATE 32

/** What opens revisions: secrets are got once, when one needs them. */
struct past {
	struct repo *repo;
	char *file;
	struct source source; /* borrows from the cmd_env */
	struct age_identities identities;
	struct sealing last; /* how the last one was; its passphrase is kept */
};

/**
 * Let a passphrase that has to be typed be typed now, if the state takes one:
 * env_open() and past_open() both use it then. For commands that open both.
 */
int past_unlock(struct cmd_env *env, struct err *e);

/**
 * Open the repository of the state that the options name; it has a commit. End
 * with past_done(), failed or not. INPUT: there is no repository, no commit.
 */
int past_open(struct past *p, const struct cmd_env *env, struct err *e);

/** For AUTO(past_done). */
void past_done(struct past *p);

/**
 * The mesh at @rev into @out, which mesh_done() ends; @info (may be NULL) as of
 * repo_read(). Errors name the revision.
 */
int past_read(struct past *p, const char *rev, struct mesh *out,
	      struct revision *info, struct err *e);

/** The bytes and the mesh of the file in the work tree. */
int past_file(struct past *p, struct sbuf *raw, struct mesh *out,
	      struct err *e);

/** The mesh in @raw; @what is for messages, "revision 'HEAD'". */
int past_parse(struct past *p, const struct sbuf *raw, const char *what,
	       struct mesh *out, struct err *e);

/** The time of @v in UTC, by day and minute or as in ISO 8601. */
const char *revision_date(const struct revision *v, char out[REVISION_DATE]);
const char *revision_iso(const struct revision *v, char out[REVISION_DATE]);

/** Its author without the mail address; the caller frees. */
char *revision_author(const struct revision *v);

/** Add "id", "time", "author", "subject", "command", "host", "serial". */
void revision_json(struct jout *j, const struct revision *v);

/** The list "changes" of what is open. */
void changes_json(struct jout *j, const struct changes *all);

#endif
