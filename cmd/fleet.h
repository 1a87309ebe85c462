/*
 * The hosts of one plan or deploy, from the probe to the result. One struct
 * host each, nothing shared, so that they can be worked on in any order.
 */
#ifndef WGMESH_CMD_FLEET_H
#define WGMESH_CMD_FLEET_H

#include "acl/access.h"
#include "cmd/cmd.h"
#include "render/host/host.h"
#include "render/plan.h"
#include "ssh/session/remote.h"
#include "state/json/json.h"
#include "vault/crypto/digest.h"
#include "vault/proof.h"

/** How a host ended; the words of --json are in fleet_result_name(). */
enum host_result {
	HOST_OPEN, /* not looked at, or not judged yet: never a success; none
		      is left so behind fleet_plan() */
	HOST_UNCHANGED,
	HOST_TO_CHANGE, /* planned, not (yet) applied */
	HOST_CHANGED,
	HOST_UNREACHABLE,
	HOST_FAILED,
};

/** Who wrote the marker there, by the proof in it. */
enum author {
	AUTHOR_UNKNOWN, /* no marker, or one without a proof */
	AUTHOR_OURS,    /* with the secret of the mesh */
	AUTHOR_FORMER,  /* with one that it had before */
	AUTHOR_OTHER,   /* with none that we know */
};

struct host {
	struct node *node;
	bool removed; /* a tombstone: to be taken off its host */
	bool local;   /* this very machine */
	enum host_result result;
	struct err err; /* for UNREACHABLE and FAILED */
	struct remote *remote; /* hung up while descriptors are short */
	bool held; /* its connection stays open between the passes */
	struct observed observed;
	struct desired desired;
	struct plan plan;
	struct script_result applied;
	bool has_observed, has_desired, has_plan;
	enum author author;
	/* for saved plans, when fleet.digests is set */
	char observed_digest[DIGEST_HEX + 1];
	char desired_digest[DIGEST_HEX + 1]; /* "" for a removed node */
};

struct audit;

struct fleet {
	struct cmd_env *env;
	struct mesh *mesh;
	struct access *access;
	struct remote_keys *keys;
	struct remote_conf conf;
	VEC(struct host) hosts; /* by name, tombstones last */
	char nonce[33];
	char who[200]; /* who we are, for the hosts' lock files; printable */
	struct audit *audit; /* where steps are logged; borrowed; may be NULL */
	bool digests; /* fill those of the hosts */
	/* for the progress line; atomic */
	size_t failed; /* so far */
	size_t again;  /* being looked at again */
	unsigned parallel;  /* hosts at a time: as descriptors allow */
	size_t room, held;  /* connections that may stay open, and that do;
			       held is atomic */
	size_t size;        /* of the mesh: bounds what a host may say */
};

/** Begin a run without hosts; they are to be added. ERR_SYSTEM. */
int fleet_begin(struct fleet *f, struct cmd_env *env, struct mesh *m,
		struct err *e);

/**
 * Choose the hosts that the arguments name (nodes or groups; all when there
 * are none), or those that take part in the plan @saved unless it is NULL.
 * ERR_INPUT for a name that is neither. @m is borrowed.
 */
int fleet_open(struct fleet *f, struct cmd_env *env, struct mesh *m,
	       const struct saved_plan *saved, struct err *e);

/** Log in everywhere and read what is there; failures stay in their host. */
int fleet_probe(struct fleet *f, struct err *e);

/**
 * Keys that live on their hosts. Those that the state does not know yet are
 * taken in; @make has those made that are missing. A key that is another one
 * than the state has (a rebuilt host) is taken only after a yes to that: without
 * one, or when @make is false, its host fails alone and nothing of it changes.
 */
void fleet_keys(struct fleet *f, bool make);

/** Wipe from the mesh the private keys that are on their hosts now. */
void fleet_forget_keys(struct fleet *f);

/** Run @work on every host with the result @which, in parallel, with progress. */
void fleet_each(struct fleet *f, const char *doing, enum host_result which,
		void (*work)(struct fleet *f, struct host *h));

/** @h ends here, with its error. */
void fleet_host_failed(struct fleet *f, struct host *h);

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

/** What all answers together may take whose silences may be so long. */
int fleet_total_ms(int silence_ms);

/**
 * The answer of @h did not come to its end, for the reason in @e: look again,
 * and wait at most @total_ms for steps that still run. 0: all of them are done.
 * -1: @e says what is true: REMOTE when some are not done and none is running,
 * UNREACHABLE when that is not known. Sets applied.steps_done.
 */
int fleet_again(struct fleet *f, struct host *h, int64_t total_ms,
		struct err *e);

/**
 * Send @script down the host's channel and read the answer to its end;
 * @timeout_ms is the longest silence, fleet_total_ms() of it the longest time. A
 * host that was hung up is logged in on first. After an error @answer has what
 * came.
 */
int fleet_run(const struct fleet *f, struct host *h,
	      const struct sbuf *script, int timeout_ms, struct sbuf *answer,
	      struct err *e);

/** Merge facts and new host keys into the mesh; plan every host that answered.
 * No host is HOST_OPEN afterwards. */
void fleet_plan(struct fleet *f, bool pin_known);

/** Send every changed host its script. */
void fleet_apply(struct fleet *f);

/** Close connections and free. For AUTO(fleet_done). */
void fleet_done(struct fleet *f);

/**
 * Find out who deployed each host. One that another author deployed fails,
 * unless -adopt; one that claims a newer state than this one without the proof
 * of the mesh's secret fails alone, unless -force-serial.
 */
void fleet_judge_authors(struct fleet *f);

/** Is there a host of another author? */
bool fleet_has_others(const struct fleet *f);

/** Is a host to be changed that does not prove that this mesh deployed it? */
bool fleet_has_unproven(const struct fleet *f);

/** Is the proof in its marker not made with the present secret? */
bool fleet_marker_is_old(const struct fleet *f, const struct host *h);

/**
 * A sentence when a host was deployed from a newer state than this one (by the
 * marker in its boot file, which proves it), else NULL; the caller frees.
 */
char *fleet_stale(const struct fleet *f);

/** The proof for the marker at the mesh's serial; "" when it has no secret. */
int proof_sign(struct desired *d, struct err *e);

/** Does a plan tear an interface down? */
bool fleet_tears_down(const struct fleet *f);

/** Number of hosts with this result. */
size_t fleet_count(const struct fleet *f, enum host_result result);

/** "unchanged", "to_change", "changed", "unreachable", "failed". */
const char *fleet_result_name(enum host_result result);

/** Print the plan of each host that has one, and a summary line. */
void fleet_print_plan(const struct fleet *f);

/** Print one result line per host, and a summary line. */
void fleet_print_results(const struct fleet *f);

/** Print the plan as Markdown for a comment: bounded, nothing in it acts. */
void fleet_print_markdown(const struct fleet *f);

/** Print everything as JSON; shape in docs/json.md. */
void fleet_print_json(const struct fleet *f);

/** EXIT_HOSTS when a host failed or was unreachable, else EXIT_DONE. */
int fleet_status(const struct fleet *f);

#endif
