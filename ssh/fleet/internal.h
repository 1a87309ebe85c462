/*
 * What the files of ssh/fleet/ share.
 */
#ifndef WGMESH_SSH_FLEET_INTERNAL_H
#define WGMESH_SSH_FLEET_INTERNAL_H

#include "ssh/fleet/fleet.h"

/** The least patience with a step that changes a host (milliseconds). */
#define APPLY_TIMEOUT_MS 60000
/** The same when a package is installed. */
#define INSTALL_TIMEOUT_MS 600000

DEFINE_AUTO(struct remote *, remote_free)

/** What a host may answer at most (bytes). */
size_t fleet_answer_max(const struct fleet *f);

/** What all answers together may take whose silences may be so long. */
int fleet_total_ms(int silence_ms);

/** Log in again where @h was hung up. */
int host_connect(const struct fleet *f, struct host *h, struct err *e);

/**
 * Log in on @h anew and read what is there into @o, which the caller ends; the
 * channel that then waits for a script is *@out. The host may be busy with a
 * script of this very run: o->busy is set then.
 */
int fleet_look(const struct fleet *f, const struct host *h,
	       struct remote **out, struct observed *o, struct err *e);

/** Compare @o, found on @h, with what @h should have; @out borrows both. */
int fleet_plan_host(const struct fleet *f, const struct host *h,
		    const struct observed *o, struct plan *out, struct err *e);

/** Plan @h from what was seen there. Of a pass over hosts. */
void fleet_plan_one(struct fleet *f, struct host *h, void *arg);

/** A host that was passed over is no success, whatever the reason. */
void fleet_fail_those(struct fleet *f, enum host_result which);

/**
 * The answer of @h did not come to its end, for the reason in @e: look again,
 * and wait at most @total_ms for steps that still run. 0: all of them are done.
 * -1: @e says what is true: REMOTE when some are not done and none is running,
 * UNREACHABLE when that is not known. Sets applied.steps_done.
 */
int fleet_again(struct fleet *f, struct host *h, int64_t total_ms,
		struct err *e);

/**
 * Keys that live on their hosts. Those that the state does not know yet are
 * taken in; @make has those made that are missing. A key that is another one
 * than the state has (a rebuilt host) is taken only after a yes to that:
 * without one, or when @make is false, its host fails alone and nothing of it
 * changes.
 */
void fleet_keys(struct fleet *f, bool make);

/** Wipe from the mesh the private keys that are on their hosts now. */
void fleet_forget_keys(struct fleet *f);

/**
 * Find out who deployed each host. One that another author deployed fails,
 * unless -adopt; one that claims a newer state than this one without the proof
 * of the mesh's secret fails alone, unless -force-serial.
 */
void fleet_judge_authors(struct fleet *f);

/** Is the proof in its marker not made with the present secret? */
bool fleet_marker_is_old(const struct fleet *f, const struct host *h);

/** CONFLICT, if @writes, when a host proves a newer state than this one. */
int fleet_refuse_stale(const struct fleet *f, bool writes, struct err *e);

/** Send every changed host its script. */
void fleet_apply(struct fleet *f);

#endif
