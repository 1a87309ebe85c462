/*
 * One change of the mesh: opened, made, judged, shown and saved. Nothing is
 * saved when it brings an error that was not there before, nor with -dry-run.
 */
#ifndef WGMESH_CMD_CHANGE_H
#define WGMESH_CMD_CHANGE_H

#include "cmd/cmd.h"
#include "state/model/model.h"

struct yaml_marks;

struct change_run {
	struct store *store;
	struct mesh before; /* as the file has it; belongs to the run */
	struct changes changes; /* shown before what mesh_diff() finds: for
				   what it does not look at */
	struct yaml_marks *marks; /* where errors are in @file; NULL: none */
	const char *file;         /* borrowed */
	bool dry_run;
	char *done;  /* what the command says itself when it is done, instead
			of the changes; owned */
	bool always; /* new errors are noted and do not stop it */
};

/** Open the state for writing. End with change_done(), failed or not. */
int change_begin(struct change_run *c, const struct cmd_env *env,
		 struct err *e);

/** The mesh to change. */
struct mesh *change_mesh(struct change_run *c);

/** Print what changed, a line for each. */
void change_print(const struct change_run *c);

/**
 * What a changed node needs besides: a key pair when its key is to live in the
 * state now; and a note of what its user should know. Nothing for a new node.
 */
int change_follow(struct change_run *c, struct node *n, struct err *e);

/**
 * What came of it: compare the mesh with what the file had, by meaning, judge,
 * print, save. "nothing changes" and no save when nothing does. Errors of the
 * whole mesh that were not there before are refused with ERR_INPUT, the first
 * in @e and the others as notes, as are errors of before and new warnings.
 */
int change_finish(struct change_run *c, struct err *e);

/** The same, asking before it saves: ERR_CONFLICT when not agreed to. */
int change_confirm(struct change_run *c, const struct cmd_env *env,
		   struct err *e);

/** Release the state and free; for AUTO(change_done). */
void change_done(struct change_run *c);

/** What a command does to the mesh; 0 or -1. */
typedef int change_fn(struct change_run *c, const struct cmd_env *env,
		      struct err *e);

/** A whole command: begin, @edit, finish; returns its exit status. */
int change_command(const struct cmd_env *env, change_fn *edit);

#endif
