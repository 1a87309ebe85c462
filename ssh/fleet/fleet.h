/*
 * Many hosts at once: the engine of plan, deploy and import. Choose the hosts
 * (choose.c), log in and read what is there (look.c), find out who deployed
 * them last (author.c) and which keys are theirs (keys.c), merge facts and pins
 * into the mesh and plan (plan.c), send each its script (apply.c), and look
 * again where an answer did not come to its end (again.c); plans in files
 * (saved.c). One struct host each, nothing shared, so that they can be worked
 * on in any order (pass.c). The order of a deploy, "save, write, record", is in
 * deploy.c. The engine prints nothing and reads no option: it is told what is
 * wanted in a struct fleet_options, and speaks through a struct fleet_voice.
 */
#ifndef WGMESH_SSH_FLEET_FLEET_H
#define WGMESH_SSH_FLEET_FLEET_H

#include "acl/access.h"
#include "base/auto.h"
#include "render/host/host.h"
#include "render/plan.h"
#include "ssh/session/remote.h"
#include "state/json/json.h"
#include "state/store/store.h"
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
	char *name;
	struct node *node; /* of the mesh; NULL once a removed one is done with */
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
	struct sbuf probe; /* its command, when fleet.keep_probes is set */
	enum author author;
	/* for saved plans, when fleet.digests is set */
	char observed_digest[DIGEST_HEX + 1];
	char desired_digest[DIGEST_HEX + 1]; /* "" for a removed node */
};

struct fleet;

/** What is wanted of a run. Strings are borrowed. */
struct fleet_options {
	const struct strings *names; /* of nodes or groups; empty: all */
	unsigned parallel;           /* hosts at a time, at most */
	int timeout_ms;              /* the longest silence of a host */
	const char *user, *machine;  /* who we are, for the hosts' locks */
	const struct secret *sudo_password; /* NULL: none may be asked for */
	bool accept_new;     /* SSH host keys that nobody knows yet */
	bool accept_changed; /* WireGuard keys of hosts that were rebuilt */
	bool no_install;     /* install no WireGuard */
	bool adopt;          /* take over interfaces that are not ours */
	bool force_serial;   /* go back to an older state */
};

/** How far a pass over the hosts is. */
struct fleet_progress {
	const char *doing; /* "probing" */
	size_t hosts, done, working, failed;
	size_t again; /* being looked at again */
};

/** How a run speaks. Only what says so may be NULL. */
struct fleet_voice {
	/** Something to know; one line, escaped by who prints it. Any thread. */
	void (*note)(const char *fmt, ...)
		__attribute__((format(printf, 1, 2)));
	/** The same of what is wrong and stops nothing. The main thread. */
	void (*warn)(const struct err *e);
	/** 1: yes, 0: no, -1: there is nobody to ask. */
	int (*ask)(const char *question);
	/** See remote_keys_load(). NULL: there is nobody to ask. */
	int (*passphrase)(const char *file, struct sbuf *out);
	/** A few times a second; with NULL when a pass ends. May be NULL. */
	void (*progress)(const struct fleet_progress *p);
	/** The main thread waits for hosts (true), in no library; goes on. */
	void (*waits)(bool waits);
	/** @h was written to, or failed; any thread. May be NULL. */
	void (*wrote)(const struct fleet *f, const struct host *h);
};

struct fleet {
	struct fleet_options options;
	const struct fleet_voice *voice;
	void *arg; /* the voice's */
	struct mesh *mesh;
	struct access *access;
	struct remote_keys *keys;
	struct remote_conf conf;
	VEC(struct host) hosts; /* by name, tombstones last */
	char nonce[33];
	char who[200]; /* who we are, for the hosts' lock files; printable */
	bool digests; /* fill those of the hosts */
	bool keep_probes; /* those of the hosts */
	bool wrote;   /* hosts were written to */
	_Atomic size_t failed; /* so far, for the progress */
	_Atomic size_t again;  /* being looked at again, the same */
	unsigned parallel;     /* hosts at a time: as descriptors allow */
	size_t room;           /* connections that may stay open */
	_Atomic size_t held;   /* and that do */
	size_t size;           /* of the mesh: bounds what a host may say */
};

/** Begin a run without hosts; they are to be added. @m and @voice are borrowed,
 * end with fleet_done(). ERR_SYSTEM. */
int fleet_begin(struct fleet *f, const struct fleet_options *options,
		const struct fleet_voice *voice, struct mesh *m,
		struct err *e);

/**
 * Choose the hosts that the options name (nodes or groups; all when they name
 * none), or those that take part in the plan @saved unless it is NULL.
 * ERR_INPUT for a name that is neither.
 */
int fleet_choose(struct fleet *f, const struct saved_plan *saved,
		 struct err *e);

