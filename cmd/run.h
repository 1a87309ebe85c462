/*
 * What plan and deploy have in common: the state opened, the hosts probed and
 * planned.
 */
#ifndef WGMESH_CMD_RUN_H
#define WGMESH_CMD_RUN_H

#include "cmd/audit.h"
#include "cmd/engine.h"
#include "cmd/team.h"

/** One run of plan or deploy; begin with zero, but for team and writes. */
struct run {
	struct team *team; /* borrowed */
	bool writes;       /* it is a deploy */
	struct fleet_options options;
	struct store *store;
	struct fleet fleet;
	struct audit *audit;
	bool from_file;
	struct saved_plan saved; /* deploy: the file's, if from_file */
	struct saved_plan now;   /* what would be saved, or has to be equal */
};

/**
 * Open the state (to write if @write) and the plan that is to be run, probe and
 * plan; the mesh in the store carries the facts afterwards.
 */
int run_prepare(struct run *r, struct cmd_env *env, bool write, struct err *e);

/** The end of a run that was refused: logged and said; the exit status. */
int run_refuse(struct run *r, const struct err *e);

/** The exit status; a log with a line missing is no success. */
int run_status(const struct run *r, int status);

/** EXIT_HOSTS when a host failed or was unreachable, else EXIT_DONE. */
int hosts_status(const struct fleet *f);

/** For AUTO(run_done). */
void run_done(struct run *r);

#endif