/** Log in everywhere and read what is there; failures stay in their host. */
int fleet_probe(struct fleet *f, struct err *e);

/**
 * Probe the hosts, judge who deployed them, take in or (@make) make keys that
 * live there, merge facts and host keys (@writes: those that known_hosts has,
 * too) into the mesh, and plan each host that answered. No host is HOST_OPEN
 * afterwards. CONFLICT, if @writes: a host proves a newer state than this one.
 */
int fleet_prepare(struct fleet *f, bool writes, bool make, struct err *e);

/** fleet_prepare()'s last part alone. */
void fleet_plan(struct fleet *f, bool pin_known);

/**
 * Append the script for the plan of @h; with @hidden it is to be shown, and
 * "(hidden)" stands for each secret (@out should else be a secret buffer).
 */
int fleet_script(const struct fleet *f, struct host *h, bool hidden,
		 struct sbuf *out, struct err *e);

/**
 * Append the script that makes the key of @h, if it is to be made there; is it?
 */
bool fleet_key_script(const struct fleet *f, const struct host *h,
		      struct sbuf *out);

/** How a deploy is remembered. @arg is for the functions. */
struct fleet_memory {
	int (*save)(void *arg, struct err *e);   /* the mesh, as it is now */
	int (*before)(void *arg, struct err *e); /* the last chance to refuse */
	/* the hosts are done, and all is still there to be told */
	void (*report)(void *arg, const struct fleet *f);
	int (*record)(void *arg, const struct fleet *f, struct err *e);
	void *arg;
};

/**
 * Save what is about to be done, write to the hosts, report, save what was
 * done, record it. -1: when f->wrote is false no host was changed.
 */
int fleet_deploy(struct fleet *f, const struct fleet_memory *memory,
		 struct err *e);

/** Close connections and free. For AUTO(fleet_done). */
void fleet_done(struct fleet *f);

/* ---- a run of one's own: see cmd/import_host.c ---- */

/**
 * Run @work on every host with the result @which, in parallel, with progress.
 */
void fleet_each(struct fleet *f, const char *doing, enum host_result which,
		void (*work)(struct fleet *f, struct host *h, void *arg),
		void *arg);

/** @h ends here, with its error. */
void fleet_host_failed(struct fleet *f, struct host *h);

/**
 * Send @script down the host's channel and read the answer to its end;
 * @timeout_ms is the longest silence, 15 times that the longest time. A host
 * that was hung up is logged in on first. After an error @answer has what came.
 */
int fleet_run(const struct fleet *f, struct host *h,
	      const struct sbuf *script, int timeout_ms, struct sbuf *answer,
	      struct err *e);

/* ---- what became of it ---- */

/** Is there a host of another author? */
bool fleet_has_others(const struct fleet *f);

/** Is a host to be changed that does not prove that this mesh deployed it? */
bool fleet_has_unproven(const struct fleet *f);

/**
 * Was a host deployed from a newer state than this one, by the marker in its
 * boot file, which proves it? Then @why says so, else it is left alone.
 */
bool fleet_is_stale(const struct fleet *f, struct err *why);

/** The proof for the marker at the mesh's serial; "" when it has no secret. */
int proof_sign(struct desired *d, struct err *e);

/**
 * Pin in @m the keys of the jump hosts on the way of a login, new ones and, if
 * @known, those of known_hosts; @note is told of each. HOSTKEY, when another
 * login of this run met another key there.
 */
int fleet_pin_jumps(struct mesh *m, const struct remote_facts *facts,
		    bool known, void (*note)(const char *fmt, ...),
		    struct err *e);

/** Number of hosts with this result. */
size_t fleet_count(const struct fleet *f, enum host_result result);

/** Is a host unreachable or failed? */
bool fleet_has_failed(const struct fleet *f);

bool host_has_failed(const struct host *h);

/** "unchanged", "to_change", "changed", "unreachable", "failed". */
const char *fleet_result_name(enum host_result result);

/* ---- plans in files ---- */

/**
 * What of the state in @s goes into a plan, into the empty @out: before
 * anything is found out about the hosts.
 */
int saved_begin(struct saved_plan *out, const struct store *s,
		const struct fleet_options *options, struct err *e);

/** Add the planned hosts of @f. */
void saved_add(struct saved_plan *out, const struct fleet *f);

/**
 * The text of @p. ERR_INPUT when a key is yet to be made on a host of @f, for
 * then nobody can say what the others will get.
 */
int saved_text(struct sbuf *out, struct saved_plan *p, const struct fleet *f,
	       struct err *e);

/**
 * Parse the text of a plan, which must be of the state that @now is of; the
 * options with which it was made hold again.
 */
int saved_parse(struct saved_plan *out, const struct sbuf *text,
		struct fleet_options *options, const struct saved_plan *now,
		struct err *e);

#endif
